package probes

import (
	"fmt"
	"net"
	"strconv"

	"podpath/kube"
	"podpath/probes/path"
	"podpath/tui/intent"
	"podpath/tui/menu"
)

// Ask returns the menu of what can be probed about what p was pressed on.
func Ask(of intent.Probe) menu.Open {
	return menu.Open{Title: "Probe " + name(of), Choices: func(s *kube.Snapshot) []menu.Choice {
		switch {
		case of.Endpoint != "":
			return endpointChoices(s, of)
		case of.Of.Resource == kube.Pods:
			return podChoices(s, of.Of.Key)
		case of.Of.Resource == kube.Services:
			return serviceChoices(s, of.Of.Key)
		default:
			return nodeChoices(s, of.Of.Name)
		}
	}}
}

func name(of intent.Probe) string {
	if of.Endpoint != "" {
		return of.Endpoint
	}
	return of.Of.Name
}

// word writes an object as a source or target: without its namespace where
// podpath looks at that one only.
func word(s *kube.Snapshot, kind string, k kube.Key) string {
	if k.Namespace == s.Scope.Namespace {
		return kind + "/" + k.Name
	}
	return kind + "/" + k.String()
}

func podChoices(s *kube.Snapshot, k kube.Key) []menu.Choice {
	pod := word(s, "pod", k)
	choices := []menu.Choice{everythingAbout(pod, kube.Ref{Resource: kube.Pods, Key: k})}
	choices = append(choices, toChoices(pod, []string{pod})...)
	return append(choices,
		submenu("from it, to a Service …", "From this Pod to a Service that you choose next: by the rule of its kind, and to each of its endpoints.", "to which Service", func(s *kube.Snapshot) []menu.Choice {
			return servicesFrom(s, pod)
		}),
		submenu("from it, to a Pod …", "From this Pod to the TCP ports that a Pod declares, which you choose next.", "to which Pod", func(s *kube.Snapshot) []menu.Choice {
			return podsFrom(s, pod)
		}),
	)
}

func serviceChoices(s *kube.Snapshot, k kube.Key) []menu.Choice {
	svc := word(s, "svc", k)
	choices := []menu.Choice{everythingAbout(svc, kube.Ref{Resource: kube.Services, Key: k})}
	choices = append(choices, toChoices(svc, []string{svc})...)
	if object := s.Service(k); object != nil && len(object.ClusterIPs) > 0 && object.Counts.Ready > 1 {
		samples := path.SpreadSamples(object.Counts.Ready)
		if intent, ok := spreadOver(s, svc, k.Namespace, samples); ok {
			choices = append(choices, menu.Choice{
				Label:    fmt.Sprintf("who answers %d connections", samples),
				Explains: "From one Pod: is each endpoint used, and are the connections spread evenly?",
				Pick:     Start{Request{"who answers " + svc, intent}},
			})
		}
	}
	return choices
}

func endpointChoices(s *kube.Snapshot, of intent.Probe) []menu.Choice {
	target := of.Endpoint
	if _, port, err := net.SplitHostPort(of.Endpoint); err == nil && of.Of.Resource == kube.Pods {
		target = word(s, "pod", of.Of.Key) + ":" + port
	}
	return toChoices(target, []string{target})
}

func nodeChoices(s *kube.Snapshot, name string) []menu.Choice {
	node := "node/" + name
	choices := []menu.Choice{
		everythingAbout(node, kube.Ref{Resource: kube.Nodes, Key: kube.Key{Name: name}}),
		submenu("from it, to a Service …", "From the Node itself, not from a Pod on it, to a Service that you choose next.", "to which Service", func(s *kube.Snapshot) []menu.Choice {
			return servicesFrom(s, node)
		}),
		submenu("from it, to a Pod …", "From the Node itself, not from a Pod on it, to a Pod that you choose next.", "to which Pod", func(s *kube.Snapshot) []menu.Choice {
			return podsFrom(s, node)
		}),
	}
	var pods, ports []string
	for _, p := range s.Pods {
		if p.Node == name && path.Runs(p) && declaresTCP(p) {
			pods = append(pods, word(s, "pod", p.Key()))
		}
	}
	for _, svc := range s.Services {
		for _, sp := range svc.Ports {
			if sp.NodePort != 0 && sp.Protocol == "TCP" {
				ports = append(ports, node+":"+strconv.Itoa(sp.NodePort))
			}
		}
	}
	if len(pods) > 0 {
		choices = append(choices, fromEachNode("its Pods", "the Pods on "+name, pods))
	}
	if len(ports) > 0 {
		choices = append(choices, fromEachNode("its node ports", "the node ports of "+name, ports))
	}
	return choices
}

// toChoices are the ways to ask for a path to something.
func toChoices(title string, targets []string) []menu.Choice {
	return []menu.Choice{
		fromEachNode("it", title, targets),
		{
			Label: "to it, from podpath itself", Explains: "From the machine that podpath runs on. On a Node that sees Pods and Services; outside of the cluster it should not.",
			Pick: Start{Request{"local → " + title, path.Intent{Sources: []string{"local"}, Targets: targets}}},
		},
		submenu("to it, from a Pod …", "From a Pod that you choose next.", "from which Pod", func(s *kube.Snapshot) []menu.Choice {
			var choices []menu.Choice
			for _, p := range s.Pods {
				if source := word(s, "pod", p.Key()); path.Runs(p) {
					choices = append(choices, menu.Choice{Label: source, Explains: "on Node " + p.Node, Pick: Start{Request{source + " → " + title, path.Intent{Sources: []string{source}, Targets: targets}}}})
				}
			}
			return choices
		}),
	}
}

func fromEachNode(it, title string, targets []string) menu.Choice {
	return menu.Choice{
		Label: "to " + it + ", from one Pod on each Node", Explains: "Each Node has its own routes and rules, so that one Pod of each tells them apart.",
		Pick: Start{Request{"each Node → " + title, path.Intent{EachNode: true, Targets: targets}}},
	}
}

func everythingAbout(title string, ref kube.Ref) menu.Choice {
	return menu.Choice{
		Label: "everything about it", Explains: "What it needs and what leads to it: its paths, its Services by their kind, the spread, discovery. No other Pods are entered than that takes.",
		Pick: Start{Request{"everything about " + title, path.Intent{About: ref}}},
	}
}

func submenu(label, explains, title string, choices func(*kube.Snapshot) []menu.Choice) menu.Choice {
	return menu.Choice{Label: label, Explains: explains, Pick: menu.Open{Title: title, Choices: choices}}
}

func servicesFrom(s *kube.Snapshot, source string) []menu.Choice {
	var choices []menu.Choice
	for _, svc := range s.Services {
		target := word(s, "svc", svc.Key())
		choices = append(choices, menu.Choice{Label: target, Explains: string(svc.Kind), Pick: Start{Request{source + " → " + target, path.Intent{Sources: []string{source}, Targets: []string{target}}}}})
	}
	return choices
}

func podsFrom(s *kube.Snapshot, source string) []menu.Choice {
	var choices []menu.Choice
	for _, p := range s.Pods {
		if target := word(s, "pod", p.Key()); path.Runs(p) && declaresTCP(p) {
			choices = append(choices, menu.Choice{Label: target, Explains: "on Node " + p.Node, Pick: Start{Request{source + " → " + target, path.Intent{Sources: []string{source}, Targets: []string{target}}}}})
		}
	}
	return choices
}

func declaresTCP(p *kube.Pod) bool {
	for _, port := range p.Ports() {
		if port.Protocol == "TCP" {
			return true
		}
	}
	return false
}
