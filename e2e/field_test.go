package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// onPractice is where the practice cluster is, instead of a machine of the real one.
const onPractice = "practice"

// question is what somebody asks podpath, and the right answer.
type question struct {
	// at is the machine; "" is the master.
	at string
	// words follow podpath probe. NAMESPACE is that of the manifest, and {OBJECT PATH} what kubectl says about an object there.
	words string
	code  int
	// causes is a regular expression for the codes of all causes that accuse anything or anybody, in order, with spaces between them.
	causes string
	// says must match the output, and lacks must not.
	says, lacks string
}

// situation is a manifest of the folder field, and what people ask there.
type situation struct {
	manifest string
	// where the manifest is, if not in the namespace of the client.
	elsewhere bool
	// prepare does what a manifest cannot.
	prepare   func(place)
	questions []question
}

// field is what people have run into, from public bug reports, made small, and more of the same kinds.
var field = []situation{
	{manifest: "selector-too-broad", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "selector-too-broad", says: "next: kubectl get pods .*--show-labels", lacks: "readiness probe"},
		{words: "pod/client svc/web --count 30", code: 1, causes: "selector-too-broad", lacks: "readiness probe"},
	}},
	{manifest: "headless-port", questions: []question{
		{words: "pod/client svc/web", says: `· headless-port  .*port 8080 is not translated, and clients use 80\.`},
		{words: "pod/client web:8080", code: 1, causes: "headless-port", says: "next: podpath probe -n NAMESPACE pod/client web:80"},
		{words: "pod/client http://web.NAMESPACE:8080/", code: 1, causes: "headless-port"},
		{words: "pod/client web:80"},
	}},
	{manifest: "no-such-port", questions: []question{
		{words: "pod/client web:8080", code: 1, causes: "no-such-port", says: "8080 is the port of its Pods, and clients of the Service use 80"},
		{words: "pod/client http://web.NAMESPACE:8080/", code: 1, causes: "no-such-port", says: "next: podpath probe -n NAMESPACE pod/client svc/web:80"},
		{words: "pod/client node/raspi003:30000", code: 1, causes: "no-such-port", says: "Service web has 30003"},
		{words: "pod/client web:30003", code: 1, causes: "no-such-port", says: "(?i)30003 is .*node port"},
		{words: "pod/client {service/web .spec.clusterIP}:30003", code: 1, causes: "no-such-port", says: "(?i)30003 is .*node port"},
		{words: "pod/client {service/web .spec.clusterIP}:8080", code: 1, causes: "no-such-port"},
		{words: "pod/client svc/web:8080", code: 2, says: `has no port "8080"; there is 30003:80→http/TCP`},
		{words: "pod/client svc/web:http node/raspi003:30003 web:80"},
	}},
	{manifest: "wrong-target-port", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "wrong-target-port", says: "next: kubectl edit service -n NAMESPACE web  set targetPort to 80"},
		{words: "pod/client svc/web:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client svc/web:http", code: 1, causes: "wrong-target-port"},
		{words: "pod/client svc/NAMESPACE/web:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client web:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client web.NAMESPACE:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client web.NAMESPACE.svc:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client web.NAMESPACE.svc.cluster.local:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client web.NAMESPACE.svc.cluster.local.:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client {service/web .spec.clusterIP}:80", code: 1, causes: "wrong-target-port"},
		{words: "pod/client http://web/", code: 1, causes: "wrong-target-port"},
		{words: "pod/client http://WEB.NAMESPACE/", code: 1, causes: "wrong-target-port"},
		{words: "pod/client http://web.NAMESPACE.svc.cluster.local/", code: 1, causes: "wrong-target-port"},
		{words: "pod/client http://{service/web .spec.clusterIP}/", code: 1, causes: "wrong-target-port"},
		{words: "pod/client https://web:80/", code: 1, causes: "wrong-target-port"},
		{words: "local svc/web", code: 1, causes: "wrong-target-port"},
		{words: "local {service/web .spec.clusterIP}:80", code: 1, causes: "wrong-target-port"},
	}},
	{manifest: "slices", questions: []question{
		{words: "pod/client svc/port-name", code: 1, causes: "slice-port-name", says: `next: kubectl edit endpointslice -n NAMESPACE port-name-1  give its port the name "https"`},
		{words: "pod/client https://port-name/", code: 1, causes: "slice-port-name"},
		{words: "pod/client svc/protocol", code: 1, causes: "slice-port-name", says: "UDP"},
		{words: "pod/client svc/portless", code: 1, causes: "slice-port-name", says: "EndpointSlice portless-1 has no port"},
		{words: "pod/client portless:443", code: 1, causes: "slice-port-name"},
		{words: "pod/client svc/fqdn", code: 1, causes: "slice-fqdn", says: "fqdn-1"},
		{words: "pod/client fqdn:443", code: 1, causes: "slice-fqdn"},
		{words: "pod/client svc/family", code: 1, causes: "slice-family", says: "family-1"},
		{words: "pod/client https://family.NAMESPACE/", code: 1, causes: "slice-family"},
		{words: "pod/client svc/virtual", code: 1, causes: "slice-cluster-ip", says: "virtual-1.*10.96.0.1"},
		{words: "pod/client virtual:443", code: 1, causes: "slice-cluster-ip"},
		{words: "pod/client svc/unlabelled", code: 1, causes: "manual-slice-missing", says: "EndpointSlice forgotten has no such label"},
		{words: "pod/client unlabelled:443", code: 1, causes: "manual-slice-missing", says: "next: kubectl label endpointslice -n NAMESPACE forgotten kubernetes.io/service-name=unlabelled"},
	}},
	{manifest: "stale-slice", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "stale-slice", says: "next: kubectl delete endpointslice -n NAMESPACE web-old", lacks: "readiness probe"},
	}},
	{manifest: "members", questions: []question{
		{words: "pod/client dns:db-0.db", code: 1, causes: "pod-name-elsewhere"},
		{words: "pod/client db-0.db:6379", code: 1, causes: "pod-name-elsewhere", says: "its name is db-0.db-headless"},
		{words: "pod/client db-0.db.NAMESPACE.svc.cluster.local:6379", code: 1, causes: "pod-name-elsewhere"},
		{words: `pod/client dns:{pods .items[?(@.metadata.labels.app=="web")].metadata.name}.web`, code: 1, causes: "pod-name-missing"},
		{words: `pod/client http://{pods .items[?(@.metadata.labels.app=="web")].metadata.name}.web.NAMESPACE:8080/`, code: 1, causes: "pod-name-missing"},
		{words: "pod/client dns:q-7.q", code: 1, causes: "no-such-member", says: "q-0"},
		{words: "pod/client q-0.q:8080 http://q-0.q.NAMESPACE.svc:8080/ svc/db"},
	}},
	{manifest: "host-network-dns", questions: []question{
		{words: "pod/agent http://web.NAMESPACE/", code: 1, causes: "host-network-dns", lacks: "skipped"},
		{words: "pod/agent dns:web.NAMESPACE.svc.cluster.local", code: 1, causes: "host-network-dns", lacks: "skipped"},
	}},
	{manifest: "udp-target-port", questions: []question{
		{words: "pod/client svc/statsd", code: 1, causes: "wrong-target-port", lacks: "no Service"},
		{words: "pod/client svc/statsd:8125", code: 1, causes: "wrong-target-port", lacks: "no TCP port"},
		{words: "", code: 1, causes: "wrong-target-port"},
	}},
	{manifest: "external-local", questions: []question{
		{at: cluster.Outside, words: "local svc/web", says: `svc/web:8014@198\.51\.100\.12 .* as expected: externalTrafficPolicy is Local(.|\n)*· external-traffic-local`},
	}},
	{manifest: "source-ranges", prepare: balancers(map[string]string{"others": "198.51.100.13", "ours": "198.51.100.13", "nowhere": "198.51.100.200"}), questions: []question{
		{at: cluster.Outside, words: "local svc/others", says: `svc/others:8015@198\.51\.100\.13 .* as expected(.|\n)*· source-ranges  .*203\.0\.113\.0/24`},
		{at: cluster.Outside, words: "local svc/ours", says: `svc/ours:8018@198\.51\.100\.13 .* opened`, lacks: "source-ranges"},
		{at: cluster.Outside, words: "local svc/nowhere", code: 1, causes: "external-address-nowhere", says: `198\.51\.100\.200`},
		{words: "pod/client svc/nowhere"},
		{words: "pod/client svc/others", says: "· source-ranges"},
	}},
	{manifest: "same-node", questions: []question{
		{words: "pod/client svc/web --count 30", says: `pod/web-a:80 30(.|\n)*· traffic-hints  .*PreferSameNode`, lacks: "took none"},
	}},
	{manifest: "not-started", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "nothing-listens", says: "next: kubectl logs -n NAMESPACE web", lacks: "edit service"},
	}},
	{manifest: "plain-behind-443", questions: []question{
		{words: "pod/client https://web.NAMESPACE/", code: 1, causes: "speaks-plain"},
		{words: "pod/client http://kubernetes.default:443/", code: 1, causes: "speaks-tls", lacks: "✓"},
	}},
	{manifest: "external-name-address", questions: []question{
		{words: "pod/client svc/legacy", code: 1, causes: "external-name-address"},
		{words: "pod/client svc/legacy:443", code: 1, causes: "external-name-address", lacks: "no TCP port"},
		{words: "pod/client legacy:443", code: 1, causes: "external-name-address"},
	}},
	{manifest: "hangs", questions: []question{
		{words: "pod/client svc/cache", says: "opened"}, // the kernel takes it
		{words: "pod/client http://cache.NAMESPACE:6379/", code: 1, causes: "app-hangs", says: `has \d+ connections that nobody took`},
	}},
	{manifest: "egress-without-dns", questions: []question{
		{at: onPractice, words: "pod/client http://web.NAMESPACE/", code: 1, causes: "policy-denies-dns", says: "client-out", lacks: "skipped"},
		{at: onPractice, words: "pod/client dns:web", code: 1, causes: "policy-denies-dns", lacks: "skipped"},
	}},
	{manifest: "pod-address-only", questions: []question{
		{words: "", says: "· pod-address-only  .*kubectl port-forward", lacks: "✗"},
	}},
	{manifest: "selector-typo", elsewhere: true, questions: []question{
		{words: "pod/client http://web.NAMESPACE/", code: 1, causes: "selector-matches-nothing", says: "Pod web has app=weeb instead of web"},
		{words: "pod/client web.NAMESPACE:80", code: 1, causes: "selector-matches-nothing"},
		{words: "pod/client {service/web .spec.clusterIP}:80", code: 1, causes: "selector-matches-nothing"},
		{words: "pod/client svc/NAMESPACE/web", code: 1, causes: "selector-matches-nothing", says: "next: kubectl get pods -n NAMESPACE --show-labels"},
	}},
	{manifest: "accept-queue-full", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "accept-queue-full", says: "next: kubectl logs -n NAMESPACE web"},
		{words: "pod/client http://web/", code: 1, causes: "accept-queue-full"},
		{words: "", code: 1, causes: "accept-queue-full", lacks: "cross-node-route"},
	}},
	{manifest: "closes-at-once", questions: []question{
		{words: "pod/client http://web-fin/", code: 1, causes: "app-closes", says: "next: kubectl logs -n NAMESPACE web-fin"},
		{words: "pod/client http://web-rst/", code: 1, causes: "app-closes", says: "next: kubectl logs -n NAMESPACE web-rst"},
	}},
	{manifest: "http2-only", questions: []question{
		{words: "pod/client http://web:50051/", code: 1, causes: "speaks-http2"},
	}},
	{manifest: "tls-name-unknown", questions: []question{
		{words: "pod/client https://web/", code: 1, causes: "tls-refused", says: "(?i)unrecognized name(.|\n)*name"},
	}},
	{manifest: "certificates", questions: []question{
		{words: "pod/client https://web/", code: 1, causes: "certificate-name", says: `shop\.example\.test`},
		{words: "pod/client https://old/", code: 1, causes: "certificate-expired", says: "(?i)expired"},
	}},
	{manifest: "proxy-variables", questions: []question{
		{words: "pod/behind http://web/", says: `(?i)http_proxy`, lacks: "✗"},
	}},
	{manifest: "ipv6-only", questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "ipv6-only"},
		{words: "pod/client http://web/", code: 1, causes: "ipv6-only"},
	}},
	{manifest: "ingress-target-port", questions: []question{
		{words: "pod/client ingress/shop", code: 1, causes: "wrong-target-port", says: "next: kubectl edit service -n NAMESPACE web"},
		{words: "", code: 1, causes: "wrong-target-port"},
	}},
	{manifest: "not-ready", prepare: notReady, questions: []question{
		{words: "pod/client svc/crashing", code: 1, causes: "no-ready-endpoint", says: "next: kubectl logs -n NAMESPACE crashing -c app --previous"},
		{words: "pod/client http://crashing.NAMESPACE/", code: 1, causes: "no-ready-endpoint", says: "next: kubectl logs -n NAMESPACE crashing -c app --previous"},
		{words: "pod/client {service/crashing .spec.clusterIP}:80", code: 1, causes: "no-ready-endpoint", says: "next: kubectl logs -n NAMESPACE crashing -c app --previous"},
		{words: "pod/client svc/gated", code: 1, causes: "no-ready-endpoint", says: `example\.test/warm`},
		{words: "pod/client svc/initializing", code: 1, causes: "no-ready-endpoint", says: "init container.*migrate|migrate.*init"},
		{words: "pod/client svc/pulling", code: 1, causes: "no-ready-endpoint", says: "127.0.0.1:1/absent:1"},
		{words: "pod/client svc/probed", code: 1, causes: "no-ready-endpoint", says: "readiness probe"},
		{words: "pod/client svc/unschedulable", code: 1, causes: "no-ready-endpoint", says: "(?i)schedul"},
		{words: "pod/client svc/configless", code: 1, causes: "no-ready-endpoint", says: `configmap "absent"`},
	}},
	{manifest: "healthy", prepare: balancers(map[string]string{"balancer": "198.51.100.13"}), questions: []question{
		{words: "--only paths,services,discovery --parallel 2"},
		{words: "pod/client svc/clusterip svc/unnamed svc/headless svc/nodeport svc/local svc/near svc/balancer svc/externalip svc/alias svc/by-hand ingress/shop"},
		{words: "deploy/web svc/kube-system/kube-dns"}, // UDP, which takes more than busybox
		{words: "pod/client http://clusterip:8080/ headless:80 dns:alias dns:headless.NAMESPACE node/raspi001:{service/nodeport .spec.ports[0].nodePort}"},
		{words: "local svc/clusterip svc/unnamed svc/headless svc/nodeport svc/local svc/near svc/balancer svc/externalip svc/alias svc/by-hand"},
		{at: cluster.Outside, words: "local svc/clusterip svc/nodeport svc/local svc/balancer svc/externalip svc/by-hand ingress/shop"},
		{words: "pod/client svc/clusterip svc/near --count 30"},
		// Not these Services are at fault, but the names.
		{words: "pod/client http://clusterip.NAMESPACE.svc.cluster.home:8080/", code: 1, causes: "other-cluster-domain", says: `clusterip\.NAMESPACE\.svc\.cluster\.local`},
		{words: "pod/client dns:clusterip.NAMESPACE.svc.k8s.example", code: 1, causes: "other-cluster-domain"},
		{words: "pod/client clusterip.NAMESPACE.cluster.local:8080", code: 1, causes: "other-cluster-domain"},
		{words: "pod/client clustrip:8080", code: 1, causes: "no-such-service", says: "clusterip"},
	}},
}

