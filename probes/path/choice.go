package path

import (
	"cmp"
	"fmt"
	"slices"

	"podpath/kube"
)

// Choice is where a plan looks at some of many. It is said wherever the results
// are shown.
type Choice struct {
	What    string // Pods, endpoints of svc/web
	Of, All int
}

// String writes 24 of 189 endpoints of svc/web (a choice).
func (c Choice) String() string { return fmt.Sprintf("%d of %d %s (a choice)", c.Of, c.All, c.What) }

// Choices are those that the plan of an intent makes.
func (w *World) Choices(i Intent) []Choice {
	if len(i.Everything) == 0 && i.About == (kube.Ref{}) {
		return nil // every path that was asked for is looked at
	}
	var out []Choice
	if all := w.runnable(); slices.Contains(i.Everything, Paths) && len(all) > maxSources {
		out = append(out, Choice{"Pods", len(w.Representatives()), len(all)})
	}
	if !slices.Contains(i.Everything, Services) && i.About == (kube.Ref{}) {
		return out
	}
	for _, svc := range w.homeServices() {
		if i.About.Resource == kube.Services && i.About.Name != "" && svc.Key() != i.About.Key {
			continue
		}
		for _, sp := range svc.Ports {
			if n := len(endpointsOf(svc, sp)); n > maxEndpoints {
				out = append(out, Choice{"endpoints of svc/" + w.name(svc.Key()), maxEndpoints, n})
				break
			}
		}
	}
	return out
}

// runnable are the Pods that a plan may start from.
func (w *World) runnable() []*kube.Pod {
	return slices.DeleteFunc(w.homePods(), func(p *kube.Pod) bool { return !Runs(p) || p.Key() == w.LocalPod })
}

// missedFirst orders endpoints so that those, which a spread has not seen take
// anything, come first.
func missedFirst(ends []kube.Endpoint, s *SpreadResult) []kube.Endpoint {
	if s == nil {
		return ends
	}
	took := map[string]int{}
	for _, share := range s.Shares {
		took[share.Address] = share.Count
	}
	ends = slices.Clone(ends)
	slices.SortStableFunc(ends, func(a, b kube.Endpoint) int {
		return cmp.Compare(min(1, took[endpointLabel(a)]), min(1, took[endpointLabel(b)]))
	})
	return ends
}
