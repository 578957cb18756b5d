package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"podpath/kube"
)

func TestTheBestEquippedContainerIsUsed(t *testing.T) {
	manifests, cases := "", map[string]struct { // by the name of the Pod
		containers []container
		asked      string
		want       Via
		execs      int
	}{
		"story":       {[]container{{"nginx", withShell}, {"redis", withBash}}, "", Via{Rung: Tools, Tool: "bash", Container: "redis"}, 3},
		"best":        {[]container{{"a", withBash}, {"b", withPython}, {"c", withPerl}}, "", Via{Rung: Tools, Tool: "python3", Container: "b"}, 4},
		"nc-with-od":  {[]container{{"a", withNC}}, "", Via{Rung: Tools, Tool: "nc", Container: "a"}, 2},
		"named":       {[]container{{"a", withBash}, {"b", withPython}}, "a", Via{Rung: Tools, Tool: "bash", Container: "a"}, 2},
		"named-empty": {[]container{{"a", withShell}, {"b", withPerl}}, "a", Via{Rung: Tools, Tool: "perl", Container: "b"}, 3},
		"not-there":   {[]container{{"a", withBash}}, "z", Via{Rung: Tools, Tool: "bash", Container: "a"}, 2},
	}
	for name, test := range cases {
		manifests += podYAML(name, "raspi002", test.containers...)
	}
	inPractice(t, manifests, func(t *testing.T, c *practice) {
		for name, test := range cases {
			t.Log(name)
			l := c.ladder(Options{})
			link, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: name}, test.asked)
			c.check(t, link, err, test.want)
			if got := l.Execs(); got != test.execs {
				t.Errorf("got %d execs, want %d", got, test.execs)
			}
			must(t, l.Close(t.Context()))
		}
	})
}

func TestToolsAreFoundWithoutAShell(t *testing.T) {
	for program, test := range map[string]struct {
		image string
		execs int
	}{"python3": {withPython, 3}, "perl": {withPerl, 4}, "bash": {withBash, 5}} {
		inPractice(t, podYAML("web", "raspi002", container{"a", test.image}), func(t *testing.T, c *practice) {
			c.fails = func(_ context.Context, e kube.Exec) error {
				if e.Command[0] != program { // though the images of the practice cluster have a shell
					return &kube.ExecError{Failure: kube.NoProgram, Program: e.Command[0]}
				}
				return nil
			}
			l := c.ladder(Options{})
			link, err := l.Pod(t.Context(), c.snapshot, web, "")
			c.check(t, link, err, Via{Rung: Tools, Tool: program, Container: "a"})
			if got := l.Execs(); got != test.execs {
				t.Errorf("%s: got %d execs, want %d", program, got, test.execs)
			}
		})
	}
}

func TestOneSurveyForAnImageHoweverManyAsk(t *testing.T) {
	const pods = 20
	manifests := ""
	for i := range pods {
		manifests += podYAML(fmt.Sprint("web-", i), "raspi002", container{"app", withBash})
	}
	inPractice(t, manifests, func(t *testing.T, c *practice) {
		l := c.ladder(Options{})
		var work sync.WaitGroup
		for i := range pods {
			work.Go(func() {
				link, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: fmt.Sprint("web-", i)}, "")
				if err != nil {
					t.Error(err)
					return
				}
				if err := link.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		work.Wait()
		if got := l.Execs(); got != pods+1 || c.surveys != 1 {
			t.Errorf("got %d execs, %d of them surveys; want %d and 1", got, c.surveys, pods+1)
		}
		if c.reviews != 1 {
			t.Errorf("asked %d times whether exec is allowed, want once", c.reviews)
		}
	})
}

func TestASurveyThatFailsInOnePodIsMadeInAnother(t *testing.T) {
	inPractice(t, podYAML("lost", "raspi003", container{"app", withBash})+podYAML("web", "raspi002", container{"app", withBash}), func(t *testing.T, c *practice) {
		_, err := c.cluster.Apply([]byte(`{apiVersion: v1, kind: Node, metadata: {name: raspi003, annotations: {demo.podpath/fault: down}}}`))
		must(t, err)
		l := c.ladder(Options{})
		_, err = l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: "lost"}, "")
		checkFailure(t, err, ExecFailed, "does not reach the kubelet", "ephemeral: not allowed", "upload: not allowed")
		link, err := l.Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
	})
}

// withOne are manifests of Pod web with one container.
func withOne(image string) string { return podYAML("web", "raspi002", container{"app", image}) }

