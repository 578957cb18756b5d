package probes

import (
	"fmt"

	"podpath/kube"
	"podpath/probes/path"
)

// PlanEverything requests all that is worth checking in what podpath looks at.
func PlanEverything(title string) Request {
	return Request{"everything in " + title, path.Intent{Everything: path.Groups}}
}

// PlanWords requests the paths from a source to targets, as the user writes
// them.
func PlanWords(source string, targets []string) Request {
	title := source + " → " + targets[0]
	if len(targets) > 1 {
		title += fmt.Sprintf(" and %d more", len(targets)-1)
	}
	return Request{title, path.Intent{Sources: []string{source}, Targets: targets}}
}

// spreadOver opens many connections to a Service from one Pod, of its own
// namespace if there is one.
func spreadOver(s *kube.Snapshot, svc string, namespace string, samples int) (path.Intent, bool) {
	var source string
	for _, p := range s.Pods {
		if path.Runs(p) && !p.HostNetwork && (source == "" || p.Namespace == namespace) {
			source = word(s, "pod", p.Key())
			if p.Namespace == namespace {
				break
			}
		}
	}
	return path.Intent{Sources: []string{source}, Targets: []string{svc}, Options: path.PlanOptions{Count: samples}}, source != ""
}
