package path

import (
	"testing"

	"podpath/kube"
	"podpath/probes/path/manifest"
)

// queued gives each listener of a Pod connections that wait to be taken.
func queued(looks Looks, pod string, n int) Looks {
	list := looks.Sockets[key("shop/"+pod)]
	for i := range list {
		list[i].Queue = n
	}
	return looks
}

func TestWhereAnAppListensIsWhyItRefuses(t *testing.T) {
	const at = "10.244.1.5"
	refused := failsAt(Refused, at, "10.96.0.9")
	udp := []string{
		manifest.Service("stats", `clusterIP: 10.96.0.8, clusterIPs: [10.96.0.8], selector: {app: web}, ports: [{name: stats, port: 8125, targetPort: 8125, protocol: UDP}]`, ""),
		`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: shop, name: stats-1, labels: {kubernetes.io/service-name: stats, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}, addressType: IPv4, ports: [{name: stats, port: 8125, protocol: UDP}], endpoints: [{addresses: ["10.244.1.5"], targetRef: {kind: Pod, name: web-1}, nodeName: raspi002}]}`,
	}
	silent := func(c Check, o *Observation) {
		if c.Kind == UDP {
			o.Stage, o.Error, o.Detail = StageConnect, Silence, "nobody answered a packet"
		}
	}
	undeclared := func(w *World) {
		changedPod(t, w, "shop/web-1", func(p *kube.Pod) { p.Containers[0].Ports = nil })
	}
	symptoms(t, map[string]symptom{
		"nothing listens":                 {docs: single, to: "svc/x", comes: refused, looks: listens("web-1"), want: NothingListens, says: "Nothing in Pod web-1 listens on port 80 yet"},
		"nothing listens, asked by a URL": {docs: single, to: "http://x:8080/", comes: failsAt(Refused, at, "x"), looks: listens("web-1"), want: NothingListens},
		"nothing listens, by the Pod":     {to: "pod/web-1:80", comes: refused, looks: listens("web-1"), want: NothingListens},
		"it listens on a port that it declares": {docs: single, change: func(w *World) {
			changedPod(t, w, "shop/web-1", func(p *kube.Pod) { p.Containers[1].Ports = []kube.ContainerPort{{Port: 6379, Protocol: "TCP"}} })
		}, to: "svc/x", comes: refused, looks: listens("web-1", "0.0.0.0:6379"), want: NothingListens},
		"it listens on another port":                 {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "0.0.0.0:8081", "127.0.0.1:6379", "0.0.0.0:9121"), want: WrongTargetPort, says: "the target port of Service x (8080→80/TCP); it listens on 0.0.0.0:8081, 0.0.0.0:9121, 127.0.0.1:6379"},
		"a port that may be another container's":     {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "0.0.0.0:6379"), want: NothingListens},
		"another port, asked by a URL":               {docs: single, to: "http://x.shop:8080/", comes: failsAt(Refused, at, "x.shop"), looks: listens("web-1", "[::]:8081", "[::]:6379"), want: WrongTargetPort},
		"another port, by the Pod":                   {to: "pod/web-1:81", comes: refused, looks: listens("web-1", "0.0.0.0:80"), want: WrongTargetPort, says: "Nothing in Pod web-1 listens on port 81; it listens on 0.0.0.0:80"},
		"it listens nowhere, and declares no port":   {to: "pod/web-1:80", change: undeclared, comes: refused, looks: listens("web-1"), want: NothingListens},
		"another port, but others listen on this":    {to: "svc/web", comes: failsAt(Refused, at), looks: listens("web-1", "0.0.0.0:6379"), want: ""},
		"the other port is localhost's":              {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "127.0.0.1:8081"), want: NothingListens},
		"the port is localhost's":                    {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "127.0.0.1:80", "0.0.0.0:6379"), want: LoopbackOnly, says: "for localhost only"},
		"localhost's, of IPv6":                       {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "[::1]:80"), want: LoopbackOnly},
		"localhost's, and for all":                   {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "127.0.0.1:80", "10.244.1.5:80"), want: ""},
		"the Pod's address, asked at localhost":      {from: "pod/web-1", to: "localhost:80", comes: failsAt(Refused, "127.0.0.1"), looks: listens("web-1", "10.244.1.5:80"), want: PodAddressOnly, says: "of the Pod's address only"},
		"the Pod's address, asked there":             {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "10.244.1.5:80"), want: ""},
		"nothing, asked at localhost":                {from: "pod/web-1", to: "localhost:80", comes: failsAt(Refused, "127.0.0.1"), looks: listens("web-1"), want: NothingListens},
		"another port, asked at localhost":           {from: "pod/web-1", to: "localhost:81", comes: failsAt(Refused, "127.0.0.1"), looks: listens("web-1", "0.0.0.0:80"), want: WrongTargetPort},
		"IPv6 alone, asked over IPv4":                {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "[::]:80"), want: IPv6Only, says: "for IPv6 only, and was asked over IPv4"},
		"an address of IPv6, asked over IPv4":        {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "[fd00::5]:80"), want: IPv6Only},
		"IPv4 alone, asked over IPv6":                {change: func(w *World) { changedPod(t, w, "shop/web-1", func(p *kube.Pod) { p.IPs = append(p.IPs, "fd00::5") }) }, to: "[fd00::5]:80", comes: fails(Refused), looks: listens("web-1", "0.0.0.0:80"), want: IPv6Only, says: "for IPv4 only, and was asked over IPv6"},
		"both families, and it refuses all the same": {docs: single, to: "svc/x", comes: refused, looks: listens("web-1", "[::]:80", "0.0.0.0:80"), want: ""},
		"UDP, asked over TCP":                        {to: "pod/web-1:53", comes: refused, looks: listens("web-1", "udp 0.0.0.0:53"), want: OtherProtocol, says: "takes UDP on port 53, and it was asked over TCP"},
		"TCP, asked over UDP":                        {docs: udp, to: "svc/stats", comes: fails(Refused), looks: listens("web-1", "0.0.0.0:8125"), want: OtherProtocol, says: "takes TCP on port 8125, and it was asked over UDP"},
		"the same, and nobody answers":               {docs: udp, to: "stats:8125", comes: silent, looks: listens("web-1", "0.0.0.0:8125"), want: OtherProtocol},
		"a packet where nothing listens":             {docs: udp, to: "svc/stats", comes: silent, looks: listens("web-1", "0.0.0.0:80"), want: WrongTargetPort, says: "8125"},
		"a packet where something listens":           {docs: udp, to: "svc/stats", comes: silent, looks: listens("web-1", "udp 0.0.0.0:8125"), want: ""},
		"nobody has said that it would":              {to: "pod/web-1:99", comes: fails(Refused), looks: listens("web-1"), want: NothingListens, says: "Nothing in Pod web-1 listens on port 99: it listens on no port and declares"},
		"where it listens is not known":              {docs: single, to: "svc/x", comes: refused, want: NotListening, says: "on another port, or on localhost only"},
		"it does not answer":                         {docs: single, to: "svc/x", comes: failsAt(TimedOut, at, "10.96.0.9"), looks: listens("web-1"), want: ""},
	})
}

