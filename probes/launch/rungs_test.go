package launch

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"podpath/kube"
)

func TestEphemeralContainerFromAnImageOnTheNode(t *testing.T) {
	manifests := withOne(withNothing) + podYAML("other", "raspi002", container{"redis", withBash}) + podYAML("elsewhere", "raspi001", container{"py", withPython})
	inPractice(t, manifests, func(t *testing.T, c *practice) {
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
	})
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
	inPractice(t, manifests, func(t *testing.T, c *practice) {
		for i, test := range cases {
			for _, known := range []bool{false, true} { // what the others have
				t.Log(test.name, known)
				test.options.AllowEphemeral, test.options.RunID = true, fmt.Sprint("known-", known)
				l, key := c.ladder(test.options), kube.Key{Namespace: namespace(i), Name: "web"}
				if other := c.snapshot.Pod(kube.Key{Namespace: key.Namespace, Name: "other"}); known && other != nil {
					_, err := l.survey(t.Context(), candidates(other, "")[0])
					must(t, err)
				}
				link, err := l.Pod(t.Context(), c.snapshot, key, "")
				if test.reason != "" {
					checkFailure(t, err, NoTools, "no python3", strings.Replace(test.reason, "N;", key.Namespace+";", 1), "upload")
					continue
				}
				must(t, err)
				_ = link.Close()
				guests := c.pod(key).Spec.EphemeralContainers
				if i := slices.IndexFunc(guests, func(g corev1.EphemeralContainer) bool { return g.Name == "podpath-"+test.options.RunID }); i < 0 || guests[i].Image != test.want {
					t.Errorf("got %+v, want image %s", guests, test.want)
				}
			}
		}
	})
}

func TestEphemeralContainersThatAreNotPossible(t *testing.T) {
	static := strings.NewReplacer("name: web", "name: static, ownerReferences: [{apiVersion: v1, kind: Node, name: raspi002, uid: node, controller: true}]").Replace(withOne(withNothing))
	inPractice(t, withOne(withNothing)+static, func(t *testing.T, c *practice) {
		c.deny("patch pods/ephemeralcontainers")
		for name, reason := range map[string]string{"web": "you may not patch pods/ephemeralcontainers", "static": "a static Pod cannot have"} {
			_, err := c.ladder(Options{AllowEphemeral: true, Image: withBash}).Pod(t.Context(), c.snapshot, kube.Key{Namespace: "shop", Name: name}, "")
			checkFailure(t, err, NoTools, "no python3", reason, "upload")
		}
	})
}

func TestAnEphemeralContainerOfAnEarlierRunIsUsed(t *testing.T) {
	inPractice(t, strings.Replace(withOne(withNothing), "spec: {", "spec: {ephemeralContainers: [{name: podpath-old, image: "+withBash+"}], ", 1), func(t *testing.T, c *practice) {
		link, err := c.ladder(Options{}).Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Ephemeral, Tool: "bash", Container: "podpath-old"})
	})
}
