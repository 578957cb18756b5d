package probes

import (
	"strings"
	"testing"
	"time"

	engine "podpath/probes"
	"podpath/probes/launch"
)

func textOf(r engine.Result) string {
	var lines []string
	for _, l := range evidenceLines(&item{Check: r.Check, result: r, verdict: r.Verdict}) {
		lines = append(lines, strings.TrimRight(l.Text, " "))
	}
	return strings.Join(lines, "\n")
}

func TestEvidenceSaysEverything(t *testing.T) {
	from := engine.Source{Kind: engine.FromPod, Label: "pod/web-1", Node: "raspi002"}
	for name, c := range map[string]struct {
		result engine.Result
		want   []string
		not    []string
	}{
		"a request": {
			engine.Result{
				Check:   engine.Check{Source: from, Target: "https://shop.example/", Kind: engine.HTTPS, Expect: engine.Expectation{Outcome: engine.Reached, Why: "you asked for it"}},
				Verdict: engine.Fail,
				Observation: engine.Observation{
					Stage: engine.StageRequest, Error: engine.BadStatus, Address: "10.0.0.7:443", Responder: "pod/shop-1", Status: 503, Body: "no\nbackend", Tries: 2,
					Times:       []engine.StageTime{{Stage: engine.StageResolve, Took: 300 * time.Microsecond}, {Stage: engine.StageConnect}, {Stage: engine.StageRequest, Took: 1200 * time.Millisecond}},
					Certificate: &engine.Certificate{Subject: "CN=shop", Names: []string{"shop.example", "www"}, Issuer: "CN=ca", NotBefore: time.Unix(0, 0), NotAfter: time.Unix(86400, 0), Problem: "it is over"},
					Via:         launch.Via{Rung: launch.Upload, Tool: "podpath", Pod: "default/web-1", Container: "app", Command: []string{"/tmp/.podpath-1/prober", "it's"}},
				},
				Cause:  &engine.Cause{Code: engine.IngressBackendMissing, Summary: "The backend is missing.", Evidence: []string{"there is no Service shop"}, Next: "kubectl get svc"},
				Others: []engine.CauseCode{engine.DeadEndpoint},
			},
			[]string{
				"From            pod/web-1  on Node raspi002", "Verdict         ✗ fail", "Expected        reached: you asked for it", "Seen            status (request) at 10.0.0.7:443", "Answered by     pod/shop-1",
				"Cause\n  The backend is missing.\n  ingress-backend-missing\n  · there is no Service shop\n  next: kubectl get svc\n  less likely: dead-endpoint",
				"  resolve       0.300 ms\n  connect              –\n  request    1200.000 ms  status",
				"  HTTP status 503\n  no\n  backend", "  Valid         1970-01-01 00:00:00 to 1970-01-02 00:00:00 UTC", "Problem       it is over",
				"  Tries         2", `kubectl exec -i -n default web-1 -c app -- /tmp/.podpath-1/prober 'it'\''s'`,
			},
			[]string{"Who answered"},
		},
		"a blocked path, by design": {
			engine.Result{
				Check:       engine.Check{Source: engine.Source{Kind: engine.FromLocal, Label: "local"}, Target: "svc/web:80", Expect: engine.Expectation{Outcome: engine.Blocked, Why: "a ClusterIP is for inside"}},
				Verdict:     engine.Pass,
				Observation: engine.Observation{Stage: engine.StageConnect, Error: engine.TimedOut, Via: launch.Via{Rung: launch.Local}},
				Cause:       &engine.Cause{Code: engine.OutsideCluster, Summary: "podpath runs outside.", ByDesign: true},
			},
			[]string{"✓ pass", "Expected        blocked: a ClusterIP is for inside", "Why that is right\n  podpath runs outside."},
			[]string{"\nCause\n", "Command", "on Node"},
		},
		"names": {
			engine.Result{
				Check:       engine.Check{Source: from, Target: "dns:web/A", Expect: engine.Expectation{Outcome: engine.Reached, Values: []string{"10.96.0.1", "10.96.0.2"}}},
				Verdict:     engine.Fail,
				Observation: engine.Observation{Stage: engine.StageResolve, Values: []string{"10.0.0.1"}, Asked: []string{"web.default.svc.cluster.local A: 10.0.0.1"}},
			},
			[]string{"Wanted          10.96.0.1, 10.96.0.2", "Received\n  10.0.0.1\n  asked: web.default.svc.cluster.local A: 10.0.0.1"},
			[]string{"HTTP", "Cause"},
		},
		"nothing sent": {
			engine.Result{Check: engine.Check{Source: from, Target: "ingress/shop", Kind: engine.Status}, Verdict: engine.Fail, Observation: engine.Observation{Error: engine.Missing, Detail: "there is no address"}},
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

func TestShellWordsAreQuotedWhereTheyNeedIt(t *testing.T) {
	for word, want := range map[string]string{
		"bash": "bash", "-c": "-c", "/tmp/x.y": "/tmp/x.y", "": "''", "a b": "'a b'", "$HOME": "'$HOME'", "it's": `'it'\''s'`, "a;b": "'a;b'", "*": "'*'", "~": "'~'",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestTheCommandIsCopiedWholeAndDrawnShort(t *testing.T) {
	script := "while read -r line; do\n  echo 'a line' \"$line\"\ndone\n" + strings.Repeat("# more\n", 500)
	r := engine.Result{Verdict: engine.Pass, Observation: engine.Observation{Via: launch.Via{Rung: launch.Tools, Tool: "bash", Pod: "default/web-1", Container: "app", Command: []string{"bash", "-c", script}}}}
	want := "kubectl exec -i -n default web-1 -c app -- bash -c '" + strings.ReplaceAll(script, "'", `'\''`) + "'"
	if got := commandLine(r, r.Via.Command); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := textOf(r); !strings.Contains(got, "bash -c 'while read -r line; do   echo ") || !strings.Contains(got, "…'") || strings.Contains(got, "# more") {
		t.Errorf("got\n%s\nwant the script cut short", got)
	}
}
