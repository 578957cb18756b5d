package path

import (
	"slices"
)

// Finding is an entry of the table of causes.
type Finding struct {
	Code CauseCode
	Hop  HopKind
	// Design is set for what is as it should be; the rules of the hops say it,
	// and nothing has to be found.
	Design bool
	// Why says why it stands before the next one.
	Why  string
	find func(kase) *Cause
}

// Findings are all causes, by hop. The first one whose evidence is there is
// the cause: what lies behind a broken hop is not reached.
func Findings() []Finding {
	return []Finding{
		{Code: ExecDenied, Hop: Look, find: kase.execDenied, Why: "who may not look has seen nothing of what follows"},
		{Code: SourceDown, Hop: Look, find: kase.sourceDown, Why: "nothing runs in what does not run"},
		{Code: NoTools, Hop: Look, find: kase.noTools, Why: "the ladder's own word"},
		{Code: KubeletAway, Hop: Look, find: kase.kubeletAway, Why: "the command did not even come to the Node"},
		{Code: ExecFailed, Hop: Look, find: kase.execFailed, Why: "the last reason why nothing runs there"},

		{Code: OutsideDNS, Hop: Name, Design: true},
		{Code: HostNetworkDNS, Hop: Name, find: kase.hostNetworkDNS, Why: "another server was asked: what it says of the name means nothing"},
		{Code: OtherDNSPolicy, Hop: Name, find: kase.dnsPolicy, Why: "the same, where the Pod says so itself"},
		{Code: PolicyDeniesDNS, Hop: Name, find: kase.policyDeniesDNS, Why: "the question did not leave the Pod: the server may be well"},
		{Code: "", Hop: Cross, find: kase.wayToServer, Why: "the question did not come to the server"},
		{Code: DNSLosesAAAA, Hop: Name, find: kase.dnsLosesAAAA, Why: "the server is well: it answers other questions"},
		{Code: DNSDown, Hop: Name, find: kase.dnsDown, Why: "without an answer nothing is known of the name"},
		{Code: ExternalNameAddress, Hop: Name, find: kase.externalNameAddress, Why: "it says why the name behind the alias cannot exist"},
		{Code: ExternalNameUnknown, Hop: Name, find: kase.externalNameUnknown, Why: "the alias is there, what it stands for is not"},
		{Code: OtherDomain, Hop: Name, find: kase.otherDomain, Why: "no name of another domain exists here, whatever stands before it"},
		{Code: PodNameElsewhere, Hop: Name, find: kase.podNameElsewhere, Why: "the Pod has a name, and it is known which"},
		{Code: PodNameNotReady, Hop: Name, find: kase.podNameNotReady, Why: "the Pod would have this very name"},
		{Code: PodNameMissing, Hop: Name, find: kase.podNameMissing, Why: "the Pod is there and has no name"},
		{Code: NoSuchPort, Hop: Name, find: kase.noSuchRecord, Why: "the Service is there, and has no record for such a port"},
		{Code: NoSuchMember, Hop: Name, find: kase.noSuchMember, Why: "the Service is there, the Pod is not"},
		{Code: NoSuchService, Hop: Name, find: kase.noSuchService, Why: "a name of the cluster lacks nothing else"},
		{Code: NoSuchName, Hop: Name, find: kase.noSuchName, Why: "it is no name of the cluster, and nobody else has it"},
		{Code: SRVPortUnnamed, Hop: Name, Design: true},
		{Code: HeadlessNotReady, Hop: Name, Design: true},
		{Code: EnvPodOlder, Hop: Name, Design: true},
		{Code: EnvLinksOff, Hop: Name, Design: true},

		{Code: OutsideCluster, Hop: Translate, Design: true},
		{Code: InternalLocal, Hop: Translate, Design: true},
		{Code: ExternalLocal, Hop: Translate, Design: true},
		{Code: SourceRanges, Hop: Translate, Design: true},
		{Code: TrafficHints, Hop: Translate, Design: true},
		{Code: IngressNoAddress, Hop: Translate, find: kase.ingressWithoutAddress, Why: "there is no address to send to"},
		{Code: LoadBalancerPending, Hop: Translate, find: kase.loadBalancerPending, Why: "the same for a Service"},
		{Code: ExternalNowhere, Hop: Translate, find: kase.externalNowhere, Why: "there is an address, and no Node that has it"},
		{Code: IngressNoRule, Hop: Translate, find: kase.ingressNoRule, Why: "no backend was chosen"},
		{Code: IngressBackendMissing, Hop: Translate, find: kase.ingressBackend, Why: "the backend that was chosen does not exist"},
		{Code: NoSuchPort, Hop: Translate, find: kase.noSuchPort, Why: "endpoints count for ports that there are"},
		{Code: HeadlessPort, Hop: Translate, find: kase.headlessPort, Why: "the endpoints are asked at a port that nobody gave them"},
		{Code: SelectorMatchesNothing, Hop: Translate, find: kase.selectorMatchesNothing, Why: "no Pod, so no endpoint and no port"},
		{Code: TargetPortMissing, Hop: Translate, find: kase.targetPortMissing, Why: "the Pods may be ready and still have no such port"},
		{Code: NodeNotReady, Hop: Translate, find: kase.nodeOfAllNotReady, Why: "the Node is why its Pods are not ready"},
		{Code: NoReadyEndpoint, Hop: Translate, find: kase.noReadyEndpoint, Why: "each Pod says why"},
		{Code: ManualSliceMissing, Hop: Translate, find: kase.manualSliceMissing, Why: "no slice at all"},
		{Code: SliceFQDN, Hop: Translate, find: kase.sliceFQDN, Why: "slices, but none that kube-proxy reads"},
		{Code: SlicePortName, Hop: Translate, find: kase.slicePortName, Why: "slices, but none with this port"},
		{Code: SliceFamily, Hop: Translate, find: kase.sliceFamily, Why: "slices with this port, but of the other family"},
		{Code: SliceClusterIP, Hop: Translate, find: kase.sliceClusterIP, Why: "an endpoint that cannot work, wherever it is dialed from"},
		{Code: StaleSlice, Hop: Translate, find: kase.staleSlice, Why: "an endpoint that is gone, before anybody is blamed for its silence"},
		{Code: HostPortNotLed, Hop: Translate, find: kase.hostPortNotLed, Why: "the Pod takes what comes, and nothing leads there"},

		{Code: PolicyDenies, Hop: Enter, Design: true},
		{Code: PolicyNotEnforced, Hop: Enter, find: kase.policyNotEnforced, Why: "it got through: nothing else is wrong"},
		{Code: PolicyDeniesSome, Hop: Enter, find: kase.policyDeniesSome, Why: "the other endpoints answer, as they may"},

		{Code: NoSuchAddress, Hop: Cross, find: kase.noSuchAddress, Why: "nobody has the address, so that no Node and no way is at fault"},
		{Code: NodeNotReady, Hop: Cross, find: kase.nodeNotReady, Why: "what runs on a lost Node is not at fault"},
		{Code: NodeUnreachable, Hop: Cross, find: kase.nodeUnreachable, Why: "the same, before its condition says so"},
		{Code: QueueFull, Hop: Listen, find: kase.queueFull, Why: "its silence has been looked at: packets arrive, and are dropped there"},
		{Code: NodeCutOff, Hop: Cross, find: kase.nodeCutOff, Why: "one Node is at fault, not the way between two"},
		{Code: CrossNodeRoute, Hop: Cross, find: kase.crossNode, Why: "all paths between two Nodes fail, so that no single Pod is at fault"},
		{Code: PodCutOff, Hop: Cross, find: kase.podCutOff, Why: "packets come to its Node, and no further"},

		{Code: PodNotReady, Hop: Listen, find: kase.podNotReady, Why: "it does not run yet, or any more: where it listens says nothing"},
		{Code: PodAddressOnly, Hop: Listen, find: kase.podAddressOnly, Why: "it listens there, and not where it was asked"},
		{Code: LoopbackOnly, Hop: Listen, find: kase.loopbackOnly, Why: "the same, the other way round"},
		{Code: IPv6Only, Hop: Listen, find: kase.ipv6Only, Why: "the same for the two families"},
		{Code: OtherProtocol, Hop: Listen, find: kase.otherProtocol, Why: "the port is right, TCP and UDP are not"},
		{Code: SelectorTooBroad, Hop: Listen, find: kase.selectorTooBroad, Why: "Pods of another kind do not listen there, and should not"},
		{Code: WrongTargetPort, Hop: Listen, find: kase.wrongTargetPort, Why: "it listens elsewhere"},
		{Code: NothingListens, Hop: Listen, find: kase.nothingListens, Why: "it listens nowhere"},
		{Code: "", Hop: Listen, find: kase.behind, Why: "a virtual address fails for the reason of the endpoint behind it"},
		{Code: DeadEndpoint, Hop: Listen, find: kase.deadEndpoint, Why: "one of several, for a reason that podpath cannot see"},
		{Code: NotListening, Hop: Listen, find: kase.notListening, Why: "it refuses, and podpath cannot look into it"},

		{Code: SpeaksTLS, Hop: Speak, find: kase.speaksTLS, Why: "it was asked in plain words, and answers in TLS"},
		{Code: SpeaksPlain, Hop: Speak, find: kase.speaksPlain, Why: "the other way round"},
		{Code: SpeaksHTTP2, Hop: Speak, find: kase.speaksHTTP2, Why: "it answers, in HTTP/2 only"},
		{Code: CertificateExpired, Hop: Speak, find: kase.certificateExpired, Why: "no client takes it, whatever its name"},
		{Code: CertificateName, Hop: Speak, find: kase.certificateName, Why: "it is for somebody else"},
		{Code: CertificateUnknown, Hop: Speak, find: kase.certificateUnknown, Why: "its issuer is not the one of --ca"},
		{Code: TLSRefused, Hop: Speak, find: kase.tlsRefused, Why: "the server gave up the handshake, and said why"},
		{Code: RedirectLoop, Hop: Speak, find: kase.redirectLoop, Why: "each answer leads to the same question"},
		{Code: StatusNotAsExpected, Hop: Speak, find: kase.status, Why: "it answered, and says itself that something is wrong"},
		{Code: BigPacketsLost, Hop: Cross, find: kase.bigPacketsLost, Why: "the app has answered, as its own Node has seen"},
		{Code: AppHangs, Hop: Speak, find: kase.appHangs, Why: "it took the request and says nothing"},
		{Code: AppCloses, Hop: Speak, find: kase.appCloses, Why: "it ends the connection"},
		{Code: SpeaksOther, Hop: Speak, find: kase.speaksOther, Why: "it says something that podpath does not understand"},

		{Code: Hairpin, Hop: Translate, find: kase.hairpin, Why: "only the way back to itself fails: kube-proxy does its work"},
		{Code: KubeProxy, Hop: Translate, find: kase.kubeProxy, Why: "all endpoints answer, and other Nodes lead to them"},
		{Code: ServiceDataplane, Hop: Translate, find: kase.dataplane, Why: "all endpoints answer, and nothing leads to them: nothing nearer explains it"},
	}
}