// faults are situations that take a fault of a Node, and so the whole cluster for themselves.
var faults = []situation{
	{manifest: "hairpin", prepare: func(p place) { p.c.StopHairpins(cluster.Worker2) }, questions: []question{
		{words: "pod/web http://web.NAMESPACE/", code: 1, causes: "hairpin"},
		{words: "pod/web svc/web", code: 1, causes: "hairpin"},
		{words: "", code: 1, causes: "hairpin"},
		{words: "pod/client svc/web"},
	}},
	{manifest: "both-workers", prepare: func(p place) { p.c.StopForwarding(cluster.Worker2) }, questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "cross-node-route|node-cut-off", says: "Node raspi003"}, // of two Nodes podpath has seen one way
		{words: "", code: 1, causes: "node-cut-off", says: "Node raspi003"},
	}},
	{manifest: "endpoint-each", prepare: func(p place) { p.c.Unplug(cluster.Worker2) }, questions: []question{
		{words: "pod/client svc/web", code: 1, causes: "node-unreachable|node-not-ready", says: "Node raspi003", lacks: "readiness probe"},
		{words: "--only services", code: 1, causes: "node-unreachable|node-not-ready|kubelet-away node-unreachable|kubelet-away node-not-ready", says: "Node raspi003", lacks: "no-tools"},
	}},
}

