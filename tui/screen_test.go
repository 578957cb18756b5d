package tui

import (
	"fmt"
	"image/color"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/tui/golden"
	"podpath/tui/style"
)

func TestGoldens(t *testing.T) {
	for name, c := range map[string]struct {
		setup setup
		open  func(s *screen)
	}{
		"pods-80x24":      {setup{}, views["Pods"]},
		"services-80x24":  {setup{}, views["Services"]},
		"endpoints-80x24": {setup{}, views["endpoints"]},
		"pod-80x24":       {setup{}, views["Pod"]},
		"service-80x24":   {setup{}, func(s *screen) { s.press("2", "j", "d") }},
		"help-80x24":      {setup{}, views["help"]},
		"status-80x24":    {setup{}, views["status"]},
		"pods-40x10":      {setup{width: 40, height: 10}, views["Pods"]},
		"services-40x10":  {setup{width: 40, height: 10}, views["Services"]},
		"pods-120x40":     {setup{width: 120, height: 40, all: true}, views["Pods"]},
		"services-120x40": {setup{width: 120, height: 40, all: true}, views["Services"]},
		"pods-200x60":     {setup{width: 200, height: 60, all: true}, views["Pods"]},
		"services-200x60": {setup{width: 200, height: 60, all: true}, views["Services"]},
		"pods-ascii":      {setup{ascii: true}, views["Pods"]},
		"services-ascii":  {setup{ascii: true}, views["Services"]},
		"no-probes-80x24": {setup{}, views["no Probes"]},
		"probes-80x24":    {setup{}, views["Probes"]},
		"probes-40x10":    {setup{width: 40, height: 10}, views["Probes"]},
		"probes-200x60":   {setup{width: 200, height: 60}, func(s *screen) { s.probeFixed(); s.press("w") }},
		"probes-ascii":    {setup{ascii: true}, func(s *screen) { s.prober.noTools = "dual-0"; s.probeFixed() }},
		"probes-signs":    {setup{}, func(s *screen) { s.probeFixed(); s.press("ctrl+w") }},
		"probes-by-node":  {setup{}, views["Probes by Node"]},
		"evidence-80x24":  {setup{}, views["evidence"]},
		"evidence-40x10":  {setup{width: 40, height: 10}, views["evidence"]},
		"spread-80x24": {setup{}, func(s *screen) {
			s.follow([]string{"2", "/sample-clusterip", "p", "G", "enter"})
			s.wait(time.Second)
			s.press("enter")
		}},
		"probe-menu":        {setup{}, views["probe a Pod"]},
		"ways-80x24":        {setup{}, views["ways"]},
		"no-forwards-80x24": {setup{}, views["no Forwards"]},
		"forwards-80x24":    {setup{}, views["Forwards"]},
		"forwards-40x10":    {setup{width: 40, height: 10}, views["Forwards"]},
		"forwards-120x40":   {setup{width: 120, height: 40, all: true}, views["Forwards"]},
		"forwards-ascii":    {setup{ascii: true}, views["Forwards"]},
		"forward-failed":    {setup{}, views["failed Forward"]},
		"forward-80x24":     {setup{}, views["forward"]},
		"forward-40x10":     {setup{width: 40, height: 10}, views["forward"]},
		"forward-120x40":    {setup{width: 120, height: 40}, views["forward"]},
		"forward-port":      {setup{}, func(s *screen) { s.press("2", "f", "enter"); s.typeOver("8080") }},
		"forward-ports":     {setup{}, func(s *screen) { s.press("2", "f") }},
		"routes":            {setup{}, func(s *screen) { s.forwardSeveral(); s.press("v") }},
		"policies":          {setup{}, func(s *screen) { s.forwardSeveral(); s.press("o") }},
		"pods-probed":       {setup{}, func(s *screen) { s.probeFixed(); s.press("1") }},
	} {
		t.Run(name, func(t *testing.T) {
			drive(t, c.setup, func(s *screen) {
				c.open(s)
				golden.Check(t, name+".golden", s.text())
			})
		})
	}
}

func TestASCIIScreensAreASCII(t *testing.T) {
	for name, open := range views {
		drive(t, setup{ascii: true}, func(s *screen) {
			open(s)
			if i := strings.IndexFunc(s.text(), func(r rune) bool { return r > '~' }); i >= 0 {
				s.Errorf("%s: got %q", name, s.text()[i:])
			}
		})
	}
}

func TestEverySizeIsFilledExactly(t *testing.T) {
	for name, open := range views {
		t.Run(name, func(t *testing.T) {
			drive(t, setup{all: true}, func(s *screen) {
				open(s)
				for width := 1; width <= 200; width += 1 + width/10 {
					for _, height := range []int{1, 2, 3, 4, 5, 10, 24, 60} {
						s.resize(width, height)
						s.text() // checks the size
					}
				}
				s.resize(0, 0)
				s.press("j", "/", "x", "enter", ":", "esc", "esc")
				s.resize(80, 24)
				s.text()
			})
		})
	}
}

