// Package endpoints is the view of one Service's endpoints.
package endpoints

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/intent"
	"podpath/tui/list"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// View lists the endpoints of a Service under what the Service is and what is
// wrong with it.
type View struct {
	*list.List[kube.Endpoint]
	theme         *style.Theme
	key           kube.Key
	service       *kube.Service // nil when it is gone
	width, height int
}

// New returns the view of a Service.
func New(theme *style.Theme, service kube.Key) *View {
	t := table.New(theme, id, Columns())
	return &View{List: list.New(t, subject), theme: theme, key: service}
}

// Columns returns the columns of endpoints.
func Columns() []table.Column[kube.Endpoint] {
	return []table.Column[kube.Endpoint]{
		{
			Title: "ADDRESS", Min: 12, Middle: true, Key: "I", Compare: func(a, b kube.Endpoint) int { return kube.CompareAddresses(a.Address, b.Address) },
			Cell: text(func(e kube.Endpoint) string { return e.Address }),
		},
		{Title: "PORT", Priority: 1, Cell: text(port)},
		{
			Title: "POD", Min: 24, Middle: true, Priority: 2, Key: "N", Compare: by(func(e kube.Endpoint) string { return e.Pod }),
			Cell: text(func(e kube.Endpoint) string { return words.OrNone(e.Pod) }),
		},
		{
			Title: "NODE", Min: 12, Priority: 2, Key: "O", Compare: by(func(e kube.Endpoint) string { return e.Node }),
			Cell: text(func(e kube.Endpoint) string { return words.OrNone(e.Node) }),
		},
		{
			Title: "ZONE", Priority: 6, Key: "Z", Compare: by(func(e kube.Endpoint) string { return e.Zone }),
			Cell: text(func(e kube.Endpoint) string { return words.OrNone(e.Zone) }),
		},
		{
			Title: "READY", Priority: 1, Key: "R", Compare: by(func(e kube.Endpoint) string { return words.YesNo(e.Ready) }),
			Cell: func(e kube.Endpoint) table.Cell {
				return table.Cell{Text: words.YesNo(e.Ready), Role: map[bool]style.Role{true: style.Good, false: style.Bad}[e.Ready]}
			},
		},
		{Title: "SERVING", Priority: 5, Cell: text(func(e kube.Endpoint) string { return words.YesNo(e.Serving) })},
		{Title: "TERM", Priority: 3, Cell: func(e kube.Endpoint) table.Cell {
			return table.Cell{Text: words.YesNo(e.Terminating), Role: map[bool]style.Role{true: style.Warn}[e.Terminating]}
		}},
	}
}

// port writes an endpoint's port as http:80/TCP.
func port(e kube.Endpoint) string {
	if e.Port == 0 {
		return words.None
	}
	s := fmt.Sprintf("%d/%s", e.Port, e.Protocol)
	if e.PortName != "" {
		s = e.PortName + ":" + s
	}
	return s
}

// dialled is what a client connects to.
func dialled(e kube.Endpoint) string {
	if e.Port == 0 {
		return e.Address
	}
	return net.JoinHostPort(e.Address, strconv.Itoa(e.Port))
}

func id(e kube.Endpoint) string { return e.Address + " " + port(e) }

func text(of func(kube.Endpoint) string) func(kube.Endpoint) table.Cell {
	return func(e kube.Endpoint) table.Cell { return table.Plain(of(e)) }
}

func by(of func(kube.Endpoint) string) func(a, b kube.Endpoint) int {
	return func(a, b kube.Endpoint) int { return cmp.Compare(of(a), of(b)) }
}

func subject(e kube.Endpoint) filter.Subject {
	return filter.Subject{Fields: []string{e.Address, port(e), e.Pod, e.Node, e.Zone, e.State()}}
}

// Title is the view's breadcrumb.
func (v *View) Title() string { return v.key.Name }

// Resource is what the view lists.
func (v *View) Resource() kube.Resource { return kube.EndpointSlices }

// SetSize sets the cells to draw in.
func (v *View) SetSize(width, height int) {
	v.width, v.height = width, height
	v.List.SetSize(width, max(2, height-len(v.Head())))
}

// SetTheme replaces the theme.
func (v *View) SetTheme(theme *style.Theme) {
	v.theme = theme
	v.List.SetTheme(theme)
}

// SetSnapshot shows a newer state of the cluster.
func (v *View) SetSnapshot(s *kube.Snapshot, _ time.Time) {
	v.service = s.Service(v.key)
	var rows []kube.Endpoint
	if v.service != nil {
		rows = v.service.Endpoints
	}
	v.SetRows(rows)
	v.SetSize(v.width, v.height) // the head may have grown
}

// None says that there are no endpoints: Head may say why.
func (v *View) None() string { return "No endpoints." }

