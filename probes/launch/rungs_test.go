package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
)

func TestEphemeralContainerFromAnImageOnTheNode(t *testing.T) {
	c := startPractice(t, podYAML("web", "raspi002", container{"app", withNothing})+
		podYAML("other", "raspi002", container{"redis", withBash})+podYAML("elsewhere", "raspi001", container{"py", withPython}))
	l := c.ladder(Options{AllowEphemeral: true})
	want := Via{Rung: Ephemeral, Tool: "bash", Container: "podpath-r1"}
	var work sync.WaitGroup
	for range 3 { // at the same time, and only one container
		work.Go(func() {
			link, err := l.Pod(t.Context(), c.snapshot, web, "")
			if err != nil {
				t.Error(err)
				return
			}
			if got := link.Via(); got.Rung != want.Rung || got.Container != want.Container {
				t.Errorf("got %+v, want %+v", got, want)
			}
			_ = link.Close()
		})
	}
	work.Wait()
	link, err := l.Pod(t.Context(), c.snapshot, web, "")
	c.check(t, link, err, want)
	guests := c.pod(web).Spec.EphemeralContainers
	if len(guests) != 1 || guests[0].Image != withBash || !slices.Equal(guests[0].Command, []string{"sh", "-c", `exec sleep "$0"`, "900"}) {
		t.Errorf("got %+v, want one, of the image that is on the Node, for 900 s", guests)
	}
}

func TestWhichImageAGuestGets(t *testing.T) {
	bash, shell := container{"a", withBash}, container{"a", withShell}
	cases := []struct {
		name, others string
		options      Options
		want, reason string
	}{
		{"the named one, though others are there", podYAML("other", "raspi002", bash), Options{Image: withPython}, withPython, ""},
		{"one of the Node", podYAML("other", "raspi002", bash), Options{}, withBash, ""},
		{"none of another Node", podYAML("other", "raspi001", bash), Options{}, "", "no image with tools is known to be on Node raspi002 in namespace N; name one: --allow-ephemeral=IMAGE"},
		{"none of another namespace", "", Options{}, "", "no image with tools"}, // the others have some
		{"only a shell, without upload", podYAML("other", "raspi002", shell), Options{}, "", "no image with tools"},
		{"only a shell, with upload", podYAML("other", "raspi002", shell), Options{AllowUpload: true}, withShell, ""},
	}
	manifests := ""
	namespace := func(i int) string { return fmt.Sprint("shop-", i) }
	for i, test := range cases {
		manifests += strings.ReplaceAll(podYAML("web", "raspi002", container{"app", withNothing})+test.others, "namespace: shop", "namespace: "+namespace(i))
	}
	c := startPractice(t, manifests)
	for i, test := range cases {
		for _, known := range []bool{false, true} { // what the others have
			t.Run(fmt.Sprint(test.name, known), func(t *testing.T) {
				test.options.AllowEphemeral, test.options.RunID = true, fmt.Sprint("known-", known)
				l, key := c.ladder(test.options), kube.Key{Namespace: namespace(i), Name: "web"}
				for _, p := range c.snapshot.Pods {
					if known && p.Namespace == key.Namespace && p.Name == "other" {
						_, err := l.survey(t.Context(), candidates(p, "")[0])
						must(t, err)
					}
				}
				link, err := l.Pod(t.Context(), c.snapshot, key, "")
				guests := c.pod(key).Spec.EphemeralContainers
				switch {
				case test.reason != "":
					checkFailure(t, err, NoTools, "no python3", strings.Replace(test.reason, "N;", key.Namespace+";", 1), "upload")
					return
				case test.options.AllowUpload: // which the practice cluster cannot do
				default:
					must(t, err)
					_ = link.Close()
				}
				if i := slices.IndexFunc(guests, func(g corev1.EphemeralContainer) bool { return g.Name == "podpath-"+test.options.RunID }); i < 0 || guests[i].Image != test.want {
					t.Errorf("got %+v, want image %s", guests, test.want)
				}
			})
		}
	}
}

func TestEphemeralContainersThatAreNotPossible(t *testing.T) {
	pod := podYAML("web", "raspi002", container{"app", withNothing})
	static := strings.NewReplacer("uid: uid-web", "uid: u, ownerReferences: [{apiVersion: v1, kind: Node, name: raspi002, uid: node, controller: true}]", "name: web", "name: static").Replace(pod)
	c := startPractice(t, pod+static)
	c.deny("patch pods/ephemeralcontainers")
	for name, reason := range map[string]string{"web": "you may not patch pods/ephemeralcontainers", "static": "a static Pod cannot have"} {
		_, err := c.ladder(Options{AllowEphemeral: true, Image: withBash}).Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: name}, "")
		checkFailure(t, err, NoTools, "no python3", reason, "upload")
	}
}

func TestAnEphemeralContainerOfAnEarlierRunIsUsed(t *testing.T) {
	c := startPractice(t, strings.Replace(podYAML("web", "raspi002", container{"app", withNothing}), "spec: {", "spec: {ephemeralContainers: [{name: podpath-old, image: "+withBash+"}], ", 1))
	link, err := c.ladder(Options{}).Pod(t.Context(), c.snapshot, web, "")
	c.check(t, link, err, Via{Rung: Ephemeral, Tool: "bash", Container: "podpath-old"})
}

