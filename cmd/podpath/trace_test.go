package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"podpath/kube/demo"
)

// practiceCluster is the one of --demo.
func practiceCluster(t *testing.T) cluster {
	t.Helper()
	c, err := demo.Start(t.Context(), demo.Options{Still: true, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig(t, c.Config())
	return cluster{c}
}

func TestTraceDrawsTheWayOfARequest(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	c := practiceCluster(t)
	for name, test := range map[string]struct {
		args []string
		code int
		want []string // in this order
		not  []string
	}{
		"a pass with a fork": {[]string{"pod/client", "svc/healthy"}, exitOK, []string{
			"pod/client → svc/healthy:80", "✓ pass\n", "pod/client 10.244.2.2 on raspi002\n", "│ ✓ translate  10.96.100.3:80 → one of 2 endpoints", "kube-proxy on raspi002\n",
			"├─ pod/web-", ":8000 on raspi002\n", "│  │ ✓ cross      within raspi002", "│  ╵ ✓ speak      HTTP/1.1 200 OK\n",
			"└─ pod/web-", ":8000 on raspi003\n", "│ ✓ cross      raspi002 → raspi003", "ms in all\n",
		}, []string{"next", "CAUSES"}},
		"a wrong target port by URL": {[]string{"pod/client", "http://wrong-target-port/"}, exitUnexpected, []string{
			"✗ wrong-target-port\n", "│ ✓ name       wrong-target-port → 10.96.100.18", "cluster DNS\n", "│ ✓ translate", "│ ✗ listen     nothing takes it at port 9999; it listens on 0.0.0.0:8000\n", "╵ – speak      not reached\n",
			"the target port of", "  next  kubectl edit service -n broken wrong-target-port  set targetPort to 8000\n",
		}, nil},
		"a policy, by design": {[]string{"pod/client", "svc/guarded"}, exitOK, []string{"✓ policy-denies\n", "│ ⊘ enter      NetworkPolicy deny-all-to-guarded selects", "│ – listen     not reached\n"}, nil},
		"a name without a Service": {[]string{"pod/client", "http://cart/"}, exitUnexpected, []string{
			"✗ no-such-service\n", "│ ✗ name       cart: cart.broken.svc.cluster.local. nxdomain", "│ – cross      not reached\n", "There is no Service cart in namespace broken",
		}, []string{"translate"}},
		"each path of a target": {[]string{"pod/client", "svc/partner"}, exitUnexpected, []string{
			"pod/client → dns:partner.broken.svc/CNAME", "╵ ✓ name       partner.broken.svc → api.exmaple.com", "\n\npod/client → dns:api.exmaple.com/A", "✗ external-name-unknown",
		}, nil},
		"only connected": {[]string{"pod/client", "svc/healthy", "--connect-only"}, exitOK, []string{"✓ listen     port 8000 takes connections", "? speak      opened; nothing was asked\n"}, []string{"200 OK"}},
		"another status": {[]string{"pod/client", "http://healthy/", "--expect-status", "404"}, exitUnexpected, []string{"✗ http-status\n", "answers 200 OK; expected is"}, nil},
	} {
		got := c.podpath(t, append([]string{"trace", "-n", "broken"}, test.args...)...)
		missing, ok := inOrder(got.out, test.want)
		if !ok || got.code != test.code || got.err != "" {
			t.Errorf("%s: got %d, %s%s\nwant %d, and %q after what is before it", name, got.code, got.out, got.err, test.code, missing)
		}
		if i := slices.IndexFunc(test.not, func(not string) bool { return strings.Contains(got.out, not) }); i >= 0 {
			t.Errorf("%s: got\n%s\nwant no %q in it", name, got.out, test.not[i])
		}
	}
}

func TestTraceNeedsNoSignsBeyondASCII(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	c := practiceCluster(t)
	for _, target := range []string{"svc/healthy", "http://wrong-target-port/", "svc/guarded", "http://cart/"} {
		got := c.podpath(t, "trace", "-n", "broken", "pod/client", target).out
		if i := strings.IndexFunc(got, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s: got a sign beyond ASCII in %q", target, got[max(0, i-40):i+4])
		}
	}
	if got := c.podpath(t, "trace", "-n", "broken", "pod/client", "svc/guarded").out; !strings.Contains(got, "| 0 enter") || !strings.Contains(got, "' - speak") {
		t.Errorf("got\n%s\nwant each sign in ASCII", got)
	}
}

func TestTraceInJSONIsTheReport(t *testing.T) {
	got := practiceCluster(t).podpath(t, "trace", "-n", "broken", "pod/client", "http://wrong-target-port/", "-o", "json")
	var report struct {
		Kind    string
		Results []struct {
			Hops  []struct{ Hop, State, Known string }
			Tails []struct{ Hops []struct{ Hop, State string } }
			Cause struct {
				Hop      string
				NextArgv []string
				NextNote string
			}
		}
	}
	if err := json.Unmarshal([]byte(got.out), &report); err != nil {
		t.Fatal(err)
	}
	r := report.Results[0]
	if report.Kind != "ProbeReport" || got.code != exitUnexpected || len(r.Hops) != 2 || len(r.Tails) != 2 || r.Tails[0].Hops[3].State != "broken" || r.Cause.Hop != "listen" ||
		!slices.Equal(r.Cause.NextArgv, []string{"kubectl", "edit", "service", "-n", "broken", "wrong-target-port"}) || r.Cause.NextNote != "set targetPort to 8000" {
		t.Errorf("got %+v", report)
	}
}

func TestTraceTakesOneSourceAndOneTarget(t *testing.T) {
	for want, args := range map[string][]string{
		"podpath trace takes a source and a target":                    {"pod/a"},
		"podpath trace takes a source":                                 {"pod/a", "svc/b", "svc/c"},
		`there is no output format "tap": use one of text, json, yaml`: {"pod/a", "svc/b", "-o", "tap"},
		"unknown flag: --only":                                         {"pod/a", "svc/b", "--only", "paths"},
	} {
		if got := podpath(t, append([]string{"trace"}, args...)...); got.code != exitUsage || got.out != "" || !strings.Contains(got.err, want) {
			t.Errorf("%q: got %+v, want %q", args, got, want)
		}
	}
}