// headShare is the part of the height that the head may take at most.
const headShare = 3

// Head says what the Service is, and its flags in sentences, as far as there
// is room.
func (v *View) Head() []string {
	if v.service == nil {
		return []string{v.theme.Render(style.Bad, style.Fit("The Service "+v.key.String()+" is gone.", v.width))}
	}
	s := v.service
	parts := []string{string(s.Kind), words.List(slices.Concat(s.ClusterIPs, s.External())), words.ServicePorts(s.Ports)}
	if len(s.Selector) > 0 {
		parts = append(parts, "selects "+s.Selector.String())
	}
	lines := []string{v.theme.Render(style.Dim, style.Fit(strings.Join(parts, "  "), v.width))}
	for _, f := range s.Flags {
		for _, line := range strings.Split(ansi.Wrap(f.Message, max(1, v.width), ""), "\n") {
			lines = append(lines, v.theme.Render(style.Bad, line))
		}
	}
	room := v.height / headShare
	if v.Empty() {
		room = v.height - 1
	}
	return lines[:min(len(lines), max(1, room))]
}

// View draws the view.
func (v *View) View() string {
	return strings.Join(append(v.Head(), v.List.View()), "\n")
}

// Click puts the cursor on the endpoint drawn in a line.
func (v *View) Click(line int) { v.List.Click(line - len(v.Head())) }

var keys = struct{ pod, probe, forward, describe, yaml, copy key.Binding }{
	pod:      key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", "go to the Pod")),
	probe:    key.NewBinding(key.WithKeys("p"), key.WithHelp("p", "probe")),
	forward:  key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "forward")),
	describe: key.NewBinding(key.WithKeys("d"), key.WithHelp("d", "describe")),
	yaml:     key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "YAML")),
	copy:     key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "copy address:port")),
}

// Bindings lists the view's own keys, then those of any list.
func (v *View) Bindings() []key.Binding {
	return append([]key.Binding{keys.pod, keys.probe, keys.forward, keys.describe, keys.yaml, keys.copy}, v.List.Bindings()...)
}

// Update handles a key.
func (v *View) Update(press tea.KeyPressMsg) tea.Cmd {
	e, selected := v.Selected()
	switch {
	case v.List.Update(press):
	case v.service != nil && key.Matches(press, keys.describe):
		return intent.Send(intent.Describe{Target: intent.ServiceTarget(v.service)})
	case v.service != nil && key.Matches(press, keys.yaml):
		return intent.Send(intent.ShowYAML{Target: intent.ServiceTarget(v.service)})
	case !selected:
	case key.Matches(press, keys.probe):
		return v.probe(e)
	case key.Matches(press, keys.forward):
		return v.forward(e)
	case key.Matches(press, keys.pod) && e.Pod != "":
		return intent.Send(intent.GoToPod{Pod: kube.Key{Namespace: v.key.Namespace, Name: e.Pod}})
	case key.Matches(press, keys.pod):
		return intent.Send(intent.Notice{Text: "The EndpointSlice names no Pod for " + e.Address + "."})
	case key.Matches(press, keys.copy):
		return intent.Send(intent.Copy{Text: dialled(e)})
	}
	return nil
}

// probe asks what to probe about an endpoint.
func (v *View) probe(e kube.Endpoint) tea.Cmd {
	of := intent.Probe{Of: kube.Ref{Resource: kube.Services, Key: v.key}, Endpoint: dialled(e)}
	switch {
	case e.Port == 0:
		return intent.Send(intent.Notice{Text: "The EndpointSlice gives no port for " + e.Address + "."})
	case e.Protocol != "TCP":
		return intent.Send(intent.Notice{Text: "podpath probes endpoints over TCP, and this one is " + e.Protocol + "."})
	case e.Pod != "":
		of.Of = kube.Ref{Resource: kube.Pods, Key: kube.Key{Namespace: v.key.Namespace, Name: e.Pod}}
	}
	return intent.Send(of)
}

// forward asks for local access to the Pod of an endpoint.
func (v *View) forward(e kube.Endpoint) tea.Cmd {
	switch {
	case e.Port == 0:
		return intent.Send(intent.Notice{Text: "The EndpointSlice gives no port for " + e.Address + "."})
	case e.Pod == "":
		return intent.Send(intent.Notice{Text: "The EndpointSlice names no Pod for " + e.Address + ": f in the pane of Services forwards the whole Service."})
	}
	pod := kube.Ref{Resource: kube.Pods, Key: kube.Key{Namespace: v.key.Namespace, Name: e.Pod}}
	word := strconv.Itoa(e.Port)
	if e.Protocol != "TCP" {
		word += "/" + strings.ToLower(e.Protocol)
	}
	return intent.Send(intent.Forward{Of: pod, Port: word})
}
