package e2e_test

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// sample is a namespace with what the person of the tutorial has, and one of its Pods.
func sample(t *testing.T) (p place, pod string) {
	t.Helper()
	c := cluster.Use(t)
	p = place{c, c.Namespace()}
	c.ApplySample(p.namespace)
	return p, p.get("pods", "{.items[0].metadata.name}")
}

func TestProbeSaysWhatIsWrongWithItsWordsAndWhatThereIs(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	p.c.Kubectl("--namespace", p.namespace, "create", "service", "clusterip", "other", "--tcp=80")
	for words, want := range map[string]string{
		"pod/sample-deployment svc/other":        `no Pod "sample-deployment" in namespace ` + p.namespace + "; there are " + pod,
		"pod/" + pod + "/ngnix svc/other":        `no container "ngnix" in Pod ` + p.namespace + "/" + pod + "; there are nginx-container, redis-container",
		"deploy/sample svc/other":                "deploy/sample has no running Pod in namespace " + p.namespace + "; there is sample-deployment",
		"node/raspi004 svc/other":                `no Node "raspi004"; there are raspi001, raspi002, raspi003`,
		"loca svc/other":                         `"loca" names no source: a source is pod/NAME`,
		"local":                                  "a source alone is not enough",
		"local svc/smaple-clusterip":             `no Service "` + p.namespace + `/smaple-clusterip", but one called sample-clusterip`,
		"local svc/sample-clusterip:80":          `has no port "80"; there is 8080→80/TCP`,
		"local sample-clusterip":                 `"sample-clusterip" is no target: `,
		"local dns:other/MX":                     "is no target: ",
		"local svc/other --only paths":           "--only chooses among everything",
		"local svc/other -o xml":                 `no output format "xml": use one of text, wide, json, yaml, junit, tap`,
		"local https://other/ pod/" + pod + "x":  `no Pod "` + pod + `x"`,
		"pod/kube-sytem/coredns svc/other":       `no Pod "coredns" in namespace kube-sytem`,
		"local pod/kube-system/coredns:53":       `no Pod "coredns" in namespace kube-system; there are coredns-`,
		"local svc/other --count 10 --timeout 0": "--timeout 0s is too short: it must be at least 1ms",
	} {
		got := run(t, command(t, p.c.Kubeconfig, append([]string{"probe", "-n", p.namespace}, strings.Fields(words)...)...))
		if got.code != 2 || got.out != "" || !strings.Contains(got.err, want) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("podpath probe %s: exit code %d, stdout %q, stderr %q; want 2 and one line that says %s", words, got.code, got.out, got.err, want)
		}
	}
}

func TestForeignWordOfAUserOfOneNamespaceGetsOneLine(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	few := p.c.User(p.namespace, append(cluster.View, cluster.Probe...)...)
	for words, want := range map[string]string{
		"local pod/kube-system/coredns:53":           "you may not list",
		"pod/" + pod + "/ngnix svc/sample-clusterip": `no container "ngnix"`,
		"pod/x https://sample-clusterip/":            `no Pod "x"`,
	} {
		got := run(t, command(t, few.Kubeconfig, append([]string{"probe"}, strings.Fields(words)...)...))
		if got.code != 2 || !strings.Contains(got.err, want) || strings.Count(got.err, "\n") != 1 {
			t.Errorf("podpath probe %s: exit code %d, stderr %q; want 2 and one line that says %s", words, got.code, got.err, want)
		}
	}
}

func TestProbeOfAnotherNamespace(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	full := p.namespace + "/"
	for _, args := range []string{
		"-n default probe pod/" + full + pod + " svc/" + full + "sample-clusterip:8080 pod/" + full + pod + ":80",
		"-n " + p.namespace + " probe pod/" + full + pod + "/redis-container svc/kube-system/kube-dns:53 dns:kubernetes.default",
		"-A probe deploy/" + full + "sample-deployment svc/" + full + "sample-clusterip:http-port",
	} {
		reported(t, command(t, p.c.Kubeconfig, append(strings.Fields(args), "-o", "json")...)).by(t, "tools: bash in ")
	}
}

