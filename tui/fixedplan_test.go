package tui

import (
	"strings"
	"time"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/tui/probes"
)

// fixedRequest plans the same checks whatever podpath's own plan is: every kind
// of check, from four Pods on two Nodes and from podpath itself, 42 in all.
func fixedRequest() probes.Request {
	return probes.Request{Title: "a bit of everything", Intent: path.Intent{Everything: []path.Group{fixedGroup}}}
}

// fixedGroup asks the prober of the tests for the fixed plan.
const fixedGroup path.Group = "fixed"

func fixedPlan(w *path.World) []path.Check {
	f := &fixed{World: w}
	var pods []*kube.Pod
	for _, name := range []string{"dual-0", "sample-deployment-6d4b75cb6d-4xk2p", "sample-deployment-6d4b75cb6d-9hq7d", "sample-deployment-6d4b75cb6d-zw8mn"} {
		if p := w.Pod(kube.Key{Namespace: "default", Name: name}); p != nil {
			pods = append(pods, p)
		}
	}
	sources := []path.Source{}
	for _, p := range pods {
		sources = append(sources, path.Source{Kind: path.FromPod, Pod: p.Key(), Node: p.Node, Label: "pod/" + p.Name})
	}
	sources = append(sources, path.Source{Kind: path.FromLocal, Label: "local"})
	for _, s := range sources {
		if s.Kind == path.FromPod {
			f.add(s, path.TCP, "localhost:80", path.Path{Pod: s.Pod})
		}
		for _, p := range pods {
			if p.Key() != s.Pod {
				f.add(s, path.TCP, "pod/"+p.Name+":80", path.Path{Pod: p.Key(), Node: p.Node})
			}
		}
		for _, target := range []string{"svc/sample-clusterip:8080", "svc/none-ready:80", "svc/dual-stack:80@fd00:96::7"} {
			f.add(s, path.TCP, target, f.virtual(target))
		}
	}
	for _, node := range []string{"raspi001", "raspi002", "raspi003"} {
		f.add(sources[len(sources)-1], path.TCP, "node/"+node+":30080", path.Path{Service: kube.Key{Namespace: "default", Name: "sample-nodeport"}, Node: node, Entry: path.AtNodePort})
	}
	f.add(sources[0], path.Spread, "svc/sample-clusterip:8080", f.virtual("svc/sample-clusterip:"))
	f.add(sources[0], path.DNS, "dns:sample-clusterip.default.svc/A", f.virtual("svc/sample-clusterip:"))
	f.add(sources[0], path.Env, "env:SAMPLE_CLUSTERIP_SERVICE_HOST", f.virtual("svc/sample-clusterip:"))
	f.add(sources[len(sources)-1], path.HTTPS, "https://shop.example/cart", path.Path{Ingress: kube.Key{Namespace: "default", Name: "shop"}})
	return f.checks
}

type fixed struct {
	*path.World
	checks []path.Check
}

func (f *fixed) add(s path.Source, kind path.Kind, target string, about path.Path) {
	f.checks = append(f.checks, path.Check{
		ID: s.Label + " " + string(kind) + " " + target, Source: s, Kind: kind, Target: target, Path: about,
		Ask: path.Ask{Host: "10.0.0.1", Port: 80}, Expect: path.Expectation{Outcome: path.Reached, Why: "the test says so"},
	})
}

// virtual is the path to the virtual address of a Service, by its first port.
func (f *fixed) virtual(target string) path.Path {
	name, _, _ := strings.Cut(strings.TrimPrefix(target, "svc/"), ":")
	p := path.Path{Service: kube.Key{Namespace: "default", Name: name}, Entry: path.AtClusterIP}
	if svc := f.Service(p.Service); svc != nil {
		p.Port = svc.Ports[0]
	}
	return p
}

// probeFixed runs the fixed plan in the pane of probes, to the end.
func (s *screen) probeFixed() {
	s.startFixed()
	s.wait(time.Second)
}

func (s *screen) startFixed() {
	s.press("3")
	s.send(probes.Start{Request: fixedRequest()})
}