func TestACutSurveyIsMadeAgain(t *testing.T) {
	for name, test := range map[string]struct {
		cuts int32
		ok   bool
	}{"twice": {2, true}, "always": {1 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			inPractice(t, withOne(withBash), func(t *testing.T, c *practice) {
				var cuts atomic.Int32
				c.fails = func(_ context.Context, e kube.Exec) error {
					if e.Stdin == nil && cuts.Add(1) <= test.cuts {
						_, _ = io.WriteString(e.Stdout, "bash /bin/bash\nEN")
						return errOver
					}
					return nil
				}
				l := c.ladder(Options{})
				link, err := l.Pod(t.Context(), c.snapshot, web, "")
				if test.ok {
					c.check(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
					return
				}
				checkFailure(t, err, ExecFailed, "no END line", "ephemeral", "upload")
				if l.Execs() != surveyTries {
					t.Errorf("got %d execs, want %d", l.Execs(), surveyTries)
				}
			})
		})
	}
}

func TestRefusalsSayWhatWouldHelp(t *testing.T) {
	inPractice(t, withOne(withBash)+podYAML("bare", "raspi002", container{"app", withNothing}), func(t *testing.T, c *practice) {
		for name, test := range map[string]struct {
			denied, pod string
			code        Code
			reasons     []string
			execs       int
		}{
			"nothing in the container": {"", "bare", NoTools, []string{"container app has no python3, perl, bash or nc", "--allow-ephemeral", "--allow-upload"}, 4},
			"exec denied":              {"create pods/exec, get pods/exec", "web", ExecDenied, []string{"tools: you may not create pods/exec in namespace shop; a rule in a Role in shop"}, 0},
			"no such Pod":              {"", "nope", NoTools, []string{"there is no such Pod"}, 0},
		} {
			t.Log(name)
			c.deny(test.denied)
			l := c.ladder(Options{})
			_, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: test.pod}, "")
			checkFailure(t, err, test.code, test.reasons...)
			if l.Execs() != test.execs {
				t.Errorf("got %d execs, want %d", l.Execs(), test.execs)
			}
		}
	})
}

func TestEitherVerbIsEnoughToTryExec(t *testing.T) {
	inPractice(t, withOne(withBash), func(t *testing.T, c *practice) {
		c.deny("create pods/exec")
		link, err := c.ladder(Options{}).Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
	})
}

func TestExecThatIsDeniedOnlyWhenItComesToIt(t *testing.T) {
	inPractice(t, withOne(withBash), func(t *testing.T, c *practice) {
		access := kube.Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "shop"}
		c.fails = func(context.Context, kube.Exec) error { return &kube.AccessError{Access: access} }
		_, err := c.ladder(Options{}).Pod(t.Context(), c.snapshot, web, "")
		checkFailure(t, err, ExecDenied, "you may not", "ephemeral", "upload")
		var failure *Failure
		if errors.As(err, &failure) && (failure.Refusals[0].Access == nil || *failure.Refusals[0].Access != access) {
			t.Errorf("got %+v, want the permission that is missing", failure.Refusals[0])
		}
	})
}

func TestAToolThatDoesNotStartLeavesItToTheNext(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", container{"a", withPython}, container{"b", withBash}), func(t *testing.T, c *practice) {
		c.fails = func(_ context.Context, e kube.Exec) error {
			if e.Command[0] == "python3" { // removed from the image since the survey
				return &kube.ExecError{Failure: kube.NoProgram, Program: "python3"}
			}
			return nil
		}
		l := c.ladder(Options{})
		link, err := l.Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "b"})
		if _, known := l.surveys.known(withPython); known {
			t.Error("the survey that was wrong is kept")
		}
	})
}

// toolOf names the best tool of a survey; "" for none.
func toolOf(s survey) string {
	if best := bestTool(s); best < len(tools) {
		return tools[best].name
	}
	return ""
}

func TestNcServesOnlyWithSomethingThatShowsBytes(t *testing.T) {
	for programs, want := range map[string]string{"nc": "", "nc od": "nc", "nc hexdump": "nc"} {
		found := survey{}
		for program := range strings.FieldsSeq(programs) {
			found[program] = "/bin/" + program
		}
		if got := toolOf(found); got != want {
			t.Errorf("with %s: got %q, want %q", programs, got, want)
		}
	}
}

func TestBashMustBeNewEnough(t *testing.T) {
	for version, want := range map[string]string{"4.1.2(1)-release": "", "4.2.46(2)-release": "bash", "5.2.15(1)-release": "bash", "": "bash", "3.2": ""} {
		s := survey{"bash": "/bin/bash"}
		if version != "" {
			s["bash-version"] = version
		}
		if got := toolOf(s); got != want {
			t.Errorf("bash %s: got %q, want %q", version, got, want)
		}
	}
}
