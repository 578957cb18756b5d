//go:build linux

package wire_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"podpath/probes/wire"
)

// probers are all that speak the protocol, as far as this machine can run
// them.
func probers(t *testing.T) []prober {
	t.Helper()
	found := []prober{{name: "serve", tool: "test", start: serveInProcess}}
	for _, s := range []struct {
		name, shell, flag, script, tool string
		tools                           func(*testing.T) (string, error)
		lacks                           map[string]string
	}{
		{"bash", "bash", "-c", "bash.sh", "bash", everything, map[string]string{"local port": "bash cannot know it"}},
		{"bash in the redis image", "bash", "-c", "bash.sh", "bash", redisTools, map[string]string{"local port": "bash cannot know it"}},
		{"python", "python3", "-c", "python.py", "python", everything, nil},
		{"perl", "perl", "-e", "perl.pl", "perl", everything, nil},
		{"busybox", "sh", "-c", "sh.sh", "sh", busyboxTools, busyboxLacks},
		{"busybox without links", "busybox sh", "-c", "sh.sh", "sh", onlyBusybox, busyboxLacks},
		{"dash with the tools of busybox", "dash", "-c", "sh.sh", "sh", dashTools, busyboxLacks},
		{alpine, "sh", "-c", "sh.sh", "sh", ncTools, map[string]string{"local port": "sh cannot know it"}},
		{openBSD, "sh", "-c", "sh.sh", "sh", ncTools, map[string]string{"local port": "sh cannot know it", "hold": "it takes -e"}},
	} {
		script, err := os.ReadFile(filepath.Join("../../assets/probers", s.script))
		if err != nil {
			t.Fatal(err)
		}
		tools, err := s.tools(t)
		if err != nil {
			t.Logf("skipped %s: %v", s.name, err)
			continue
		}
		argv := append(strings.Fields(s.shell), s.flag, withoutComments(string(script)))
		if argv[0], err = lookIn(tools, argv[0]); err != nil {
			t.Logf("skipped %s: %v", s.name, err)
			continue
		}
		found = append(found, prober{name: s.name, tool: s.tool, lacks: s.lacks, start: process(tools, s.name, argv...)})
	}
	return found
}

// withoutComments is what assets.Script makes of a script.
func withoutComments(script string) string {
	var b strings.Builder
	for line := range strings.Lines(script) {
		if code := strings.TrimSpace(line); code != "" && code[0] != '#' {
			b.WriteString(line)
		}
	}
	return b.String()
}

// busyboxLacks is what Debian's busybox cannot do.
var busyboxLacks = map[string]string{
	"local port": "sh cannot know it",
	"udp":        "Debian's busybox nc has no -u",
}

func everything(*testing.T) (string, error) { return os.Getenv("PATH"), nil }

// redisTools are those of the story's redis image, which has bash and little
// else.
func redisTools(t *testing.T) (string, error) {
	return links(t, "", "bash ls cat cp mkdir rm chmod sleep uname env head id getent tee true")
}

// busyboxTools are those that sh.sh needs of busybox, as links to it.
func busyboxTools(t *testing.T) (string, error) {
	return links(t, "busybox", "sh nc od hexdump dd cat sleep tr")
}

func dashTools(t *testing.T) (string, error) {
	folder, err := links(t, "busybox", "nc hexdump dd cat sleep tr")
	if err != nil {
		return "", err
	}
	dash, err := exec.LookPath("dash")
	if err != nil {
		return "", err
	}
	return folder, os.Symlink(dash, filepath.Join(folder, "dash"))
}

// onlyBusybox is busybox, whose shell finds its tools in itself.
func onlyBusybox(t *testing.T) (string, error) {
	return links(t, "", "busybox")
}

// links makes a folder with these tools and no others; each is a link to the
// program, or to that of its own name.
func links(t *testing.T, program, tools string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	for _, tool := range strings.Fields(tools) {
		path, err := exec.LookPath(cmp.Or(program, tool))
		if err != nil {
			return "", err
		}
		if err := os.Symlink(path, filepath.Join(folder, tool)); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// lookIn finds a program in the folders of a PATH.
func lookIn(path, program string) (string, error) {
	for _, folder := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(folder, program)); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", program, path)
}

// serveInProcess runs Serve.
func serveInProcess(ctx context.Context, t *testing.T) (io.WriteCloser, io.ReadCloser, <-chan struct{}) {
	t.Helper()
	fromTest, in := io.Pipe()
	out, toTest := io.Pipe()
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		if err := wire.Serve(ctx, fromTest, toTest, "test", wire.Host{}); err != nil {
			t.Logf("Serve: %v", err)
		}
	}()
	return in, out, exited
}

func TestProbersDoWhatTheProtocolSays(t *testing.T) {
	for _, p := range probers(t) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, behaviour := range behaviours() {
				t.Run(behaviour.name, func(t *testing.T) {
					if why := p.lacks[behaviour.needs]; why != "" {
						t.Skip(why)
					}
					behaviour.check(t, p)
				})
			}
		})
	}
}

// behaviour is one thing that every prober has to do.
type behaviour struct {
	name  string
	needs string // what some lack
	check func(*testing.T, prober)
}

func behaviours() []behaviour {
	return append(exchanges(), conversations()...)
}
