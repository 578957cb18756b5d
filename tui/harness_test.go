package tui

import (
	"cmp"
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
	"podpath/kube/demo/fixture"
	"podpath/tui/golden"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

// setup is what a screen starts with; the zero value is 80×24 on the default
// namespace of the test cluster.
type setup struct {
	width, height int
	all           bool                           // namespaces
	manifests     string                         // in place of the test cluster's
	denied        []string                       // resources that the user may not read
	stalled       []string                       // resources that the API server does not answer for, until s.answer
	closed        bool                           // is the API server
	stranger      bool                           // is the user, to the API server
	snapshot      func(s *screen) *kube.Snapshot // is all that is seen
	source        func(Source) Source
	connect       func(Choice) error
	ascii         bool
	readOnly      bool
	practice      *Practice
}

// screen drives the root model as Bubble Tea does, but without a terminal: it
// runs the commands and hands their messages back. It looks at objects in an
// API server in memory. Time is that of a synctest bubble, so that nothing has
// to wait; it begins at golden.Now.
type screen struct {
	*testing.T
	setup         setup
	model         *Model
	width, height int
	messages      chan tea.Msg
	server        *fixture.Server
	practice      *fixture.Cluster // or nil
	client        *kube.Client
	answer        func()
	prober        *fakeProber
	forwarder     *fakeForwarder
	chosen        []Choice
	copied        string
	quit          bool // or suspended
}

// drive has a screen of its own for a test.
func drive(t *testing.T, o setup, test func(s *screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(golden.Now))
		s := &screen{T: t, setup: o}
		s.serve()
		s.use(test)
	})
}

// use opens podpath on the screen, for as long as the test takes.
func (s *screen) use(test func(s *screen)) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	s.width, s.height, s.messages = cmp.Or(s.setup.width, 80), cmp.Or(s.setup.height, 24), make(chan tea.Msg, 100)
	s.prober, s.forwarder = &fakeProber{pause: time.Millisecond}, &fakeForwarder{changed: make(chan struct{}, 1)}
	s.model = NewModel(ctx, Options{
		Cluster: s.cluster(Choice{Context: "raspi", All: s.setup.all}), Connect: s.connect,
		ASCII: s.setup.ascii, ReadOnly: s.setup.readOnly, Forwards: s.forwarder, Practice: s.setup.practice,
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

// wait lets time pass, and what happens in it.
func (s *screen) wait(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(50*time.Millisecond, time.Until(end)))
		s.settle()
	}
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
