package kube

import "fmt"

// Flag is something that is wrong with an object, computed from the objects
// alone: nothing was sent to find it.
type Flag struct {
	Code FlagCode `json:"code"`
	// Message is a sentence that says what is wrong and where to look.
	Message string `json:"message"`
}

// FlagCode names a kind of flag. Codes are part of the JSON output and do not
// change.
type FlagCode string

// The flags.
const (
	SelectorMatchesNoPod FlagCode = "selector-matches-no-pod"
	NoReadyEndpoint      FlagCode = "no-ready-endpoint"
	TargetPortMissing    FlagCode = "target-port-missing"
	NoSelectorNoSlice    FlagCode = "no-selector-no-slice"
	LoadBalancerPending  FlagCode = "load-balancer-pending"
	NodeNotReadyFlag     FlagCode = "node-not-ready"
)

func nodeNotReady(name, why string) Flag {
	return Flag{NodeNotReadyFlag, fmt.Sprintf("Node %s is not ready: %s", name, why)}
}

// evidence is what the flags of one Service are judged from.
type evidence struct {
	service *Service
	// pods are those that the selector selects and that have not finished.
	pods []*Pod
	// podsKnown and slicesKnown say whether the lists were really read: a flag
	// is never raised from data that podpath may not see.
	podsKnown, slicesKnown bool
}

// serviceFlags judges one Service. ExternalName Services are DNS only: they
// have neither endpoints nor Pods, and never a flag.
func serviceFlags(e evidence) []Flag {
	if e.service.Kind == ExternalName {
		return nil
	}
	var flags []Flag
	for _, judge := range []func(evidence) (Flag, bool){selectorMatchesNoPod, noSelectorNoSlice, noReadyEndpoint, targetPortMissing, loadBalancerPending} {
		if f, raised := judge(e); raised {
			flags = append(flags, f)
		}
	}
	return flags
}

func selectorMatchesNoPod(e evidence) (Flag, bool) {
	if len(e.service.Selector) == 0 || !e.podsKnown || len(e.pods) > 0 {
		return Flag{}, false
	}
	return Flag{SelectorMatchesNoPod, fmt.Sprintf("The selector %s matches no Pod in namespace %s that has not finished: it differs from their labels, or what makes them is scaled to 0.", e.service.Selector, e.service.Namespace)}, true
}

func noSelectorNoSlice(e evidence) (Flag, bool) {
	if len(e.service.Selector) > 0 || !e.slicesKnown || len(e.service.Endpoints) > 0 {
		return Flag{}, false
	}
	return Flag{NoSelectorNoSlice, fmt.Sprintf("The Service has no selector, and no EndpointSlice gives it an endpoint: create one with the label kubernetes.io/service-name=%s, or add a selector.", e.service.Name)}, true
}

func noReadyEndpoint(e evidence) (Flag, bool) {
	c := e.service.Counts
	switch {
	case !e.slicesKnown || c.Ready > 0:
		return Flag{}, false
	case c.Total > 0 && c.Terminating == c.Total:
		return Flag{NoReadyEndpoint, fmt.Sprintf("Nothing is left but %s being terminated: look why no new Pod is ready.", Count(c.Total, "endpoint"))}, true
	case c.Total > 0 && len(e.service.Selector) == 0:
		return Flag{NoReadyEndpoint, fmt.Sprintf("No EndpointSlice says ready for any of its %s: look at their conditions.", Count(c.Total, "endpoint"))}, true
	case c.Total == 1:
		return Flag{NoReadyEndpoint, "The only endpoint is not ready: " + whyNotReady(e.pods) + "."}, true
	case c.Total > 0:
		return Flag{NoReadyEndpoint, fmt.Sprintf("None of the %s is ready: %s.", Count(c.Total, "endpoint"), whyNotReady(e.pods))}, true
	case e.podsKnown && len(e.pods) > 0:
		return Flag{NoReadyEndpoint, fmt.Sprintf("The selector matches %s, but none is an endpoint yet, for want of an IP address: %s.", Count(len(e.pods), "Pod"), whyNotReady(e.pods))}, true
	default:
		return Flag{}, false // another flag says why there is no endpoint at all
	}
}

// whyNotReady says what is with the first Pod that is not ready: its status
// where that tells, else where to look.
func whyNotReady(pods []*Pod) string {
	for _, p := range pods {
		switch {
		case p.IsReady:
		case p.Status == "Running":
			return fmt.Sprintf("Pod %s runs, but is not ready; look at its Node, and at its readiness probe and gates", p.Name)
		default:
			return fmt.Sprintf("Pod %s is %s", p.Name, p.Status)
		}
	}
	return "look at the Pods and their Nodes"
}

func targetPortMissing(e evidence) (Flag, bool) {
	if !e.podsKnown || len(e.pods) == 0 {
		return Flag{}, false
	}
	for _, port := range e.service.Ports {
		if !port.named() {
			continue
		}
		missing := 0
		for _, p := range e.pods {
			if !declares(p, port) {
				missing++
			}
		}
		if missing > 0 {
			return Flag{TargetPortMissing, fmt.Sprintf("Port %d targets the port named %q, which %d of the %s that the selector matches do not declare for %s.", port.Port, port.TargetPort, missing, Count(len(e.pods), "Pod"), port.Protocol)}, true
		}
	}
	return Flag{}, false
}

func declares(p *Pod, port ServicePort) bool {
	for _, c := range p.Ports() {
		if c.Name == port.TargetPort && c.Protocol == port.Protocol {
			return true
		}
	}
	return false
}

func loadBalancerPending(e evidence) (Flag, bool) {
	if e.service.Kind != LoadBalancer || len(e.service.LoadBalancerAddresses) > 0 {
		return Flag{}, false
	}
	return Flag{LoadBalancerPending, "No load balancer has given this Service an address: the cluster may have no load balancer controller."}, true
}
