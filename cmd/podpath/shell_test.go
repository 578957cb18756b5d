package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// shellTo is how make release gets the files: they are made here, so that
// podpath need not carry what makes man pages.
var shellTo = flag.String("shell", "", "write the man pages and the completions to this folder")

func TestManPagesAndCompletions(t *testing.T) {
	to := *shellTo
	if to == "" {
		to = t.TempDir()
	}
	root := newRoot(streams{}, &clusterOptions{})
	root.DisableAutoGenTag = true
	root.InitDefaultCompletionCmd()
	manual(root)
	header := &doc.GenManHeader{Section: "1", Source: "podpath " + version, Manual: "podpath"}
	pages := filepath.Join(to, "man")
	completions := filepath.Join(to, "completions")
	for _, folder := range []string{pages, completions} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, err := range map[string]error{
		"man pages": doc.GenManTree(root, header, pages),
		"bash":      root.GenBashCompletionFileV2(filepath.Join(completions, "podpath.bash"), true),
		"zsh":       root.GenZshCompletionFile(filepath.Join(completions, "_podpath")),
		"fish":      root.GenFishCompletionFile(filepath.Join(completions, "podpath.fish"), true),
	} {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for page, want := range map[string]string{
		"podpath.1":              "See how Pods, Nodes and Services are connected",
		"podpath-probe.1":        "\n  podpath probe deploy/web svc/db:5432\n",
		"podpath-forward.1":      "\n  podpath forward svc/web 8080:80\n",
		"podpath-demo-lessons.1": `\fB--answer\fP`,
	} {
		text, err := os.ReadFile(filepath.Join(pages, page))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("got in %s\n%s\nwant %q in it", page, text, want)
		}
	}
}

// manual has a command and those below it read well in a man page: a text for
// the terminal is laid out already.
func manual(cmd *cobra.Command) {
	if cmd.Long != "" {
		cmd.Long = "```\n" + strings.TrimRight(cmd.Long, "\n") + "\n```\n"
	}
	for _, sub := range cmd.Commands() {
		manual(sub)
	}
}
