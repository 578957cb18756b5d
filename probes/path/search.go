package path

import (
	"slices"
	"strings"

	"podpath/kube"
)

// Names are those of Services that targets mean and that are not where they
// mean them: they may be in another namespace.
func (i Intent) Names(w *World) []string {
	var out []string
	for _, word := range i.Targets {
		t, err := ParseTarget(word)
		if err != nil || w.Scope.All() || t.Kind != ToHost && t.Kind != ToURL && t.Kind != ToDNS {
			continue
		}
		m := w.Mean(Source{}, t.Name)
		name := m.Service.Name
		if first, second, _ := strings.Cut(strings.ToLower(t.Name), "."); name == "" && slices.Contains(w.Absent, second) {
			name = first
		}
		if name != "" && w.Service(m.Service) == nil && w.Pod(m.Service) == nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Selectors are those of Services that targets mean, or of all where everything
// is looked at, which match no Pod: they may match those of another namespace.
func (i Intent) Selectors(w *World) []kube.Labels {
	var out []kube.Labels
	for _, svc := range w.Services {
		lacks := slices.ContainsFunc(svc.Flags, func(f kube.Flag) bool { return f.Code == kube.SelectorMatchesNoPod })
		if lacks && !w.Scope.All() && i.means(w, svc) && len(out) < mostStrangers {
			out = append(out, svc.Selector)
		}
	}
	return out
}

// means reports whether a target leads to a Service, as far as its name or
// address tells.
func (i Intent) means(w *World, svc *kube.Service) bool {
	if len(i.Targets) == 0 {
		return w.atHome(svc.Namespace) && (i.About == (kube.Ref{}) || i.About.Key == svc.Key())
	}
	return slices.ContainsFunc(i.Targets, func(word string) bool {
		t, err := ParseTarget(word)
		switch {
		case err != nil:
			return false
		case t.Kind == ToService:
			return t.Name == svc.Name || t.Name == svc.Namespace+"/"+svc.Name
		case t.Kind == ToHost || t.Kind == ToURL || t.Kind == ToDNS:
			return w.Resolve(Source{}, TCP, Ask{Host: t.Name}).Service == svc.Key()
		default:
			return false
		}
	})
}
