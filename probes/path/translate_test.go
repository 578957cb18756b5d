package path

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path/manifest"
)

const oneWebPort = `ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`

func TestCausesThatTheObjectsShow(t *testing.T) {
	seen := clusters{}
	const vipX = `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], `
	notReady := manifest.Pod{Name: "api-1", Node: "raspi003", IPs: []string{"10.244.2.9"}, App: "api", NotReady: true}.YAML()
	unready := manifest.Slice("x", "http", 80, manifest.Endpoint("api-1", "10.244.2.9", "raspi003", "ready: false"))
	for name, test := range map[string]struct {
		manifests []string
		want      CauseCode
	}{
		"the selector matches nothing": {[]string{manifest.Service("x", vipX+"selector: {app: wep}, "+oneWebPort, "")}, SelectorMatchesNothing},
		"no endpoint is ready":         {[]string{manifest.Service("x", vipX+"selector: {app: api}, "+oneWebPort, ""), notReady, unready}, NoReadyEndpoint},
		"no manual slice":              {[]string{manifest.Service("x", vipX+oneWebPort, "")}, ManualSliceMissing},
		"a target port that no Pod names": {
			[]string{manifest.Service("x", vipX+"selector: {app: web}, ports: [{name: http, port: 80, targetPort: www, protocol: TCP}]", ""), strings.Replace(manifest.WebSlice("x"), `ports: [{name: "http", port: 80, protocol: TCP}]`, "ports: []", 1)},
			TargetPortMissing,
		},
	} {
		w := seen.onMaster(t, test.manifests...)
		refused := func(c Check) ErrorKind {
			if vip(c) {
				return Refused
			}
			return NoError
		}
		named(t, name, w, simulate(w, planFor(t, w, "pod/web-1", "svc/x"), refused, Looks{}), test.want)
		named(t, name+", by its name", w, simulate(w, planFor(t, w, "pod/web-1", "x:80"), func(Check) ErrorKind { return Refused }, Looks{}), test.want)
	}
	w := onMaster(t, manifest.Service("x", "type: LoadBalancer, "+vipX+"selector: {app: web}, "+oneWebPort, ""), manifest.WebSlice("x"))
	named(t, "a load balancer is pending", w, simulate(w, w.Plan(Services), nil, Looks{}), LoadBalancerPending)
}

func TestFlagsOfAServiceExplainOnlyWhatTheyCanExplain(t *testing.T) {
	w := onMaster(t, manifest.Service("x", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}, {name: www, port: 81, targetPort: www, protocol: TCP}]`, ""), manifest.WebSlice("x"))
	checks := planFor(t, w, "pod/web-1", "svc/x:80")
	named(t, "the other port is the one without endpoints", w, simulate(w, checks, func(c Check) ErrorKind {
		if vip(c) {
			return TimedOut
		}
		return NoError
	}, Looks{}), ServiceDataplane)
	w = onMaster(t, manifest.Service("x", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: wep}, `+oneWebPort, ""))
	named(t, "the name of a ClusterIP Service needs no endpoint", w, simulate(w, w.Plan(Discovery), func(c Check) ErrorKind {
		if c.Kind == DNS {
			return TimedOut
		}
		return NoError
	}, Looks{}), DNSDown)
	w = onMaster(t, manifest.Service("db", `clusterIP: None, selector: {app: wep}, `+oneWebPort, ""))
	named(t, "that of a headless one does", w, simulate(w, planFor(t, w, "pod/web-1", "svc/db"), func(Check) ErrorKind { return NXDomain }, Looks{}), SelectorMatchesNothing)
}

// clusterIP is the beginning of a Service's spec with the address of most tests.
const clusterIP = `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], `

