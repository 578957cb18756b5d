package probes

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/tui/results"
	"podpath/tui/style"
)

// row makes checks from one source; a target may end in a sign for its verdict.
func row(source string, targets ...string) []*item {
	var items []*item
	for _, target := range targets {
		it := &item{Check: path.Check{ID: source + " " + strings.TrimRight(target, "+x?"), Source: path.Source{Kind: path.FromPod, Label: source}, Target: strings.TrimRight(target, "+x?"), Kind: path.TCP}}
		for sign, v := range map[string]path.Verdict{"+": path.Pass, "x": path.Fail, "?": path.Inconclusive} {
			if strings.HasSuffix(target, sign) {
				it.verdict, it.result.Verdict = v, v
			}
		}
		items = append(items, it)
	}
	return items
}

func newGrid(width, height int, m *matrix) *grid {
	g := &grid{theme: style.NewTheme(true)}
	g.setMatrix(m)
	g.setSize(width, height)
	return g
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

func plain(lines []string) string {
	for i, line := range lines {
		lines[i] = strings.TrimRight(sgr.ReplaceAllString(line, ""), " ")
	}
	return strings.Join(lines, "\n")
}

func TestRowsAndColumnsComeInTheOrderOfTheChecks(t *testing.T) {
	m := arrange(append(row("pod/b", "svc/y:80+", "svc/x:80x"), row("pod/a", "svc/z:80")...), view{})
	want := strings.Join([]string{
		"1/2 × 1/3 svc",
		"          y         x         z",
		"          :80       :80       :80",
		"pod/b     ✓         ✗",
		"pod/a                         …",
	}, "\n")
	if got := strings.TrimRight(plain(newGrid(60, 12, m).lines()), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWorstFirst(t *testing.T) {
	items := append(row("pod/fine", "svc/a+", "svc/b+", "svc/c+"), append(row("pod/unsure", "svc/a+", "svc/b?", "svc/c+"), row("pod/broken", "svc/a+", "svc/b+", "svc/c"+"x")...)...)
	m := arrange(items, view{worst: true})
	var rows, columns []string
	for _, r := range m.rows {
		rows = append(rows, r.key)
	}
	for _, c := range m.columns {
		columns = append(columns, c.key)
	}
	if got, want := fmt.Sprint(rows, columns), "[pod/broken pod/unsure pod/fine] [svc/c svc/b svc/a]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, it := range items { // and the cells go with them
		at := m.place[it.ID]
		if m.rows[at[0]].key != it.Source.Label || m.columns[at[1]].key != it.Target || m.cells[at].items[0] != it {
			t.Errorf("got %s in another cell", it.ID)
		}
	}
}

func TestNodesStandForWhatIsOnThem(t *testing.T) {
	key := func(name string) kube.Key { return kube.Key{Namespace: "shop", Name: name} }
	pod := path.Source{Kind: path.FromPod, Node: "n1", Label: "pod/a"}
	local := path.Source{Kind: path.FromLocal, Node: "n1", Label: "local"}
	for _, c := range []struct {
		check        path.Check
		all          bool // namespaces
		source, want string
	}{
		{path.Check{Source: pod, Target: "pod/b:80", Path: path.Path{Pod: key("b"), Node: "n2"}}, false, "node/n1", "node/n2"},
		{path.Check{Source: pod, Target: "localhost:80", Path: path.Path{Pod: key("a")}}, false, "node/n1", "localhost"},
		{path.Check{Source: local, Target: "svc/web:80", Path: path.Path{Service: key("web"), Entry: path.AtClusterIP}}, false, "local", "svc/web"},
		{path.Check{Source: local, Target: "svc/web:80", Path: path.Path{Service: key("web"), Entry: path.AtClusterIP}}, true, "local", "svc/shop/web"},
		{path.Check{Source: local, Target: "node/n3:30080", Path: path.Path{Service: key("web"), Node: "n3", Entry: path.AtNodePort}}, false, "local", "node/n3"},
		{path.Check{Source: pod, Target: "ingress/shop", Path: path.Path{Ingress: key("shop")}}, false, "node/n1", "ingress/shop"},
		{path.Check{Source: pod, Target: "example.com:443"}, false, "node/n1", "example.com:443"},
	} {
		source, target := view{nodes: true, namespaces: c.all}.labels(c.check)
		if source != c.source || target != c.want {
			t.Errorf("%s: got %s and %s, want %s and %s", c.check.Target, source, target, c.source, c.want)
		}
	}
}

func TestLabelsAreTakenApart(t *testing.T) {
	for label, want := range map[string]heading{
		"svc/web:8080":                  {"svc", "web", ":8080"},
		"svc/shop/web:80":               {"svc", "shop/web", ":80"},
		"svc/web:80@fd00:96::7":         {"svc", "web", ":80@fd00:96::7"},
		"svc/web":                       {"svc", "web", ""},
		"localhost:80":                  {"", "localhost", ":80"},
		"[fd00::1]:80":                  {"", "[fd00::1]", ":80"},
		"local":                         {"", "local", ""},
		"dns:web.shop/SRV":              {"dns", "web.shop", "SRV"},
		"dns:10.96.0.10/PTR":            {"dns", "10.96.0.10", "PTR"},
		"env:WEB_SERVICE_HOST":          {"env", "WEB_SERVICE_HOST", ""},
		"https://shop.example/cart/1":   {"https", "shop.example", "/cart/1"},
		"http://shop.example/ at a:80":  {"http", "shop.example", "/ at a:80"},
		"spread/web:80":                 {"spread", "web", ":80"},
		"svc/web:80@loadbalancer":       {"svc", "web", ":80@loadbalancer"},
		"node/raspi002:30080":           {"node", "raspi002", ":30080"},
		"pod/sample-deployment-4xk2p:1": {"pod", "sample-deployment-4xk2p", ":1"},
	} {
		if got := split(label); got != want {
			t.Errorf("%s: got %+v, want %+v", label, got, want)
		}
	}
}

func TestTheCursorFollowsItsCheck(t *testing.T) {
	items := append(row("pod/a", "svc/x+", "svc/y+"), row("pod/b", "svc/x+", "svc/y"+"x")...)
	g := newGrid(80, 24, arrange(items, view{}))
	g.move(0, 1) // pod/a svc/y
	g.setMatrix(arrange(items, view{worst: true}))
	if got := g.selected().items[0].ID; got != "pod/a svc/y" || g.row != 1 || g.column != 0 {
		t.Errorf("got the cursor on %s in %d, %d; want it to go with its check to 1, 0", got, g.row, g.column)
	}
	g.setMatrix(arrange(items[2:], view{})) // its row is gone
	if got := g.selected().items[0].ID; got != "pod/b svc/y" {
		t.Errorf("got the cursor on %s, want it in its column", got)
	}
	g.setMatrix(arrange(nil, view{}))
	if g.selected() != nil {
		t.Error("got a cell selected in an empty matrix")
	}
	g.move(1, 1)
	g.lines()
}

func TestTheCursorKeepsItsCheckWhileCellsHoldMany(t *testing.T) {
	items := append(row("pod/a", "pod/x:80+", "pod/y:80+"), row("pod/b", "pod/x:80x", "pod/y:80+")...)
	for _, it := range items {
		it.Source.Node, it.Path.Node = "n1", "n2"
	}
	g := newGrid(80, 24, arrange(items, view{}))
	g.goTo("pod/a pod/y:80")
	g.setMatrix(arrange(items, view{nodes: true}))
	if got := g.selected().String(); got != "3/4 ✗" {
		t.Errorf("got %s, want all four in one cell", got)
	}
	g.setMatrix(arrange(items, view{}))
	if g.id != "pod/a pod/y:80" {
		t.Errorf("got the cursor on %s, want it on the check from before", g.id)
	}
}

func TestGridsFillTheirSizeAndShowTheirCursor(t *testing.T) {
	names := rapid.SampledFrom([]string{"pod/a", "pod/shop/sample-deployment-6d4b75cb6d-4xk2p", "pod/漢字漢字漢字漢字漢字漢字", "local", "node/raspi001"})
	targets := rapid.SampledFrom([]string{"svc/a:80x", "svc/漢字漢字漢字漢字:80+", "pod/sample-deployment-6d4b75cb6d-4xk2p:8080?", "dns:a/A", "localhost:1+", "https://a/b+"})
	rapid.Check(t, func(t *rapid.T) {
		var items []*item
		for i := range rapid.IntRange(1, 20).Draw(t, "rows") {
			for j := range rapid.IntRange(1, 20).Draw(t, "columns") {
				items = append(items, row(fmt.Sprintf("%s%d", names.Draw(t, "source"), i), fmt.Sprintf("pod/%d%s", j, targets.Draw(t, "target")))...)
			}
		}
		width, height := rapid.IntRange(1, 120).Draw(t, "width"), rapid.IntRange(1, 40).Draw(t, "height")
		g := newGrid(width, height, arrange(items, view{worst: rapid.Bool().Draw(t, "worst")}))
		g.compact = rapid.Bool().Draw(t, "compact")
		g.scroll()
		for range 5 {
			g.move(rapid.IntRange(-30, 30).Draw(t, "down"), rapid.IntRange(-30, 30).Draw(t, "right"))
			lines := g.lines()
			if len(lines) != height {
				t.Fatalf("got %d lines, want %d", len(lines), height)
			}
			for _, line := range lines {
				if ansi.StringWidth(line) != width {
					t.Fatalf("got %q, %d cells wide, want %d", line, ansi.StringWidth(line), width)
				}
			}
			if shown := strings.Contains(strings.Join(lines, ""), "\x1b[7m"); !shown && height > g.titleHeight() && width > 12 {
				t.Fatalf("got no cursor in\n%s", plain(lines))
			}
		}
	})
}

func TestOnlyTheVisibleCellsAreDrawn(t *testing.T) {
	var items []*item
	for i := range 300 {
		var targets []string
		for j := range 300 {
			targets = append(targets, fmt.Sprintf("pod/t%d:80+", j))
		}
		items = append(items, row(fmt.Sprintf("pod/s%d", i), targets...)...)
	}
	g := newGrid(80, 20, arrange(items, view{}))
	began := time.Now()
	for range 100 {
		g.move(1, 1)
		g.lines()
	}
	if took := time.Since(began) / 100; took > 20*time.Millisecond { // it takes some 0.3 ms; the limit is for busy machines with -race
		t.Errorf("took %s to draw 90,000 cells, want only the visible ones drawn", took)
	}
}

func TestCountingAnewIsLayingOutAnew(t *testing.T) {
	items := append(row("pod/a", "svc/x", "svc/y"), row("pod/b", "svc/x", "svc/y+")...)
	m := arrange(items, view{})
	items[0].verdict, items[3].verdict = path.Fail, path.Pass
	m.recount()
	if want := arrange(items, view{}); !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

func TestCellsSayLatencyOrError(t *testing.T) {
	pass := row("pod/a", "svc/a+")[0]
	pass.result.Times = []path.StageTime{{Stage: path.StageConnect, Took: 12 * time.Millisecond}}
	fail := row("pod/a", "svc/a"+"x")[0]
	fail.result.Error = path.Unreachable
	blind := row("pod/a", "svc/a?")[0]
	blind.result.Blind = errors.New("cut")
	g := &grid{theme: style.NewTheme(true)}
	for want, items := range map[string][]*item{"✓ 12ms": {pass}, "✗ unreachable": {fail}, "?": {blind}, "…": row("pod/a", "svc/a")} {
		c := &cell{items: items}
		c.Count(items[0].verdict)
		if got, role := g.text(c); got != want || role != results.Role(items[0].verdict) {
			t.Errorf("got %q in role %d, want %q", got, role, want)
		}
	}
}