func TestNobodyIsAccusedOfSilenceThatWasNotHeard(t *testing.T) {
	w := onMaster(t, clientPod, manifest.Service("stats", clusterIP+`selector: {app: web}, ports: [{name: stats, port: 8125, targetPort: 8125, protocol: UDP}]`, ""))
	for verdict, checks := range map[Verdict][]Check{Inconclusive: planFor(t, w, "pod/client", "svc/stats"), Skipped: w.Plan(Services)} {
		for _, r := range diagnose(w, checks, func(c Check, o *Observation) {
			if c.Kind == UDP {
				o.Stage, o.Error = StageConnect, Silence
			}
		}, Looks{}) {
			if r.Kind == UDP && (r.Verdict != verdict || r.Cause != nil) {
				t.Errorf("%s: got %s, %+v, want %s", r.ID, r.Verdict, r.Cause, verdict)
			}
		}
	}
}

func TestAppsThatTakeNoConnections(t *testing.T) {
	const at = "10.244.1.5"
	full := func() Looks { return queued(listens("web-1", "0.0.0.0:80"), "web-1", 129) }
	symptoms(t, map[string]symptom{
		"its queue is full":             {docs: single, to: "svc/x", comes: failsAt(TimedOut, at, "10.96.0.9"), looks: full(), want: QueueFull, says: "129 wait at port 80"},
		"by the Pod":                    {to: "pod/web-1:80", comes: failsAt(TimedOut, at), looks: full(), want: QueueFull},
		"its queue is empty":            {to: "pod/web-1:80", comes: failsAt(TimedOut, at), looks: listens("web-1", "0.0.0.0:80"), want: PodCutOff},
		"that of another port":          {to: "pod/web-1:81", comes: failsAt(TimedOut, at), looks: full(), want: ""},
		"that of localhost":             {to: "pod/web-1:80", comes: failsAt(TimedOut, at), looks: queued(listens("web-1", "127.0.0.1:80"), "web-1", 129), want: ""},
		"the connection opens":          {to: "pod/web-1:80", comes: speaks(Observation{Stage: StageRequest, Error: TimedOut}), looks: full(), want: AppHangs, says: "129 wait that it has not taken"},
		"it opens, and its queue empty": {to: "pod/web-1:80", comes: speaks(Observation{Stage: StageRequest, Error: TimedOut}), looks: listens("web-1", "0.0.0.0:80"), want: AppHangs, says: "nothing answers"},
		"it refuses":                    {to: "pod/web-1:80", comes: failsAt(Refused, at), looks: full(), want: ""},
	})
}

