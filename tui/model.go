// Package tui is podpath's terminal UI. The root model routes messages between
// one session, which brings snapshots of a cluster, and a stack of views, of
// which the last is on the screen.
package tui

import (
	"context"
	"slices"
	"sync"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sync/errgroup"

	"podpath/kube"
	"podpath/tui/detail"
	"podpath/tui/forwards"
	"podpath/tui/pods"
	"podpath/tui/probes"
	"podpath/tui/results"
	"podpath/tui/services"
	"podpath/tui/style"
)

// view is what can be on the screen: a pane, or something opened from one.
type view interface {
	Title() string
	Resource() kube.Resource
	SetTheme(*style.Theme)
	SetSize(width, height int)
	SetSnapshot(s *kube.Snapshot, now time.Time)
	Update(tea.KeyPressMsg) tea.Cmd
	View() string
	Bindings() []key.Binding
}

// lister is a view with a filter.
type lister interface {
	Filter() string
	SetFilter(text string) error
	Len() (all, kept int)
	Empty() bool
	// None says what it is that there is none of.
	None() string
}

// headed is a list that has lines above it, also when it is empty.
type headed interface{ Head() []string }

// marker is a view that shows results of probes with its objects.
type marker interface{ SetBook(b *results.Book) }

// searcher is a view with a search.
type searcher interface {
	Search(text string)
	Found() (text string, times int)
}

// reader is a view that reads an object of its own.
type reader interface {
	Read(ctx context.Context, r detail.Reader) tea.Cmd
	Receive(tea.Msg) bool
}

// Options are what the program is started with.
type Options struct {
	// Cluster is followed from the start.
	Cluster Cluster
	// Connect connects anew, when the user changes context or namespace.
	Connect func(Choice) (Cluster, error)
	Mouse   bool
	// Forwards hold what is forwarded; nil where nothing can be.
	Forwards Forwarder
	// ReadOnly forbids to run anything in the cluster, and to forward.
	ReadOnly bool
	// Practice is set where the practice cluster is followed.
	Practice *Practice
	// ASCII draws no sign beyond ASCII.
	ASCII bool
	// Now is the clock; nil for the real one.
	Now func() time.Time
}

// Model is the root.
type Model struct {
	options Options
	ctx     context.Context // the program's life: sessions end with it
	running sync.WaitGroup  // of sessions
	probing errgroup.Group  // of their probers
	session *session
	fatal   error
	noShell bool // to suspend to

	theme         *style.Theme
	width, height int
	snapshot      *kube.Snapshot
	now           time.Time // of what is drawn; it moves with news and once a minute
	panes         [4]view
	probes        *probes.Pane   // one of the panes
	forwards      *forwards.Pane // another one, which stays when the others are replaced
	looking       looking
	book          *results.Book
	stack         []view
	prompt        prompt
	notice        string
	lastNamespace string // to go back to from all namespaces
	lesson        string // that goes on in the practice cluster
	choices       int    // how often the user chose a context or namespace
}

// NewModel returns the root model. Width and height are the terminal's, so
// that the first frame is complete.
func NewModel(ctx context.Context, options Options, width, height int) *Model {
	if options.Now == nil {
		options.Now = time.Now
	}
	m := &Model{options: options, ctx: ctx, theme: style.NewTheme(true), width: width, height: height}
	m.forwards = forwards.New(m.theme, options.ReadOnly)
	m.reset(options.Cluster)
	m.welcome()
	return m
}

// reset shows the panes of a newly chosen cluster, still empty, and of them the
// one that the user is in.
func (m *Model) reset(c Cluster) {
	pane := 0
	if len(m.stack) > 0 {
		pane = max(0, slices.Index(m.panes[:], m.stack[0]))
	}
	m.snapshot = &kube.Snapshot{Scope: c.Scope}
	m.now = m.options.Now()
	before := m.panes
	if m.probes == nil {
		m.probes = probes.New(m.theme, c.Scope)
	}
	m.probes.Outlive(c.Scope) // until the next run
	if m.book = (&results.Book{}); c.Context == m.context() {
		m.probes.Refill(m.book, m.now)
	}
	m.panes = [4]view{pods.New(m.theme, c.Scope), services.New(m.theme, c.Scope), m.probes, m.forwards}
	m.forwards.Look(c.Context, c.Scope)
	for i, v := range before {
		if l, ok := v.(lister); ok && c.Context == m.context() && v != view(m.probes) {
			_ = m.panes[i].(lister).SetFilter(l.Filter()) // it was read before
		}
	}
	m.stack = nil
	if !c.Scope.All() {
		m.lastNamespace = c.Scope.Namespace
	}
	m.show(m.panes[pane])
}

// context is the context of the kubeconfig that is followed now.
func (m *Model) context() string {
	if m.session == nil {
		return ""
	}
	return m.session.Context
}

// Init starts following the cluster.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.follow(m.options.Cluster), askTerminal(), m.waitForMinute())
}

// askTerminal asks for the background, and for synchronized output also over
// SSH, where Bubble Tea does not: a terminal that does not know the mode
// ignores it.
func askTerminal() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, func() tea.Msg {
		return tea.ModeReportMsg{Mode: ansi.ModeSynchronizedOutput, Value: ansi.ModeReset}
	})
}

// minutePassed lets ages grow on an idle screen.
type minutePassed struct{}

func (m *Model) waitForMinute() tea.Cmd {
	ended := m.ctx.Done()
	return func() tea.Msg {
		select {
		case <-time.After(time.Minute):
			return minutePassed{}
		case <-ended:
			return nil
		}
	}
}

// Update handles a message, and then sees to what is looked at.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	return m, tea.Batch(cmd, m.lookAtForwards())
}

// update routes a message.
func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.refresh()
	case tea.BackgroundColorMsg:
		m.theme = style.NewTheme(msg.IsDark())
		m.refresh()
	case minutePassed:
		m.now = m.options.Now()
		m.refresh()
		return tea.Batch(m.read(), m.waitForMinute())
	case snapshotArrived:
		return m.receiveSnapshot(msg)
	case sessionEnded:
		return m.receiveEnd(msg)
	case connected:
		return m.receiveCluster(msg)
	case newsCame:
		return m.receiveNews(msg)
	case tea.KeyPressMsg:
		m.notice = ""
		return m.press(msg)
	case tea.MouseMsg:
		m.mouse(msg)
	case tea.PasteMsg:
		return m.paste(msg)
	default:
		if !m.receiveForwardNews(msg) {
			return m.receive(msg)
		}
	}
	return nil
}

func (m *Model) receiveSnapshot(msg snapshotArrived) tea.Cmd {
	if msg.from != m.session {
		return nil
	}
	m.snapshot, m.now = msg.snapshot, m.options.Now()
	if p := m.session.probing; p != nil {
		p.offer(m.snapshot)
	}
	m.refresh()
	m.offerCleanup()
	return tea.Batch(waitForSnapshot(m.session), m.read())
}

// receiveEnd quits when the session broke; one that was replaced just ended.
func (m *Model) receiveEnd(msg sessionEnded) tea.Cmd {
	if msg.from.err == nil || m.ctx.Err() != nil {
		return nil
	}
	m.fatal = msg.from.err
	return tea.Quit
}

func (m *Model) receiveCluster(msg connected) tea.Cmd {
	if msg.choice != m.choices {
		return nil // the user has chosen again since
	}
	if msg.err != nil {
		m.notice = kube.Clean(msg.err.Error())
		return nil
	}
	m.reset(msg.cluster)
	return m.follow(msg.cluster)
}