func TestProbeCompletesSourcesAndTargets(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	for typed, want := range map[string][]string{
		"":                  {"local", "pod/" + pod, "deploy/sample-deployment", "node/raspi001", ":4"},
		"no":                {"node/raspi001", "node/raspi002", "node/raspi003", ":4"},
		"local svc":         {"svc/sample-clusterip", "svc/sample-clusterip:8080", ":4"},
		"local svc/x pod":   {"pod/" + pod + ":80", ":4"},
		"--only sp":         {"spread"},
		"local x --output ": {"junit"},
	} {
		words := strings.Split(typed, " ")
		got := run(t, command(t, p.c.Kubeconfig, append([]string{"__complete", "-n", p.namespace, "probe"}, words...)...))
		lines := strings.Split(strings.TrimSpace(got.out), "\n")
		for _, w := range want {
			if !slices.Contains(lines, w) || got.code != 0 {
				t.Errorf("completion of %q: got %q (exit code %d, stderr %q), want %q among them", typed, lines, got.code, got.err, w)
			}
		}
		if last := words[len(words)-1]; last != "" && !strings.Contains(typed, "--") { // the shell chooses among the values of a flag
			for _, line := range lines[:len(lines)-1] {
				if !strings.HasPrefix(line, last) {
					t.Errorf("completion of %q: got %q, which does not begin with that", typed, line)
				}
			}
		}
	}
}

func TestProbePrintsEveryFormat(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	p.c.Kubectl("--namespace", p.namespace, "create", "service", "clusterip", "broken", "--tcp=80")
	p.c.ApplyText(p.namespace, "{apiVersion: v1, kind: Pod, metadata: {name: scratch}, spec: {containers: [{name: echo, image: 'example.test/echo:1'}]}}")
	p.c.Kubectl("--namespace", p.namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod/scratch")
	for _, test := range []struct {
		source, format string
		code           int
		want           string
	}{
		{"pod/" + pod, "text", 1, "\n✗ pod/" + pod + " → svc/broken:80"},
		{"pod/" + pod, "wide", 1, "\nfail     pod/" + pod},
		{"pod/" + pod, "json", 1, `"summary": {
    "pass": 1,
    "fail": 1,`},
		{"pod/" + pod, "yaml", 1, "\nsummary:\n  choices: []\n  fail: 1\n  inconclusive: 0\n  pass: 1\n"},
		{"pod/" + pod, "tap", 1, "TAP version 14\n1..2\nok 1 - pod/" + pod + " http http://sample-clusterip:8080/\nnot ok 2 - pod/" + pod + " tcp svc/broken:80\n"},
		{"pod/" + pod, "junit", 1, `<testsuite name="podpath probe" tests="2" failures="1" skipped="0"`},
		{"pod/scratch", "tap", 3, "\nok 2 - pod/scratch tcp svc/broken:80 # SKIP inconclusive: could not look: "},
		{"pod/scratch", "junit", 3, `<testsuite name="podpath probe" tests="2" failures="0" skipped="2"`},
	} {
		got := run(t, command(t, p.c.Kubeconfig, "probe", "-n", p.namespace, test.source, "http://sample-clusterip:8080/", "svc/broken:80", "-o", test.format))
		if got.code != test.code || got.err != "" || !strings.Contains(got.out, test.want) {
			t.Errorf("-o %s: exit code %d, stderr %q, stdout\n%s\nwant exit code %d and %q", test.format, got.code, got.err, got.out, test.code, test.want)
		}
		var suite struct {
			Cases []struct{} `xml:"testcase"`
		}
		if test.format != "junit" {
			continue
		}
		if err := xml.Unmarshal([]byte(got.out), &suite); err != nil || len(suite.Cases) != 2 {
			t.Errorf("-o junit: got %d cases (%v) from %s", len(suite.Cases), err, got.out)
		}
	}
}

func TestProbeWatchesUntilCtrlC(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	for format, rounds := range map[string]*regexp.Regexp{
		"text": regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`),
		"yaml": regexp.MustCompile(`(?m)^---$`),
		"json": regexp.MustCompile(`(?m)^  "kind": "ProbeReport",$`),
	} {
		cmd := command(t, p.c.Kubeconfig, "probe", "-n", p.namespace, "pod/"+pod, "svc/sample-clusterip:8080", "--watch", "1s", "-o", format)
		run := start(t, cmd)
		time.Sleep(4 * time.Second)
		got := run.signal(syscall.SIGINT, 2*time.Second)
		if n := len(rounds.FindAllString(got.out, -1)); n < 2 || n > 4 || got.err != "" {
			t.Errorf("-o %s: got %d rounds (exit code %d, stderr %q), want 2 to 4:\n%s", format, n, got.code, got.err, got.out)
		}
	}
}