func TestUploadGoesIntoASiblingWithAShell(t *testing.T) {
	f := newFake()
	l, s := f.ladder(t, Options{AllowUpload: true}, podYAML("web", "raspi002", container{"app", "scratch"}, container{"side", "shell"})+nodesYAML)
	asked := ""
	l.prober = func(arch string) ([]byte, error) { asked = arch; return []byte("prober"), nil }
	link, err := l.Pod(t.Context(), s, web, "app")
	must(t, err)
	if asked != "arm" || len(f.files) != 0 || len(l.uploads.left()) != 0 {
		t.Errorf("got a prober for %s, files %v; want arm, and none while it runs", asked, f.files)
	}
	checkLink(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
}

func TestUploadForAScratchPodTakesAnEphemeralShell(t *testing.T) {
	pod := podYAML("web", "raspi002", container{"app", "scratch"}) + nodesYAML
	f := newFake()
	l, s := f.ladder(t, Options{AllowUpload: true}, pod)
	_, err := l.Pod(t.Context(), s, web, "")
	checkFailure(t, err, NoTools, "no python3", "--allow-ephemeral", "no container of it has a shell to write with; --allow-ephemeral=IMAGE would add one")
	l, s = f.ladder(t, Options{AllowUpload: true, AllowEphemeral: true, Image: "shell"}, pod)
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "podpath-r1"})
}

func TestUploadsAreDeletedOnEveryWayOut(t *testing.T) {
	pod := podYAML("web", "raspi002", container{"side", "shell"}) + nodesYAML
	on := func(script string, err error) func(context.Context, kube.Exec) error {
		return func(_ context.Context, e kube.Exec) error {
			if e.Command[2] == script && e.Command[4] != "0" {
				return err
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		fails  func(context.Context, kube.Exec) error
		reason string
		code   Code
	}{
		"the upload fails":  {on(uploadScript, &kube.ExecError{Failure: kube.Broken, Message: "cut"}), "cut", ExecFailed},
		"noexec after all":  {on(runUploaded, &kube.ExitError{Code: 126}), "exit code 126", NoTools},
		"not heard of":      {on(runUploaded, errors.New("lost")), "lost", ExecFailed},
		"output cut":        {func(_ context.Context, e kube.Exec) error { return cutUpload(e) }, "no END line", ExecFailed},
		"other bytes there": {func(_ context.Context, e kube.Exec) error { return shortUpload(e) }, "is not what was sent", ExecFailed},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.fails = test.fails
			l, s := f.ladder(t, Options{AllowUpload: true}, pod)
			_, err := l.Pod(t.Context(), s, web, "")
			checkFailure(t, err, test.code, "no python3", "ephemeral", test.reason)
			checkRemoved(t, f, l)
		})
	}
	t.Run("the user leaves", func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		f.fails = func(_ context.Context, e kube.Exec) error {
			if e.Command[2] == uploadScript && e.Command[4] != "0" {
				f.do(func() { f.files["shop/web/side/tmp/"+e.Command[6]] = true })
				cancel()
				return ctx.Err()
			}
			return nil
		}
		l, s := f.ladder(t, Options{AllowUpload: true}, pod)
		_, err := l.Pod(ctx, s, web, "")
		checkFailure(t, err, ExecFailed, "no python3", "ephemeral", "canceled")
		checkRemoved(t, f, l)
	})
	t.Run("what could not be deleted is deleted at the end", func(t *testing.T) {
		f := newFake()
		away := true
		f.fails = func(_ context.Context, e kube.Exec) error {
			if e.Command[2] == runUploaded || len(e.Command) > 4 && e.Command[4] == "0" && away {
				return &kube.ExecError{Failure: kube.KubeletAway}
			}
			return nil
		}
		l, s := f.ladder(t, Options{AllowUpload: true}, pod)
		_, err := l.Pod(t.Context(), s, web, "")
		checkFailure(t, err, ExecFailed, "no python3", "ephemeral", "delete .podpath-r1-1 from container side of shop/web")
		if err := l.Close(t.Context()); err == nil {
			t.Error("got no error from Close, want what is left")
		}
		away = false
		must(t, l.Close(t.Context()))
		checkRemoved(t, f, l)
	})
}

func cutUpload(e kube.Exec) error {
	if e.Command[2] != uploadScript || e.Command[4] == "0" {
		return nil
	}
	fmt.Fprint(e.Stdout, "file /tmp/x\nEN")
	return errOver
}

func shortUpload(e kube.Exec) error {
	if e.Command[2] != uploadScript || e.Command[4] == "0" {
		return nil
	}
	fmt.Fprint(e.Stdout, "file /tmp/x\nsize 3\nEND\n")
	return errOver
}

// errOver makes the fake cluster end an exec without an error.
var errOver = errors.New("over")

func checkRemoved(t *testing.T, f *fakeCluster, l *Ladder) {
	t.Helper()
	if len(f.files) != 0 || len(l.uploads.left()) != 0 {
		t.Errorf("got files %v, and %v to delete; want none", f.files, l.uploads.left())
	}
}
