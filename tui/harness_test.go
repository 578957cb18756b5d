package tui

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"go.uber.org/goleak"

	"podpath/kube"
	"podpath/tui/golden"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

// fakeSource says of a cluster what a test lets it say.
type fakeSource struct {
	snapshots chan *kube.Snapshot
	breaks    chan error
}

func newSource(snapshots ...*kube.Snapshot) *fakeSource {
	s := &fakeSource{make(chan *kube.Snapshot, 10), make(chan error, 1)}
	for _, snapshot := range snapshots {
		s.snapshots <- snapshot
	}
	return s
}

func (s *fakeSource) Run(ctx context.Context) error {
	select {
	case err := <-s.breaks:
		return err
	case <-ctx.Done():
		return nil
	}
}

func (s *fakeSource) Next(ctx context.Context) (*kube.Snapshot, error) {
	select {
	case snapshot := <-s.snapshots:
		return snapshot, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fakeReader has the same answer for every object.
type fakeReader struct {
	object kube.Object
	events []kube.Event
}

func (r *fakeReader) Get(context.Context, kube.Ref) (kube.Object, error) { return r.object, nil }
func (r *fakeReader) Events(context.Context, kube.Ref, string) ([]kube.Event, error) {
	return r.events, nil
}

// setup is what a screen starts with; the zero value is 80×24 on the default
// namespace of the test cluster.
type setup struct {
	width, height int
	all           bool           // namespaces
	snapshot      *kube.Snapshot // instead of the test cluster's
	waiting       bool           // no snapshot has come yet
	connect       func(Choice) error
	ascii         bool
	readOnly      bool
	practice      *Practice
}

// screen drives the root model as Bubble Tea does, but without a terminal: it
// runs the commands and hands their messages back. Time is that of a synctest
// bubble, so that nothing has to wait.
type screen struct {
	*testing.T
	model         *Model
	width, height int
	messages      chan tea.Msg
	source        *fakeSource
	reader        *fakeReader
	prober        *fakeProber
	forwarder     *fakeForwarder
	chosen        []Choice
	copied        string
	quit          bool // or suspended
}

func drive(t *testing.T, o setup, test func(s *screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &screen{T: t, width: o.width, height: o.height, messages: make(chan tea.Msg, 100), source: newSource(), reader: &fakeReader{}, prober: &fakeProber{pause: time.Millisecond}, forwarder: &fakeForwarder{changed: make(chan struct{}, 1)}}
		if s.width == 0 {
			s.width, s.height = 80, 24
		}
		namespace := "default"
		if o.all {
			namespace = ""
		}
		if o.snapshot == nil {
			o.snapshot = golden.Cluster(t, namespace)
		}
		if !o.waiting {
			s.source.snapshots <- o.snapshot
		}
		s.model = NewModel(ctx, Options{
			Cluster: s.cluster("raspi", o.snapshot.Scope, s.source),
			Connect: func(c Choice) (Cluster, error) {
				s.chosen = append(s.chosen, c)
				if o.connect != nil {
					if err := o.connect(c); err != nil {
						return Cluster{}, err
					}
				}
				if c.Namespace == "" && !c.All {
					c.Namespace = "default"
				}
				snapshot := golden.Cluster(t, c.Namespace)
				s.source = newSource(snapshot)
				return s.cluster(c.Context, snapshot.Scope, s.source), nil
			},
			ASCII: o.ascii, ReadOnly: o.readOnly, Forwards: s.forwarder, Practice: o.practice,
			Now: func() time.Time { return golden.Now.Add(time.Since(bubbleStart)) },
		}, s.width, s.height)
		s.start(s.model.Init())
		s.settle()
		defer func() {
			cancel()
			s.model.running.Wait()
			if err := s.model.probing.Wait(); err != nil {
				s.Error(err)
			}
		}()
		test(s)
	})
}

var contexts = []string{"arn:aws:eks:eu-central-1:123456789012:cluster/in-the-cloud", "laptop", "raspi", "server-1", "server-2", "server-3", "x" + hostile}

// bubbleStart is when time begins in a synctest bubble.
var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *screen) cluster(context string, scope kube.Scope, source Source) Cluster {
	return Cluster{Context: context, Contexts: contexts, Server: "https://192.168.13.101:6443", Scope: scope, Source: source, Reader: s.reader, Prober: s.prober}
}