// balancers gives Services the addresses that a controller for load balancers would.
func balancers(addresses map[string]string) func(place) {
	return func(p place) {
		for service, address := range addresses {
			p.c.Kubectl("--namespace", p.namespace, "patch", "service", service, "--subresource=status", "--patch", `{"status": {"loadBalancer": {"ingress": [{"ip": "`+address+`"}]}}}`)
		}
		if len(addresses) == 1 { // the one beside an Ingress
			p.c.Kubectl("--namespace", p.namespace, "wait", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=30s", "ingress/shop")
		}
		time.Sleep(3 * time.Second) // until kube-proxy has heard of it
	}
}

// notReady waits until the Pods are in the states that their names say.
func notReady(p place) {
	for _, wait := range []struct{ pod, state string }{
		{"gated", "status.containerStatuses[0].ready}=true"},
		{"initializing", "status.initContainerStatuses[0].state.running.startedAt}"},
		{"pulling", "status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff"},
		{"probed", "status.containerStatuses[0].started}=true"},
		{"configless", "status.containerStatuses[0].state.waiting.reason}=CreateContainerConfigError"},
		{"crashing", "status.containerStatuses[0].restartCount}=3"}, // from now on it waits for 40 s
		{"crashing", "status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff"},
	} {
		p.c.Kubectl("--namespace", p.namespace, "wait", "--for=jsonpath={."+wait.state, "--timeout=120s", "pod/"+wait.pod)
	}
}

// situationsAtOnce are few: a shell starts processes for each question, and a cluster of three Nodes on two cores has no time left.
const situationsAtOnce = 2

func TestProbeAnswersWhatPeopleRanInto(t *testing.T) {
	room := make(chan struct{}, situationsAtOnce)
	for _, s := range field {
		t.Run(s.manifest, func(t *testing.T) {
			t.Parallel()
			room <- struct{}{}
			defer func() { <-room }()
			s.ask(t)
		})
	}
}

func TestProbeAnswersWhatPeopleRanIntoWithANode(t *testing.T) {
	for _, s := range faults {
		t.Run(s.manifest, s.ask)
	}
}

// ask makes the situation, and asks all of it.
func (s situation) ask(t *testing.T) {
	if s.questions[0].at == onPractice {
		p := newPractice(t)
		p.says([]string{"created"}, "create", "namespace", "field")
		for _, name := range []string{s.manifest, "client"} {
			p.says([]string{"created"}, "apply", "--validate=false", "--namespace=field", "--filename="+filepath.Join("field", name+".yaml"))
		}
		p.says([]string{"condition met"}, "wait", "--namespace=field", "--for=condition=Ready", "pod", "--all", "--timeout=20s")
		for _, q := range s.questions {
			q.check(t, p.kubeconfig, "field", place{cluster.Use(t), "field"})
		}
		return
	}
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyField(p.namespace, s.manifest)
	home := p.namespace
	if s.elsewhere {
		home = c.Namespace()
		c.ApplyField(home, "client")
	}
	if s.prepare != nil {
		s.prepare(p)
	}
	for _, q := range s.questions {
		q.check(t, c.Kubeconfig, home, p)
	}
}

// looked is {OBJECT PATH}.
var looked = regexp.MustCompile(`\{(\S+) (\S+)\}`)

// check asks one question from the namespace home about what is at a place.
func (q question) check(t *testing.T, kubeconfig, home string, p place) {
	t.Helper()
	fill := func(text string) string { return strings.ReplaceAll(text, "NAMESPACE", p.namespace) }
	words := looked.ReplaceAllStringFunc(fill(q.words), func(asked string) string {
		parts := looked.FindStringSubmatch(asked)
		return p.get(parts[1], "{"+parts[2]+"}")
	})
	args := append([]string{"probe", "-n", home}, strings.Fields(words)...)
	cmd := command(t, kubeconfig, args...)
	if q.at != "" && q.at != onPractice {
		cmd = p.c.On(t.Context(), q.at, append([]string{os.Getenv("PODPATH"), "--kubeconfig", kubeconfig}, args...)...)
	}
	got := run(t, cmd)
	out := got.out + got.err
	accused := strings.Join(accusing(out), " ")
	switch {
	case got.code != q.code:
		t.Errorf("podpath %s: exit code %d, want %d\n%s", strings.Join(args, " "), got.code, q.code, out)
	case !regexp.MustCompile("^(" + q.causes + ")$").MatchString(accused):
		t.Errorf("podpath %s: accuses %q, want %q\n%s", strings.Join(args, " "), accused, q.causes, out)
	case !regexp.MustCompile(fill(q.says)).MatchString(out):
		t.Errorf("podpath %s: does not say %q\n%s", strings.Join(args, " "), fill(q.says), out)
	case q.lacks != "" && regexp.MustCompile(q.lacks).MatchString(out):
		t.Errorf("podpath %s: says %q\n%s", strings.Join(args, " "), q.lacks, out)
	}
}

// cause is the first line of one that says that something is wrong, or cannot be seen.
var cause = regexp.MustCompile(`(?m)^[✗?] (\S+)  `)

// accusing are the codes of the causes in an output that are not by design.
func accusing(out string) []string {
	_, causes, _ := strings.Cut(out, "\nCAUSES\n")
	var codes []string
	for _, line := range cause.FindAllStringSubmatch(causes, -1) {
		codes = append(codes, line[1])
	}
	slices.Sort(codes)
	return codes
}
