package probes

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
	"podpath/probes/launch"
)

// CauseCode names a cause. Codes are part of the JSON output, and anchors of
// docs/causes.md; they do not change.
type CauseCode string

// The causes of what is not as expected.
const (
	SelectorMatchesNothing CauseCode = "selector-matches-nothing"
	NoReadyEndpoint        CauseCode = "no-ready-endpoint"
	TargetPortMissing      CauseCode = "target-port-missing"
	ManualSliceMissing     CauseCode = "manual-slice-missing"
	LoadBalancerPending    CauseCode = "load-balancer-pending"
	WrongTargetPort        CauseCode = "wrong-target-port"
	LoopbackOnly           CauseCode = "loopback-only"
	NotListening           CauseCode = "not-listening"
	DeadEndpoint           CauseCode = "dead-endpoint"
	KubeProxy              CauseCode = "kube-proxy"
	ServiceDataplane       CauseCode = "service-dataplane"
	CrossNodeRoute         CauseCode = "cross-node-route"
	NodeNotReady           CauseCode = "node-not-ready"
	DNSDown                CauseCode = "dns-down"
	IngressBackendMissing  CauseCode = "ingress-backend-missing"
	IngressNoAddress       CauseCode = "ingress-no-address"
	PolicyNotEnforced      CauseCode = "policy-not-enforced"
	ExternalNameUnknown    CauseCode = "external-name-unknown"
	NoSuchService          CauseCode = "no-such-service"
	ExecDenied             CauseCode = "exec-denied"
	KubeletAway            CauseCode = "kubelet-away"
	NoTools                CauseCode = "no-tools"
)

// The causes of what is as it should be, though it may surprise.
const (
	PolicyDenies     CauseCode = "policy-denies"
	OutsideCluster   CauseCode = "outside-cluster"
	OutsideDNS       CauseCode = "outside-dns"
	InternalLocal    CauseCode = "internal-traffic-local"
	ExternalLocal    CauseCode = "external-traffic-local"
	SRVPortUnnamed   CauseCode = "srv-port-unnamed"
	HeadlessNotReady CauseCode = "headless-not-ready"
	EnvPodOlder      CauseCode = "env-pod-older"
	EnvLinksOff      CauseCode = "env-links-off"
)

// Cause is why a check went as it did.
type Cause struct {
	Code CauseCode
	// Summary is one sentence.
	Summary string
	// Evidence is what supports it, a line each.
	Evidence []string
	// Next is the command to type next, or what to do.
	Next string
	// ByDesign is set when nothing is wrong.
	ByDesign bool
}

// Command is what of Next can be typed: what explains it stands behind two
// spaces. It is "" when Next is something to do.
func (c *Cause) Command() string {
	command, _, _ := strings.Cut(c.Next, "  ")
	if strings.HasPrefix(command, "kubectl ") || strings.HasPrefix(command, "podpath ") {
		return command
	}
	return ""
}

// evidence is what was looked at after the checks, because some failed.
type evidence struct {
	// listeners are the listening sockets in a Pod.
	listeners map[kube.Key][]listener
	// proxies are the answers of kube-proxy's health check (port 10256), by
	// Node.
	proxies map[string]Observation
}

// findCauses gives each result the cause that the evidence supports best.
func findCauses(w *World, results []Result, e evidence) {
	all := index(w, results)
	for i := range results {
		k := kase{w, results[i], all, e}
		found := k.causes()
		if len(found) == 0 {
			continue
		}
		results[i].Cause = found[0]
		for _, c := range found[1:] {
			results[i].Others = append(results[i].Others, c.Code)
		}
	}
}

// causes returns what explains the result, the most specific first.
func (k kase) causes() []*Cause {
	switch k.Verdict {
	case Inconclusive:
		return some(k.blind())
	case Pass:
		return some(k.byDesign())
	case Skipped:
		return nil
	case Fail:
	}
	var found []*Cause
	for _, find := range []func(kase) *Cause{
		kase.policyNotEnforced, kase.nodeNotReady, kase.flagged, kase.ingressWithoutAddress, kase.ingressBackend, kase.dnsDown, kase.noSuchService, kase.externalName,
		kase.loopbackOnly, kase.deadEndpoint, kase.wrongTargetPort, kase.notListening, kase.crossNode, kase.throughEndpoints, kase.kubeProxy, kase.dataplane,
	} {
		if c := find(k); c != nil && !slices.ContainsFunc(found, func(f *Cause) bool { return f.Code == c.Code }) {
			found = append(found, c)
		}
	}
	return found
}

func some(c *Cause) []*Cause {
	if c == nil {
		return nil
	}
	return []*Cause{c}
}