func TestPortsThatAServiceDoesNotHave(t *testing.T) {
	np := []string{manifest.Service("np", "type: NodePort, "+clusterIP+`selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, ""), manifest.WebSlice("np")}
	stats := []string{manifest.Service("stats", clusterIP+`selector: {app: web}, ports: [{name: stats, port: 8125, targetPort: 8125, protocol: UDP}]`, "")}
	db := []string{manifest.Service("db", `clusterIP: None, selector: {app: web}, `+oneWebPort, ""), manifest.WebSlice("db")}
	symptoms(t, map[string]symptom{
		"the port of its Pods":                    {to: "web:80", comes: fails(TimedOut), want: NoSuchPort, says: "Service web has no TCP port 80; it has 8080→80/TCP: 80 is the port of its Pods, and clients of the Service use 8080"},
		"the same, by a URL":                      {to: "http://web.shop/", comes: fails(TimedOut), want: NoSuchPort, says: "clients of the Service use 8080"},
		"the same, by its address":                {to: "10.96.0.7:80", comes: fails(Refused), want: NoSuchPort, says: "clients of the Service use 8080"},
		"the same, from podpath itself":           {from: "local", to: "10.96.0.7:80", comes: fails(Refused), want: NoSuchPort, says: "clients of the Service use 8080"},
		"its node port":                           {docs: np, to: "np:30080", comes: fails(TimedOut), want: NoSuchPort, says: "30080 is its node port"},
		"another port":                            {to: "web:9", comes: fails(TimedOut), want: NoSuchPort, says: "it has 8080→80/TCP."},
		"a port of UDP":                           {docs: stats, to: "http://stats:8125/", comes: fails(TimedOut), want: NoSuchPort, says: "8125 is a port for UDP there"},
		"a headless Service where nobody listens": {docs: db, to: "db:9", comes: fails(Refused), want: NoSuchPort, says: "Service db has no TCP port 9"},
		"nearly a node port":                      {docs: np, to: "node/raspi001:30081", comes: fails(Refused), want: NoSuchPort, says: "Service np has 30080"},
		"a node port, and there is none":          {to: "node/raspi001:30081", comes: fails(Refused), want: NoSuchPort, says: "No Service that podpath sees has the node port 30081."},
		"another one at an external address":      {docs: []string{manifest.Service("x", clusterIP+"externalIPs: [203.0.113.7], selector: {app: web}, "+oneWebPort, ""), manifest.WebSlice("x")}, to: "203.0.113.7:81", comes: fails(TimedOut), want: NoSuchPort, says: "Service x has no TCP port 81; it has 80→80/TCP"},
		"something answers there":                 {docs: []string{manifest.Service("x", clusterIP+"externalIPs: [203.0.113.7], selector: {app: web}, "+oneWebPort, ""), manifest.WebSlice("x")}, to: "http://203.0.113.7:81/", comes: speaks(Observation{Stage: StageRequest, Error: BadStatus, Status: 500}), want: StatusNotAsExpected},
		"a hostPort on another Node":              {to: "node/raspi001:8080", change: hostPort(t, 8080), comes: fails(Refused), want: NoSuchPort, says: "Pod web-3 has it on Node raspi003"},
		"the same, by the address of the Node":    {to: "198.51.100.11:8080", change: hostPort(t, 8080), comes: fails(Refused), want: NoSuchPort, says: "Pod web-3 has it on Node raspi003"},
		"a port that there is":                    {docs: np, to: "np:80", comes: failsAt(TimedOut, "np"), want: ServiceDataplane},
		"a node port that there is":               {docs: np, to: "node/raspi001:30080", comes: failsAt(TimedOut, "198.51.100.11"), want: ""},
		"no node port at all":                     {docs: np, to: "node/raspi001:22", comes: fails(Refused), want: ""},
		"somebody answers there":                  {to: "web:80", comes: nil, want: ""},
		"its name is not known":                   {to: "web:80", comes: unresolved(NXDomain, "web.shop.svc.cluster.local. nxdomain"), want: ""},
		"a port of the endpoints themselves":      {docs: []string{db[0], manifest.Slice("db", "http", 8080, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"))}, to: "db:8080", comes: fails(Refused), want: NotListening},
		"nothing is connected to":                 {to: "dns:web", comes: fails(NXDomain), want: ""},
	})
}

// hostPort gives a Pod on raspi003 a port of its Node.
func hostPort(t *testing.T, port int) func(*World) {
	return func(w *World) {
		changedPod(t, w, "shop/web-3", func(p *kube.Pod) {
			p.Containers[0].Ports = []kube.ContainerPort{{Port: 80, HostPort: port, Protocol: "TCP"}}
		})
	}
}

func TestAHeadlessServiceTranslatesNoPort(t *testing.T) {
	db := func(port, target int) []string {
		return []string{
			manifest.Service("db", fmt.Sprintf(`clusterIP: None, selector: {app: web}, ports: [{name: http, port: %d, targetPort: %d, protocol: TCP}]`, port, target), ""),
			manifest.Slice("db", "http", target, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"), manifest.Endpoint("web-2", "10.244.1.6", "raspi002")),
		}
	}
	const says = "Service db is headless: its name leads to the Pods themselves, so that port 8080 is not translated, and clients use 80"
	symptoms(t, map[string]symptom{
		"its port is another one":  {docs: db(8080, 80), to: "db:8080", comes: fails(Refused), want: HeadlessPort, says: says},
		"the same, by a URL":       {docs: db(8080, 80), to: "http://db.shop:8080/", comes: fails(Refused), want: HeadlessPort, says: says},
		"its port is that of Pods": {docs: db(80, 80), to: "db:80", comes: fails(Refused), want: NotListening},
		"the port of Pods":         {docs: db(8080, 80), to: "db:80", comes: fails(Refused), want: NotListening},
		"it is reached":            {docs: db(8080, 80), to: "db:8080", comes: nil, want: ""},
		"its name is not known":    {docs: db(8080, 80), to: "db:8080", comes: unresolved(ServFail, "db.shop.svc.cluster.local. servfail"), want: ""},
		"a ClusterIP translates":   {to: "web:8080", comes: failsAt(Refused, "web"), want: ServiceDataplane},
	})
	w := onMaster(t, append(db(8080, 80), clientPod)...)
	for _, r := range diagnose(w, planFor(t, w, "pod/client", "svc/db"), nil, Looks{}) {
		if want := map[bool]CauseCode{true: HeadlessPort}[r.Kind == DNS]; r.Verdict != Pass || code(r) != want || r.Cause != nil && !r.Cause.ByDesign {
			t.Errorf("%s: got %s, %+v, want a pass with the cause %q, by design", r.ID, r.Verdict, r.Cause, want)
		}
	}
}

func TestAHeadlessNameFailsForTheReasonOfThePodThatItLedTo(t *testing.T) {
	db := []string{manifest.Service("db", `clusterIP: None, selector: {app: web}, `+oneWebPort, ""), manifest.WebSlice("db")}
	const to, first, third = "db:80", "10.244.1.5", "10.244.2.5"
	led := func(address string, o outcome) outcome { // the name has led there
		return func(c Check, seen *Observation) {
			if o(c, seen); c.Ask.Host == "db" {
				seen.Address = address + ":80"
			}
		}
	}
	symptoms(t, map[string]symptom{
		"where it listens is not known": {docs: db, to: to, comes: led(first, fails(Refused)), want: NotListening, says: "Pod web-1"},
		"it listens elsewhere":          {docs: db, to: to, comes: led(first, fails(Refused)), looks: all("0.0.0.0:8080", "0.0.0.0:6379"), want: WrongTargetPort, says: "Pod web-1"},
		"it listens on localhost":       {docs: db, to: to, comes: led(third, fails(Refused)), looks: all("127.0.0.1:80"), want: LoopbackOnly, says: "Pod web-3"},
		"the others answer":             {docs: db, to: to, comes: led(third, failsAt(TimedOut, "db", third)), want: DeadEndpoint},
		"its Node is not ready": {
			docs: db, to: to, comes: led(third, failsAt(TimedOut, "db", third)), want: NodeNotReady, says: "raspi003", from: "pod/web-1",
			change: func(w *World) { notReady(t, w, "raspi003") },
		},
		"it answers when it is dialed": {docs: db, to: to, comes: led(third, failsAt(TimedOut, "db")), want: ""},
	})
}

func TestSlicesThatKubeProxyDoesNotUse(t *testing.T) {
	x := manifest.Service("x", clusterIP+oneWebPort, "")
	slice := func(kind, ports, address string) string {
		return fmt.Sprintf(`{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: shop, name: x-1, labels: {kubernetes.io/service-name: x}}, addressType: %s, ports: [%s], endpoints: [{addresses: [%q]}]}`, kind, ports, address)
	}
	const http = `{name: http, port: 80, protocol: TCP}`
	symptoms(t, map[string]symptom{
		"its port has another name":      {docs: []string{x, slice("IPv4", `{name: web, port: 80, protocol: TCP}`, "192.0.2.8")}, to: "svc/x", comes: fails(Refused), want: SlicePortName, says: `has port "web" (80, TCP), and Service x looks for a port "http" of TCP`},
		"the same, by its name":          {docs: []string{x, slice("IPv4", `{name: web, port: 80, protocol: TCP}`, "192.0.2.8")}, to: "http://x/", comes: fails(Refused), want: SlicePortName},
		"its port has no name":           {docs: []string{x, slice("IPv4", `{port: 80, protocol: TCP}`, "192.0.2.8")}, to: "x:80", comes: fails(Refused), want: SlicePortName, says: "port without a name"},
		"its port is of UDP":             {docs: []string{x, slice("IPv4", `{name: http, port: 80, protocol: UDP}`, "192.0.2.8")}, to: "x:80", comes: fails(Refused), want: SlicePortName, says: "(80, UDP)"},
		"it has no port":                 {docs: []string{x, slice("IPv4", "", "192.0.2.8")}, to: "x:80", comes: fails(Refused), want: SlicePortName, says: "has no port"},
		"it has names for addresses":     {docs: []string{x, slice("FQDN", http, "www.example.com")}, to: "svc/x", comes: fails(Refused), want: SliceFQDN, says: "has the address type FQDN"},
		"names, and another port's name": {docs: []string{x, slice("FQDN", `{name: web, port: 80, protocol: TCP}`, "www.example.com")}, to: "svc/x", comes: fails(Refused), want: SliceFQDN},
		"it is of the other family":      {docs: []string{x, slice("IPv6", http, "fd00::8")}, to: "svc/x", comes: fails(Refused), want: SliceFamily, says: "has an IPv4 address"},
		"a Service of IPv6 with IPv4":    {docs: []string{manifest.Service("x", `clusterIP: "fd00::9", clusterIPs: ["fd00::9"], `+oneWebPort, ""), slice("IPv4", http, "192.0.2.8")}, to: "[fd00::9]:80", comes: fails(Refused), want: SliceFamily, says: "has an IPv6 address"},
		"there is none":                  {docs: []string{x}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing},
		"another one is of use":          {docs: []string{x, slice("IPv6", http, "fd00::8"), manifest.SliceByHand("x", "http", 80, manifest.Endpoint("", "192.0.2.8", "raspi001"))}, to: "svc/x", comes: failsAt(Refused, "10.96.0.9"), want: ""},
		"all is well with it":            {docs: []string{x, slice("IPv4", http, "192.0.2.8")}, to: "svc/x", comes: failsAt(Refused, "10.96.0.9"), want: ""},
		"a port that is not there":       {docs: []string{x, slice("IPv4", http, "192.0.2.8")}, to: "x:81", comes: fails(Refused), want: NoSuchPort},
		"its name is not known":          {docs: []string{x, slice("FQDN", http, "www.example.com")}, to: "x:80", comes: unresolved(ServFail, "x.shop.svc.cluster.local. servfail"), want: ""},
	})
}

func TestSlicesThatWereMeantForAService(t *testing.T) {
	x := manifest.Service("x", clusterIP+oneWebPort, "")
	stray := func(labels string) string {
		return `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {namespace: shop, name: x-1, labels: {` + labels + `}}, addressType: IPv4, ports: [{name: http, port: 80}], endpoints: [{addresses: ["192.0.2.8"]}]}`
	}
	named := func(name, labels string) string { return strings.Replace(stray(labels), "x-1", name, 1) }
	symptoms(t, map[string]symptom{
		"it has no label":             {docs: []string{x, stray("")}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "EndpointSlice x-1 has no such label"},
		"its label is of another":     {docs: []string{x, stray("kubernetes.io/service-name: xx")}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "EndpointSlice x-1 has the label with xx"},
		"a label that is misspelt":    {docs: []string{manifest.Service("vault", clusterIP+oneWebPort, ""), named("other", ""), named("zz", "kubernetes.io/service-name: vualt")}, to: "svc/vault", comes: fails(Refused), want: ManualSliceMissing, says: "EndpointSlice zz has the label with vualt."},
		"the one by its name":         {docs: []string{x, named("a", ""), stray("")}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "EndpointSlice x-1 has no such label"},
		"it may be any of two":        {docs: []string{x, named("a", ""), named("b", "")}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "or add a selector."},
		"it has no endpoints":         {docs: []string{x, strings.Replace(stray("kubernetes.io/service-name: x"), `{addresses: ["192.0.2.8"]}`, "", 1), named("a", "")}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "Service x has no selector, and its EndpointSlice x-1 has no endpoint."},
		"it is of a Service there is": {docs: []string{x, strings.Replace(manifest.WebSlice("web"), "web-ipv4-80", "x-1", 1)}, to: "svc/x", comes: fails(Refused), want: ManualSliceMissing, says: "add a selector."},
	})
}

func TestEndpointsThatLeadNowhere(t *testing.T) {
	x := manifest.Service("x", clusterIP+oneWebPort, "")
	selecting := manifest.Service("x", clusterIP+"selector: {app: web}, "+oneWebPort, "")
	at := func(address string) string {
		return manifest.SliceByHand("x", "http", 80, manifest.Endpoint("", address, "raspi001"))
	}
	gone := at("10.244.9.9")
	of := func(docs ...string) []string { return docs }
	lost := failsAt(TimedOut, "10.96.0.9", "10.244.9.9")
	symptoms(t, map[string]symptom{
		"the address of a Service":              {docs: of(x, at("10.96.0.7")), to: "svc/x", comes: fails(TimedOut), want: SliceClusterIP, says: "leads to 10.96.0.7, which is the address of Service web"},
		"the same, by its name":                 {docs: of(x, at("10.96.0.7")), to: "http://x/", comes: fails(TimedOut), want: SliceClusterIP},
		"that of a Pod":                         {docs: of(x, at("10.244.1.5")), to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9"), want: ServiceDataplane},
		"the address of a Service, and it does": {docs: of(x, at("10.96.0.7")), to: "svc/x", comes: nil, want: ""},

		"no Pod has it, and nobody looks after it":    {docs: of(selecting, manifest.WebSlice("x"), gone), to: "svc/x", comes: lost, want: StaleSlice, says: "the endpoint 10.244.9.9, which no Pod has"},
		"that one, by its name":                       {docs: of(selecting, manifest.WebSlice("x"), gone), to: "http://x.shop/", comes: failsAt(TimedOut, "x.shop", "10.244.9.9"), want: StaleSlice},
		"it answers all the same":                     {docs: of(selecting, manifest.WebSlice("x"), gone), to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9"), want: ""},
		"it is a Node":                                {docs: of(selecting, manifest.WebSlice("x"), at("198.51.100.11")), to: "svc/x", comes: failsAt(TimedOut, "10.96.0.9", "198.51.100.11"), want: DeadEndpoint},
		"the controller keeps it up to date":          {docs: of(selecting, manifest.Slice("x", "http", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"), manifest.Endpoint("old", "10.244.9.9", "raspi002"))), to: "svc/x", comes: lost, want: DeadEndpoint},
		"a Service without selector may have anybody": {docs: of(x, gone), to: "svc/x", comes: lost, want: ""},
		"it was a Pod's that is gone":                 {docs: of(x, manifest.SliceByHand("x", "http", 80, manifest.Endpoint("old", "10.244.9.9", "raspi001"))), to: "http://x/", comes: failsAt(TimedOut, "x", "10.244.9.9"), want: StaleSlice, says: "which was that of Pod old, and that is gone"},
		"Pods could not be listed": {docs: of(selecting, manifest.WebSlice("x"), gone), to: "svc/x", comes: lost, want: DeadEndpoint, change: func(w *World) {
			w.Snapshot = fixture.WithState(w.Snapshot, kube.Pods, kube.State{})
		}},
	})
}

func TestServicesWithoutAnEndpointSayWhy(t *testing.T) {
	x := manifest.Service("x", clusterIP+"selector: {app: api}, "+oneWebPort, "")
	api := manifest.Pod{Name: "api-1", Node: "raspi003", IPs: []string{"10.244.2.9"}, App: "api", NotReady: true}
	unready := manifest.Slice("x", "http", 80, manifest.Endpoint("api-1", "10.244.2.9", "raspi003", "ready: false"))
	elsewhere := api
	elsewhere.Node, elsewhere.IPs, elsewhere.Name = "raspi002", []string{"10.244.1.9"}, "api-2"
	both := manifest.Slice("x", "http", 80, manifest.Endpoint("api-1", "10.244.2.9", "raspi003", "ready: false"), manifest.Endpoint("api-2", "10.244.1.9", "raspi002", "ready: false"))
	down := func(w *World) { notReady(t, w, "raspi003") }
	other := manifest.Pod{Name: "a-job", Node: "raspi001", IPs: []string{"10.244.0.7"}, App: "nightly"}.YAML() // before web-1 in the list
	bank := manifest.Pod{Namespace: "bank", Name: "api", Node: "raspi001", IPs: []string{"10.244.0.9"}, App: "api"}.YAML()
	symptoms(t, map[string]symptom{
		"their Node is not ready":         {docs: []string{x, api.YAML(), unready}, change: down, to: "svc/x", comes: fails(Refused), want: NodeNotReady, says: "Node raspi003 is not ready, and so is no endpoint of Service x"},
		"the same, by its name":           {docs: []string{x, api.YAML(), unready}, change: down, to: "http://x/", comes: fails(Refused), want: NodeNotReady},
		"one of their Nodes is not ready": {docs: []string{x, api.YAML(), elsewhere.YAML(), both}, change: down, to: "svc/x", comes: fails(Refused), want: NoReadyEndpoint},
		"their Node is well":              {docs: []string{x, api.YAML(), unready}, to: "svc/x", comes: fails(Refused), want: NoReadyEndpoint, says: "The only endpoint is not ready"},
		"a selector that differs":         {docs: []string{manifest.Service("x", clusterIP+"selector: {app: webb}, "+oneWebPort, "")}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "instead of webb"},
		"a letter that differs in case":   {docs: []string{other, manifest.Service("x", clusterIP+"selector: {app: Web}, "+oneWebPort, "")}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "Pod web-1 has app=web instead of Web."},
		"a value that is nobody's":        {docs: []string{other, manifest.Service("x", clusterIP+"selector: {app: billing}, "+oneWebPort, "")}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "scaled to 0."},
		"a key that differs":              {docs: []string{manifest.Service("x", clusterIP+"selector: {ap: web}, "+oneWebPort, "")}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "Pod web-1 lacks ap=web; it has app=web"},
		"a key that nobody has":           {docs: []string{manifest.Service("x", clusterIP+"selector: {tier: front}, "+oneWebPort, "")}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "scaled to 0."},
		"Pods of another namespace": {
			docs: []string{x, bank}, to: "svc/x", comes: fails(Refused), want: SelectorMatchesNothing, says: "Pod api of namespace bank has these labels",
			change: func(w *World) {
				w.Pods = append([]*kube.Pod{{Namespace: "bank", Name: "api", Labels: kube.Labels{{Key: "app", Value: "api"}}}}, w.Pods...)
			},
		},
	})
}

func TestAddressesForClientsOutside(t *testing.T) {
	seen := clusters{}
	lb := func(more string) []string {
		return []string{
			manifest.Service("lb", "type: LoadBalancer, "+clusterIP+"externalIPs: [198.51.100.11], externalTrafficPolicy: Local, selector: {app: web}, "+more+`ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "loadBalancer: {ingress: [{ip: 198.51.100.12}]}"),
			manifest.WebSlice("lb"),
		}
	}
	outside := func(address string) func(*World) {
		return func(w *World) { w.LocalNode, w.Here = "", []netip.Addr{netip.MustParseAddr(address)} }
	}
	ranges := `loadBalancerSourceRanges: [192.0.2.0/24, 203.0.113.64/26], `
	for name, test := range map[string]struct {
		symptom
		verdict Verdict
	}{
		"a Node without an endpoint":          {symptom{from: "local", docs: lb(""), change: outside("192.0.2.7"), to: "node/raspi001:30080", comes: fails(TimedOut), want: ExternalLocal}, Pass},
		"an external IP of such a Node":       {symptom{from: "local", docs: lb(""), change: outside("192.0.2.7"), to: "198.51.100.11:80", comes: fails(TimedOut), want: ExternalLocal}, Pass},
		"a Node with an endpoint":             {symptom{from: "local", docs: lb(""), change: outside("192.0.2.7"), to: "node/raspi002:30080", comes: failsAt(TimedOut, "198.51.100.12")}, Fail},
		"such a Node from inside":             {symptom{docs: lb(""), to: "node/raspi001:30080", comes: fails(TimedOut), want: ExternalLocal}, Pass},
		"it gets through, but should not":     {symptom{from: "local", docs: lb(""), change: outside("192.0.2.7"), to: "node/raspi001:30080", comes: fate(func(Check) ErrorKind { return through }).meets}, Fail},
		"a load balancer permits others only": {symptom{from: "local", docs: lb(ranges), change: outside("198.18.0.1"), to: "198.51.100.12:80", comes: fails(TimedOut), want: SourceRanges, says: "permits 192.0.2.0/24, 203.0.113.64/26 only"}, Pass},
		"it permits this machine":             {symptom{from: "local", docs: lb(ranges), change: outside("203.0.113.65"), to: "198.51.100.12:80", comes: failsAt(TimedOut, "198.51.100.12")}, Fail},
		"not at its external IP":              {symptom{from: "local", docs: lb(ranges), change: outside("198.18.0.1"), to: "198.51.100.11:80", comes: fails(TimedOut), want: ExternalLocal}, Pass},
		"not for whom is inside":              {symptom{docs: lb(ranges), to: "198.51.100.12:80", comes: fails(TimedOut), want: SourceRanges}, Pass},
		"it permits everybody":                {symptom{from: "local", docs: lb(""), change: outside("198.18.0.1"), to: "198.51.100.12:80", comes: failsAt(TimedOut, "198.51.100.12")}, Fail},
	} {
		w := seen.onMaster(t, append([]string{clientPod}, test.docs...)...)
		if test.change != nil {
			test.change(w)
		}
		r := diagnose(w, planFor(t, w, cmp.Or(test.from, "pod/client"), test.to), test.comes, Looks{})[0]
		explained(t, name, w, r, test.want, test.says)
		if r.Verdict != test.verdict {
			t.Errorf("%s: got %s (%s), want %s", name, r.Verdict, r.Expect.Why, test.verdict)
		}
	}
}

