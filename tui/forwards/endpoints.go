package forwards

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/filter"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// gone is the state of an endpoint that is remembered only.
const gone = "gone"

// Endpoints lists the endpoints of one forward, and what each has done.
type Endpoints struct {
	*list.List[forward.EndpointStats]
	theme         *style.Theme
	pane          *Pane
	id            int
	last          forward.Status
	here          bool // the forward has not ended
	width, height int
}

// Open returns the view of a forward of the pane, or nil where it has ended.
func (p *Pane) Open(theme *style.Theme, id int) *Endpoints {
	if _, ok := p.status(id); !ok {
		return nil
	}
	t := table.New(theme, func(e forward.EndpointStats) string { return e.HostPort() + " " + e.Pod }, endpointColumns())
	v := &Endpoints{theme: theme, pane: p, id: id}
	v.List = list.New(t, func(e forward.EndpointStats) filter.Subject {
		return filter.Subject{Fields: []string{e.HostPort(), e.Pod, e.Node, e.State}}
	})
	v.Follow()
	return v
}

// Follow takes over what the pane was shown last.
func (v *Endpoints) Follow() {
	var s forward.Status
	if s, v.here = v.pane.status(v.id); v.here {
		v.last = s
	}
	v.SetRows(v.last.Stats.Endpoints)
	v.SetSize(v.width, v.height) // the head may have grown
}

// Title is the view's breadcrumb.
func (v *Endpoints) Title() string { return v.last.Order.Label }

// Resource is there to be a view: it hangs on no resource.
func (v *Endpoints) Resource() kube.Resource { return kube.EndpointSlices }

// SetTheme replaces the theme.
func (v *Endpoints) SetTheme(theme *style.Theme) {
	v.theme = theme
	v.List.SetTheme(theme)
}

// SetSize sets the cells to draw in.
func (v *Endpoints) SetSize(width, height int) {
	v.width, v.height = width, height
	v.List.SetSize(width, max(2, height-len(v.Head())))
}

// SetSnapshot is there to be a view: forwards follow their clusters by
// themselves.
func (v *Endpoints) SetSnapshot(*kube.Snapshot, time.Time) {}

// Empty is false: the view says by itself that there is nothing.
func (v *Endpoints) Empty() bool { return false }

// None says that there are no endpoints: Head says why.
func (v *Endpoints) None() string { return "No endpoints." }

// Head says what the forward is and how it stands.
func (v *Endpoints) Head() []string {
	lines := say(v.last)
	if !v.here {
		lines = []line{lines[0], {"This forward has ended.", style.Bad}}
	}
	room := v.height / footShare
	if v.List.Empty() {
		room = v.height - 1
	}
	return draw(v.theme, lines, v.width, max(1, room))
}

// View draws the view.
func (v *Endpoints) View() string {
	return strings.Join(filled(append(v.Head(), strings.Split(v.List.View(), "\n")...), v.height), "\n")
}

// Click puts the cursor on the endpoint drawn in a line.
func (v *Endpoints) Click(line int) { v.List.Click(line - len(v.Head())) }

var endpointKeys = struct{ pod, address key.Binding }{
	pod:     key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "go to the Pod")),
	address: key.NewBinding(key.WithKeys("a"), key.WithHelp("a", "copy address:port")),
}

// Bindings lists the view's own keys, then those of any list.
func (v *Endpoints) Bindings() []key.Binding {
	return append([]key.Binding{endpointKeys.pod, keys.stop, keys.copy, keys.policy, keys.route, keys.retry, endpointKeys.address}, v.List.Bindings()...)
}

// Update handles a key.
func (v *Endpoints) Update(press tea.KeyPressMsg) tea.Cmd {
	e, selected := v.Selected()
	switch {
	case v.List.Update(press):
	case key.Matches(press, endpointKeys.pod, endpointKeys.address) && !selected:
		return intent.Send(intent.Notice{Text: v.None()})
	case key.Matches(press, endpointKeys.address):
		return intent.Send(intent.Copy{Text: e.HostPort()})
	case key.Matches(press, endpointKeys.pod) && e.Pod == "":
		return intent.Send(intent.Notice{Text: "The EndpointSlice names no Pod for " + e.Address + "."})
	case key.Matches(press, endpointKeys.pod) && (v.last.Cluster != v.pane.context || !v.pane.scope.All() && e.Namespace != v.pane.scope.Namespace):
		return intent.Send(intent.Notice{Text: "The Pod is not among what is looked at: it is in " + kube.Clean(v.last.Cluster) + " › " + e.Namespace + "."})
	case key.Matches(press, endpointKeys.pod):
		return intent.Send(intent.GoToPod{Pod: kube.Key{Namespace: e.Namespace, Name: e.Pod}})
	case !v.here:
		return intent.Send(intent.Notice{Text: "This forward has ended."})
	default:
		return pressOn(v.last, press)
	}
	return nil
}

