package launch

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"podpath/kube"
)

func TestTheBestEquippedContainerIsUsed(t *testing.T) {
	manifests, cases := "", map[string]struct {
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
	c := startPractice(t, manifests)
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			l := c.ladder(Options{})
			link, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: name}, test.asked)
			c.check(t, link, err, test.want)
			if got := l.Execs(); got != test.execs {
				t.Errorf("got %d execs, want %d", got, test.execs)
			}
			must(t, l.Close(t.Context()))
		})
	}
}

func TestToolsAreFoundWithoutAShell(t *testing.T) {
	for image, want := range map[string]struct {
		tool  string
		execs int
	}{"python-only": {"python3", 3}, "perl-only": {"perl", 4}, "bash-only": {"bash", 5}} {
		l, s := newFake().ladder(t, Options{}, podYAML("web", "raspi002", container{"a", image}))
		link, err := l.Pod(t.Context(), s, web, "")
		checkLink(t, link, err, Via{Rung: Tools, Tool: want.tool, Container: "a"})
		if got := l.Execs(); got != want.execs {
			t.Errorf("%s: got %d execs, want %d", image, got, want.execs)
		}
	}
}

// newFake returns a cluster with an image for each kind of equipment.
func newFake() *fakeCluster {
	return &fakeCluster{programs: map[string]string{
		"python": "sh python3", "perl": "sh perl", "bash": "sh bash", "busybox": "sh nc od", "nc-alone": "sh nc", "shell": "sh",
		"python-only": "python3", "perl-only": "perl", "bash-only": "bash", "scratch": "",
	}}
}

func TestOneSurveyForAnImageHoweverManyAsk(t *testing.T) {
	const pods = 20
	manifests := ""
	for _, name := range podNames(pods) {
		manifests += podYAML(name, "raspi002", container{"app", "bash"})
	}
	f := newFake()
	l, s := f.ladder(t, Options{}, manifests)
	var work sync.WaitGroup
	for _, p := range s.Pods {
		work.Go(func() {
			link, err := l.Pod(t.Context(), s, p.Key(), "")
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
	if got := l.Execs(); got != pods+1 || f.surveys() != 1 {
		t.Errorf("got %d execs, %d of them surveys; want %d and 1", got, f.surveys(), pods+1)
	}
	if f.asked != 1 {
		t.Errorf("asked %d times whether exec is allowed, want once", f.asked)
	}
}

func TestASurveyThatFailsInOnePodIsMadeInAnother(t *testing.T) {
	c := startPractice(t, podYAML("lost", "raspi003", container{"app", withBash})+podYAML("web", "raspi002", container{"app", withBash}))
	_, err := c.Apply([]byte(`{apiVersion: v1, kind: Node, metadata: {name: raspi003, annotations: {demo.podpath/fault: down}}}`))
	must(t, err)
	l := c.ladder(Options{})
	_, err = l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: "lost"}, "")
	checkFailure(t, err, ExecFailed, "does not reach the kubelet", "ephemeral: not allowed", "upload: not allowed")
	link, err := l.Pod(t.Context(), c.snapshot, web, "")
	c.check(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
}

func TestACutSurveyIsMadeAgain(t *testing.T) {
	for name, test := range map[string]struct {
		cuts int32
		ok   bool
	}{"twice": {2, true}, "always": {1 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			var cuts atomic.Int32
			f.fails = func(_ context.Context, e kube.Exec) error {
				if strings.HasSuffix(e.Command[2], "survey.sh") && cuts.Add(1) <= test.cuts {
					_, _ = io.WriteString(e.Stdout, "bash /bin/bash\nEN")
					return errOver
				}
				return nil
			}
			l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", container{"app", "bash"}))
			link, err := l.Pod(t.Context(), s, web, "")
			if test.ok {
				checkLink(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
				return
			}
			checkFailure(t, err, ExecFailed, "no END line", "ephemeral", "upload")
			if l.Execs() != surveyTries {
				t.Errorf("got %d execs, want %d", l.Execs(), surveyTries)
			}
		})
	}
}

func TestRefusalsSayWhatWouldHelp(t *testing.T) {
	c := startPractice(t, podYAML("web", "raspi002", container{"app", withBash})+podYAML("bare", "raspi002", container{"app", withNothing}))
	for name, test := range map[string]struct {
		denied, pod string
		code        Code
		reasons     []string
		execs       int
	}{
		"nothing in the container": {"", "bare", NoTools, []string{"container app has no python3, perl, bash, nc or curl", "--allow-ephemeral", "--allow-upload"}, 5},
		"exec denied":              {"create pods/exec, get pods/exec", "web", ExecDenied, []string{"tools: you may not create pods/exec in namespace shop; a rule in a Role in shop"}, 0},
		"no such Pod":              {"", "nope", NoTools, []string{"there is no such Pod"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.deny(test.denied)
			l := c.ladder(Options{})
			_, err := l.Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: test.pod}, "")
			checkFailure(t, err, test.code, test.reasons...)
			if l.Execs() != test.execs {
				t.Errorf("got %d execs, want %d", l.Execs(), test.execs)
			}
		})
	}
	t.Run("nc without od", func(t *testing.T) {
		l, s := newFake().ladder(t, Options{}, podYAML("web", "raspi002", container{"app", "nc-alone"}))
		_, err := l.Pod(t.Context(), s, web, "")
		checkFailure(t, err, NoTools, "container app has no", "--allow-ephemeral", "--allow-upload")
	})
	t.Run("either verb is enough to try", func(t *testing.T) {
		f := newFake()
		f.denied = []string{"create pods/exec in namespace shop"}
		l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", container{"app", "bash"}))
		link, err := l.Pod(t.Context(), s, web, "")
		checkLink(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
	})
	t.Run("denied only when it comes to it", func(t *testing.T) {
		f := newFake()
		access := kube.Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: "shop"}
		f.fails = func(context.Context, kube.Exec) error { return &kube.AccessError{Access: access} }
		l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", container{"app", "bash"}))
		_, err := l.Pod(t.Context(), s, web, "")
		checkFailure(t, err, ExecDenied, "you may not", "ephemeral", "upload")
		var failure *Failure
		if errors.As(err, &failure) && (failure.Refusals[0].Access == nil || *failure.Refusals[0].Access != access) {
			t.Errorf("got %+v, want the permission that is missing", failure.Refusals[0])
		}
	})
}

func TestAToolThatDoesNotStartLeavesItToTheNext(t *testing.T) {
	f := newFake()
	f.fails = func(_ context.Context, e kube.Exec) error {
		if e.Command[0] == "python3" { // removed from the image since the survey
			return &kube.ExecError{Failure: kube.NoProgram, Program: "python3"}
		}
		return nil
	}
	l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", container{"a", "python"}, container{"b", "bash"}))
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "b"})
	if _, known := l.surveys.known("python"); known {
		t.Error("the survey that was wrong is kept")
	}
}

func TestBashMustBeNewEnough(t *testing.T) {
	for version, want := range map[string]string{"4.1.2(1)-release": "curl", "4.2.46(2)-release": "bash", "5.2.15(1)-release": "bash", "": "bash", "3.2": "curl"} {
		s := survey{"bash": "/bin/bash", "curl": "/usr/bin/curl"}
		if version != "" {
			s["bash-version"] = version
		}
		if got := tools[bestTool(s)].name; got != want {
			t.Errorf("bash %s: got %s, want %s", version, got, want)
		}
	}
}