// Explain gives each result the cause that the evidence supports best, and the
// verdict that follows from it: what is by design is no failure, unless it was
// asked for.
func Explain(w *World, results []Result, looks Looks) {
	all := index(w, results, looks.Compared)
	findings := Findings()
	for _, list := range [][]Result{looks.Compared, results} {
		for i := range list {
			kase{w, list[i], all, looks}.explain(findings, &list[i])
		}
	}
	for i := range results {
		results[i].Beside = kase{w, results[i], all, looks}.beside()
	}
}

// explain notes the verdict and the cause of one result.
func (k kase) explain(findings []Finding, r *Result) {
	k.Verdict, k.Expect = k.settle(), k.Expect.met(k.Observation)
	found := k.causes(findings)
	r.Verdict, r.Expect, r.Others, r.Unexplained = k.Verdict, k.Expect, nil, false
	if len(found) == 0 {
		return
	}
	r.Cause = found[0]
	if found[0].ByDesign && r.Verdict == Fail && !r.Asked {
		r.Verdict = Pass
	}
	for _, c := range found[1:] {
		r.Others = append(r.Others, c.Code)
	}
}

// beside are the results of the endpoints behind what failed, or was asked for.
func (k kase) beside() []Result {
	svc, port, ok := k.servicePort()
	if !ok || !k.Path.Virtual() && k.Path.Entry != AtHeadless || !k.Asked && k.Verdict != Fail {
		return nil
	}
	var out []Result
	for _, r := range k.siblings(svc, port) {
		out = append(out, *r)
	}
	return out
}

// causes returns what explains the result, the first one first.
func (k kase) causes(findings []Finding) []*Cause {
	switch {
	case k.Verdict == Pass:
		return some(k.byDesign())
	case k.Verdict == Skipped:
		return nil
	case k.Verdict == Inconclusive && k.Blind == nil:
		return some(k.undecided())
	}
	var found []*Cause
	for _, f := range findings {
		if f.Design || (f.Hop == Look) != (k.Blind != nil) {
			continue
		}
		c := f.find(k)
		if c == nil {
			continue
		}
		if c.Code == "" { // one that is taken over has its own
			c.Code, c.Hop = f.Code, f.Hop
		}
		if !slices.ContainsFunc(found, func(other *Cause) bool { return other.Code == c.Code }) {
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

// byDesign explains a pass that may surprise: what is not reached, and should
// not be, or names that are left out.
func (k kase) byDesign() *Cause {
	if k.Expect.Cause == nil || k.Expect.Outcome == Any && k.Error == NoError {
		return nil
	}
	return k.Expect.Cause
}

// undecided is what a check that says nothing has: the reason why, if one is
// known.
func (k kase) undecided() *Cause { return k.Expect.Cause }
