package path

import (
	"slices"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// entered are the Pods that the sources of checks lie in, and podpath's own
// machine as local.
func entered(checks []Check) []string {
	var out []string
	for _, c := range checks {
		if c.Kind != Status && !slices.Contains(out, c.Source.Label) { // the objects tell that
			out = append(out, c.Source.Label)
		}
	}
	slices.Sort(out)
	return out
}

func about(r kube.Resource, name string) Intent {
	return Intent{About: kube.Ref{Resource: r, Key: key(name)}}
}

func TestWhatIsAboutAnObjectIsLookedAtFromWhereThatNeeds(t *testing.T) {
	agent := manifest.Pod{Name: "agent", Node: "raspi003", IPs: []string{"198.51.100.13"}, Host: true, Ports: "{containerPort: 9100, protocol: TCP}"}.YAML()
	alone := manifest.Pod{Namespace: "bank", Name: "alone", Node: "raspi001", IPs: []string{"10.244.0.40"}}.YAML()
	np := manifest.Service("np", "type: NodePort, "+clusterIP+`selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "")
	w := lookAt(t, "", manifest.Story(), clientPod, agent, alone, np, manifest.WebSlice("np"))
	w.Home, w.LocalNode = "shop", "raspi001"
	w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.20"}, Rules: []kube.IngressRule{{Host: "shop.example.com", Backend: kube.Backend{Service: "web", Port: 8080}}}}}
	for name, test := range map[string]struct {
		intent  Intent
		entered []string
		has     []string
	}{
		"a Pod": {
			about(kube.Pods, "shop/web-1"),
			[]string{"local", "pod/web-1"},
			[]string{"pod/web-1 tcp localhost:80", "local tcp pod/web-1:80", "pod/web-1 tcp svc/web:8080", "pod/web-1 dns dns:web/A", "pod/web-1 env env:WEB_SERVICE_HOST", "pod/web-1 tcp node/raspi002:30080"},
		},
		"a Pod without Services": {
			about(kube.Pods, "bank/alone"),
			[]string{"local", "pod/bank/alone"},
			[]string{"pod/bank/alone tcp localhost:80", "pod/bank/alone dns dns:kubernetes.default.svc/A"},
		},
		"a Pod in its Node's network": {
			about(kube.Pods, "shop/agent"),
			[]string{"local", "pod/agent"},
			[]string{"local tcp pod/agent:9100", "pod/agent tcp svc/web:8080"},
		},
		"a Service": {
			about(kube.Services, "shop/web"),
			[]string{"local", "pod/bank/alone", "pod/client", "pod/web-1"},
			[]string{"pod/client tcp svc/web:8080", "pod/web-1 tcp pod/web-3:80", "local http http://shop.example.com/", "pod/client spread svc/web:8080", "pod/client dns dns:web/A"},
		},
		"a Node": {
			about(kube.Nodes, "/raspi002"),
			[]string{"local", "pod/bank/alone", "pod/client", "pod/web-1"},
			[]string{"pod/web-1 tcp pod/client:80", "pod/client tcp pod/web-1:80", "pod/client tcp node/raspi002:30080", "local tcp pod/web-1:80", "pod/web-1 tcp svc/web:8080"},
		},
	} {
		checks, err := w.PlanFor(test.intent)
		if err != nil {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if got := entered(checks); !slices.Equal(got, test.entered) {
			t.Errorf("%s: got checks from %q, want from %q", name, got, test.entered)
		}
		for _, id := range test.has {
			find(t, checks, id)
		}
		if slices.ContainsFunc(checks, func(c Check) bool { return c.Asked }) {
			t.Errorf("%s: got checks that count as asked for by name", name)
		}
	}
	if checks, _ := w.PlanFor(about(kube.Nodes, "/raspi001")); slices.ContainsFunc(checks, func(c Check) bool {
		return c.Path.Entry == AtNodePort && c.Path.Node != "raspi001" && c.Source.Node != "raspi001"
	}) {
		t.Errorf("got\n%s\nwant the node ports of that Node", ids(checks))
	}
}

func TestWhatIsAboutNothingSaysWhy(t *testing.T) {
	w := onMaster(t, manifest.Pod{Name: "starting"}.YAML())
	for name, test := range map[string]struct {
		intent Intent
		want   string
	}{
		"a Pod that does not run":       {about(kube.Pods, "shop/starting"), "pod/starting does not run"},
		"a Pod that is gone":            {about(kube.Pods, "shop/gone"), "pod/gone does not run"},
		"a Service that is gone":        {about(kube.Services, "shop/gone"), `no Service "gone" any more`},
		"a Node that is gone":           {about(kube.Nodes, "/raspi9"), `no Node "raspi9" any more`},
		"something else":                {about(kube.Namespaces, "/shop"), "cannot probe namespaces"},
		"a source that there is not":    {Intent{Sources: []string{"pod/gone"}, Targets: []string{"svc/web"}}, `no Pod "gone"`},
		"a target that is none":         {Intent{Sources: []string{"pod/web-1"}, Targets: []string{"web"}}, "is no target"},
		"one Pod of each Node, of none": {Intent{EachNode: true, Targets: []string{"svc/web"}}, "no Pod runs here"},
	} {
		from := w
		if test.intent.EachNode {
			from = lookAt(t, "shop", manifest.Nodes())
		}
		if checks, err := from.PlanFor(test.intent); !has(err, test.want) {
			t.Errorf("%s: got %s, %v, want an error with %q", name, ids(checks), err, test.want)
		}
	}
}

func TestOnePodOfEachNodeStandsForIt(t *testing.T) {
	w := onMaster(t, clientPod,
		manifest.Pod{Name: "agent", Node: "raspi001", IPs: []string{"198.51.100.11"}, Host: true}.YAML(),
		manifest.Pod{Name: "broken", Node: "raspi001", IPs: []string{"10.244.0.9"}, NotReady: true}.YAML())
	checks, err := w.PlanFor(Intent{EachNode: true, Sources: []string{"ignored"}, Targets: []string{"web:8080"}})
	if got, want := entered(checks), []string{"pod/broken", "pod/client", "pod/web-1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q: ready ones first, and none of a Node's network", got, err, want)
	}
}

func TestEverythingIsWhatItsGroupsAre(t *testing.T) {
	w := onMaster(t)
	checks, err := w.PlanFor(Intent{Everything: []Group{Spreading, Discovery}})
	if err != nil || ids(checks) != ids(w.Plan(Spreading, Discovery)) {
		t.Errorf("got %s, %v", ids(checks), err)
	}
	for i, empty := range map[*Intent]bool{{}: true, {Everything: Groups}: false, {Targets: []string{"svc/web"}}: false, {About: about(kube.Pods, "a/b").About}: false, {Sources: []string{"local"}}: true} {
		if i.Empty() != empty {
			t.Errorf("%+v: got empty %t", i, i.Empty())
		}
	}
}

// elsewhere names the namespaces of an intent, with a ? behind a guess.
func elsewhere(i Intent, w *World) []string {
	var out []string
	for _, e := range i.Namespaces(w) {
		name := e.Namespace
		if e.Guessed {
			name += "?"
		}
		out = append(out, name)
	}
	return out
}

func TestTargetsOfOtherNamespacesHaveToBeReadAsWell(t *testing.T) {
	w := onMaster(t, namespace("bank"))
	w.Ingresses = []*kube.Ingress{{Namespace: "edge", Name: "front", Rules: []kube.IngressRule{{Host: "bank.example.com"}}}}
	for word, want := range map[string][]string{
		"svc/bank/vault": {"bank"}, "pod/bank/ledger:80": {"bank"}, "ingress/bank/front": {"bank"}, "vault.bank:80": {"bank"}, "vault.bank.svc:80": {"bank"},
		"db-0.vault.bank:80": {"bank?"}, "http://vault.bank.svc.cluster.local/": {"bank"}, "dns:vault.bank": {"bank"}, "dns:_http._tcp.vault.bank.svc/SRV": {"bank"},
		"http://bank.example.com/": {"com?", "edge"}, "svc/web": nil, "svc/shop/web": nil, "web:8080": nil, "web.shop:8080": nil, "web-1.web:80": nil, "http://web.shop.svc/": nil,
		"node/raspi001:22": nil, "10.96.0.7:80": nil, "no target": nil, "www.a.b.example.com:80": nil,
	} {
		if got := elsewhere(Intent{Sources: []string{"pod/web-1"}, Targets: []string{word}}, w); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string][]string{"pod/bank/ledger": {"bank"}, "pod/web-1/redis": nil, "pod/bank/ledger/app": {"bank"}, "local": nil, "deploy/bank/ledger": {"bank"}} {
		if got := elsewhere(Intent{Sources: []string{word}, Targets: []string{"svc/web"}}, w); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	all := lookAt(t, "", manifest.Story())
	if got := elsewhere(Intent{Targets: []string{"svc/bank/vault"}}, all); got != nil {
		t.Errorf("all namespaces: got %q, want none more", got)
	}
}

func TestChoicesAreSaid(t *testing.T) {
	seen := clusters{}
	many := farm(t, 200, func(int) string { return "ReplicaSet/x" })
	few := onMaster(t)
	big := func() *World {
		w := seen.onMaster(t)
		changed(t, w, "shop/web", func(s *kube.Service) {
			e := s.Endpoints[0]
			s.Endpoints = nil
			for i := range 189 {
				e.Address = "10.244.7." + string(rune('0'+i%10))
				s.Endpoints = append(s.Endpoints, e)
			}
		})
		return w
	}()
	for name, test := range map[string]struct {
		w      *World
		intent Intent
		want   []string
	}{
		"few Pods are all looked at":   {few, Intent{Everything: Groups}, nil},
		"many are not":                 {many, Intent{Everything: Groups}, []string{"3 of 200 Pods (a choice)"}},
		"Services do not start in all": {many, Intent{Everything: []Group{Services}}, nil},
		"many endpoints":               {big, Intent{Everything: []Group{Services}}, []string{"24 of 189 endpoints of svc/web (a choice)"}},
		"about the Service":            {big, about(kube.Services, "shop/web"), []string{"24 of 189 endpoints of svc/web (a choice)"}},
		"about another one":            {big, about(kube.Services, "shop/db"), nil},
		"asked for by name":            {big, Intent{Targets: []string{"svc/web"}}, nil},
	} {
		if got := names(test.w.Choices(test.intent), Choice.String); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
