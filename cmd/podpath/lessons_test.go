package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"podpath/assets"
)

// Each lesson is followed step by step: its commands as they stand there, its
// keys in one session of the UI, and what it promises must be seen, in its
// order. The commands are typed while the UI waits for timeouts.
func TestLessonsKeepTheirPromises(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	s := startMonitor(t, "--demo", "--still")
	if !s.sees("sample-deployment") {
		return
	}
	var shell sync.WaitGroup
	shell.Go(func() {
		t.Run("in a shell", func(t *testing.T) { eachLesson(t, typeCommands) })
	})
	t.Run("on the screen", func(t *testing.T) {
		eachLesson(t, func(t *testing.T, l assets.Lesson) {
			s.T = t
			pressKeys(s, l)
		})
	})
	shell.Wait()
}

func eachLesson(t *testing.T, follow func(*testing.T, assets.Lesson)) {
	for _, l := range assets.Lessons() {
		t.Run(l.Name, func(t *testing.T) { follow(t, l) })
	}
}

func typeCommands(t *testing.T, l assets.Lesson) {
	for _, step := range l.Steps {
		if step.Command == "" {
			continue
		}
		words := strings.Fields(step.Command)
		if words[0] != "podpath" {
			t.Errorf("%s: want a command of podpath", step.Command)
			continue
		}
		out, stderr, code := typed(t, words[1:])
		missing, ok := inOrder(out, step.Want)
		switch {
		case code == exitUsage:
			t.Errorf("%s: got exit code %d: %s", step.Command, code, stderr)
		case !ok:
			t.Errorf("%s: got\n%s%s\nwant %q in it, after what is promised before", step.Command, out, stderr, missing)
		}
	}
}

// typed runs a command line as main does.
func typed(t *testing.T, args []string) (out, stderr string, code int) {
	var o, e bytes.Buffer
	cluster := &clusterOptions{}
	defer cluster.close()
	root := newRoot(streams{in: os.Stdin, out: &o, err: &e}, cluster)
	root.SetArgs(args)
	code = exitCode(root.ExecuteContext(t.Context()), &e)
	return o.String(), e.String(), code
}

// inOrder reports whether the parts are in the text, one after the other, and
// if not, which is missing.
func inOrder(text string, parts []string) (missing string, ok bool) {
	for _, part := range parts {
		_, after, found := strings.Cut(text, strings.TrimSpace(part))
		if !found {
			return part, false
		}
		text = after
	}
	return "", true
}

// pressKeys begins the lesson and follows its keys.
func pressKeys(s *monitor, l assets.Lesson) {
	s.Helper()
	s.press(":lesson", l.Name, "enter")
	if !s.sees(l.Title) {
		return
	}
	s.press("1") // away from the text, which holds what is promised
	for _, step := range l.Steps {
		if step.Command != "" {
			continue
		}
		s.press(step.Keys...)
		if i := slices.Index(step.Keys, ":probe"); i >= 0 { // not the results of the run before
			s.sees(step.Keys[i+1] + " → " + step.Keys[i+2])
		}
		for _, text := range step.Want {
			if !s.sees(text) {
				s.Errorf("that is what %q should lead to", step.Keys)
				return
			}
		}
	}
}

func TestPromisesAreCheckedInTheirOrder(t *testing.T) {
	for text, want := range map[string]bool{"a b c": true, "a c b": false, "b c": false, "ab c": true} {
		if missing, ok := inOrder(text, []string{"a", " b ", "c"}); ok != want {
			t.Errorf("%s: got %v, %q missing", text, ok, missing)
		}
	}
}
