package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/probes/path"
)

// checked is a result of a check between two Pods.
func checked(from, to string, verdict path.Verdict, o path.Observation) path.Result {
	return path.Result{
		Check: path.Check{
			ID: "pod/" + from + " tcp " + to, Group: path.Paths, Source: path.Source{Label: "pod/" + from}, Target: to, Kind: path.TCP,
			Expect: path.Expectation{Outcome: path.Reached, Why: "every Pod reaches every ready Pod"},
		},
		Observation: o, Verdict: verdict,
	}
}

// world is that of the results, of which nothing is known here.
var world = &path.World{Snapshot: &kube.Snapshot{}}

func took(d time.Duration) []path.StageTime {
	return []path.StageTime{{Stage: path.StageConnect, Took: d}}
}

// mixed is one of each verdict, a spread, and a name.
func mixed() []path.Result {
	dead := &path.Cause{Code: path.DeadEndpoint, Summary: "It is dead.", Evidence: []path.Evidence{{What: "10.0.0.2:80", Where: "pod/a", Seen: "refuses"}}, Next: path.Next{Argv: []string{"kubectl", "logs", "b"}, Note: "look # at it"}}
	design := &path.Cause{Code: path.SRVPortUnnamed, Summary: "The port has no name.", ByDesign: true}
	blind := &path.Cause{Code: path.NoTools, Summary: "It has no tools."}
	refused := checked("a", "pod/b:80", path.Fail, path.Observation{Stage: path.StageConnect, Error: path.Refused, Times: took(time.Millisecond)})
	refused.Cause = dead
	again := checked("b", "pod/b:80", path.Fail, path.Observation{Stage: path.StageConnect, Error: path.Refused})
	again.Cause = dead
	lost := checked("c", "pod/a:80", path.Inconclusive, path.Observation{Blind: errors.New("no way in")})
	lost.Cause = blind
	srv := checked("a", "dns:x/SRV", path.Pass, path.Observation{Stage: path.StageResolve, Error: path.NXDomain})
	srv.Group, srv.Kind, srv.Cause, srv.Expect = path.Discovery, path.DNS, design, path.Expectation{Outcome: path.Blocked, Why: "it has no name"}
	wrong := checked("a", "dns:y/A", path.Fail, path.Observation{Stage: path.StageResolve, Values: []string{"10.0.0.9"}})
	wrong.Group, wrong.Kind, wrong.Expect.Values = path.Discovery, path.DNS, []string{"10.0.0.1"}
	spread := checked("a", "svc/s:80", path.Pass, path.Observation{Detail: "pod/b:80 40", Spread: &path.SpreadResult{Connections: 40, Failing: path.Part{Verdict: path.Pass, Text: "0 of 40 connections failed"}}})
	spread.Group, spread.Kind = path.Spreading, path.Spread
	return []path.Result{
		checked("a", "pod/a:80", path.Pass, path.Observation{Stage: path.StageConnect, Times: took(1234 * time.Microsecond)}),
		refused, again, lost, spread, srv, wrong,
	}
}

func TestTextReportShowsMatrixLinesAndCauses(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	var out bytes.Buffer
	if err := writeText(&out, world, []path.Choice{{What: "Pods", Of: 24, All: 300}}, mixed(), 1500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"PATHS      1      2   (ms)\npod/a   ✓1.2      ✗\npod/b             ✗\npod/c      ?\n   1  pod/a:80\n   2  pod/b:80\n",
		"SPREAD\n✓ pod/a → svc/s:80  40 connections: pod/b:80 40\n    ✓ errors: 0 of 40 connections failed\n",
		"✓ pod/a → dns:x/SRV  nxdomain, as expected: The port has no name.\n",
		"✗ pod/a → dns:y/A    got 10.0.0.9, want 10.0.0.1\n",
		"CAUSES\n✗ dead-endpoint  It is dead.\n    10.0.0.2:80 from pod/a: refuses\n    seen: pod/a → pod/b:80 and 1 more\n    next: kubectl logs b  look # at it\n✗ unknown  got 10.0.0.9, want 10.0.0.1; no cause that podpath knows fits\n    seen: pod/a → dns:y/A\n    next: kubectl logs -n kube-system -l k8s-app=kube-dns --tail 20  what does the DNS say in its log?\n? no-tools  It has no tools.\n    seen: pod/c → pod/a:80\n· srv-port-unnamed  The port has no name.\n    seen: pod/a → dns:x/SRV\n",
		"7 checks: 3 pass, 3 fail, 1 inconclusive, in 1.5 s\n24 of 300 Pods (a choice)\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant in it\n%s", out.String(), want)
		}
	}
}

func TestTextReportNeedsNoSignsBeyondASCII(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	var out bytes.Buffer
	if err := errors.Join(writeText(&out, world, nil, mixed(), time.Second), writeWide(&out, mixed())); err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r > 127 }); i >= 0 {
		t.Errorf("got a sign beyond ASCII in %q", out.String()[max(0, i-40):i+4])
	}
}

