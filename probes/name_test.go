package probes

import (
	"strings"
	"testing"
)

func TestNamesMeanServices(t *testing.T) {
	w := lookAt(t, "shop", story(), "{apiVersion: v1, kind: Namespace, metadata: {name: bank}}", "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
	pod, local := source(t, w, "pod/web-1"), source(t, w, "local")
	for name, want := range map[string]string{
		"web": "shop/web", "no-such": "shop/no-such", "web.": "shop/web", "web.shop": "shop/web", "web.bank": "bank/web",
		"web.shop.svc": "shop/web", "web.nowhere.svc": "nowhere/web", "web.shop.svc.cluster.local.": "shop/web",
		"example.com": "", "www.example.com": "", "10.96.0.7": "", "fd00::7": "", "": "", ".": "",
	} {
		for _, s := range []Source{pod, local} {
			got := ""
			if key, ok := w.meant(s, name); ok {
				got = key.String()
			}
			if got != want {
				t.Errorf("%q from %s: got %q, want %q", name, s.Label, got, want)
			}
		}
	}
}

func TestANameThatMeansNoServiceIsTheCause(t *testing.T) {
	elsewhere := `{apiVersion: v1, kind: Service, metadata: {namespace: bank, name: vault}, spec: {clusterIP: 10.96.0.8, ports: [{port: 80}]}}`
	unknown := func(Check) ErrorKind { return NXDomain }
	for name, c := range map[string]struct {
		namespace, from, to string
		fate                fate
		want                CauseCode
		says                string
	}{
		"a short name of another namespace":   {"", "pod/shop/web-1", "dns:vault", unknown, NoSuchService, "There is no Service vault in namespace shop, but one in bank: its name from here is vault.bank."},
		"the same, to be connected to":        {"", "pod/shop/web-1", "vault:80", unknown, NoSuchService, "vault.bank"},
		"a name that is misspelt":             {"shop", "pod/web-1", "http://wep/", unknown, NoSuchService, "There is no Service wep in namespace shop; there is web."},
		"what is in another namespace":        {"shop", "pod/web-1", "dns:vault.bank.svc", unknown, NoSuchService, "There is no Service vault in namespace bank."},
		"a Service that there is":             {"shop", "pod/web-1", "dns:web", unknown, "", ""},
		"a name of the world":                 {"shop", "pod/web-1", "dns:example.com", unknown, "", ""},
		"the DNS fails":                       {"shop", "pod/web-1", "dns:wep", func(Check) ErrorKind { return ServFail }, "", ""},
		"a machine asks for what there is":    {"shop", "local", "dns:web", unknown, OutsideDNS, "local does not ask the cluster's DNS"},
		"a machine connects to what there is": {"shop", "local", "http://web.shop:8080/", unknown, OutsideDNS, "local does not ask the cluster's DNS"},
		"a machine asks for a name at large":  {"shop", "local", "dns:example.com", unknown, "", ""},
	} {
		w := lookAt(t, c.namespace, story(), elsewhere)
		results := simulate(w, planFor(t, w, 0, c.from, c.to), c.fate, evidence{})
		got, says := CauseCode(""), ""
		if cause := results[0].Cause; cause != nil {
			got, says = cause.Code, cause.Summary
		}
		if got != c.want || !strings.Contains(says, c.says) {
			t.Errorf("%s: got %q, %q; want %q, %q", name, got, says, c.want, c.says)
		}
		if c.want == OutsideDNS && results[0].Verdict != Pass {
			t.Errorf("%s: got %s, want that nothing is wrong", name, results[0].Verdict)
		}
	}
}
