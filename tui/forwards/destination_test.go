package forwards

import (
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/golden"
	"podpath/tui/intent"
)

func TestDestinations(t *testing.T) {
	s := golden.Cluster(t, "default")
	ref := func(r kube.Resource, name string) kube.Ref {
		return kube.Ref{Resource: r, Key: kube.Key{Namespace: "default", Name: name}}
	}
	for name, c := range map[string]struct {
		of   intent.Forward
		want string // labels, or a part of the error
	}{
		"a Service with one port":     {intent.Forward{Of: ref(kube.Services, "sample-clusterip")}, "svc/sample-clusterip:8080"},
		"a Service with several":      {intent.Forward{Of: ref(kube.Services, "dual-stack")}, "svc/dual-stack:80 svc/dual-stack:53/udp"},
		"a Pod":                       {intent.Forward{Of: ref(kube.Pods, "dual-0")}, "pod/dual-0:8080 pod/dual-0:53/udp"},
		"a Pod that declares no port": {intent.Forward{Of: ref(kube.Pods, "not-ready")}, "pod/not-ready"},
		"an endpoint":                 {intent.Forward{Of: ref(kube.Pods, "dual-0"), Port: "53/udp"}, "pod/dual-0:53/udp"},
		"an ExternalName":             {intent.Forward{Of: ref(kube.Services, "sample-externalname")}, "ExternalName"},
		"a Pod that is gone":          {intent.Forward{Of: ref(kube.Pods, "nope")}, `there is no Pod "nope"`},
		"a Node":                      {intent.Forward{Of: kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: "raspi001"}}}, "Nodes are not forwarded to"},
	} {
		found, err := Destinations(s, c.of)
		var labels []string
		for _, d := range found {
			labels = append(labels, d.Label)
		}
		got := strings.Join(labels, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestParseLocal(t *testing.T) {
	with, _ := forward.ParseDestination("svc/web:80", "shop")
	without, _ := forward.ParseDestination("pod/web", "shop")
	for typed, c := range map[string]struct {
		d     forward.Destination
		label string
		local int
		err   string
	}{
		"8080":      {with, "svc/web:80", 8080, ""},
		" 8080 ":    {with, "svc/web:80", 8080, ""},
		"":          {with, "svc/web:80", 0, ""},
		"0":         {with, "svc/web:80", 0, ""},
		"x":         {with, "", 0, `"x" is no port`},
		"-1":        {with, "", 0, `"-1" is no port`},
		"65536":     {with, "", 0, `"65536" is no port`},
		"8080:80":   {with, "", 0, "one number is enough"},
		"9000:90":   {without, "pod/web:90", 9000, ""},
		"90":        {without, "pod/web:90", 90, ""},
		":90":       {without, "pod/web:90", 0, ""},
		"9000:":     {without, "", 0, `"" is no port`},
		"5353:http": {without, "pod/web:http", 5353, ""},
		"0:70000":   {without, "", 0, `"70000" is no port`},
	} {
		d, local, err := ParseLocal(c.d, typed)
		switch {
		case c.err != "" && (err == nil || err.Error() != c.err):
			t.Errorf("%q: got %v, want %s", typed, err, c.err)
		case c.err == "" && (err != nil || d.Label != c.label || local != c.local):
			t.Errorf("%q: got %s %d %v, want %s %d", typed, d.Label, local, err, c.label, c.local)
		}
	}
}

func TestNamesLeaveOutWhatIsLookedAt(t *testing.T) {
	d, _ := forward.ParseDestination("svc/web:80", "shop")
	s := forward.Status{Cluster: "raspi", Order: forward.Order{Destination: d}}
	for want, at := range map[string]struct{ context, namespace string }{
		"svc/web:80":                {"raspi", "shop"},
		"shop › svc/web:80":         {"raspi", "default"},
		"raspi › shop › svc/web:80": {"laptop", "shop"},
	} {
		if got := name(s, at.context, kube.Scope{Namespace: at.namespace}); got != want {
			t.Errorf("at %v: got %q, want %q", at, got, want)
		}
	}
	if got := name(s, "raspi", kube.Scope{}); got != "shop › svc/web:80" {
		t.Errorf("got %q in all namespaces", got)
	}
}