func TestPromptFitsEverySize(t *testing.T) {
	for _, sign := range []string{"/", ":"} {
		drive(t, setup{}, func(s *screen) {
			s.press(sign)
			s.press(strings.Split("a long text 漢字 that is wider than the screen", "")...)
			for width := range 60 {
				s.resize(width+1, 5)
				s.text()
				if c := s.model.View().Cursor; c == nil || c.X > width || c.Y != 4 {
					s.Errorf("%d wide: got the cursor at %v, want it in the last line", width+1, c)
				}
			}
		})
	}
}

// hostile is what a label or an event may try on a terminal.
const hostile = "\x1b[31mred\x1b[2J\x1b]0;title\x07\u009b2J\u202eback\u2066\rover\nnext\x00\x7f\u2028end"

func TestTextFromTheClusterCannotActOnTheTerminal(t *testing.T) {
	manifest := fmt.Sprintf(`
{apiVersion: v1, kind: Node, metadata: {name: %[1]q, uid: node}, status: {conditions: [{type: Ready, status: "False", message: %[1]q}], nodeInfo: {kubeletVersion: %[1]q}}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: %[1]q, uid: p, labels: {app: %[1]q, %[1]q: x}}, spec: {nodeName: %[1]q, containers: [{name: %[1]q, image: %[1]q}]}, status: {reason: %[1]q, message: %[1]q, podIP: %[1]q}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: default, name: %[1]q, uid: s}, spec: {type: NodePort, selector: {app: %[1]q}, clusterIP: %[1]q, externalIPs: [%[1]q], ports: [{name: %[1]q, port: 80, targetPort: %[1]q, protocol: %[1]q}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, metadata: {namespace: default, name: x, labels: {kubernetes.io/service-name: %[1]q}}, endpoints: [{addresses: [%[1]q], nodeName: %[1]q, zone: %[1]q, targetRef: {kind: Pod, name: %[1]q}}], ports: [{name: %[1]q, port: 80, protocol: %[1]q}]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: %[1]q}}
`, hostile)
	refused := func(s *screen) *kube.Snapshot {
		return fixture.WithState(s.server.Snapshot(kube.Scope{Namespace: "default"}), kube.Pods, kube.State{Phase: kube.Stale, Listed: true, Err: kube.Clean(hostile)})
	}
	for name, keys := range map[string][]string{
		"Pods": nil, "wide": {"ctrl+w"}, "Node": {"enter"}, "Pod": {"j", "enter"}, "Services": {"2"}, "Service": {"2", "d"}, "endpoints": {"2", "enter"},
		"Services of Pod": {"j", "s"}, "namespaces": {":", "n", "s", "enter"}, "status": {":", "s", "t", "a", "t", "u", "s", "enter"}, "copied": {"j", "c"},
		"a context": {":", "c", "t", "x", "enter", "G", "enter"}, "its completion": {":", "c", "t", "x", " ", "x", "tab"},
	} {
		drive(t, setup{width: 200, height: 60, manifests: manifest, snapshot: refused}, func(s *screen) {
			s.press(keys...)
			s.sees("next") // the hostile text is there, and text() finds no control character in it
			if s.copied != "" && s.copied != kube.Clean(hostile) {
				s.Errorf("%s: got %q copied", name, s.copied)
			}
		})
	}
}

// Without colours everything still reads: what a role says in colour stands in
// the text as well, and the cursor is reversed.
func TestMeaningIsNotInTheColourAlone(t *testing.T) {
	drive(t, setup{all: true, width: 200, height: 60}, func(s *screen) {
		s.sees("NotReady", "CrashLoopBackOff", "Evicted", "no Node yet", "live")
		s.press("2")
		s.sees("no-ready-endpoint", "0/1 (1 not ready)", "selector-matches-no-pod", "<pending>")
		if !strings.Contains(s.model.View().Content, "\x1b[7m") {
			s.Error("got no reversed row, want the cursor seen without colours")
		}
	})
}

func TestScreensUseTheTerminalsOwnColours(t *testing.T) {
	drive(t, setup{all: true, width: 200, height: 60}, func(s *screen) {
		for _, background := range []color.Color{color.White, color.Black} {
			s.send(tea.BackgroundColorMsg{Color: background})
			for _, sequence := range sgr.FindAllString(s.model.View().Content, -1) {
				if strings.Contains(sequence, "38;") || strings.Contains(sequence, "48;") {
					s.Errorf("got %q, want only the 16 colours", sequence)
				}
			}
		}
	})
}

func TestTwoSides(t *testing.T) {
	for width := 1; width < 60; width++ {
		m := &Model{width: width, theme: style.NewTheme(true)}
		for _, left := range []string{"", "left", "漢字漢字漢字 and a long left side"} {
			for _, right := range []string{"", "right", "漢字 and a right side"} {
				if got := m.twoSides(left, right); ansi.StringWidth(got) != width {
					t.Errorf("%d wide: got %q", width, got)
				}
			}
		}
	}
}