func TestTAPHasOneLineACheckAndEscapesDirectives(t *testing.T) {
	var out bytes.Buffer
	if err := writeTAP(&out, mixed()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"TAP version 14\n1..7\nok 1 - pod/a tcp pod/a:80\n", "not ok 2 - pod/a tcp pod/b:80\n  ---\n", "  cause: dead-endpoint\n",
		"ok 4 - pod/c tcp pod/a:80 # SKIP inconclusive: could not look: no-tools\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", out.String(), want)
		}
	}
}

func TestJUnitCountsWhatIsInconclusiveAsSkipped(t *testing.T) {
	var out bytes.Buffer
	if err := writeJUnit(&out, mixed(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(out.Bytes(), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 7 || suite.Failures != 3 || suite.Skipped != 1 || suite.Time != "2.000" || suite.TestCases[1].Failure == nil || !strings.Contains(suite.TestCases[1].Failure.Text, "next: kubectl logs b  look # at it") {
		t.Errorf("got %+v", suite)
	}
}

func TestVerdictsBecomeExitCodes(t *testing.T) {
	all := mixed()
	for name, c := range map[string]struct {
		results []path.Result
		want    int
	}{
		"all as expected":           {all[:1], exitOK},
		"something is not":          {all, exitUnexpected},
		"could not look":            {all[3:4], exitInconclusive},
		"a failure counts for more": {all[1:4], exitUnexpected},
	} {
		var said bytes.Buffer
		if got := exitCode(verdictOf(c.results), &said); got != c.want || said.Len() > 0 {
			t.Errorf("%s: got %d and %q, want %d and nothing", name, got, said.String(), c.want)
		}
	}
}

func TestProbeRefusesWhatMakesNoSense(t *testing.T) {
	shop := startCluster(t, demo.Options{}, emptyShop)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a source alone":      {[]string{"pod/a"}, "a source alone is not enough"},
		"an unknown format":   {[]string{"-o", "table"}, `there is no output format "table"`},
		"an unknown part":     {[]string{"--only", "pods"}, "--only pods: choose among paths, services, spread, discovery"},
		"a part of a target":  {[]string{"local", "a:1", "--only", "paths"}, "--only chooses among everything"},
		"a count of nothing":  {[]string{"--count", "3"}, "--count needs a source and a Service"},
		"no time at all":      {[]string{"--timeout", "0s"}, "--timeout 0s is too short: it must be at least 1ms"},
		"no such Pod":         {[]string{"pod/nope", "svc/x"}, `there is no Pod "nope" in namespace shop`},
		"no target":           {[]string{"local", "nonsense"}, `"nonsense" is no target`},
		"a status of nothing": {[]string{"pod/a", "http://x/", "--connect-only", "--expect-status", "204"}, "--connect-only asks for nothing"},
		"no HTTP status":      {[]string{"pod/a", "http://x/", "--expect-status", "42"}, "--expect-status 42 is no HTTP status"},
		"no authorities":      {[]string{"pod/a", "https://x/", "--ca", "testdata/nowhere.pem"}, "--ca: open testdata/nowhere.pem"},
		"a file of no PEM":    {[]string{"pod/a", "https://x/", "--ca", "probe_text_test.go"}, "there is no certificate in it: it has to be PEM"},
		"an empty namespace":  {nil, "there is nothing to check in namespace shop"},
	} {
		got := shop.podpath(t, append([]string{"probe"}, c.args...)...)
		if got.code != exitUsage || got.out != "" || !strings.Contains(got.err, c.want) {
			t.Errorf("%s: got %+v, want exit code 2 and %q", name, got, c.want)
		}
	}
}

func TestRBACPrintsRolesThatFeaturesNeed(t *testing.T) {
	got := podpath(t, "rbac", "probe", "nodes")
	for _, want := range []string{"kind: Role\n", "resources: [pods/exec]\n  verbs: [create, get]\n", "---\n", "kind: ClusterRole\n", "resources: [nodes, namespaces]\n"} {
		if got.code != exitOK || !strings.Contains(got.out, want) {
			t.Errorf("got %+v, want %q in it", got, want)
		}
	}
	if got := podpath(t, "rbac", "everything"); got.code != exitUsage || !strings.Contains(got.err, `there is no feature "everything": choose among view, nodes, probe`) {
		t.Errorf("got %+v, want the features listed", got)
	}
}

func TestCleanupSaysWhenNothingIsLeft(t *testing.T) {
	if got := startCluster(t, demo.Options{}, emptyShop).podpath(t, "cleanup"); got.code != exitOK || got.out != "nothing is left behind in namespace shop\n" {
		t.Errorf("got %+v, want nothing left", got)
	}
}