func TestExternalAddressesThatNobodyLeadsToANode(t *testing.T) {
	docs := func(address string) []string {
		return []string{manifest.Service("x", clusterIP+"externalIPs: ["+address+"], selector: {app: web}, "+oneWebPort, ""), manifest.WebSlice("x")}
	}
	outside := func(w *World) { w.LocalNode = "" }
	symptoms(t, map[string]symptom{
		"no Node has it":             {from: "local", docs: docs("203.0.113.7"), change: outside, to: "203.0.113.7:80", comes: failsAt(TimedOut, "203.0.113.7"), want: ExternalNowhere, says: "No Node has the address 203.0.113.7"},
		"the same, by a URL":         {from: "local", docs: docs("203.0.113.7"), change: outside, to: "http://203.0.113.7/", comes: failsAt(Unreachable, "203.0.113.7"), want: ExternalNowhere},
		"a Node has it":              {from: "local", docs: docs("198.51.100.12"), change: outside, to: "198.51.100.12:80", comes: failsAt(TimedOut, "198.51.100.12"), want: ""},
		"somebody refuses there":     {from: "local", docs: docs("203.0.113.7"), change: outside, to: "203.0.113.7:80", comes: failsAt(Refused, "203.0.113.7"), want: ""},
		"who is inside needs no way": {docs: docs("203.0.113.7"), to: "203.0.113.7:80", comes: failsAt(TimedOut, "203.0.113.7"), want: ""},
	})
}

