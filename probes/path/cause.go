package path

import (
	"slices"
	"strings"
)

// CauseCode names a cause. Codes are part of the JSON output, and anchors of
// docs/causes.md; they do not change.
type CauseCode string

// The causes of what is not as expected, by hop.
const (
	ExecDenied  CauseCode = "exec-denied"
	KubeletAway CauseCode = "kubelet-away"
	NoTools     CauseCode = "no-tools"
	SourceDown  CauseCode = "source-down"
	ExecFailed  CauseCode = "exec-failed"

	HostNetworkDNS      CauseCode = "host-network-dns"
	OtherDNSPolicy      CauseCode = "dns-policy"
	PolicyDeniesDNS     CauseCode = "policy-denies-dns"
	DNSDown             CauseCode = "dns-down"
	DNSLosesAAAA        CauseCode = "dns-loses-aaaa"
	ExternalNameAddress CauseCode = "external-name-address"
	ExternalNameUnknown CauseCode = "external-name-unknown"
	OtherDomain         CauseCode = "other-cluster-domain"
	PodNameElsewhere    CauseCode = "pod-name-elsewhere"
	PodNameMissing      CauseCode = "pod-name-missing"
	PodNameNotReady     CauseCode = "pod-name-not-ready"
	NoSuchMember        CauseCode = "no-such-member"
	NoSuchService       CauseCode = "no-such-service"
	NoSuchName          CauseCode = "no-such-name"

	NoSuchPort             CauseCode = "no-such-port"
	HeadlessPort           CauseCode = "headless-port"
	SelectorMatchesNothing CauseCode = "selector-matches-nothing"
	NoReadyEndpoint        CauseCode = "no-ready-endpoint"
	TargetPortMissing      CauseCode = "target-port-missing"
	ManualSliceMissing     CauseCode = "manual-slice-missing"
	SliceFQDN              CauseCode = "slice-fqdn"
	SlicePortName          CauseCode = "slice-port-name"
	SliceFamily            CauseCode = "slice-family"
	SliceClusterIP         CauseCode = "slice-cluster-ip"
	StaleSlice             CauseCode = "stale-slice"
	LoadBalancerPending    CauseCode = "load-balancer-pending"
	ExternalNowhere        CauseCode = "external-address-nowhere"
	IngressNoAddress       CauseCode = "ingress-no-address"
	IngressBackendMissing  CauseCode = "ingress-backend-missing"
	IngressNoRule          CauseCode = "ingress-no-rule"
	HostPortNotLed         CauseCode = "host-port-not-led"
	Hairpin                CauseCode = "hairpin"
	KubeProxy              CauseCode = "kube-proxy"
	ServiceDataplane       CauseCode = "service-dataplane"

	PolicyNotEnforced CauseCode = "policy-not-enforced"
	PolicyDeniesSome  CauseCode = "policy-denies-some"

	NoSuchAddress   CauseCode = "no-such-address"
	NodeNotReady    CauseCode = "node-not-ready"
	NodeUnreachable CauseCode = "node-unreachable"
	NodeCutOff      CauseCode = "node-cut-off"
	CrossNodeRoute  CauseCode = "cross-node-route"
	PodCutOff       CauseCode = "pod-cut-off"
	BigPacketsLost  CauseCode = "big-packets-lost"

	PodNotReady      CauseCode = "pod-not-ready"
	LoopbackOnly     CauseCode = "loopback-only"
	PodAddressOnly   CauseCode = "pod-address-only"
	IPv6Only         CauseCode = "ipv6-only"
	OtherProtocol    CauseCode = "other-protocol"
	SelectorTooBroad CauseCode = "selector-too-broad"
	WrongTargetPort  CauseCode = "wrong-target-port"
	NothingListens   CauseCode = "nothing-listens"
	NotListening     CauseCode = "not-listening"
	QueueFull        CauseCode = "accept-queue-full"
	DeadEndpoint     CauseCode = "dead-endpoint"

	SpeaksPlain         CauseCode = "speaks-plain"
	SpeaksTLS           CauseCode = "speaks-tls"
	SpeaksHTTP2         CauseCode = "speaks-http2"
	TLSRefused          CauseCode = "tls-refused"
	CertificateName     CauseCode = "certificate-name"
	CertificateExpired  CauseCode = "certificate-expired"
	CertificateUnknown  CauseCode = "certificate-unknown"
	AppHangs            CauseCode = "app-hangs"
	AppCloses           CauseCode = "app-closes"
	SpeaksOther         CauseCode = "speaks-other"
	RedirectLoop        CauseCode = "redirect-loop"
	StatusNotAsExpected CauseCode = "http-status"
)

// The causes of what is as it should be, though it may surprise.
const (
	PolicyDenies     CauseCode = "policy-denies"
	OutsideCluster   CauseCode = "outside-cluster"
	OutsideDNS       CauseCode = "outside-dns"
	InternalLocal    CauseCode = "internal-traffic-local"
	ExternalLocal    CauseCode = "external-traffic-local"
	SourceRanges     CauseCode = "source-ranges"
	TrafficHints     CauseCode = "traffic-hints"
	SRVPortUnnamed   CauseCode = "srv-port-unnamed"
	HeadlessNotReady CauseCode = "headless-not-ready"
	EnvPodOlder      CauseCode = "env-pod-older"
	EnvLinksOff      CauseCode = "env-links-off"
)

// Cause is why a check went as it did.
type Cause struct {
	Code CauseCode
	// Hop is where it lies.
	Hop HopKind
	// Summary is one sentence.
	Summary string
	// Evidence is what supports it.
	Evidence []Evidence
	// Next is what to do.
	Next Next
	// ByDesign is set when nothing is wrong.
	ByDesign bool
}

// Evidence is one thing that was seen.
type Evidence struct {
	// What was looked at: an address, an object.
	What string
	// Where it was looked at from, or its namespace; "" where that goes without saying.
	Where string
	// Seen is what was seen there.
	Seen string
	// Table is set for what a Pod's table of sockets shows.
	Table bool
}

// String writes 10.244.1.5:80 from pod/web: refused.
func (e Evidence) String() string {
	what := e.What
	switch {
	case e.Where == "":
	case strings.Contains(e.Where, "/") || e.Where == "local":
		what += " from " + e.Where
	default:
		what += " (" + e.Where + ")"
	}
	if e.Seen == "" {
		return what
	}
	return what + ": " + e.Seen
}

// Next is what to do next: a command to type, with a note, or a note alone.
type Next struct {
	Argv []string
	Note string
}

// Command is what can be typed, quoted for a shell; "" when Next is something
// to do.
func (n Next) Command() string {
	quoted := make([]string, len(n.Argv))
	for i, word := range n.Argv {
		quoted[i] = Quote(word)
	}
	return strings.Join(quoted, " ")
}

// String is the command, and the note behind it.
func (n Next) String() string {
	if n.Note == "" || len(n.Argv) == 0 {
		return n.Command() + n.Note
	}
	return n.Command() + "  " + n.Note
}

// Quote protects a word from the shell, if it needs that.
func Quote(word string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=@%+,", c)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// run is a command to type. What has no namespace is looked for in all.
func run(note string, argv ...string) Next {
	for i := 0; i+1 < len(argv); i++ {
		if argv[i] == "-n" && argv[i+1] == "" {
			argv = slices.Concat(argv[:i], []string{"-A"}, argv[i+2:])
		}
	}
	return Next{argv, note}
}

// advise is something to do that is no one command.
func advise(note string) Next { return Next{Note: note} }