func TestPodsThatDoNotRunYet(t *testing.T) {
	starting := func(w *World) {
		changedPod(t, w, "shop/web-1", func(p *kube.Pod) {
			p.IsReady, p.Status = false, "CrashLoopBackOff"
			p.Reasons = []kube.Reason{{Code: kube.Crashing, Message: "container nginx crashes", Container: "nginx"}}
		})
	}
	symptoms(t, map[string]symptom{
		"it is asked for":             {change: starting, to: "pod/web-1:80", comes: fails(Refused), want: PodNotReady, says: "Pod web-1 is not ready: container nginx crashes"},
		"by its address":              {change: starting, to: "http://10.244.1.5/", comes: failsAt(TimedOut, "10.244.1.5"), want: PodNotReady},
		"nothing listens there":       {change: starting, to: "pod/web-1:80", comes: fails(Refused), looks: listens("web-1"), want: PodNotReady},
		"something else listens":      {change: starting, to: "pod/web-1:80", comes: fails(Refused), looks: listens("web-1", "127.0.0.1:80"), want: LoopbackOnly},
		"it answers all the same":     {change: starting, to: "pod/web-1:80", comes: nil, want: ""},
		"it is ready":                 {to: "pod/web-1:80", comes: fails(Refused), want: NotListening},
		"others are asked as well":    {change: starting, to: "svc/web", comes: failsAt(Refused, "10.244.1.5"), want: ""},
		"its Node is not ready":       {change: func(w *World) { starting(w); notReady(t, w, "raspi002") }, to: "pod/web-1:80", comes: fails(TimedOut), want: NodeNotReady},
		"its name is not known there": {change: starting, to: "web-1.web:80", comes: unresolved(NXDomain, "web-1.web.shop.svc.cluster.local. nxdomain"), want: PodNameMissing},
	})
}

func TestSelectorsThatMatchPodsOfAnotherKindAsWell(t *testing.T) {
	pod := func(name, node, ip, owner, ports string) string {
		return manifest.Pod{Name: name, Node: node, IPs: []string{ip}, App: "shop", Owner: owner, Ports: ports}.YAML()
	}
	x := manifest.Service("x", clusterIP+"selector: {app: shop}, "+oneWebPort, "")
	slice := manifest.Slice("x", "http", 80, manifest.Endpoint("front", "10.244.1.30", "raspi002"), manifest.Endpoint("cache", "10.244.2.30", "raspi003"))
	const redis, http = "{containerPort: 6379, protocol: TCP}", "{name: http, containerPort: 80, protocol: TCP}"
	docs := func(owner, ports string) []string {
		return []string{x, slice, pod("front", "raspi002", "10.244.1.30", "ReplicaSet/front-1", http), pod("cache", "raspi003", "10.244.2.30", owner, ports)}
	}
	hash := func(w *World) {
		for _, name := range []string{"front", "cache"} {
			changedPod(t, w, "shop/"+name, func(p *kube.Pod) {
				p.Owner = "ReplicaSet/web-" + name
				p.Labels = append(p.Labels, kube.Label{Key: "pod-template-hash", Value: name})
			})
		}
	}
	refuses := failsAt(Refused, "10.244.2.30", "10.96.0.9")
	symptoms(t, map[string]symptom{
		"of another workload":              {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: refuses, want: SelectorTooBroad, says: "cache does not listen on port 80, and is of ReplicaSet/cache-1; front, which answers, is of ReplicaSet/front-1"},
		"the same, by its name":            {docs: docs("ReplicaSet/cache-1", redis), to: "http://x/", comes: failsAt(Refused, "x", "10.244.2.30"), want: SelectorTooBroad},
		"where it listens is known":        {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: refuses, looks: listens("cache", "0.0.0.0:6379"), want: SelectorTooBroad},
		"of nobody":                        {docs: docs("", redis), to: "svc/x", comes: refuses, want: SelectorTooBroad, says: "is a Pod with"},
		"of the same workload":             {docs: docs("ReplicaSet/front-1", redis), to: "svc/x", comes: refuses, want: DeadEndpoint},
		"of another revision of it":        {docs: docs("", redis), change: hash, to: "svc/x", comes: refuses, want: DeadEndpoint},
		"it says that it listens there":    {docs: docs("ReplicaSet/cache-1", http), to: "svc/x", comes: refuses, want: DeadEndpoint},
		"it does not answer at all":        {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: failsAt(TimedOut, "10.244.2.30", "10.96.0.9"), want: DeadEndpoint},
		"none answers":                     {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: failsAt(Refused, "10.244.1.30", "10.244.2.30", "10.96.0.9"), want: NotListening},
		"all answer":                       {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: failsAt(Refused, "10.96.0.9"), want: ServiceDataplane},
		"it answers, and not as it should": {docs: docs("ReplicaSet/cache-1", redis), to: "svc/x", comes: speaks(Observation{Stage: StageRequest, Error: BadReply, Detail: "the answer is not HTTP"}), want: SpeaksOther},
	})
	w := onMaster(t, append(docs("ReplicaSet/cache-1", redis), clientPod)...)
	spread := diagnose(w, planWith(t, w, PlanOptions{Count: 100}, "pod/client", "svc/x"), func(c Check, o *Observation) {
		if refuses(c, o); c.Kind == Spread {
			o.Error, o.Spread = NoError, &SpreadResult{Verdict: Fail}
		}
	}, Looks{})
	explained(t, "a spread", w, spread[0], SelectorTooBroad, "")
}

