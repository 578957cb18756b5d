package network

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestProgramsTellWhatIsWrong(t *testing.T) {
	const lost = "no servers could be reached"
	for name, test := range map[string]struct {
		fault, command string
		wantExit       int
		wantText       string // part of what is printed, or "" for nothing at all
	}{
		"a name":                             {"", "nslookup s", 0, "10.96.0.80"},
		"a name for programs":                {"", "getent hosts s", 0, "10.96.0.80"},
		"no such name":                       {"", "nslookup t", 1, "NXDOMAIN"},
		"no such name for programs":          {"", "getent hosts t", 2, ""},
		"no such name for curl":              {"", "curl t:8080", 6, "Could not resolve host: t"},
		"DNS refuses":                        {"refuse", "nslookup s", 1, lost},
		"DNS refuses programs":               {"refuse", "getent hosts s", 2, ""},
		"DNS refuses curl":                   {"refuse", "curl s:8080", 6, "Could not resolve host: s"},
		"DNS drops":                          {"drop", "nslookup s", 1, lost},
		"DNS does not know what it is asked": {"reset", "nslookup s", 1, lost},
		"a port that is open":                {"", "nc -vz s 8080", 0, "open"},
		"nc that does not only look":         {"", "nc s 8080", 1, "does not know how"},
		"an option before":                   {"", "curl -m 2 s:8080/who", 0, "Hostname: a"},
		"an option behind":                   {"", "curl s:8080/who -m 2", 0, "Hostname: a"},
		"a file behind":                      {"", "wget s:8080/who -T 0.5 -O /dev/stdout", 0, "Hostname: a"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, append(clusterDNS(test.fault), service("s", vip, endpointYAML("10.244.1.2", "ready: true"))...)...)
			var out strings.Builder
			exit, err := l.place("b").Exec(t.Context(), "netshoot", strings.Fields(test.command), nil, &out, &out)
			if got := out.String(); err != nil || exit != test.wantExit || !strings.Contains(got, test.wantText) || (got == "") != (test.wantText == "") {
				t.Errorf("%s: got %d, %q, %v; want %d, %q", name, exit, got, err, test.wantExit, test.wantText)
			}
		})
	}
}
