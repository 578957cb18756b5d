package path

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// to reports checks that dial an address of a Pod directly, or ask its own
// localhost.
func to(c Check, pod string) bool {
	return c.Kind == TCP && !c.Path.Virtual() && c.Path.Pod.Name == pod
}

// vip reports checks of the Service's virtual address.
func vip(c Check) bool { return c.Path.Virtual() && c.Kind == TCP }

// proxies are answers of kube-proxy's health check.
func proxies(answers ...ErrorKind) Looks {
	looks := Looks{Proxies: map[string]Observation{}}
	for i, kind := range answers {
		looks.Proxies[fmt.Sprintf("raspi00%d", i+1)] = Observation{Error: kind, Address: "x:10256"}
	}
	return looks
}

func TestCausesInTheNetworkAreToldApart(t *testing.T) {
	seen := clusters{}
	deadPod := func(kind ErrorKind) fate {
		return func(c Check) ErrorKind {
			if to(c, "web-2") || vip(c) && c.Source.Node == "raspi003" || c.Kind == Spread {
				return kind
			}
			return NoError
		}
	}
	crossNode := func(c Check) ErrorKind {
		if c.Source.Node == "raspi002" && to(c, "web-3") || vip(c) && c.Source.Node == "raspi002" || c.Source.Node == "raspi003" && (to(c, "web-1") || to(c, "web-2")) {
			return TimedOut
		}
		return NoError
	}
	down := func(node string) fate {
		return func(c Check) ErrorKind {
			if c.Source.Node == node || c.Path.Node == node || vip(c) && c.Source.Node == "raspi001" {
				return Unreachable
			}
			return NoError
		}
	}
	vipFrom := func(nodes ...string) fate {
		return func(c Check) ErrorKind {
			if vip(c) && strings.Contains(strings.Join(nodes, " "), c.Source.Node) {
				return TimedOut
			}
			return NoError
		}
	}
	everyPod := func(c Check) ErrorKind {
		if to(c, c.Path.Pod.Name) || vip(c) {
			return Refused
		}
		return NoError
	}
	notLocalhost := func(c Check) ErrorKind {
		if c.Ask.Host == "127.0.0.1" {
			return NoError
		}
		return everyPod(c)
	}
	oneNotLocalhost := func(c Check) ErrorKind {
		if to(c, "web-2") && c.Ask.Host != "127.0.0.1" {
			return Refused
		}
		return NoError
	}
	for name, test := range map[string]struct {
		what  fate
		looks Looks
		want  CauseCode
	}{
		"an endpoint refuses, nothing listens":         {deadPod(Refused), all("0.0.0.0:6379"), NothingListens},
		"an endpoint refuses, listeners unknown":       {deadPod(Refused), Looks{}, DeadEndpoint},
		"an endpoint hangs":                            {deadPod(TimedOut), Looks{}, DeadEndpoint},
		"an endpoint hangs, proxies are well":          {deadPod(TimedOut), proxies(NoError, NoError, NoError), DeadEndpoint},
		"no way between two Nodes":                     {crossNode, Looks{}, CrossNodeRoute},
		"no way between two Nodes, proxies are well":   {crossNode, proxies(NoError, NoError, NoError), CrossNodeRoute},
		"kube-proxy on one Node":                       {vipFrom("raspi002"), Looks{}, KubeProxy},
		"kube-proxy on one Node, its check says so":    {vipFrom("raspi002"), proxies(NoError, Refused, NoError), KubeProxy},
		"kube-proxy on the master":                     {vipFrom("raspi001"), Looks{}, KubeProxy},
		"Services fail everywhere":                     {vipFrom("raspi001", "raspi002", "raspi003"), proxies(NoError, NoError, NoError), ServiceDataplane},
		"Services fail everywhere, without kube-proxy": {vipFrom("raspi001", "raspi002", "raspi003"), proxies(Refused, Refused, Refused), ServiceDataplane},
		"the app listens elsewhere":                    {everyPod, all("0.0.0.0:8080", "[::]:6379"), WrongTargetPort},
		"nothing listens at all":                       {everyPod, all(), NothingListens},
		"every app is bound to localhost":              {notLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"one app is bound to localhost":                {oneNotLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"every Pod refuses, though it listens":         {everyPod, all("0.0.0.0:80"), ""},
		"every Pod refuses, listeners unknown":         {everyPod, Looks{}, NotListening},
	} {
		w := seen.onMaster(t)
		named(t, name, w, simulate(w, w.Plan(Groups...), test.what, test.looks), test.want)
	}
	w := onMaster(t)
	notReady(t, w, "raspi003")
	named(t, "a Node is down", w, simulate(w, w.Plan(Paths, Services), down("raspi003"), Looks{}), NodeNotReady)
	refuses := func(c Check) ErrorKind {
		if to(c, "web-3") {
			return Refused
		}
		return NoError
	}
	dialed := slices.DeleteFunc(w.Plan(Paths, Services), func(c Check) bool { return c.Kind == Status })
	named(t, "on a Node that is not ready an app refuses", w, simulate(w, dialed, refuses, Looks{}), DeadEndpoint)
}

func TestCausesAreFoundInSmallPlans(t *testing.T) {
	seen := clusters{}
	only := func(kind ErrorKind, pods string) fate {
		return func(c Check) ErrorKind {
			if c.Path.Pod.Name != "" && strings.Contains(pods, c.Path.Pod.Name) || vip(c) && pods == "" || c.Kind == Spread {
				return kind
			}
			return NoError
		}
	}
	for name, test := range map[string]struct {
		count  int
		target string
		what   fate
		looks  Looks
		want   CauseCode
	}{
		"a Service, one endpoint dead":       {0, "svc/web", only(Refused, "web-2"), Looks{}, DeadEndpoint},
		"a spread, one endpoint dead":        {120, "svc/web", only(Refused, "web-2"), Looks{}, DeadEndpoint},
		"a Service, the way to one is lost":  {0, "svc/web", only(TimedOut, "web-2"), Looks{}, DeadEndpoint},
		"a Service, its proxy is dead":       {0, "svc/web", only(TimedOut, ""), proxies("", Refused), KubeProxy},
		"a Service, its proxy is well":       {0, "svc/web", only(TimedOut, ""), proxies("", NoError), ServiceDataplane},
		"a Pod alone refuses":                {0, "pod/web-2:81", only(Refused, "web-2"), all("0.0.0.0:80"), WrongTargetPort},
		"a Pod alone is not reached":         {0, "pod/web-3:80", only(TimedOut, "web-3"), Looks{}, ""},
		"a Pod alone is reached by the way":  {0, "pod/web-2:80", only(ResetByPeer, "web-2"), Looks{}, AppCloses},
		"a Service, all endpoints are away":  {0, "svc/web", only(TimedOut, "web-1 web-2 web-3"), Looks{}, ""},
		"a Service, all listen on localhost": {0, "svc/web", only(Refused, "web-1 web-2 web-3"), all("[::1]:80"), LoopbackOnly},
	} {
		w := seen.onMaster(t)
		named(t, name, w, simulate(w, planWith(t, w, PlanOptions{Count: test.count}, "pod/web-1", test.target), test.what, test.looks), test.want)
	}
}

func TestNearMissesAreNotNamedForServices(t *testing.T) {
	w := onMaster(t, manifest.Service("lb", `type: LoadBalancer, clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "loadBalancer: {ingress: [{ip: 203.0.113.9}]}"), manifest.WebSlice("lb"))
	named(t, "the load balancer alone fails", w, simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.Ask.Host == "203.0.113.9" {
			return TimedOut
		}
		return NoError
	}, proxies(Refused, Refused, Refused)), "")
	named(t, "a NodePort alone fails", w, simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.Path.Entry == AtNodePort && c.Path.Node == "raspi001" {
			return TimedOut
		}
		return NoError
	}, proxies(NoError, NoError, NoError)), "")
	single := lookAt(t, "shop", manifest.Nodes(), manifest.Pod{Name: "web-1", Node: "raspi002", IPs: []string{"10.244.1.5"}, App: "web"}.YAML(), manifest.Pod{Name: "web-2", Node: "raspi002", IPs: []string{"10.244.1.6"}}.YAML(),
		manifest.Service("web", `clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`, ""),
		manifest.Slice("web", "http", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002")))
	single.LocalNode = "raspi001"
	checks := append(planFor(t, single, "pod/web-1", "svc/web"), append(planFor(t, single, "pod/web-2", "svc/web"), planFor(t, single, "local", "svc/web")...)...)
	named(t, "a Pod does not reach itself through its Service (hairpin)", single, simulate(single, checks, func(c Check) ErrorKind {
		if vip(c) && c.Source.Pod.Name == "web-1" {
			return TimedOut
		}
		return NoError
	}, Looks{}), Hairpin)
}

func TestManyFailuresAreExplainedInTime(t *testing.T) {
	w := farm(t, 100, func(i int) string { return fmt.Sprintf("ReplicaSet/x-%d", i) })
	var checks []Check
	for _, p := range w.Pods {
		for _, q := range w.Pods {
			checks = append(checks, Check{
				ID: p.Name + " " + q.Name, Source: w.podSource(p), Target: q.Name, Kind: TCP, Ask: Ask{Host: q.IP(), Port: 80},
				Expect: reached(""), Path: Path{Pod: q.Key(), Node: q.Node},
			})
		}
	}
	began := time.Now()
	simulate(w, checks, func(Check) ErrorKind { return TimedOut }, Looks{})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v for %d failures, want little", took, len(checks))
	} else {
		t.Logf("%d failures in %v", len(checks), took)
	}
}

// single is a Service x with one endpoint, Pod web-1 on raspi002.
var single = []string{
	manifest.Service("x", clusterIP+`selector: {app: web}, ports: [{name: http, port: 8080, targetPort: 80, protocol: TCP}]`, ""),
	manifest.Slice("x", "http", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002")),
}

func TestAPodThatDoesNotReachItselfThroughItsService(t *testing.T) {
	vipOnly := failsAt(TimedOut, "10.96.0.9", "x")
	symptoms(t, map[string]symptom{
		"it is the only endpoint":         {docs: single, from: "pod/web-1", to: "svc/x", comes: vipOnly, want: Hairpin, says: "Pod web-1 does not reach itself through its own Service x"},
		"the same, by its name":           {docs: single, from: "pod/web-1", to: "http://x:8080/", comes: vipOnly, want: Hairpin},
		"another Pod does not either":     {docs: single, to: "svc/x", comes: vipOnly, want: ServiceDataplane},
		"it does not reach itself at all": {docs: single, from: "pod/web-1", to: "svc/x", comes: fails(TimedOut), want: ""},
		"it reaches localhost only":       {docs: single, from: "pod/web-1", to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9", "10.244.1.5"), want: ""},
		"it is refused":                   {docs: single, from: "pod/web-1", to: "svc/x", comes: failsAt(Refused, "10.96.0.9"), want: ServiceDataplane},
		"others are endpoints, too":       {from: "pod/web-1", to: "svc/web", comes: failsAt(TimedOut, "10.96.0.7"), want: ServiceDataplane},
		"kube-proxy there is not well":    {docs: single, from: "pod/web-1", to: "svc/x", comes: vipOnly, looks: proxies(NoError, Refused, NoError), want: KubeProxy},
		"it answers itself late":          {docs: single, from: "pod/web-1", to: "http://x:8080/", comes: speaks(Observation{Stage: StageRequest, Error: TimedOut}), want: AppHangs},
	})
}

func TestNodesThatAreAway(t *testing.T) {
	const pod, kubelet = "10.244.1.5", "198.51.100.12"
	symptoms(t, map[string]symptom{
		"its condition says so":           {change: func(w *World) { notReady(t, w, "raspi002") }, to: "pod/web-1:80", comes: fails(TimedOut), want: NodeNotReady, says: "Node raspi002 is not ready"},
		"the source's says so":            {change: func(w *World) { notReady(t, w, "raspi003") }, to: "pod/web-1:80", comes: fails(TimedOut), want: NodeNotReady, says: "Node raspi003 is not ready"},
		"another one's says so":           {change: func(w *World) { notReady(t, w, "raspi001") }, to: "pod/web-1:80", comes: failsAt(TimedOut, pod), want: ""},
		"it says so, and the Pod refuses": {change: func(w *World) { notReady(t, w, "raspi002") }, to: "pod/web-1:80", comes: fails(Refused), want: NotListening},
		"its kubelet does not answer":     {to: "pod/web-1:80", comes: failsAt(TimedOut, pod, kubelet), want: NodeUnreachable, says: "Node raspi002 does not answer"},
		"the same, by an address":         {to: "http://10.244.1.5/", comes: failsAt(Unreachable, pod, kubelet), want: NodeUnreachable},
		"the same, through a Service":     {docs: single, to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9", pod, kubelet), want: NodeUnreachable},
		"its kubelet refuses":             {to: "pod/web-1:80", comes: fate(func(c Check) ErrorKind { return map[string]ErrorKind{pod: TimedOut, kubelet: Refused}[c.Ask.Host] }).meets, want: ""},
		"its kubelet answers":             {to: "pod/web-1:80", comes: failsAt(TimedOut, pod), want: ""},
		"the source may not ask a kubelet": {change: func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", onPort(kube.PolicyPort{Port: 80}))}
		}, to: "pod/web-1:80", comes: failsAt(TimedOut, pod, kubelet), want: ""},
		"it is the source's own": {from: "pod/web-2", to: "pod/web-1:80", comes: failsAt(TimedOut, pod, kubelet), want: ""},
	})
}

func TestWaysBetweenNodesThatAreCut(t *testing.T) {
	on := func(node string) fate { // all paths of Pods to and from a Node fail, those within it work
		return func(c Check) ErrorKind {
			to := c.Path.Node
			if c.Kind == TCP && !c.Path.Virtual() && c.Path.Pod.Name != "" && c.Source.Node != to && (c.Source.Node == node || to == node) {
				return TimedOut
			}
			return NoError
		}
	}
	w := onMaster(t, clientPod, manifest.Pod{Name: "first", Node: "raspi001", IPs: []string{"10.244.0.5"}, Owner: "DaemonSet/x"}.YAML())
	named(t, "one Node is cut off", w, simulate(w, w.Plan(Paths), on("raspi002"), Looks{}), NodeCutOff)
	dns := manifest.Service("dns", `clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{name: dns, port: 53, targetPort: 53, protocol: UDP}]`, "")
	servers := strings.Replace(manifest.Slice("dns", "dns", 53, manifest.Endpoint("", "10.244.1.77", "raspi002"), manifest.Endpoint("", "10.244.2.77", "raspi003")), "TCP", "UDP", 1)
	asking := onMaster(t, clientPod, dns, servers, manifest.Pod{Name: "first", Node: "raspi001", IPs: []string{"10.244.0.5"}, Owner: "DaemonSet/x"}.YAML())
	lookups := 0
	named(t, "lookups that come to a server there", asking, simulate(asking, asking.Plan(Paths, Discovery), func(c Check) ErrorKind {
		if c.Kind == DNS && c.Source.Label == "pod/client" {
			if lookups++; lookups%2 == 0 {
				return TimedOut
			}
		}
		return on("raspi002")(c)
	}, Looks{}), NodeCutOff)
	named(t, "two of three Nodes have no way", w, simulate(w, w.Plan(Paths), func(c Check) ErrorKind {
		if c.Source.Node == "raspi001" || c.Path.Node == "raspi001" {
			return NoError
		}
		return on("raspi002")(c)
	}, Looks{}), CrossNodeRoute)
	named(t, "within the Node it fails as well", w, simulate(w, w.Plan(Paths), func(c Check) ErrorKind {
		if c.Ask.Host != "127.0.0.1" && (c.Source.Node == "raspi002" || c.Path.Node == "raspi002") {
			return TimedOut
		}
		return NoError
	}, Looks{}), "")
	w.Engines = []string{"cilium.io"}
	named(t, "policies of another engine may be why", w, simulate(w, w.Plan(Paths), on("raspi002"), Looks{}), "")
}

func TestBigAnswersThatGetLost(t *testing.T) {
	hangs := func(where func(Check) bool) outcome {
		return func(c Check, o *Observation) {
			if c.Kind == HTTP && where(c) {
				o.Stage, o.Error, o.Detail = StageRequest, TimedOut, ""
			}
		}
	}
	fromElsewhere := func(c Check) bool { return c.Source.Node != "raspi002" }
	busy := listens("web-1", "0.0.0.0:80")
	busy.Sockets[key("shop/web-1")][0].Queue = 3
	symptoms(t, map[string]symptom{
		"on its own Node it is answered":   {docs: single, to: "http://x:8080/big", comes: hangs(fromElsewhere), want: BigPacketsLost, says: "the MTU is smaller"},
		"the same, by the Pod's address":   {to: "http://10.244.1.5/big", comes: hangs(fromElsewhere), want: BigPacketsLost},
		"nobody gets an answer":            {docs: single, to: "http://x:8080/big", comes: hangs(func(Check) bool { return true }), want: AppHangs},
		"it has not taken the connection":  {docs: single, to: "http://x:8080/big", comes: hangs(fromElsewhere), looks: busy, want: AppHangs},
		"the source is on the same Node":   {from: "pod/web-2", to: "http://10.244.1.5/big", comes: hangs(func(c Check) bool { return c.Source.Pod.Name == "web-2" }), want: AppHangs},
		"it does not even open":            {to: "http://10.244.1.5/big", comes: failsAt(TimedOut, "10.244.1.5"), want: ""},
		"an answer says that it is broken": {docs: single, to: "http://x:8080/big", comes: speaks(Observation{Stage: StageRequest, Error: BadStatus, Status: 500}), want: StatusNotAsExpected},
	})
}

// dnsServers is the DNS of a cluster, with a Pod on each of two Nodes.
const dnsServers = `
apiVersion: v1
kind: Service
metadata: {namespace: kube-system, name: kube-dns}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, targetPort: 53, protocol: UDP}, {name: dns-tcp, port: 53, targetPort: 53, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: kube-system, name: kube-dns-1, labels: {kubernetes.io/service-name: kube-dns}}
addressType: IPv4
ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: TCP}]
endpoints:
- {addresses: ["10.244.0.53"], nodeName: raspi001, targetRef: {kind: Pod, name: coredns-1, namespace: kube-system}}
- {addresses: ["10.244.1.53"], nodeName: raspi002, targetRef: {kind: Pod, name: coredns-2, namespace: kube-system}}
`

func TestLookupsThatDoNotComeToTheServer(t *testing.T) {
	coredns := func(name, node, ip string) string {
		return manifest.Pod{Namespace: "kube-system", Name: name, Node: node, IPs: []string{ip}, Ports: "{containerPort: 53, protocol: TCP}"}.YAML()
	}
	cluster := lookAt(t, "", manifest.Story(), clientPod, dnsServers, coredns("coredns-1", "raspi001", "10.244.0.53"), coredns("coredns-2", "raspi002", "10.244.1.53"))
	cluster.Home = "shop"
	lostTo := func(addresses ...string) outcome {
		return func(c Check, o *Observation) {
			if c.Kind == DNS || c.Path.Name.Text != "" {
				mute(TimedOut)(c, o)
			}
			if c.Source.Node == "raspi003" && slices.Contains(addresses, c.Ask.Host) {
				o.failed(c, TimedOut)
			}
		}
	}
	oneType := func(c Check, o *Observation) {
		lostTo("10.244.1.53")(c, o)
		if o.Stage == StageResolve && o.Error == TimedOut {
			o.Answers = []NameAnswer{{Name: "web.shop.svc.cluster.local.", Type: "A", Says: "10.96.0.7"}, {Name: "web.shop.svc.cluster.local.", Type: "AAAA", Error: TimedOut}}
		}
	}
	for name, test := range map[string]struct {
		comes  outcome
		looks  Looks
		want   CauseCode
		change func(*World)
	}{
		"there is no way to one of its Pods": {lostTo("10.244.1.53"), Looks{}, CrossNodeRoute, nil},
		"and the other one has answered":     {oneType, Looks{}, CrossNodeRoute, nil},
		"a Node with one of its Pods is away": {
			lostTo("10.244.1.53", "198.51.100.12"), Looks{}, NodeUnreachable, nil,
		},
		"kube-proxy does not lead there":     {lostTo(), proxies(NoError, NoError, Refused), KubeProxy, nil},
		"its Pods are reached, and say none": {lostTo(), proxies(NoError, NoError, NoError), DNSDown, nil},
		"a policy keeps the Pod from it": {lostTo(), Looks{}, PolicyDeniesDNS, func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", from(kube.PolicyPeer{Pods: podsOf("web")}))}
		}},
		"a policy keeps everybody from it": {lostTo(), Looks{}, PolicyDeniesDNS, func(w *World) {
			w.Policies = []*kube.NetworkPolicy{{Namespace: "kube-system", Name: "in", LimitsIngress: true}}
		}},
		"a policy permits its address, which it does not see": {lostTo(), Looks{}, PolicyDeniesDNS, func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", from(kube.PolicyPeer{CIDR: "10.96.0.10/32"}))}
		}},
		"a policy permits its Pods": {lostTo(), Looks{}, DNSDown, func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", from(kube.PolicyPeer{CIDR: "10.244.0.0/16"}))}
		}},
	} {
		w := fresh(cluster)
		if test.change != nil {
			test.change(w)
		}
		r := diagnose(w, planFor(t, w, "pod/shop/client", "web.shop:8080"), test.comes, test.looks)[0]
		explained(t, name, w, r, test.want, "")
		if hops := w.Trace(r).Hops; hops[0].Kind != Name || hops[0].State != Broken || hops[1].State != NotReached {
			t.Errorf("%s: got %+v, want that the path ends with its name", name, hops)
		}
	}
}
