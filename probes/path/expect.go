package path

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"podpath/kube"
)

// hopRule is what a hop makes of a request by the objects.
type hopRule struct {
	hop HopKind
	Expectation
}

// expect derives what should be observed of a request from its hops, before
// anything is sent: the first hop that it should not pass decides, and where
// one is not known, nothing is expected.
func (w *World) expect(c Check) Expectation {
	rules := w.rules(c)
	e := w.decided(c, rules)
	if e.Hop == Name && e.Outcome == Any && len(rules) > 1 {
		behind := w.decided(c, rules[1:])
		e.Behind = &behind
	}
	return e
}

// decided draws the conclusion from rules.
func (w *World) decided(c Check, rules []hopRule) Expectation {
	var unknown, decisive *Expectation
	for _, rule := range rules {
		e := rule.at(rule.hop)
		switch e.Outcome {
		case Blocked:
			if unknown == nil {
				return e
			}
		case Any:
			if unknown == nil {
				unknown = &e
			}
		case Reached:
			if decisive == nil || rule.hop == Translate && c.Path.Virtual() || rule.hop == Cross && !c.Path.Virtual() || rule.hop == Listen && !w.Pod(c.Path.Pod).IsReady {
				decisive = &e
			}
		}
	}
	switch {
	case unknown != nil:
		return *unknown
	case decisive == nil: // a question that no rule is about
		return reached("you asked for it")
	default:
		return *decisive
	}
}

// rules are those of the hops of a request, in their order.
func (w *World) rules(c Check) []hopRule {
	var out []hopRule
	if c.Path.Name.Text != "" {
		out = append(out, hopRule{Name, w.ruleOfName(c.Source, c.Path.Name, c.Asked)})
	}
	if c.Kind == DNS {
		return out
	}
	out = append(out, hopRule{Translate, w.ruleOfTranslation(c.Source, c.Path)})
	if c.Path.Entry == AtIngress {
		return out // policies see the controller, not the source
	}
	leave, enter := w.policies(c)
	out = append(out, hopRule{Leave, leave}, hopRule{Cross, w.ruleOfCrossing(c)}, hopRule{Enter, enter})
	if pod := w.Pod(c.Path.Pod); pod != nil && !c.Path.Virtual() {
		out = append(out, hopRule{Listen, w.ruleOfListening(pod, c.Asked)})
	}
	return out
}

