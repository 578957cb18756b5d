package probes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"podpath/kube"
)

func TestCausesInTheNetworkAreToldApart(t *testing.T) {
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
			if c.Source.Node == node || c.About.Node == node || vip(c) && c.Source.Node == "raspi001" {
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
		if to(c, c.About.Pod.Name) || vip(c) {
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
		what     fate
		evidence evidence
		want     CauseCode
	}{
		"an endpoint refuses, nothing listens":         {deadPod(Refused), all("0.0.0.0:6379"), DeadEndpoint},
		"an endpoint refuses, listeners unknown":       {deadPod(Refused), evidence{}, DeadEndpoint},
		"an endpoint hangs":                            {deadPod(TimedOut), evidence{}, DeadEndpoint},
		"an endpoint hangs, proxies are well":          {deadPod(TimedOut), proxies(NoError, NoError, NoError), DeadEndpoint},
		"no way between two Nodes":                     {crossNode, evidence{}, CrossNodeRoute},
		"no way between two Nodes, proxies are well":   {crossNode, proxies(NoError, NoError, NoError), CrossNodeRoute},
		"kube-proxy on one Node":                       {vipFrom("raspi002"), evidence{}, KubeProxy},
		"kube-proxy on one Node, its check says so":    {vipFrom("raspi002"), proxies(NoError, Refused, NoError), KubeProxy},
		"kube-proxy on the master":                     {vipFrom("raspi001"), evidence{}, KubeProxy},
		"Services fail everywhere":                     {vipFrom("raspi001", "raspi002", "raspi003"), proxies(NoError, NoError, NoError), ServiceDataplane},
		"Services fail everywhere, without kube-proxy": {vipFrom("raspi001", "raspi002", "raspi003"), proxies(Refused, Refused, Refused), ServiceDataplane},
		"the app listens elsewhere":                    {everyPod, all("0.0.0.0:8080", "[::]:6379"), WrongTargetPort},
		"nothing listens at all":                       {everyPod, all(), WrongTargetPort},
		"every app is bound to localhost":              {notLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"one app is bound to localhost":                {oneNotLocalhost, all("127.0.0.1:80"), LoopbackOnly},
		"every Pod refuses, though it listens":         {everyPod, all("0.0.0.0:80"), ""},
		"every Pod refuses, listeners unknown":         {everyPod, evidence{}, NotListening},
	} {
		w := onMaster(t)
		named(t, name, simulate(w, w.Plan(Groups...), test.what, test.evidence), test.want)
	}
	w := onMaster(t)
	notReady := *w.Node("raspi003")
	notReady.Ready = false
	notReady.Flags = []kube.Flag{{Code: kube.NodeNotReadyFlag, Message: "it is silent"}}
	w.Nodes[2] = &notReady
	named(t, "a Node is down", simulate(w, w.Plan(Paths, Services), down("raspi003"), evidence{}), NodeNotReady)
	refuses := func(c Check) ErrorKind {
		if to(c, "web-3") {
			return Refused
		}
		return NoError
	}
	named(t, "on a Node that is not ready an app refuses", simulate(w, w.Plan(Paths, Services), refuses, evidence{}), DeadEndpoint)
}

func TestCausesAreFoundInSmallPlans(t *testing.T) {
	only := func(kind ErrorKind, pods string) fate {
		return func(c Check) ErrorKind {
			if c.About.Pod.Name != "" && strings.Contains(pods, c.About.Pod.Name) || vip(c) && pods == "" || c.Kind == Spread {
				return kind
			}
			return NoError
		}
	}
	for name, test := range map[string]struct {
		count    int
		target   string
		what     fate
		evidence evidence
		want     CauseCode
	}{
		"a Service, one endpoint dead":       {0, "svc/web", only(Refused, "web-2"), evidence{}, DeadEndpoint},
		"a spread, one endpoint dead":        {120, "svc/web", only(Refused, "web-2"), evidence{}, DeadEndpoint},
		"a Service, the way to one is lost":  {0, "svc/web", only(TimedOut, "web-2"), evidence{}, DeadEndpoint},
		"a Service, its proxy is dead":       {0, "svc/web", only(TimedOut, ""), proxies("", Refused), KubeProxy},
		"a Service, its proxy is well":       {0, "svc/web", only(TimedOut, ""), proxies("", NoError), ServiceDataplane},
		"a Pod alone refuses":                {0, "pod/web-2:81", only(Refused, "web-2"), all("0.0.0.0:80"), WrongTargetPort},
		"a Pod alone is not reached":         {0, "pod/web-3:80", only(TimedOut, "web-3"), evidence{}, ""},
		"a Pod alone is reached by the way":  {0, "pod/web-2:80", only(ResetByPeer, "web-2"), evidence{}, ""},
		"a Service, all endpoints are away":  {0, "svc/web", only(TimedOut, "web-1 web-2 web-3"), evidence{}, ""},
		"a Service, all listen on localhost": {0, "svc/web", only(Refused, "web-1 web-2 web-3"), all("[::1]:80"), LoopbackOnly},
	} {
		w := onMaster(t)
		named(t, name, simulate(w, planFor(t, w, test.count, "pod/web-1", test.target), test.what, test.evidence), test.want)
	}
}

func TestNearMissesAreNotNamedForServices(t *testing.T) {
	w := onMaster(t, serviceYAML("lb", `type: LoadBalancer, clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, "loadBalancer: {ingress: [{ip: 203.0.113.9}]}"), webSlice("lb"))
	named(t, "the load balancer alone fails", simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.Ask.Host == "203.0.113.9" {
			return TimedOut
		}
		return NoError
	}, proxies(Refused, Refused, Refused)), "")
	named(t, "a NodePort alone fails", simulate(w, w.Plan(Services), func(c Check) ErrorKind {
		if c.About.NodePort && c.About.Node == "raspi001" {
			return TimedOut
		}
		return NoError
	}, proxies(NoError, NoError, NoError)), "")
	single := lookAt(t, "shop", nodesYAML(), podSpec{name: "web-1", node: "raspi002", ips: []string{"10.244.1.5"}, app: "web"}.yaml(), podSpec{name: "web-2", node: "raspi002", ips: []string{"10.244.1.6"}}.yaml(),
		serviceYAML("web", `clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]`, ""),
		sliceYAML("web", "http", 80, endpointYAML("web-1", "10.244.1.5", "raspi002")))
	single.LocalNode = "raspi001"
	checks := append(planFor(t, single, 0, "pod/web-1", "svc/web"), append(planFor(t, single, 0, "pod/web-2", "svc/web"), planFor(t, single, 0, "local", "svc/web")...)...)
	named(t, "a Pod does not reach itself through its Service (hairpin)", simulate(single, checks, func(c Check) ErrorKind {
		if vip(c) && c.Source.Pod.Name == "web-1" {
			return TimedOut
		}
		return NoError
	}, evidence{}), "")
}

func TestManyFailuresAreExplainedInTime(t *testing.T) {
	w := farm(t, 100, func(i int) string { return fmt.Sprintf("ReplicaSet/x-%d", i) })
	var checks []Check
	for _, p := range w.Pods {
		for _, q := range w.Pods {
			checks = append(checks, Check{
				ID: p.Name + " " + q.Name, Source: w.podSource(p), Target: q.Name, Kind: TCP, Ask: Ask{Host: q.IP(), Port: 80},
				Expect: reached(""), About: About{Pod: q.Key(), Node: q.Node},
			})
		}
	}
	began := time.Now()
	simulate(w, checks, func(Check) ErrorKind { return TimedOut }, evidence{})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v for %d failures, want little", took, len(checks))
	} else {
		t.Logf("%d failures in %v", len(checks), took)
	}
}
