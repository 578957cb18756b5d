package probes

import (
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path"
)

func TestTheProxyOfTheEnvironmentIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		environ string
		host    string
		tls     bool
		written bool
		want    string // "" for nothing said
	}{
		"none":                               {"PATH=/bin", "web", false, true, ""},
		"one for HTTP":                       {"http_proxy=http://proxy:3128", "web", false, true, "http_proxy is http://proxy:3128 in the container"},
		"in capitals":                        {"HTTP_PROXY=http://proxy:3128", "web", false, true, "HTTP_PROXY is http://proxy:3128"},
		"one for HTTPS":                      {"https_proxy=http://proxy:3128", "web", true, true, "https_proxy is"},
		"the other one":                      {"https_proxy=http://proxy:3128", "web", false, true, ""},
		"an empty one":                       {"http_proxy=", "web", false, true, ""},
		"with a password":                    {"http_proxy=http://me:secret@proxy:3128", "web", false, true, "http_proxy is http://proxy:3128 "},
		"with control characters":            {"http_proxy=http://pro\x1b[31mxy", "web", false, true, "http://pro[31mxy"},
		"the host is excepted":               {"http_proxy=http://proxy:3128\x00no_proxy=db,web", "web", false, true, ""},
		"its domain is excepted":             {"http_proxy=http://proxy:3128\x00NO_PROXY= .cluster.local , x", "web.shop.svc.cluster.local:8080", false, true, ""},
		"everything is excepted":             {"http_proxy=http://proxy:3128\x00no_proxy=*", "web", false, true, ""},
		"a longer name is not its domain":    {"http_proxy=http://proxy:3128\x00no_proxy=eb", "web", false, true, "http_proxy is"},
		"what podpath asks by itself is not": {"http_proxy=http://proxy:3128", "web", false, false, ""},
	} {
		inBubble(t, func(t *testing.T) {
			o := observing(t, network{
				routes: map[string]route{"tcp 10.0.0.1:80": serves(answers("HTTP/1.1 200 OK\r\n\r\n"))},
				files:  map[string]string{"/proc/self/environ": test.environ},
			})
			ask := path.HTTPAsk{Host: test.host, Path: "/", Written: test.written}
			seen, err := o.http(t.Context(), path.Ask{Host: "10.0.0.1", Port: 80, HTTP: &ask})
			if test.tls { // what is noted does not hang on the connection
				seen, ask.TLS = path.Observation{}, true
				o.noteProxy(t.Context(), ask, &seen)
			}
			said := strings.Contains(seen.Detail, "in the container: programs that heed it ask there, podpath did not")
			if err != nil || said != (test.want != "") || !strings.Contains(seen.Detail, test.want) || strings.ContainsAny(seen.Detail, "\x1b") || strings.Contains(seen.Detail, "secret") {
				t.Errorf("%s: got %q, %v, want %q", name, seen.Detail, err, test.want)
			}
		})
	}
}

func TestAGuestHasNoProxyOfThePod(t *testing.T) {
	pod := &kube.Pod{Containers: []kube.Container{{Name: "app", Kind: kube.AppContainer}, {Name: "podpath-1", Kind: kube.EphemeralContainer}}}
	for container, want := range map[string]bool{"app": false, "podpath-1": true, "gone": true} {
		if got := isGuest(pod, launch.Via{Container: container}); got != want {
			t.Errorf("%s: got %t, want %t", container, got, want)
		}
	}
	o := observing(t, network{files: map[string]string{"/proc/self/environ": "http_proxy=http://proxy:3128"}})
	o.guest = true
	var seen path.Observation
	if o.noteProxy(t.Context(), path.HTTPAsk{Host: "web"}, &seen); seen.Detail != "" {
		t.Errorf("got %q of a container that came later, want nothing", seen.Detail)
	}
}
