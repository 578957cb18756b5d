package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"podpath/kube"
)

// place is a container that runs.
type place struct {
	pod              kube.Key
	container, image string
	rung             Rung
}

// tool is a program that can be a prober.
type tool struct {
	name   string
	argv   []string            // reads the script, before its length
	script string              // in package assets
	trial  []string            // a command that does nothing, to find the tool where there is no shell; empty for those that need one
	usable func(s survey) bool // besides that it is there; nil for always
}

// tools are in the order of preference. Python and Perl have sockets that do
// not block, so they keep every timeout, tell errors by their numbers and do
// many requests at once in one process. bash can connect, but has neither a
// timeout nor error numbers: its script needs a process for each request and
// reads messages. nc differs from build to build.
var tools = []tool{
	{"python3", []string{"python3", "-c", pythonReader}, "python.py", []string{"python3", "-c", ""}, nil},
	{"perl", []string{"perl", "-e", perlReader}, "perl.pl", []string{"perl", "-e", ""}, nil},
	{"bash", []string{"bash", "-c", shellReader}, "bash.sh", []string{"bash", "-c", ":"}, survey.hasNewBash},
	{"nc", []string{shell, "-c", shellReader}, "sh.sh", nil, func(s survey) bool { return s.has("od") || s.has("hexdump") }},
}

// bestTool returns the place of the best tool of a survey in tools, or their
// number when there is none.
func bestTool(s survey) int {
	for i, t := range tools {
		if s.has(t.name) && (t.usable == nil || t.usable(s)) {
			return i
		}
	}
	return len(tools)
}

// hasNewBash reports bash 4.2 or later. A version that is not known will turn
// out when the script starts.
func (s survey) hasNewBash() bool {
	var major, minor int
	if _, err := fmt.Sscanf(s["bash-version"], "%d.%d", &major, &minor); err != nil {
		return true
	}
	return major > 4 || major == 4 && minor >= 2
}

// candidates are the containers of a Pod to look at: a named one alone, else
// all that run. An init container is over before anyone can look.
func candidates(p *kube.Pod, container string) []place {
	var places []place
	for _, c := range p.Containers {
		if c.State != "running" || c.Kind == kube.InitContainer || container != "" && c.Name != container {
			continue
		}
		rung := Tools
		if isGuest(c) { // of an earlier run
			rung = Ephemeral
		}
		places = append(places, place{p.Key(), c.Name, c.Image, rung})
	}
	return places
}

// tools starts what a container of the Pod has. A named container that has
// nothing leaves it to its siblings.
func (t *attempt) tools(ctx context.Context, p *kube.Pod, container string) Link {
	places := candidates(p, container)
	if len(places) == 0 && container != "" {
		t.refuse(Tools, fmt.Errorf("it has no running container %s", container))
		places, container = candidates(p, ""), ""
	}
	if link := t.best(ctx, places); link != nil {
		return link
	}
	if container != "" {
		others := slices.DeleteFunc(candidates(p, ""), func(p place) bool { return p.container == container })
		return t.best(ctx, others)
	}
	if len(places) == 0 {
		t.refuse(Tools, errors.New("none of its containers runs"))
	}
	return nil
}

// best starts the best tool that one of the places has, and the next one where
// that does not start.
func (t *attempt) best(ctx context.Context, places []place) Link {
	type option struct {
		place
		tool int
		err  error
	}
	options := make([]option, len(places))
	var work sync.WaitGroup
	for i, p := range places {
		work.Go(func() {
			s, err := t.ladder.survey(ctx, p)
			options[i] = option{p, bestTool(s), err}
		})
	}
	work.Wait()
	slices.SortStableFunc(options, func(a, b option) int { return a.tool - b.tool })
	for _, o := range options {
		switch {
		case o.err != nil:
			t.refuse(o.rung, o.err)
		case o.tool == len(tools):
			t.refuse(o.rung, fmt.Errorf("container %s has no %s", o.container, toolNames()))
		default:
			link, err := t.ladder.start(ctx, o.place, tools[o.tool])
			if err == nil {
				return link
			}
			t.refuse(o.rung, err)
			if isNoProgram(err) { // another image of the same name was surveyed
				t.ladder.surveys.forget(o.image)
			}
		}
	}
	return nil
}

func toolNames() string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.name
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// start starts a tool in a container.
func (l *Ladder) start(ctx context.Context, p place, t tool) (Link, error) {
	script, err := l.script(t.script)
	if err != nil {
		return nil, err
	}
	return l.startProgram(ctx, p, t.name, withLength(t.argv, script), script)
}

// startProgram runs a prober in a container: what argv is, or a script that it
// reads.
func (l *Ladder) startProgram(ctx context.Context, p place, tool string, argv []string, script string) (Link, error) {
	via := Via{p.rung, tool, p.pod.String(), p.container, argv}
	return link(converse(ctx, via, func(ctx context.Context, in io.ReadCloser, out, stderr io.WriteCloser) error {
		return l.exec(ctx, kube.Exec{Pod: p.pod, Container: p.container, Command: argv, Stdin: precede(script, in), Stdout: out, Stderr: stderr})
	}))
}
