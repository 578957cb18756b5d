package forward

import (
	"fmt"
	"strconv"
	"strings"

	"podpath/kube"
)

// findPods looks for the Pod, or for the Pods of a workload. A Pod that was
// asked for by name is used as soon as it has an address: whoever looks for
// the reason why it is not ready wants to get there.
func (d Destination) findPods(s *kube.Snapshot) (View, error) {
	pods := d.pods(s)
	switch {
	case len(pods) == 0 && d.Kind == ToPod:
		return View{}, fmt.Errorf("there is no Pod %q in namespace %s%s", d.Name, d.Namespace, kube.Among(podNames(s, d.Namespace)))
	case len(pods) == 0:
		return View{}, fmt.Errorf("no Pod in namespace %s is owned by it: the name may be wrong, or it is scaled to 0", d.Namespace)
	case d.Port == "":
		return View{}, fmt.Errorf("say which port%s", kube.Among(declared(pods)))
	}
	v := View{Protocol: "TCP"}
	if d.Protocol != "" {
		v.Protocol = d.Protocol
	}
	for _, p := range pods {
		port, protocol, ok := d.podPort(p)
		if !ok {
			continue
		}
		v.Port, v.Protocol = port, protocol
		for _, declared := range p.Ports() {
			if declared.Port == port && declared.Protocol == protocol {
				v.PortName = declared.Name
			}
		}
		if p.IP() == "" || p.Finished {
			continue
		}
		e := Endpoint{Target: Target{Address: p.IP(), Port: port, Namespace: p.Namespace, Pod: p.Name, Node: p.Node}, Terminating: !p.Deleted.IsZero()}
		e.Serving = p.IsReady || d.Kind == ToPod
		e.Ready = e.Serving && !e.Terminating
		v.Endpoints = append(v.Endpoints, e)
	}
	if v.Port == 0 {
		return View{}, fmt.Errorf("no Pod declares a port %q%s", d.Port, kube.Among(declared(pods)))
	}
	v.Why = whyNoPod(pods, v.Endpoints)
	return v, nil
}

// pods returns the Pods of the destination, finished ones included.
func (d Destination) pods(s *kube.Snapshot) []*kube.Pod {
	if d.Kind == ToPod {
		if p := s.Pod(d.Key); p != nil {
			return []*kube.Pod{p}
		}
		return nil
	}
	var out []*kube.Pod
	for _, p := range s.Pods {
		if d.owns(p) {
			out = append(out, p)
		}
	}
	return out
}

// podPort finds the number of the port in one Pod. A number need not be
// declared: declaring is documentation.
func (d Destination) podPort(p *kube.Pod) (port int, protocol string, ok bool) {
	number, _ := strconv.Atoi(d.Port)
	port, protocol, ok = number, "TCP", number > 0
	if d.Protocol != "" {
		protocol = d.Protocol
	}
	for _, declared := range p.Ports() {
		if (declared.Name == d.Port || declared.Port == number) && (d.Protocol == "" || d.Protocol == declared.Protocol) {
			port, protocol, ok = declared.Port, declared.Protocol, true
			if protocol == "TCP" {
				break
			}
		}
	}
	return port, protocol, ok
}

func declared(pods []*kube.Pod) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range pods {
		for _, port := range p.Ports() {
			if word := port.String(); !seen[word] {
				seen[word] = true
				out = append(out, word)
			}
		}
	}
	return out
}

func podNames(s *kube.Snapshot, namespace string) []string {
	var out []string
	for _, p := range s.Pods {
		if p.Namespace == namespace {
			out = append(out, "pod/"+p.Name)
		}
	}
	return out
}

// mostStates is of how many Pods whyNoPod tells.
const mostStates = 8

// whyNoPod says why no Pod can be used.
func whyNoPod(pods []*kube.Pod, endpoints []Endpoint) string {
	var states []string
	for _, e := range endpoints {
		if e.Ready {
			return ""
		}
	}
	for _, p := range pods {
		states = append(states, fmt.Sprintf("Pod %s is %s, %d of %d containers ready", p.Name, p.Status, p.Ready, p.Total))
		if len(states) == mostStates {
			break
		}
	}
	return strings.Join(states, "; ")
}
