package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"podpath/kube"
)

func TestEphemeralContainerFromAnImageOnTheNode(t *testing.T) {
	f := newFake()
	manifests := podYAML("web", "raspi002", container{"app", "scratch"}) +
		podYAML("other", "raspi002", container{"redis", "bash"}) + podYAML("far", "raspi001", container{"py", "python"})
	l, s := f.ladder(t, Options{AllowEphemeral: true}, manifests+nodesYAML)
	want := Via{Rung: Ephemeral, Tool: "bash", Container: "podpath-r1"}
	var work sync.WaitGroup
	for range 3 { // at the same time, and only one container
		work.Go(func() {
			link, err := l.Pod(t.Context(), s, web, "")
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
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, want)
	if len(f.guests) != 1 || f.guests[0].Image != "bash" || !slices.Equal(f.guests[0].Command, []string{"sh", "-c", `exec sleep "$0"`, "900"}) {
		t.Errorf("got %+v, want one, of the image that is on the Node, for 900 s", f.guests)
	}
}

func TestWhichImageAGuestGets(t *testing.T) {
	app := podYAML("web", "raspi002", container{"app", "scratch"})
	for name, test := range map[string]struct {
		others  string
		options Options
		want    string
		reason  string
	}{
		"the named one, though others are there": {podYAML("other", "raspi002", container{"a", "bash"}), Options{Image: "python"}, "python", ""},
		"one of the Node":                        {podYAML("other", "raspi002", container{"a", "bash"}), Options{}, "bash", ""},
		"none of another Node":                   {podYAML("other", "raspi001", container{"a", "bash"}), Options{}, "", "no image with tools is known to be on Node raspi002 in namespace shop; name one: --allow-ephemeral=IMAGE"},
		"none of another namespace":              {strings.Replace(podYAML("other", "raspi002", container{"a", "bash"}), "namespace: shop", "namespace: private", 1), Options{}, "", "no image with tools"},
		"only a shell, without upload":           {podYAML("other", "raspi002", container{"a", "shell"}), Options{}, "", "no image with tools"},
		"only a shell, with upload":              {podYAML("other", "raspi002", container{"a", "shell"}), Options{AllowUpload: true}, "shell", ""},
	} {
		for _, known := range []bool{false, true} { // what the others have
			t.Run(fmt.Sprint(name, known), func(t *testing.T) {
				f := newFake()
				test.options.AllowEphemeral = true
				l, s := f.ladder(t, test.options, app+test.others+nodesYAML)
				for _, p := range s.Pods {
					if known && p.Name == "other" {
						_, err := l.survey(t.Context(), candidates(p, "")[0])
						must(t, err)
					}
				}
				link, err := l.Pod(t.Context(), s, web, "")
				if test.reason != "" {
					checkFailure(t, err, NoTools, "no python3", test.reason, "upload")
					return
				}
				must(t, err)
				_ = link.Close()
				if len(f.guests) != 1 || f.guests[0].Image != test.want {
					t.Errorf("got %+v, want image %s", f.guests, test.want)
				}
			})
		}
	}
}

func TestEphemeralContainersThatAreNotPossible(t *testing.T) {
	pod := podYAML("web", "raspi002", container{"app", "scratch"})
	static := strings.Replace(pod, "uid: uid-web", "uid: u, ownerReferences: [{apiVersion: v1, kind: Node, name: raspi002, uid: n, controller: true}]", 1)
	for name, test := range map[string]struct {
		manifests, denied string
		awaits            error
		reason            string
	}{
		"denied":         {pod, "patch pods/ephemeralcontainers in namespace shop", nil, "you may not patch pods/ephemeralcontainers"},
		"static Pod":     {static, "", nil, "a static Pod cannot have"},
		"does not start": {pod, "", errors.New("it does not start: ErrImagePull"), "ErrImagePull"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			f.denied, f.awaits = []string{test.denied}, test.awaits
			l, s := f.ladder(t, Options{AllowEphemeral: true, Image: "bash"}, test.manifests)
			_, err := l.Pod(t.Context(), s, web, "")
			checkFailure(t, err, NoTools, "no python3", test.reason, "upload")
		})
	}
}

func TestAnEphemeralContainerOfAnEarlierRunIsUsed(t *testing.T) {
	pod := strings.Replace(podYAML("web", "raspi002", container{"app", "scratch"}), "spec: {", "spec: {ephemeralContainers: [{name: podpath-old, image: bash}], ", 1)
	pod = strings.Replace(pod, "status: {", "status: {ephemeralContainerStatuses: [{name: podpath-old, state: {running: {}}}], ", 1)
	f := newFake()
	l, s := f.ladder(t, Options{}, pod)
	link, err := l.Pod(t.Context(), s, web, "")
	checkLink(t, link, err, Via{Rung: Ephemeral, Tool: "bash", Container: "podpath-old"})
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
