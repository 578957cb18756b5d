package tui

import (
	"strings"
	"time"

	"podpath/kube"
	engine "podpath/probes"
	"podpath/tui/probes"
)

// fixedRequest plans the same checks whatever podpath's own plan is: every kind
// of check, from four Pods on two Nodes and from podpath itself, 42 in all.
func fixedRequest() probes.Request {
	return probes.Request{Title: "a bit of everything", Plan: func(w *engine.World) ([]engine.Check, error) { return fixedPlan(w), nil }}
}

func fixedPlan(w *engine.World) []engine.Check {
	f := &fixed{World: w}
	var pods []*kube.Pod
	for _, name := range []string{"dual-0", "sample-deployment-6d4b75cb6d-4xk2p", "sample-deployment-6d4b75cb6d-9hq7d", "sample-deployment-6d4b75cb6d-zw8mn"} {
		if p := w.Pod(kube.Key{Namespace: "default", Name: name}); p != nil {
			pods = append(pods, p)
		}
	}
	sources := []engine.Source{}
	for _, p := range pods {
		sources = append(sources, engine.Source{Kind: engine.FromPod, Pod: p.Key(), Node: p.Node, Label: "pod/" + p.Name})
	}
	sources = append(sources, engine.Source{Kind: engine.FromLocal, Label: "local"})
	for _, s := range sources {
		if s.Kind == engine.FromPod {
			f.add(s, engine.TCP, "localhost:80", engine.About{Pod: s.Pod})
		}
		for _, p := range pods {
			if p.Key() != s.Pod {
				f.add(s, engine.TCP, "pod/"+p.Name+":80", engine.About{Pod: p.Key(), Node: p.Node})
			}
		}
		for _, target := range []string{"svc/sample-clusterip:8080", "svc/none-ready:80", "svc/dual-stack:80@fd00:96::7"} {
			f.add(s, engine.TCP, target, virtual(target))
		}
	}
	for _, node := range []string{"raspi001", "raspi002", "raspi003"} {
		f.add(sources[len(sources)-1], engine.TCP, "node/"+node+":30080", engine.About{Service: kube.Key{Namespace: "default", Name: "sample-nodeport"}, Node: node, NodePort: true, Virtual: true})
	}
	f.add(sources[0], engine.Spread, "svc/sample-clusterip:8080", virtual("svc/sample-clusterip:"))
	f.add(sources[0], engine.DNS, "dns:sample-clusterip.default.svc/A", virtual("svc/sample-clusterip:"))
	f.add(sources[0], engine.Env, "env:SAMPLE_CLUSTERIP_SERVICE_HOST", virtual("svc/sample-clusterip:"))
	f.add(sources[len(sources)-1], engine.HTTPS, "https://shop.example/cart", engine.About{Ingress: kube.Key{Namespace: "default", Name: "shop"}})
	return f.checks
}

type fixed struct {
	*engine.World
	checks []engine.Check
}

func (f *fixed) add(s engine.Source, kind engine.Kind, target string, about engine.About) {
	f.checks = append(f.checks, engine.Check{
		ID: s.Label + " " + string(kind) + " " + target, Source: s, Kind: kind, Target: target, About: about,
		Ask: engine.Ask{Host: "10.0.0.1", Port: 80}, Expect: engine.Expectation{Outcome: engine.Reached, Why: "the test says so"},
	})
}

func virtual(target string) engine.About {
	name, _, _ := strings.Cut(strings.TrimPrefix(target, "svc/"), ":")
	return engine.About{Service: kube.Key{Namespace: "default", Name: name}, Virtual: true}
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