func endpointColumns() []table.Column[forward.EndpointStats] {
	number := func(of func(forward.EndpointStats) uint64) func(forward.EndpointStats) table.Cell {
		return func(e forward.EndpointStats) table.Cell { return table.Plain(strconv.FormatUint(of(e), 10)) }
	}
	bytes := func(of func(forward.EndpointStats) int64) func(forward.EndpointStats) table.Cell {
		return func(e forward.EndpointStats) table.Cell { return table.Plain(words.Bytes(float64(of(e)))) }
	}
	return []table.Column[forward.EndpointStats]{
		{Title: "STATE", Min: 11, Priority: 1, Key: "S", Compare: byEndpoint(func(e forward.EndpointStats) string { return e.State }), Cell: state},
		{
			Title: "ADDRESS", Min: 16, Middle: true, Key: "I", Compare: func(a, b forward.EndpointStats) int { return kube.CompareAddresses(a.Address, b.Address) },
			Cell: func(e forward.EndpointStats) table.Cell { return table.Plain(e.HostPort()) },
		},
		{
			Title: "POD", Min: 10, Middle: true, Priority: 4, Key: "N", Compare: byEndpoint(func(e forward.EndpointStats) string { return e.Pod }),
			Cell: func(e forward.EndpointStats) table.Cell { return table.Plain(words.OrNone(e.Pod)) },
		},
		{
			Title: "OPEN", Min: 4, Priority: 2, Key: "O", Compare: byEndpoint(func(e forward.EndpointStats) int { return -e.Active }),
			Cell: func(e forward.EndpointStats) table.Cell { return table.Plain(strconv.Itoa(e.Active)) },
		},
		{Title: "TOTAL", Min: 5, Priority: 3, Key: "T", Compare: byEndpoint(func(e forward.EndpointStats) int64 { return -int64(e.Total) }), Cell: number(func(e forward.EndpointStats) uint64 { return e.Total })},
		{Title: "SENT", Min: 5, Priority: 5, Cell: bytes(func(e forward.EndpointStats) int64 { return e.Sent })},
		{Title: "RECVD", Min: 5, Priority: 5, Cell: bytes(func(e forward.EndpointStats) int64 { return e.Received })},
		{Title: "OPENING", Min: 7, Priority: 6, Key: "P", Compare: byEndpoint(func(e forward.EndpointStats) time.Duration { return -e.Latency }), Cell: latency},
		{Title: "RETRY", Min: 5, Priority: 7, Cell: number(func(e forward.EndpointStats) uint64 { return e.Retries })},
		{Title: "EJECT", Min: 5, Priority: 7, Cell: number(func(e forward.EndpointStats) uint64 { return e.Ejections })},
		{Title: "FAIL", Min: 4, Priority: 8, Cell: number(func(e forward.EndpointStats) uint64 { return e.Failures })},
		{Title: "BROKEN", Priority: 9, Wide: true, Cell: number(func(e forward.EndpointStats) uint64 { return e.Broken })},
		{Title: "NODE", Priority: 9, Wide: true, Cell: func(e forward.EndpointStats) table.Cell { return table.Plain(words.OrNone(e.Node)) }},
	}
}

func byEndpoint[V cmp.Ordered](of func(forward.EndpointStats) V) func(a, b forward.EndpointStats) int {
	return func(a, b forward.EndpointStats) int { return cmp.Compare(of(a), of(b)) }
}

// state says the state, and how long an ejection still lasts.
func state(e forward.EndpointStats) table.Cell {
	switch {
	case e.State == "ready":
		return table.Cell{Text: e.State, Role: style.Good}
	case e.State == "ejected":
		return table.Cell{Text: fmt.Sprintf("%s %ds", e.State, int((e.EjectedFor+time.Second-1)/time.Second)), Role: style.Bad}
	case e.State == "terminating" && e.Serving:
		return table.Cell{Text: "still serving", Role: style.Warn}
	case e.State == gone:
		return table.Cell{Text: e.State, Role: style.Dim}
	default:
		return table.Cell{Text: e.State, Role: style.Warn}
	}
}

// latency says how long opening takes lately; it fades while nothing is opened.
func latency(e forward.EndpointStats) table.Cell {
	switch ms := float64(e.Latency) / float64(time.Millisecond); {
	case ms < 0.05:
		return table.Plain(words.None)
	case ms < 10:
		return table.Plain(fmt.Sprintf("%.1fms", ms))
	default:
		return table.Plain(fmt.Sprintf("%.0fms", ms))
	}
}
