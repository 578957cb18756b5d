package probes

import (
	"strings"
	"testing"
	"time"

	"podpath/probes/launch"
	"podpath/probes/path"
)

func textOf(r path.Result) string {
	var lines []string
	for _, l := range evidenceLines(&item{Check: r.Check, result: r, verdict: r.Verdict}) {
		lines = append(lines, strings.TrimRight(l.Text, " "))
	}
	return strings.Join(lines, "\n")
}

func TestEvidenceSaysEverything(t *testing.T) {
	from := path.Source{Kind: path.FromPod, Label: "pod/web-1", Node: "raspi002"}
	for name, c := range map[string]struct {
		result path.Result
		want   []string
		not    []string
	}{
		"a request": {
			path.Result{
				Check:   path.Check{Source: from, Target: "https://shop.example/", Kind: path.HTTPS, Expect: path.Expectation{Outcome: path.Reached, Why: "you asked for it"}},
				Verdict: path.Fail,
				Observation: path.Observation{
					Stage: path.StageRequest, Error: path.BadStatus, Address: "10.0.0.7:443", Responder: "pod/shop-1", Status: 503, Body: "no\nbackend", Tries: 2,
					Times:       []path.StageTime{{Stage: path.StageResolve, Took: 300 * time.Microsecond}, {Stage: path.StageConnect}, {Stage: path.StageRequest, Took: 1200 * time.Millisecond}},
					Certificate: &path.Certificate{Subject: "CN=shop", Names: []string{"shop.example", "www"}, Issuer: "CN=ca", NotBefore: time.Unix(0, 0), NotAfter: time.Unix(86400, 0), Problem: "it is over"},
					Via:         launch.Via{Rung: launch.Upload, Tool: "podpath", Pod: "default/web-1", Container: "app", Command: []string{"/tmp/.podpath-1/prober", "it's"}},
				},
				Cause:  &path.Cause{Code: path.IngressBackendMissing, Summary: "The backend is missing.", Evidence: []path.Evidence{{What: "svc/shop", Seen: "there is none"}}, Next: path.Next{Argv: []string{"kubectl", "get", "svc"}}},
				Others: []path.CauseCode{path.DeadEndpoint},
			},
			[]string{
				"From            pod/web-1  on Node raspi002", "Verdict         ✗ fail", "Expected        reached: you asked for it", "Seen            status (request) at 10.0.0.7:443", "Answered by     pod/shop-1",
				"  less likely: dead-endpoint",
				"  resolve       0.300 ms\n  connect              –\n  request    1200.000 ms  status",
				"  HTTP status 503\n  no\n  backend", "  Valid         1970-01-01 00:00:00 to 1970-01-02 00:00:00 UTC", "Problem       it is over",
				"  Tries         2", `kubectl exec -i -n default web-1 -c app -- /tmp/.podpath-1/prober 'it'\''s'`,
			},
			[]string{"Who answered", "The backend is missing."}, // the drawing says so
		},
		"a blocked path, by design": {
			path.Result{
				Check:       path.Check{Source: path.Source{Kind: path.FromLocal, Label: "local"}, Target: "svc/web:80", Expect: path.Expectation{Outcome: path.Blocked, Why: "a ClusterIP is for inside"}},
				Verdict:     path.Pass,
				Observation: path.Observation{Stage: path.StageConnect, Error: path.TimedOut, Via: launch.Via{Rung: launch.Local}},
				Cause:       &path.Cause{Code: path.OutsideCluster, Summary: "podpath runs outside.", ByDesign: true},
			},
			[]string{"✓ pass", "Expected        blocked: a ClusterIP is for inside", "Seen            timeout (connect)"},
			[]string{"Command", "on Node"},
		},
		"names": {
			path.Result{
				Check:       path.Check{Source: from, Target: "dns:web/A", Expect: path.Expectation{Outcome: path.Reached, Values: []string{"10.96.0.1", "10.96.0.2"}}},
				Verdict:     path.Fail,
				Observation: path.Observation{Stage: path.StageResolve, Values: []string{"10.0.0.1"}, Answers: []path.NameAnswer{{Name: "web.default.svc.cluster.local.", Type: "A", Says: "10.0.0.1"}, {Name: "web.", Type: "A", Error: path.NXDomain}}},
			},
			[]string{"Wanted          10.96.0.1, 10.96.0.2", "Received\n  10.0.0.1\n  asked: web.default.svc.cluster.local. 10.0.0.1\n  asked: web. nxdomain"},
			[]string{"HTTP"},
		},
		"nothing sent": {
			path.Result{Check: path.Check{Source: from, Target: "ingress/shop", Kind: path.Status}, Verdict: path.Fail, Observation: path.Observation{Error: path.Missing, Detail: "there is no address"}},
			[]string{"missing: there is no address", "nothing was sent"},
			[]string{"Tries"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := textOf(c.result)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant %q in it", got, want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(got, not) {
					t.Errorf("got\n%s\nwant no %q in it", got, not)
				}
			}
		})
	}
}

func TestTheCommandIsCopiedWholeAndDrawnShort(t *testing.T) {
	script := "while read -r line; do\n  echo 'a line' \"$line\"\ndone\n" + strings.Repeat("# more\n", 500)
	r := path.Result{Verdict: path.Pass, Observation: path.Observation{Via: launch.Via{Rung: launch.Tools, Tool: "bash", Pod: "default/web-1", Container: "app", Command: []string{"bash", "-c", script}}}}
	want := "kubectl exec -i -n default web-1 -c app -- bash -c '" + strings.ReplaceAll(script, "'", `'\''`) + "'"
	if got := commandLine(r, r.Via.Command); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := textOf(r); !strings.Contains(got, "bash -c 'while read -r line; do   echo ") || !strings.Contains(got, "…'") || strings.Contains(got, "# more") {
		t.Errorf("got\n%s\nwant the script cut short", got)
	}
}
