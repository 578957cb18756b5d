package podpath_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "podpath"

// leaves may be imported by every package and import none of ours.
var leaves = []string{"assets", "probes/wire"}

// arrows names each layer and the layers, besides itself and the leaves, that its packages may import. A package belongs to
// the layer with the longest name that is a folder above it, or the package itself.
var arrows = map[string][]string{
	"cmd":            {"tui", "tui/table", "tui/style", "probes", "probes/present", "probes/path", "probes/launch", "kube/forward", "kube/demo", "kube"},
	"cmd/prober":     {},
	"tui":            {"tui/table", "tui/style", "probes", "probes/present", "probes/path", "probes/launch", "kube/forward", "kube"},
	"tui/table":      {"tui/style"},
	"tui/style":      {},
	"probes":         {"probes/path", "probes/launch", "kube"},
	"probes/present": {"probes/path", "kube"},
	"probes/path":    {"probes/launch", "kube"}, // launch says why podpath cannot look, and by what it has looked
	"probes/launch":  {"kube"},
	"probes/wire":    {},
	"kube":           {},
	"kube/forward":   {"kube"},
	"kube/demo":      {"kube"},
	"assets":         {},

	// Only for tests.
	"kube/demo/fixture":    {"kube", "kube/demo"},
	"tui/golden":           {"kube", "kube/demo/fixture"},
	"probes/path/manifest": {},
}

// testArrows are the layers that tests may import beyond the arrows, and those that may: all of them without a list.
var testArrows = map[string][]string{
	"kube/demo":            nil,
	"kube/demo/fixture":    nil,
	"tui/golden":           nil,
	"probes/path/manifest": {"probes", "probes/path", "probes/present"},
}

// standardOnly are the layers that run inside Pods, and so are kept small: nothing but the standard library and each other.
var standardOnly = []string{"cmd/prober", "probes/wire"}

