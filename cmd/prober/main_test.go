package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestProberAnswersAndEndsWithItsInput(t *testing.T) {
	program := filepath.Join(t.TempDir(), "prober")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, test := range map[string]struct {
		in, want string
		ok       bool
	}{
		"nothing":      {"", "podpath 1 podpath\nEND 0\n", true},
		"a request":    {"7 fly 1000 - 0 0 -\n", "cannot\\0040fly\nEND 1\n", true},
		"no request":   {"fly\n", "podpath 1 podpath\n", false},
		"half of one ": {"7 fly 10", "podpath 1 podpath\nEND 0\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Stdin = strings.NewReader(test.in)
			out, err := cmd.Output()
			if !strings.HasSuffix(string(out), test.want) || (err == nil) != test.ok {
				t.Errorf("got %q, %v, want %q at its end", out, err, test.want)
			}
		})
	}
}