func (s *screen) start(cmd tea.Cmd) {
	if cmd != nil {
		go func() { s.messages <- cmd() }()
	}
}

// settle hands messages over until none is left that comes without waiting.
func (s *screen) settle() {
	for {
		synctest.Wait()
		select {
		case msg := <-s.messages:
			s.receive(msg)
		default:
			return
		}
	}
}

func (s *screen) receive(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			s.start(cmd)
		}
	case tea.QuitMsg, tea.SuspendMsg:
		s.quit = true
	default:
		if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
			s.copied = fmt.Sprint(msg)
		}
		_, cmd := s.model.Update(msg)
		s.start(cmd)
	}
}

// send hands one message over, and all that follows from it.
func (s *screen) send(msg tea.Msg) {
	s.Helper()
	s.receive(msg)
	s.settle()
}

// show lets the cluster be in another state.
func (s *screen) show(snapshot *kube.Snapshot) {
	s.Helper()
	s.source.snapshots <- snapshot
	s.settle()
}

func (s *screen) resize(width, height int) {
	s.Helper()
	s.width, s.height = width, height
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
}

// press presses keys, by their names as in the bindings, one after the other.
func (s *screen) press(keys ...string) {
	s.Helper()
	for _, name := range keys {
		s.send(keyNamed(name))
	}
}

// enter types a text into the prompt that the sign opens, and presses enter.
func (s *screen) enter(sign, text string) {
	s.Helper()
	s.press(sign)
	s.press(strings.Split(text, "")...)
	s.press("enter")
}

var namedKeys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "space": {Code: tea.KeySpace, Text: " "}, " ": {Code: tea.KeySpace, Text: " "},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown}, "backspace": {Code: tea.KeyBackspace},
}

func keyNamed(name string) tea.KeyPressMsg {
	if press, ok := namedKeys[name]; ok {
		return press
	}
	if letter, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// text is what the screen shows. It is exactly as large as the screen, and
// whatever the cluster holds, nothing in it but colours can act on a terminal.
func (s *screen) text() string {
	s.Helper()
	text := sgr.ReplaceAllString(s.model.View().Content, "")
	lines := strings.Split(text, "\n")
	if s.height > 0 && s.width > 0 && len(lines) != s.height {
		s.Errorf("%d×%d: got %d lines:\n%s", s.width, s.height, len(lines), text)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > s.width {
			s.Errorf("%d×%d: got %q, %d cells wide", s.width, s.height, line, w)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			s.Errorf("got a control character in %q", line)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// sees checks that every text is on the screen.
func (s *screen) sees(texts ...string) {
	s.Helper()
	got := s.text()
	for _, want := range texts {
		if !strings.Contains(got, want) {
			s.Errorf("got\n%s\nwant %q on it", got, want)
		}
	}
}

// misses checks that none of the texts is on the screen.
func (s *screen) misses(texts ...string) {
	s.Helper()
	got := s.text()
	for _, text := range texts {
		if strings.Contains(got, text) {
			s.Errorf("got\n%s\nwant no %q on it", got, text)
		}
	}
}

// selected is the row under the cursor.
func (s *screen) selected() string {
	s.Helper()
	for _, line := range strings.Split(s.model.View().Content, "\n")[headHeight:] {
		if text, ok := strings.CutPrefix(line, "\x1b[7m"); ok {
			return strings.TrimRight(sgr.ReplaceAllString(text, ""), " ")
		}
	}
	s.Errorf("got no selected row in\n%s", s.text())
	return ""
}