// hinted gives an endpoint hints: forZones: [{name: a}].
func hinted(hints, endpoint string) string { return "{hints: {" + hints + "}, " + endpoint[1:] }

func TestHintsKeepConnectionsNear(t *testing.T) {
	seen := clusters{}
	x := manifest.Service("x", clusterIP+"trafficDistribution: PreferClose, selector: {app: web}, "+oneWebPort, "")
	endpoints := func(hints ...string) string {
		all := []string{manifest.Endpoint("web-1", "10.244.1.5", "raspi002"), manifest.Endpoint("web-2", "10.244.1.6", "raspi002"), manifest.Endpoint("web-3", "10.244.2.5", "raspi003")}
		for i, h := range hints {
			if h != "" {
				all[i] = hinted(h, all[i])
			}
		}
		return manifest.Slice("x", "http", 80, all...)
	}
	const a, b, ours, theirs = "forZones: [{name: a}]", "forZones: [{name: b}]", "forNodes: [{name: raspi003}]", "forNodes: [{name: raspi002}]"
	for name, test := range map[string]struct {
		slice string
		took  int // of the three, from pod/client on raspi003 in zone b
		want  CauseCode
	}{
		"hints for its zone":                  {endpoints(a, a, b), 1, TrafficHints},
		"hints for its zone at two":           {endpoints(a, b, b), 2, TrafficHints},
		"hints for its Node":                  {endpoints(theirs, theirs, ours), 1, TrafficHints},
		"the Node's before the zone's":        {endpoints(ours+", "+a, theirs+", "+b, theirs+", "+b), 1, TrafficHints},
		"hints for others only":               {endpoints(a, a, a), 3, ""},
		"all for its zone":                    {endpoints(b, b, b), 3, ""},
		"one without a hint":                  {endpoints(a, "", b), 3, ""},
		"no hints":                            {endpoints(), 3, ""},
		"hints for other Nodes, and its zone": {endpoints(theirs+", "+a, theirs+", "+a, theirs+", "+b), 1, TrafficHints},
	} {
		w := seen.onMaster(t, clientPod, x, test.slice)
		changedNode(t, w, "raspi002", func(n *kube.Node) { n.Zone = "a" })
		changedNode(t, w, "raspi003", func(n *kube.Node) { n.Zone = "b" })
		r := diagnose(w, planWith(t, w, PlanOptions{Count: 100}, "pod/client", "svc/x"), nil, Looks{})[0]
		explained(t, name, w, r, test.want, "")
		if got := len(w.Eligible(r.Source, w.Service(key("shop/x")), r.Path.Port)); got != test.took || r.Verdict != Pass {
			t.Errorf("%s: got %d endpoints, %s, want %d and a pass", name, got, r.Verdict, test.took)
		}
	}
}