// ruleOfCrossing is the rule for addresses themselves: every Pod reaches every
// other one without translation (the Kubernetes network model), and so does
// every Node.
func (w *World) ruleOfCrossing(c Check) Expectation {
	pod := w.Pod(c.Path.Pod)
	switch {
	case c.Path.Virtual():
		return reached("a Service answers on its virtual address for one of its endpoints")
	case pod == nil && c.Path.Entry == AtEndpoint:
		if e, ok := w.outside(c.Source, "Pod addresses"); ok {
			return e
		}
		return reached("an EndpointSlice says that this endpoint is ready")
	case pod == nil || c.Path.AtNode():
		return reached("you asked for it")
	case c.Source.Kind == FromPod && c.Source.Pod == c.Path.Pod && loopback(c.Ask.Host):
		return reached("the containers of a Pod share one network: localhost is the same for all")
	case c.Source.Kind == FromPod && c.Source.Pod == c.Path.Pod:
		return reached("a Pod reaches itself")
	}
	if e, ok := w.outside(c.Source, "Pod addresses"); ok {
		return e
	}
	switch from := w.Pod(c.Source.Pod); {
	case from == nil || from.HostNetwork:
		return reached("every Node reaches every ready Pod")
	case w.PoliciesUnknown:
		return reached("every Pod reaches every ready Pod, unless a NetworkPolicy denies it; podpath may not list those")
	default:
		return reached("every Pod reaches every ready Pod, and no NetworkPolicy denies it")
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

const nodesMayPass = "; a Node may be let through all the same"

// policies are what NetworkPolicies say of a request at both ends. Where it may
// come to several endpoints, all of them must be denied.
func (w *World) policies(c Check) (leave, enter Expectation) {
	fine := reached("no NetworkPolicy denies it")
	ends := w.traffics(c)
	if len(ends) == 0 {
		return fine, fine
	}
	walk := func(look func(traffic) PolicyWalk) Expectation {
		denied := 0
		var worst PolicyWalk
		for _, t := range ends {
			if p := look(t); p.Ruling == Denied || p.Ruling == Depends && len(p.Limits) > 0 {
				denied++
				if worst.Ruling != Denied {
					worst = p
				}
			}
		}
		from := w.Pod(c.Source.Pod)
		switch {
		case denied == 0:
			return fine
		case from == nil || from.HostNetwork:
			return either(worst.Why + nodesMayPass)
		case c.Path.Entry.outer():
			return either(worst.Why + "; on the way through a Node or a load balancer it may look as if it came from there")
		case denied < len(ends):
			return either(worst.Why + "; other endpoints of the Service are permitted")
		case worst.Ruling == Depends:
			return either(worst.Why)
		}
		return blocked(PolicyDenies, worst.Why, run("", "kubectl", "describe", "networkpolicy", "-n", worst.Limits[0].Namespace))
	}
	return walk(w.leave), walk(w.enter)
}

// traffics are what policies see of a request: one for each endpoint that it
// may come to.
func (w *World) traffics(c Check) []traffic {
	t := w.sent(c.Source, c.Kind)
	if c.Path.Virtual() || c.Path.Entry == AtHeadless && c.Path.Pod.Name == "" {
		var out []traffic
		for _, e := range w.ends(c.Source, c.Path, c.Ask) {
			end := t
			end.to, end.toIP, end.port = w.podBehind(c.Path.Service, e), e.Address, e.Port
			if c.Path.Entry == AtHeadless {
				end.port = c.Ask.Port
			}
			out = append(out, end)
		}
		return out
	}
	t.to, t.toIP, t.port = w.Pod(c.Path.Pod), c.Ask.Host, w.inPod(c)
	switch _, err := netip.ParseAddr(c.Ask.Host); {
	case t.from != nil && t.from == t.to:
		return nil
	case err != nil && t.to == nil:
		return nil // a name outside of the cluster: its address is not known yet
	case t.to != nil:
		t.toIP = t.to.IP()
	}
	return []traffic{t}
}

// envTime is how long before its start a container's variables may be made up:
// it takes a Raspberry Pi that long to make a container.
const envTime = 2 * time.Second

// restarted reports whether the containers of a Pod may have started at
// different times.
func restarted(p *kube.Pod) bool {
	apps := 0
	for _, c := range p.Containers {
		if c.Kind == kube.AppContainer || c.Kind == kube.SidecarContainer {
			apps++
		}
	}
	return apps > 1
}

// expectEnv is the rule for the variables that a container finds a Service by:
// it has them when the Service was there before the container started.
func expectEnv(p *kube.Pod, svc *kube.Service, values []string) Expectation {
	switch started := p.Started.Truncate(time.Second); {
	case p.Started.IsZero():
		return either("it is not known when the container started")
	case !p.EnableServiceLinks:
		return blocked(EnvLinksOff, fmt.Sprintf("Pod %s has enableServiceLinks: false, so it gets no variables for Services", p.Name), describe(svc))
	case restarted(p) && svc.Created.After(p.Created) && svc.Created.Before(started):
		return either("the Service was made before one container of the Pod started, and after another one did")
	case svc.Created.After(started):
		return blocked(EnvPodOlder, fmt.Sprintf("Pod %s started before Service %s was made; a container gets the variables of those Services that are there when it starts", p.Name, svc.Name),
			advise("restart the Pod, or use the DNS name "+svc.Name))
	case started.Sub(svc.Created) <= envTime:
		return either("the Service was made when the container was about to start")
	}
	return Expectation{Outcome: Reached, Why: "a container gets the variables of the Services of its namespace that are there when it starts", Values: values}
}

// expectHeadless is the rule for the DNS name of a headless Service: an
// address for each ready endpoint, or for all with publishNotReadyAddresses.
func expectHeadless(svc *kube.Service) Expectation {
	var values []string
	missing, four := 0, addressType(svc) == "A"
	for _, e := range svc.Endpoints {
		if a, err := netip.ParseAddr(e.Address); err != nil || a.Is4() != four {
			continue
		}
		if e.Ready {
			values = append(values, e.Address)
		} else if !e.Terminating {
			missing++
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	e := Expectation{Outcome: Reached, Why: "the name of a headless Service has an address for each ready endpoint", Values: values, Hop: Name}
	for _, sp := range svc.Ports {
		if at := translated(svc, sp); at != 0 && at != sp.Port {
			e.Cause = &Cause{Code: HeadlessPort, Hop: Translate, Summary: headlessPortSays(svc, sp, at), ByDesign: true, Next: describe(svc)}
		}
	}
	if missing > 0 {
		why := fmt.Sprintf("%d not ready endpoints of %s are left out of its name: publishNotReadyAddresses is false", missing, svc.Name)
		e.Cause = &Cause{Code: HeadlessNotReady, Hop: Name, Summary: why, ByDesign: true, Next: run("", "kubectl", "get", "pods", "-n", svc.Namespace, "-l", svc.Selector.String())}
		if len(values) == 0 {
			e.Outcome, e.Values, e.Why = Blocked, nil, why
		}
	}
	return e
}