// blind says why podpath could not look.
func (k kase) blind() *Cause {
	var failure *launch.Failure
	if k.Blind == nil || !errors.As(k.Blind, &failure) {
		return nil
	}
	c := &Cause{}
	for _, r := range failure.Refusals {
		c.Evidence = append(c.Evidence, kube.Clean(fmt.Sprintf("%s: %s", r.Rung, r.Why)))
	}
	switch {
	case failure.Code == launch.ExecDenied:
		c.Code, c.Next = ExecDenied, "podpath rbac probe  prints the rules to ask for"
		c.Summary = fmt.Sprintf("You may not run commands in %s, so that podpath cannot look from there.", k.Source.Label)
	case failure.Code == launch.NoTools && k.Source.Kind == FromNode:
		c.Code, c.Next = NoTools, "allow a Pod of podpath's own there with --allow-helper-pods, or run podpath on the Node"
		c.Summary = fmt.Sprintf("podpath does not run on %s, and no Pod in the Node's network has tools.", k.Source.Label)
	case failure.Code == launch.NoTools:
		c.Code, c.Next = NoTools, "allow an ephemeral container with --allow-ephemeral, or the prober in a container with --allow-upload"
		c.Summary = fmt.Sprintf("No container of %s has a tool that podpath could use.", k.Source.Label)
	case strings.Contains(failure.Error(), "does not reach the kubelet"):
		c.Code, c.Next = KubeletAway, "kubectl describe node "+k.Source.Node
		c.Summary = fmt.Sprintf("The API server does not reach the kubelet of Node %s.", k.Source.Node)
	default:
		return nil
	}
	return c
}

// byDesign explains a pass that may surprise: what is not reached, and should
// not be, or names that are left out.
func (k kase) byDesign() *Cause {
	if k.Expect.Cause == nil || k.Expect.Outcome == Any && k.Error == NoError {
		return nil
	}
	return k.Expect.Cause
}

func (k kase) policyNotEnforced() *Cause {
	if k.Expect.Outcome != Blocked || k.Expect.Cause == nil || k.Expect.Cause.Code != PolicyDenies {
		return nil
	}
	return &Cause{
		Code: PolicyNotEnforced, Summary: "A NetworkPolicy denies this, but it gets through: the cluster's network (CNI) does not enforce policies.",
		Evidence: []string{k.Expect.Why, "reached " + k.Address}, Next: "kubectl get pods -n kube-system  shows which network runs; flannel, for one, enforces none",
	}
}

func (k kase) nodeNotReady() *Cause {
	for _, name := range []string{k.About.Node, k.Source.Node} {
		if n := k.Node(name); n != nil && !n.Ready && lost(k.Error) {
			c := &Cause{Code: NodeNotReady, Summary: fmt.Sprintf("Node %s is not ready.", n.Name), Next: "kubectl describe node " + n.Name}
			for _, f := range n.Flags {
				c.Evidence = append(c.Evidence, f.Message)
			}
			return c
		}
	}
	return nil
}

// flagCauses are the causes that the objects themselves show.
var flagCauses = map[kube.FlagCode]CauseCode{
	kube.SelectorMatchesNoPod: SelectorMatchesNothing,
	kube.NoSelectorNoSlice:    ManualSliceMissing,
	kube.TargetPortMissing:    TargetPortMissing,
	kube.NoReadyEndpoint:      NoReadyEndpoint,
	kube.LoadBalancerPending:  LoadBalancerPending,
}

func (k kase) flagged() *Cause {
	svc := k.Service(k.About.Service)
	switch {
	case svc == nil || k.Error == NoError:
		return nil
	case k.Kind == DNS: // only a headless Service's name depends on its endpoints
		if svc.Kind != kube.Headless || k.Error != NXDomain && k.Error != NoData {
			return nil
		}
	case !k.About.Virtual || k.Kind != Status && len(endpointsOf(svc, k.About.Port)) > 0:
		return nil
	}
	next := map[kube.FlagCode]string{
		kube.SelectorMatchesNoPod: fmt.Sprintf("kubectl get pods -n %s --show-labels", svc.Namespace),
		kube.NoReadyEndpoint:      fmt.Sprintf("kubectl describe pods -n %s -l %s", svc.Namespace, svc.Selector),
	}
	var found *Cause
	for _, f := range svc.Flags {
		// What is pending only matters to what asks for the address.
		if pending := f.Code == kube.LoadBalancerPending; pending != (k.Kind == Status) {
			continue
		}
		if found == nil {
			found = &Cause{Code: flagCauses[f.Code], Summary: f.Message, Next: next[f.Code], Evidence: []string{fmt.Sprintf("%s: %s", k.Target, k.Error)}}
			if found.Next == "" {
				found.Next = fmt.Sprintf("kubectl describe service -n %s %s", svc.Namespace, svc.Name)
			}
		}
	}
	return found
}
