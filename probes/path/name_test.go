package path

import (
	"net/netip"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

func namespace(name string) string {
	return "{apiVersion: v1, kind: Namespace, metadata: {name: " + name + "}}"
}

func TestNamesMeanServices(t *testing.T) {
	w := lookAt(t, "shop", manifest.Story(), namespace("bank"), namespace("shop"))
	pod, local := source(t, w, "pod/web-1"), source(t, w, "local")
	for name, want := range map[string]string{
		"web": "shop/web", "no-such": "shop/no-such", "web.": "", "web.shop": "shop/web", "web.bank": "bank/web",
		"web.shop.svc": "shop/web", "_http._tcp.web.shop.svc": "shop/web", "web.nowhere.svc": "nowhere/web", "web.shop.svc.cluster.local.": "shop/web",
		"web.shop.svc.": "", "web.shop.svc.example.com": "", "web-0.web": "shop/web", "example.com": "", "www.example.com": "", "10.96.0.7": "", "fd00::7": "", "": "", ".": "",
	} {
		for _, s := range []Source{pod, local} {
			got := ""
			if m := w.Mean(s, name); m.OfCluster() {
				got = m.Service.String()
			}
			if got != want {
				t.Errorf("%q from %s: got %q, want %q", name, s.Label, got, want)
			}
		}
	}
}

func TestNamesThatPodpathAsksForInAPodAreForItsOwnDNS(t *testing.T) {
	w := lookAt(t, "shop", manifest.Story())
	local := source(t, w, "local")
	asks := func() Expectation { return w.ruleOfName(local, w.Mean(local, "web.shop"), true) }
	w.LocalPod = kube.Key{Namespace: "shop", Name: "web-1"}
	if got := asks(); got.Outcome != Reached {
		t.Errorf("in a Pod: got %+v, want an answer", got)
	}
	w.LocalPod = kube.Key{Namespace: "tools", Name: "podpath"}
	if got := asks(); got.Outcome != Reached {
		t.Errorf("in a Pod of another namespace: got %+v, want an answer", got)
	}
	if got := w.Mean(local, "db").Service; got.Namespace != "tools" {
		t.Errorf("got %s, want the Service in the Pod's own namespace", got)
	}
}

func TestANameThatMeansNoServiceIsTheCause(t *testing.T) {
	seen := clusters{}
	elsewhere := `{apiVersion: v1, kind: Service, metadata: {namespace: bank, name: vault}, spec: {clusterIP: 10.96.0.8, ports: [{port: 80}]}}`
	failing := func(with ErrorKind) fate { return func(Check) ErrorKind { return with } }
	unknown := failing(NXDomain)
	for name, c := range map[string]struct {
		namespace, from, to string
		fate                fate
		asked               []string
		want                CauseCode
		says                string
	}{
		"a short name of another namespace":   {"", "pod/shop/web-1", "dns:vault", unknown, []string{"vault.shop.svc.cluster.local. nxdomain"}, NoSuchService, "There is no Service vault in namespace shop, but one in bank: its name from here is vault.bank."},
		"the same, to be connected to":        {"", "pod/shop/web-1", "vault:80", unknown, []string{"vault.shop.svc.cluster.local. nxdomain"}, NoSuchService, "vault.bank"},
		"the name of a Pod":                   {"shop", "pod/web-1", "web-2:80", unknown, []string{"web-2.shop.svc.cluster.local. nxdomain"}, NoSuchService, "a Pod of that name"},
		"a name that is misspelt":             {"shop", "pod/web-1", "http://wep/", unknown, []string{"wep.shop.svc.cluster.local. nxdomain"}, NoSuchService, "There is no Service wep in namespace shop, but one called web."},
		"a namespace that is not looked at":   {"shop", "pod/web-1", "dns:vault.bank.svc", unknown, []string{"vault.bank.svc.shop.svc.cluster.local. nxdomain", "vault.bank.svc.cluster.local. nxdomain"}, "", ""},
		"a Service that there is":             {"shop", "pod/web-1", "dns:web", unknown, []string{"web.shop.svc.cluster.local. nxdomain"}, "", ""},
		"a name of the world":                 {"shop", "pod/web-1", "dns:example.com", unknown, []string{"example.com.shop.svc.cluster.local. nxdomain", "example.com. nxdomain"}, NoSuchName, "The DNS of pod/web-1 (10.96.0.10) knows no name example.com, nor does anybody that it asks."},
		"one of which nobody was asked":       {"shop", "pod/web-1", "dns:example.com", unknown, []string{"example.com.shop.svc.cluster.local. nxdomain"}, "", ""},
		"a misspelt namespace":                {"", "pod/shop/web-1", "vault.bnak:80", unknown, []string{"vault.bnak.shop.svc.cluster.local. nxdomain", "vault.bnak. nxdomain"}, NoSuchService, "There is no Service vault in namespace bnak, and no such namespace, but one in bank: its name from here is vault.bank."},
		"the same, with svc":                  {"", "pod/shop/web-1", "http://vault.bnak.svc/", unknown, []string{"vault.bnak.svc.cluster.local. nxdomain"}, NoSuchService, "vault.bank"},
		"a word too many":                     {"shop", "pod/web-1", "web-svc:8080", unknown, []string{"web-svc.shop.svc.cluster.local. nxdomain"}, NoSuchService, "but one called web."},
		"the name of a Node":                  {"shop", "pod/web-1", "raspi001:22", unknown, []string{"raspi001.shop.svc.cluster.local. nxdomain"}, NoSuchService, "but a Node of that name: the cluster's DNS knows no Nodes, and its address is 198.51.100.11."},
		"a machine asks for a misspelt one":   {"shop", "local", "wep.shop:8080", unknown, []string{"wep.shop. nxdomain"}, NoSuchService, "but one called web."},
		"the DNS fails":                       {"shop", "pod/web-1", "dns:wep", failing(ServFail), []string{"wep.shop.svc.cluster.local. servfail"}, "", ""},
		"the world outside cannot be asked":   {"shop", "pod/web-1", "dns:wep", failing(ServFail), []string{"wep.shop.svc.cluster.local. nxdomain", "wep. servfail"}, NoSuchService, "wep"},
		"the world outside does not answer":   {"shop", "pod/web-1", "dns:wep", failing(TimedOut), []string{"wep.shop.svc.cluster.local. nxdomain", "wep. timeout"}, NoSuchService, "wep"},
		"a machine asks for what there is":    {"shop", "local", "dns:web", unknown, nil, OutsideDNS, "local does not ask the cluster's DNS"},
		"a machine asks for an SRV record":    {"shop", "local", "dns:_http._tcp.web.shop.svc/SRV", unknown, nil, OutsideDNS, "local"},
		"a machine asks for an address":       {"shop", "local", "dns:10.96.0.7/PTR", unknown, nil, OutsideDNS, "local"},
		"a machine connects to what there is": {"shop", "local", "http://web.shop:8080/", unknown, nil, OutsideDNS, "local does not ask the cluster's DNS"},
		"a machine asks for a name at large":  {"shop", "local", "dns:example.com", unknown, []string{"example.com.shop.svc.cluster.local. nxdomain", "example.com. nxdomain"}, NoSuchName, "The DNS of local"},
	} {
		w := seen.lookAt(t, c.namespace, manifest.Story(), elsewhere, namespace("shop"), namespace("bank"))
		results := carriedOut(w, planFor(t, w, c.from, c.to), func(check Check, o *Observation) {
			c.fate.meets(check, o)
			o.Stage, o.Answers = StageResolve, answers(c.asked...)
		})
		Explain(w, results, Looks{})
		explained(t, name, w, results[0], c.want, c.says)
		if c.want == OutsideDNS && results[0].Verdict != Pass {
			t.Errorf("%s: got %s, want that nothing is wrong", name, results[0].Verdict)
		}
	}
}

// answers are what came for names: web.shop.svc.cluster.local. nxdomain, or an
// address instead of the error; AAAA may precede it.
func answers(lines ...string) []NameAnswer {
	var out []NameAnswer
	for _, line := range lines {
		name, came, _ := strings.Cut(line, " ")
		a := NameAnswer{Name: name, Type: "A"}
		if rest, ok := strings.CutPrefix(came, "AAAA "); ok {
			a.Type, came = "AAAA", rest
		}
		if _, err := netip.ParseAddr(came); err == nil {
			a.Says = came
		} else {
			a.Error = ErrorKind(came)
		}
		out = append(out, a)
	}
	return out
}
