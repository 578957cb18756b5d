package path

import (
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

func TestCausesOfAnIngress(t *testing.T) {
	seen := clusters{}
	route := func(b kube.Backend) *kube.Ingress {
		return &kube.Ingress{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Rules: []kube.IngressRule{{Host: "shop.example.com", Path: "/", Backend: b}}}
	}
	byDefault := &kube.Ingress{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Default: &kube.Backend{Service: "api", Port: 80}}
	waiting := &kube.Ingress{Namespace: "shop", Name: "front"}
	for name, test := range map[string]struct {
		ingress *kube.Ingress
		want    CauseCode
	}{
		"no such Service":                {route(kube.Backend{Service: "api", Port: 80}), IngressBackendMissing},
		"no such Service, by default":    {byDefault, IngressBackendMissing},
		"no such port":                   {route(kube.Backend{Service: "web", Port: 80}), IngressBackendMissing},
		"no port of that name":           {route(kube.Backend{Service: "web", PortName: "www"}), IngressBackendMissing},
		"no address":                     {waiting, IngressNoAddress},
		"the backend says 503 by itself": {route(kube.Backend{Service: "web", Port: 8080}), StatusNotAsExpected},
		"a backend that is no Service":   {route(kube.Backend{}), StatusNotAsExpected},
		"a Service that matches nothing": {route(kube.Backend{Service: "empty", PortName: "http"}), SelectorMatchesNothing},
	} {
		w := seen.onMaster(t, manifest.Service("empty", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: wep}, `+oneWebPort, ""))
		w.Ingresses = []*kube.Ingress{test.ingress}
		named(t, name, w, simulate(w, planFor(t, w, "local", "ingress/front"), func(Check) ErrorKind { return BadStatus }, Looks{}), test.want)
	}
}

func TestAnswersOfAnIngress(t *testing.T) {
	front := &kube.Ingress{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Rules: []kube.IngressRule{
		{Host: "shop.example.com", Path: "/", PathType: "Prefix", Backend: kube.Backend{Service: "x", PortName: "http"}},
		{Host: "api.example.com", Path: "/v1", PathType: "Prefix", Backend: kube.Backend{Service: "x", PortName: "http"}},
		{Host: "gone.example.com", Path: "/", PathType: "Prefix", Backend: kube.Backend{Service: "gone", Port: 80}},
	}}
	has := func(w *World) { w.Ingresses = []*kube.Ingress{front} }
	status := func(code int) Observation { return Observation{Stage: StageRequest, Error: BadStatus, Status: code} }
	atController := func(code int) outcome { // what comes from the endpoints is another matter
		return func(c Check, o *Observation) {
			if c.Ask.Host == "203.0.113.9" {
				speaks(status(code))(c, o)
			}
		}
	}
	both := func(code int, kind ErrorKind, host string) outcome {
		return func(c Check, o *Observation) {
			atController(code)(c, o)
			failsAt(kind, host)(c, o)
		}
	}
	byAddress := func(host, path string, code int) symptom { // a URL of the address, with the Host of another
		return symptom{docs: single, change: has, to: "http://203.0.113.9" + path, comes: func(c Check, o *Observation) {
			c.Ask.HTTP.Host = host
			atController(code)(c, o)
		}}
	}
	backend := func(b kube.Backend) func(*World) {
		return func(w *World) {
			w.Ingresses = []*kube.Ingress{{Namespace: "shop", Name: "front", Addresses: []string{"203.0.113.9"}, Rules: []kube.IngressRule{{Path: "/", PathType: "Prefix", Backend: b}}}}
		}
	}
	answersAs := func(host string, code int) outcome { return byAddress(host, "/", code).comes }
	noHost := byAddress("203.0.113.9", "/", 404)
	noHost.want, noHost.says = IngressNoRule, "no rule takes 203.0.113.9/. Ingress front nearly does: it is for the host shop.example.com"
	nearHost := byAddress("api.exmaple.com", "/v1", 404)
	nearHost.want, nearHost.says = IngressNoRule, "it is for the host api.example.com, not api.exmaple.com"
	otherPath := byAddress("api.example.com", "/v2?x", 404)
	otherPath.want, otherPath.says = IngressNoRule, "it has the path /v1 (Prefix) of this host, not /v2"
	otherClass := byAddress("shop.example.org", "/", 404)
	otherClass.change = func(w *World) {
		front.Class = "nginx"
		w.Ingresses = []*kube.Ingress{front, {Namespace: "shop", Name: "back", Class: "ngnix", Rules: []kube.IngressRule{{Host: "shop.example.org", Path: "/", PathType: "Prefix", Backend: kube.Backend{Service: "x", PortName: "http"}}}}}
	}
	otherClass.want, otherClass.says = IngressNoRule, "its class is ngnix, and the controller that answered serves nginx"
	byName := otherClass
	byName.to = "http://shop.example.org/"
	byName.comes, byName.says = speaks(status(404)), "no controller has given it an address; its class is ngnix."
	taken := byAddress("203.0.113.9", "/", 503)
	taken.want = StatusNotAsExpected
	symptoms(t, map[string]symptom{
		"no rule is for the host":            noHost,
		"the host is misspelt":               nearHost,
		"no rule is for the path":            otherPath,
		"no controller serves the class":     otherClass,
		"the same, asked by its name":        byName,
		"it says something else":             taken,
		"404 of nobody's address":            {docs: single, change: has, to: "http://203.0.113.8/", comes: speaks(status(404)), want: StatusNotAsExpected},
		"a rule takes it, and the app 404s":  {from: "local", docs: single, change: has, to: "ingress/front", comes: atController(404), want: StatusNotAsExpected, says: "The app behind Ingress front"},
		"no backend listens":                 {docs: single, change: has, to: "ingress/front", comes: both(502, Refused, "10.244.1.5"), looks: listens("web-1", "0.0.0.0:8081", "0.0.0.0:6379"), want: WrongTargetPort},
		"a backend does not answer":          {docs: single, change: has, to: "ingress/front", comes: both(504, TimedOut, "10.244.1.5"), want: StatusNotAsExpected, says: "The Ingress controller was reached, and answers 504"},
		"its Service is not there":           {docs: single, change: has, to: "http://gone.example.com/", comes: speaks(status(503)), want: IngressBackendMissing, says: "there is no Service gone in namespace shop"},
		"its Service is misspelt":            {docs: single, change: backend(kube.Backend{Service: "wbe", Port: 8080}), to: "http://203.0.113.9/", comes: answersAs("gone.example.com", 503), want: IngressBackendMissing, says: "there is no Service wbe in namespace shop, but one called web."},
		"it is the port of the Pods":         {docs: single, change: backend(kube.Backend{Service: "web", Port: 80}), to: "http://203.0.113.9/", comes: answersAs("gone.example.com", 503), want: IngressBackendMissing, says: "80 is the port of its Pods, and an Ingress takes that of the Service, 8080."},
		"its Service is not there, it works": {docs: single, change: has, to: "http://gone.example.com/", comes: nil, want: ""},
	})
}