func TestAddressesThatNobodyHas(t *testing.T) {
	among := []string{
		manifest.Service("low", "clusterIP: 10.96.0.2, clusterIPs: [10.96.0.2], "+oneWebPort, ""),
		manifest.Service("high", "clusterIP: 10.105.0.2, clusterIPs: [10.105.0.2], "+oneWebPort, ""),
	}
	searched := func(addresses ...string) func(*World) { return func(w *World) { w.Nobody = addresses } }
	symptoms(t, map[string]symptom{
		"of the Pods' network":      {to: "10.244.2.99:80", change: searched("10.244.2.99"), comes: fails(TimedOut), want: NoSuchAddress, says: "No Pod has the address 10.244.2.99: it is of the Pods' network on Node raspi003"},
		"the same, by a URL":        {to: "http://10.244.2.99/", change: searched("10.244.2.99"), comes: fails(Unreachable), want: NoSuchAddress},
		"among those of Services":   {docs: among, to: "10.100.7.7:80", change: searched("10.100.7.7"), comes: fails(TimedOut), want: NoSuchAddress, says: "No Service has the address 10.100.7.7"},
		"above all of them":         {docs: among, to: "10.106.7.7:80", change: searched("10.106.7.7"), comes: fails(TimedOut), want: ""},
		"of a machine outside":      {docs: among, to: "192.0.2.8:80", change: searched("192.0.2.8"), comes: fails(TimedOut), want: ""},
		"podpath could not look":    {to: "10.244.2.99:80", comes: fails(TimedOut), want: ""},
		"somebody refuses there":    {to: "10.244.2.99:80", change: searched("10.244.2.99"), comes: fails(Refused), want: ""},
		"somebody answers there":    {to: "10.244.2.99:80", change: searched("10.244.2.99"), comes: nil, want: ""},
		"an endpoint of a Service":  {docs: []string{manifest.Service("x", clusterIP+oneWebPort, ""), manifest.SliceByHand("x", "http", 80, manifest.Endpoint("", "10.244.2.99", "raspi001"))}, to: "svc/x", change: searched("10.244.2.99"), comes: failsAt(TimedOut, "10.96.0.9", "10.244.2.99"), want: StaleSlice, says: "is of the Pods' network, where no Pod has it"},
		"the address of a Pod":      {to: "10.244.1.5:80", comes: fails(Refused), want: NotListening},
		"a Pod that somebody wrote": {docs: []string{manifest.Service("x", clusterIP+oneWebPort, ""), manifest.SliceByHand("x", "http", 80, manifest.Endpoint("", "10.244.1.5", "raspi002"))}, to: "svc/x", comes: failsAt(Refused, "10.96.0.9", "10.244.1.5"), want: NotListening, says: "Pod web-1"},
	})
}
