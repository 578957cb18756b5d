package pods

import (
	"slices"
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

// outline names the headings, with their counts, and the Pods below each.
func outline(rows []Row) string {
	var out []string
	for _, r := range rows {
		if cell, ok := r.Heading(); ok {
			words := strings.Fields(cell.Text)
			out = append(out, words[0]+r.node.name)
		} else {
			out = append(out, r.Pod.Name)
		}
	}
	return strings.Join(out, " ")
}

func cluster(nodes string, pods ...string) *kube.Snapshot {
	s := &kube.Snapshot{}
	for _, name := range strings.Fields(nodes) {
		s.Nodes = append(s.Nodes, &kube.Node{Name: name})
	}
	for _, p := range pods {
		name, node, _ := strings.Cut(p, "@")
		s.Pods = append(s.Pods, &kube.Pod{Name: name, UID: name, Node: node})
	}
	return s
}

func TestGroup(t *testing.T) {
	for name, c := range map[string]struct {
		snapshot *kube.Snapshot
		onlyUsed bool
		folded   string
		want     string
	}{
		"Pods under their Nodes":          {cluster("n1 n2", "a@n2", "b@n1", "c@n2"), false, "", "▾n1 b ▾n2 a c"},
		"Nodes without Pods, too":         {cluster("n1 n2 n3", "a@n2"), false, "", "▾n1 ▾n2 a ▾n3"},
		"but not while filtered":          {cluster("n1 n2 n3", "a@n2"), true, "", "▾n2 a"},
		"Pods without a Node last":        {cluster("n1", "a@", "b@n1", "c@"), false, "", "▾n1 b ▾ a c"},
		"a Node that may not be read":     {cluster("n2", "a@n1", "b@n2"), false, "", "▾n1 a ▾n2 b"},
		"nothing below a folded one":      {cluster("n1 n2", "a@n1", "b@n2"), false, "n1", "▸n1 ▾n2 b"},
		"an empty cluster":                {cluster(""), false, "", ""},
		"the order of the rows is theirs": {cluster("n1", "c@n1", "a@n1", "b@n1"), false, "", "▾n1 c a b"},
	} {
		got := outline(Group(c.snapshot, Rows(c.snapshot), c.onlyUsed, func(node string) bool { return node == c.folded && node != "" }))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestHeadingsSayWhatTheNodeIs(t *testing.T) {
	s := golden.Cluster(t, "")
	var got []string
	for _, r := range Group(s, Rows(s), false, func(string) bool { return true }) {
		cell, _ := r.Heading()
		got = append(got, cell.Text)
		if broken := strings.Contains(cell.Text, "NotReady"); broken != (cell.Role == style.Bad) {
			t.Errorf("got role %d for %q", cell.Role, cell.Text)
		}
	}
	want := []string{
		"▸ raspi001  Ready  2 Pods  control-plane  192.168.13.101  10.244.1.0/24,fd00:1::/64  v1.34.2  arm64",
		"▸ raspi002  Ready  7 Pods  192.168.13.102  10.244.2.0/24,fd00:2::/64  v1.34.2  arm64",
		"▸ raspi003  Ready  6 Pods  192.168.13.103  10.244.3.0/24,fd00:3::/64  v1.34.2  arm64",
		"▸ raspi004  NotReady,SchedulingDisabled  1 Pod  192.168.13.104  10.244.4.0/24,fd00:4::/64  v1.34.2  arm64",
		"▸ raspi009  1 Pod",
		"▸ no Node yet  1 Pod",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStatusRole(t *testing.T) {
	for want, pods := range map[style.Role][]kube.Pod{
		style.Text: {{Status: "Running", IsReady: true}},
		style.Dim:  {{Status: "Completed", Finished: true}},
		style.Warn: {{Status: "Running"}, {Status: "Pending"}, {Status: "ContainerCreating"}, {Status: "Terminating"}, {Status: "Init:0/2"}},
		style.Bad:  {{Status: "CrashLoopBackOff"}, {Status: "Evicted", Finished: true}, {Status: "ErrImagePull"}, {Status: "Init:Error"}, {Status: "OOMKilled"}, {Status: "ExitCode:1"}},
	} {
		for _, p := range pods {
			if got := statusRole(&p); got != want {
				t.Errorf("%s, ready %t: got role %d, want %d", p.Status, p.IsReady, got, want)
			}
		}
	}
}

// pane returns the pane of the whole test cluster, on a large screen.
func pane(t *testing.T) *Pane {
	p := New(style.NewTheme(true), kube.Scope{})
	p.SetSize(200, 60)
	p.SetSnapshot(golden.Cluster(t, ""), golden.Now)
	return p
}

func press(p *Pane, keys string) {
	for _, r := range keys {
		p.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestFoldingLeavesTheCursorOnTheNode(t *testing.T) {
	p := pane(t)
	press(p, "jjjjj ") // on a Pod of raspi002
	if r, _ := p.Selected(); r.Pod != nil || r.node.name != "raspi002" {
		t.Errorf("got %s selected, want the heading of raspi002", r.ID())
	}
	press(p, "z")
	if got := outline(p.Rows()); !strings.HasPrefix(got, "▾raspi001 ") || !strings.Contains(got, "dual-0") {
		t.Errorf("got %s, want all unfolded while one was folded", got)
	}
	press(p, "z")
	if r, _ := p.Selected(); outline(p.Rows()) != "▸raspi001 ▸raspi002 ▸raspi003 ▸raspi004 ▸raspi009 ▸" || r.node.name != "raspi002" {
		t.Errorf("got %s and %s selected, want all folded and the cursor where it was", outline(p.Rows()), r.node.name)
	}
	p.SetSnapshot(golden.Cluster(t, ""), golden.Now)
	if got := outline(p.Rows()); !strings.HasPrefix(got, "▸raspi001 ▸raspi002") {
		t.Errorf("got %s, want it folded still after news", got)
	}
}

func TestSortingStaysWithinTheNodes(t *testing.T) {
	for key, want := range map[string]string{
		"N":  "completed crashing dual-0 init-and-sidecar leaving not-ready 4xk2p",
		"NN": "4xk2p not-ready leaving init-and-sidecar dual-0 crashing completed",
		"S":  "completed crashing dual-0 not-ready 4xk2p init-and-sidecar leaving",
		"I":  "4xk2p leaving not-ready init-and-sidecar completed crashing dual-0",
		"R":  "crashing init-and-sidecar dual-0 leaving not-ready 4xk2p completed",
		"A":  "not-ready dual-0 leaving 4xk2p completed crashing init-and-sidecar",
	} {
		p := pane(t)
		press(p, key)
		_, got, _ := strings.Cut(outline(p.Rows()), "▾raspi002 ")
		got, _, _ = strings.Cut(got, " ▾")
		if got = strings.ReplaceAll(got, "sample-deployment-6d4b75cb6d-", ""); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

func TestAgesAndServicesAreThoseOfTheSnapshot(t *testing.T) {
	p := pane(t)
	p.SetSnapshot(golden.Cluster(t, ""), golden.Now.Add(10*time.Minute))
	if got := ansi.Strip(p.View()); !strings.Contains(got, "dual-stack") || !strings.Contains(got, "50m") {
		t.Errorf("got\n%s\nwant the Pod dual-0 50m old, in the Service dual-stack", got)
	}
	p.SetSnapshot(fixture.WithState(golden.Cluster(t, ""), kube.Services, kube.State{}), golden.Now)
	if got := ansi.Strip(p.View()); strings.Contains(got, "dual-stack") {
		t.Errorf("got\n%s\nwant the Services unknown", got)
	}
}