func TestImportsFollowTheArrows(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && !ours(path):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		seen++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: import %s: %w", path, spec.Path.Value, err)
			}
			from := filepath.ToSlash(filepath.Dir(path))
			if why := objection(from, imported, strings.HasSuffix(path, "_test.go")); why != "" {
				t.Errorf("%s: %s", path, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 2 {
		t.Errorf("read %d Go files, want those of the product", seen)
	}
}

func TestArrowsForbid(t *testing.T) {
	for name, forbidden := range map[string]struct {
		from, imported string
		inTest         bool
	}{
		"a layer from the one below":          {from: "kube", imported: "podpath/tui"},
		"a layer from two below":              {from: "kube/forward", imported: "podpath/cmd/podpath"},
		"a sibling":                           {from: "probes", imported: "podpath/kube/forward"},
		"the other sibling":                   {from: "kube/forward", imported: "podpath/probes"},
		"below the root of a layer":           {from: "probes/launch", imported: "podpath/tui/pods"},
		"a pane from a widget":                {from: "tui/table", imported: "podpath/tui/pods"},
		"data from a widget":                  {from: "tui/table", imported: "podpath/kube"},
		"anything from a leaf":                {from: "assets", imported: "podpath/kube"},
		"the practice cluster from the UI":    {from: "tui", imported: "podpath/kube/demo"},
		"a library into the in-Pod prober":    {from: "cmd/prober", imported: "golang.org/x/net/dns/dnsmessage"},
		"a library into the line protocol":    {from: "probes/wire", imported: "golang.org/x/sync/errgroup"},
		"the UI from a test of a lower layer": {from: "kube", imported: "podpath/tui", inTest: true},
		"what is for tests from a command":    {from: "cmd/podpath", imported: "podpath/kube/demo/fixture"},
		"the tests' screens from the UI":      {from: "tui", imported: "podpath/tui/golden"},
		"the engine from the model":           {from: "probes/path", imported: "podpath/probes"},
		"the words from the model":            {from: "probes/path", imported: "podpath/probes/present"},
		"the words from the engine":           {from: "probes", imported: "podpath/probes/present"},
		"the ways into Pods from the words":   {from: "probes/present", imported: "podpath/probes/launch"},
		"the model from the ways into Pods":   {from: "probes/launch", imported: "podpath/probes/path"},
		"the tests' clusters from the model":  {from: "probes/path", imported: "podpath/probes/path/manifest"},
		"the tests' clusters from panes":      {from: "tui/probes", imported: "podpath/probes/path/manifest", inTest: true},
		"a package that has no layer":         {from: "helpers", imported: "podpath/kube"},
	} {
		if why := objection(forbidden.from, forbidden.imported, forbidden.inTest); why == "" {
			t.Errorf("%s: %s may import %s, want it forbidden", name, forbidden.from, forbidden.imported)
		}
	}
}

func TestArrowsAllow(t *testing.T) {
	for name, allowed := range map[string]struct {
		from, imported string
		inTest         bool
	}{
		"the standard library":          {from: "probes/wire", imported: "net/http"},
		"a library":                     {from: "kube", imported: "k8s.io/client-go/rest"},
		"the layer below":               {from: "tui", imported: "podpath/kube"},
		"a package of the same layer":   {from: "tui", imported: "podpath/tui/services"},
		"a leaf":                        {from: "probes/launch", imported: "podpath/probes/wire"},
		"the model from the engine":     {from: "probes", imported: "podpath/probes/path"},
		"the words from a pane":         {from: "tui/probes", imported: "podpath/probes/present"},
		"the tests' clusters":           {from: "probes", imported: "podpath/probes/path/manifest", inTest: true},
		"the practice cluster in main":  {from: "cmd/podpath", imported: "podpath/kube/demo"},
		"the practice cluster in tests": {from: "tui", imported: "podpath/kube/demo", inTest: true},
		"a test tool of the prober":     {from: "probes/wire", imported: "go.uber.org/goleak", inTest: true},
	} {
		if why := objection(allowed.from, allowed.imported, allowed.inTest); why != "" {
			t.Errorf("%s: %s, want it allowed", name, why)
		}
	}
}

// objection says why the package in the folder from must not import a path, or "" when it may.
func objection(from, imported string, inTest bool) string {
	target, inModule := strings.CutPrefix(imported, module+"/")
	if from == "." { // this test
		return ""
	}
	layer, found := layerOf(from)
	if !found {
		return fmt.Sprintf("%s has no layer; add it to the arrows in arrows_test.go and to docs/ARCHITECTURE.md", from)
	}
	if !inModule {
		if library := strings.Contains(strings.Split(imported, "/")[0], "."); library && !inTest &&
			slices.Contains(standardOnly, layer) {
			return fmt.Sprintf("%s may import only the standard library, but imports %s", layer, imported)
		}
		return ""
	}
	below, found := layerOf(target)
	if !found {
		return fmt.Sprintf("%s imports %s, which has no layer", from, imported)
	}
	if below == layer || slices.Contains(leaves, below) && !slices.Contains(leaves, layer) ||
		slices.Contains(arrows[layer], below) || inTest && testsMay(layer, below) {
		return ""
	}
	return fmt.Sprintf("%s must not import %s: it is not below it", layer, below)
}

// testsMay tells whether the tests of a layer may import another one that only tests may.
func testsMay(layer, below string) bool {
	from, only := testArrows[below]
	return only && (from == nil || slices.Contains(from, layer))
}

// layerOf is the layer of the package in a folder.
func layerOf(folder string) (string, bool) {
	for ; folder != "."; folder = filepath.ToSlash(filepath.Dir(folder)) {
		if _, found := arrows[folder]; found {
			return folder, true
		}
	}
	return "", false
}

// ours tells whether a folder holds packages of the product: not those of other modules, nor what is no code.
func ours(folder string) bool {
	name := filepath.Base(folder)
	return folder == "." || folder != "e2e" && folder != "tools" && name != "testdata" && name[0] != '.'
}
