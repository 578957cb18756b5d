package probes

import (
	"errors"
	"fmt"

	"podpath/kube"
	engine "podpath/probes"
)

// plan says which checks a request means in a world.
type plan = func(*engine.World) ([]engine.Check, error)

// PlanEverything requests all that is worth checking in what podpath looks at.
func PlanEverything(title string) Request {
	return Request{"everything in " + title, func(w *engine.World) ([]engine.Check, error) { return w.Plan(engine.Groups...), nil }}
}

// PlanWords requests the paths from a source to targets, as the user writes
// them.
func PlanWords(source string, targets []string) Request {
	title := source + " → " + targets[0]
	if len(targets) > 1 {
		title += fmt.Sprintf(" and %d more", len(targets)-1)
	}
	return Request{title, planWords([]string{source}, targets)}
}

func planWords(sources, targets []string) plan {
	return func(w *engine.World) ([]engine.Check, error) {
		var from []engine.Source
		for _, word := range sources {
			found, err := w.FindSources(word)
			if err != nil {
				return nil, err
			}
			from = append(from, found...)
		}
		to, err := parse(targets)
		if err != nil {
			return nil, err
		}
		return w.PlanFor(from, to, 0)
	}
}

func parse(targets []string) ([]engine.Target, error) {
	var to []engine.Target
	for _, word := range targets {
		t, err := engine.ParseTarget(word)
		if err != nil {
			return nil, err
		}
		to = append(to, t)
	}
	return to, nil
}

// planFromEachNode starts in one Pod of each Node.
func planFromEachNode(targets []string) plan {
	return func(w *engine.World) ([]engine.Check, error) {
		sources := onePerNode(w.Snapshot)
		if len(sources) == 0 {
			return nil, errors.New("no Pod runs here that podpath could start from: choose another namespace, or all with 0")
		}
		return planWords(sources, targets)(w)
	}
}

// onePerNode names one Pod on each Node, ready ones first.
func onePerNode(s *kube.Snapshot) []string {
	var sources []string
	seen := map[string]bool{}
	for _, ready := range []bool{true, false} {
		for _, p := range s.Pods {
			if usable(p) && p.IsReady == ready && !p.HostNetwork && !seen[p.Node] {
				seen[p.Node] = true
				sources = append(sources, word(s, "pod", p.Key()))
			}
		}
	}
	return sources
}

// planSpread opens many connections to a Service from one Pod, of its own
// namespace if there is one.
func planSpread(svc, namespace string, samples int) plan {
	return func(w *engine.World) ([]engine.Check, error) {
		var source string
		for _, p := range w.Pods {
			if usable(p) && !p.HostNetwork && (source == "" || p.Namespace == namespace) {
				source = word(w.Snapshot, "pod", p.Key())
				if p.Namespace == namespace {
					break
				}
			}
		}
		if source == "" {
			return nil, errors.New("no Pod runs here that podpath could start from")
		}
		from, err := w.FindSources(source)
		if err != nil {
			return nil, err
		}
		to, err := parse([]string{svc})
		if err != nil {
			return nil, err
		}
		return w.PlanFor(from, to, samples)
	}
}

// planAbout keeps of the usual plan what is about something. That plan starts
// from a choice of Pods when there are many, so that more may have to be added.
func planAbout(about func(engine.Check) bool, more plan) plan {
	return func(w *engine.World) ([]engine.Check, error) {
		var kept []engine.Check
		seen := map[string]bool{}
		for _, c := range w.Plan(engine.Groups...) {
			if about(c) {
				kept = append(kept, c)
				seen[c.ID] = true
			}
		}
		if more == nil {
			return kept, nil
		}
		added, err := more(w)
		for _, c := range added {
			if !seen[c.ID] {
				kept = append(kept, c)
			}
		}
		return kept, err
	}
}

// everyWay leads from a Pod to each Service of its namespace, and to it from
// one Pod of each Node.
func everyWay(s *kube.Snapshot, k kube.Key) plan {
	pod := word(s, "pod", k)
	return func(w *engine.World) ([]engine.Check, error) {
		var services []string
		for _, svc := range w.Services {
			if svc.Namespace == k.Namespace {
				services = append(services, word(w.Snapshot, "svc", svc.Key()))
			}
		}
		from, err := planWords([]string{pod}, services)(w)
		if err != nil {
			return nil, err
		}
		if p := w.Pod(k); p == nil || !declaresTCP(p) {
			return from, nil
		}
		to, err := planFromEachNode([]string{pod})(w)
		return append(from, to...), err
	}
}

// usable reports whether a Pod can be at either end of a path.
func usable(p *kube.Pod) bool {
	return p.IP() != "" && !p.Finished && p.Deleted.IsZero()
}

func declaresTCP(p *kube.Pod) bool {
	for _, port := range p.Ports() {
		if port.Protocol == "TCP" {
			return true
		}
	}
	return false
}