func TestPodsThatPacketsDoNotComeTo(t *testing.T) {
	const pod = "10.244.1.5"
	takes := func() Looks { return listens("web-1", "0.0.0.0:80") }
	notFromItsNode := func(c Check, o *Observation) {
		if c.Source.Node != "raspi002" && c.Ask.Host == pod {
			o.failed(c, TimedOut)
		}
	}
	symptoms(t, map[string]symptom{
		"from nowhere":                      {to: "pod/web-1:80", comes: failsAt(TimedOut, pod), looks: takes(), want: PodCutOff, says: "on its own Node raspi002 as well"},
		"through its Service":               {docs: single, to: "http://x:8080/", comes: failsAt(TimedOut, "x", pod), looks: takes(), want: PodCutOff},
		"its own Node reaches it":           {to: "pod/web-1:80", comes: notFromItsNode, looks: takes(), want: CrossNodeRoute},
		"where it listens is not known":     {to: "pod/web-1:80", comes: failsAt(TimedOut, pod), want: ""},
		"it listens on localhost only":      {to: "pod/web-1:80", comes: failsAt(TimedOut, pod), looks: listens("web-1", "127.0.0.1:80"), want: ""},
		"connections wait that nobody took": {to: "pod/web-1:80", comes: failsAt(TimedOut, pod), looks: queued(takes(), "web-1", 9), want: QueueFull},
		"a policy that may not be listed":   {change: func(w *World) { w.PoliciesUnknown = true }, to: "pod/web-1:80", comes: failsAt(TimedOut, pod), looks: takes(), want: ""},
		"nor on the way between two Nodes":  {change: func(w *World) { w.PoliciesUnknown = true }, to: "pod/web-1:80", comes: notFromItsNode, looks: takes(), want: ""},
		"policies of another engine may be": {change: func(w *World) { w.Engines = []string{"cilium.io"} }, to: "pod/web-1:80", comes: failsAt(TimedOut, pod), looks: takes(), want: ""},
	})
}

func TestPortsOfNodesThatLeadToPods(t *testing.T) {
	docs := []string{manifest.Pod{Name: "hosted", Node: "raspi001", IPs: []string{"10.244.0.9"}, Ports: "{containerPort: 8080, hostPort: 9000, protocol: TCP}"}.YAML()}
	const to = "node/raspi001:9000"
	symptoms(t, map[string]symptom{
		"nothing leads there":               {docs: docs, to: to, comes: fails(Refused), looks: listens("hosted", "0.0.0.0:8080"), want: HostPortNotLed, says: "the hostPort of Pod hosted, which listens on port 8080"},
		"the app listens on localhost only": {docs: docs, to: to, comes: fails(Refused), looks: listens("hosted", "127.0.0.1:8080"), want: LoopbackOnly, says: "port 8080"},
		"it listens nowhere":                {docs: docs, to: to, comes: fails(Refused), looks: listens("hosted"), want: NothingListens, says: "port 8080"},
		"where it listens is not known":     {docs: docs, to: to, comes: fails(Refused), want: NotListening},
		"a policy sees the container's port": {docs: docs, change: func(w *World) {
			w.Policies = []*kube.NetworkPolicy{egress("client", onPort(kube.PolicyPort{Port: 8080}))}
		}, to: to, comes: nil, want: ""},
	})
}
