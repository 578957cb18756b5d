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
	for name, test := range map[string]struct {
		containers []container
		asked      string
		want       Via
		execs      int
	}{
		"the story's redis beside nginx": {[]container{{"nginx", "shell"}, {"redis", "bash"}}, "", Via{Rung: Tools, Tool: "bash", Container: "redis"}, 3},
		"python before bash":             {[]container{{"a", "bash"}, {"b", "python"}, {"c", "perl"}}, "", Via{Rung: Tools, Tool: "python3", Container: "b"}, 4},
		"nc with od":                     {[]container{{"a", "busybox"}}, "", Via{Rung: Tools, Tool: "nc", Container: "a"}, 2},
		"a named one alone":              {[]container{{"a", "bash"}, {"b", "python"}}, "a", Via{Rung: Tools, Tool: "bash", Container: "a"}, 2},
		"a named one that has nothing":   {[]container{{"a", "shell"}, {"b", "perl"}}, "a", Via{Rung: Tools, Tool: "perl", Container: "b"}, 3},
		"a named one that is not there":  {[]container{{"a", "bash"}}, "z", Via{Rung: Tools, Tool: "bash", Container: "a"}, 2},
		"python and no shell":            {[]container{{"a", "python-only"}}, "", Via{Rung: Tools, Tool: "python3", Container: "a"}, 3},
		"perl and no shell":              {[]container{{"a", "perl-only"}}, "", Via{Rung: Tools, Tool: "perl", Container: "a"}, 4},
		"bash and no sh":                 {[]container{{"a", "bash-only"}}, "", Via{Rung: Tools, Tool: "bash", Container: "a"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", test.containers...))
			link, err := l.Pod(t.Context(), s, web, test.asked)
			checkLink(t, link, err, test.want)
			if got := l.Execs(); got != test.execs {
				t.Errorf("got %d execs, want %d: %q", got, test.execs, f.execs)
			}
			must(t, l.Close(t.Context()))
		})
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
	f := newFake()
	f.fails = func(_ context.Context, e kube.Exec) error {
		if e.Pod.Name == "web-0" {
			return &kube.ExecError{Failure: kube.KubeletAway, Pod: e.Pod}
		}
		return nil
	}
	l, s := f.ladder(t, Options{}, podYAML("web-0", "raspi001", container{"app", "bash"})+podYAML("web-1", "raspi002", container{"app", "bash"}))
	_, err := l.Pod(t.Context(), s, s.Pods[0].Key(), "")
	checkFailure(t, err, ExecFailed, "does not reach the kubelet", "ephemeral: not allowed", "upload: not allowed")
	link, err := l.Pod(t.Context(), s, s.Pods[1].Key(), "")
	checkLink(t, link, err, Via{Rung: Tools, Tool: "bash", Container: "app"})
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
	const createExec, getExec = "create pods/exec in namespace shop", "get pods/exec in namespace shop"
	for name, test := range map[string]struct {
		denied  []string
		image   string
		code    Code
		reasons []string
		execs   int
	}{
		"nothing in the container": {nil, "scratch", NoTools, []string{"container app has no python3, perl, bash, nc or curl", "--allow-ephemeral", "--allow-upload"}, 5},
		"nc without od":            {nil, "nc-alone", NoTools, []string{"container app has no", "--allow-ephemeral", "--allow-upload"}, 1},
		"exec denied":              {[]string{createExec, getExec}, "bash", ExecDenied, []string{"tools: you may not create pods/exec in namespace shop; a rule in a Role in shop"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.denied = test.denied
			l, s := f.ladder(t, Options{}, podYAML("web", "raspi002", container{"app", test.image}))
			_, err := l.Pod(t.Context(), s, web, "")
			checkFailure(t, err, test.code, test.reasons...)
			if l.Execs() != test.execs {
				t.Errorf("got execs %q, want %d", f.execs, test.execs)
			}
		})
	}
	t.Run("either verb is enough to try", func(t *testing.T) {
		f := newFake()
		f.denied = []string{createExec}
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
	t.Run("no such Pod", func(t *testing.T) {
		l, s := newFake().ladder(t, Options{}, nodesYAML)
		_, err := l.Pod(t.Context(), s, web, "")
		checkFailure(t, err, NoTools, "there is no such Pod")
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
