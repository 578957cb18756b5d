package detail

import (
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
	"podpath/tui/page"
	"podpath/tui/results"
	"podpath/tui/style"
)

// Reader reads what is not in a snapshot. *kube.Client is one.
type Reader interface {
	Get(ctx context.Context, ref kube.Ref) (kube.Object, error)
	Events(ctx context.Context, ref kube.Ref, uid string) ([]kube.Event, error)
}

// View describes one object, or shows its YAML.
type View struct {
	*page.Page
	target intent.Target
	yaml   bool

	snapshot *kube.Snapshot
	now      time.Time
	shown    any // the snapshot's record of the object, to notice a change
	read     *objectRead
	last     []page.Line // of the description, while there was something to describe
	reading  bool
	book     *results.Book // nil before there is one
}

// objectRead is the answer to one reading of the object.
type objectRead struct {
	of        *View
	object    kube.Object
	objectErr error
	events    []kube.Event
	eventsErr error
	at        time.Time
}

// New returns a view that describes the target.
func New(theme *style.Theme, target intent.Target) *View {
	return &View{Page: page.New(theme), target: target}
}

// NewYAML returns a view of the target's YAML.
func NewYAML(theme *style.Theme, target intent.Target) *View {
	v := New(theme, target)
	v.yaml = true
	return v
}

// Title is the view's breadcrumb.
func (v *View) Title() string {
	if v.yaml {
		return v.target.Ref.Name + " YAML"
	}
	return v.target.Ref.Name
}

// Resource is what the view shows.
func (v *View) Resource() kube.Resource { return v.target.Ref.Resource }

// SetBook gives the view the results of probes.
func (v *View) SetBook(b *results.Book) { v.book = b }

// rereadAfter is the shortest time between two readings of the same object.
const rereadAfter = 5 * time.Second

// eventsAfter is how old events may be before they are read again.
const eventsAfter = 30 * time.Second

// SetSnapshot shows a newer state of the cluster.
func (v *View) SetSnapshot(s *kube.Snapshot, now time.Time) {
	v.snapshot, v.now = s, now
	v.draw()
}

// Read returns the command that reads the object, once it is time to, or nil
// while what was read is still good or is being read.
func (v *View) Read(ctx context.Context, reader Reader) tea.Cmd {
	record, uid := v.record()
	gone := record == nil && v.shown != nil
	if v.reading || gone || v.read != nil && record == v.shown && !v.outdated() {
		return nil
	}
	at := v.now
	if v.read != nil && at.Before(v.read.at.Add(rereadAfter)) {
		at = v.read.at.Add(rereadAfter)
	}
	v.reading, v.shown = true, record
	ref, yaml, wait := v.target.Ref, v.yaml, at.Sub(v.now)
	return func() tea.Msg {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		answer := objectRead{of: v, at: at}
		answer.object, answer.objectErr = reader.Get(ctx, ref)
		if !yaml {
			answer.events, answer.eventsErr = reader.Events(ctx, ref, uid)
		}
		return answer
	}
}

// outdated reports whether to read again though the object is the same: what
// failed, and now and then for events, which come without a change of it.
func (v *View) outdated() bool {
	failed := v.read.objectErr != nil || v.read.eventsErr != nil
	return failed || !v.yaml && v.now.Sub(v.read.at) >= eventsAfter
}

// Receive takes the answer to Read and reports whether it was this view's.
func (v *View) Receive(msg tea.Msg) bool {
	answer, ok := msg.(objectRead)
	if !ok || answer.of != v {
		return false
	}
	v.reading, v.read = false, &answer
	v.draw()
	return true
}

// record returns the snapshot's record of the object, or nil, and the UID: an
// object of the same name that was created anew is shown in place of the old.
func (v *View) record() (record any, uid string) {
	switch v.target.Ref.Resource {
	case kube.Pods:
		if p := v.snapshot.Pod(v.target.Ref.Key); p != nil {
			return p, p.UID
		}
	case kube.Nodes:
		if n := v.snapshot.Node(v.target.Ref.Name); n != nil {
			return n, n.UID
		}
	case kube.Services:
		if s := v.snapshot.Service(v.target.Ref.Key); s != nil {
			return s, s.UID
		}
	case kube.EndpointSlices, kube.Namespaces: // not described
	}
	return nil, v.target.UID
}

func (v *View) draw() {
	if v.snapshot == nil {
		return
	}
	if v.yaml {
		v.SetLines(v.yamlLines())
		return
	}
	var t *text
	record, _ := v.record()
	switch record := record.(type) {
	case *kube.Pod:
		t = podFacts(v.snapshot, record, v.now)
	case *kube.Node:
		t = nodeFacts(v.snapshot, record, v.now)
	case *kube.Service:
		t = serviceFacts(v.snapshot, record, v.now)
	default:
		t = &text{}
		t.Line(style.Bad, "%s is gone.", v.target.Ref.Key)
		v.SetLines(append(t.Lines, v.last...))
		return
	}
	t.probes(v.book, v.target.Ref, v.now)
	t.read(v.read, v.now)
	v.last = t.Lines
	v.SetLines(t.Lines)
}

func (v *View) yamlLines() []page.Line {
	switch {
	case v.read == nil:
		return []page.Line{{Text: "reading …", Role: style.Dim}}
	case v.read.objectErr != nil:
		return []page.Line{{Text: v.read.objectErr.Error(), Role: style.Bad}}
	}
	var lines []page.Line
	for _, l := range strings.Split(strings.TrimRight(v.read.object.YAML, "\n"), "\n") {
		indent := len(l) - len(strings.TrimLeft(l, " "))
		lines = append(lines, page.Line{Text: l, Indent: indent + 2})
	}
	return lines
}

var keys = struct{ services, probe, forward, yaml, copy key.Binding }{
	services: key.NewBinding(key.WithKeys("s"), key.WithHelp("s", "Services of the Pod")),
	probe:    key.NewBinding(key.WithKeys("p"), key.WithHelp("p", "probe")),
	forward:  key.NewBinding(key.WithKeys("f"), key.WithHelp("f", "forward")),
	yaml:     key.NewBinding(key.WithKeys("y"), key.WithHelp("y", "YAML")),
	copy:     key.NewBinding(key.WithKeys("c"), key.WithHelp("c", "copy all of it")),
}

// Bindings lists the view's own keys, then those of any page.
func (v *View) Bindings() []key.Binding {
	var own []key.Binding
	if v.ofPod() {
		own = append(own, keys.services)
	}
	own = append(own, keys.probe, keys.forward)
	if !v.yaml {
		own = append(own, keys.yaml)
	}
	return slices.Concat(own, []key.Binding{keys.copy}, v.Page.Bindings())
}

// Update handles a key.
func (v *View) Update(press tea.KeyPressMsg) tea.Cmd {
	switch {
	case v.Page.Update(press):
	case key.Matches(press, keys.yaml) && !v.yaml:
		return intent.Send(intent.ShowYAML{Target: v.target})
	case key.Matches(press, keys.services) && v.ofPod():
		return intent.Send(intent.ListServicesOf{Pod: v.target.Ref.Key})
	case key.Matches(press, keys.probe):
		return intent.Send(intent.Probe{Of: v.target.Ref})
	case key.Matches(press, keys.forward):
		return intent.Send(intent.Forward{Of: v.target.Ref})
	case key.Matches(press, keys.copy):
		return intent.Send(intent.Copy{Text: v.Text()})
	}
	return nil
}

func (v *View) ofPod() bool { return v.target.Ref.Resource == kube.Pods }
