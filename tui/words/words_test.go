package words

import (
	"testing"
	"time"

	"podpath/kube"
)

func TestAge(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		ago  time.Duration
		want string
	}{
		{-time.Hour, "<1m"}, // clocks differ
		{0, "<1m"},
		{time.Minute - time.Second, "<1m"},
		{time.Minute, "1m"},
		{2*time.Hour - time.Second, "119m"},
		{2 * time.Hour, "2h"},
		{48*time.Hour - time.Second, "47h"},
		{48 * time.Hour, "2d"},
		{1000 * 24 * time.Hour, "1000d"},
	} {
		if got := Age(now, now.Add(-c.ago)); got != c.want {
			t.Errorf("%s ago: got %s, want %s", c.ago, got, c.want)
		}
	}
	if got := Age(now, time.Time{}); got != None {
		t.Errorf("never: got %s, want %s", got, None)
	}
}

func TestWords(t *testing.T) {
	now := time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct{ got, want string }{
		"nothing":                  {OrNone(""), None},
		"something":                {OrNone("x"), "x"},
		"no values":                {List(nil), None},
		"values":                   {List([]string{"a", "b"}), "a,b"},
		"container ports":          {ContainerPorts([]kube.ContainerPort{{Port: 80, Protocol: "TCP"}, {Port: 53, Protocol: "UDP"}}), "80,53/UDP"},
		"no container ports":       {ContainerPorts(nil), None},
		"service ports":            {ServicePorts([]kube.ServicePort{{Port: 8080, TargetPort: "80", Protocol: "TCP", NodePort: 30080}, {Port: 53, TargetPort: "dns", Protocol: "UDP"}}), "30080:8080→80/TCP,53→dns/UDP"},
		"all endpoints ready":      {Endpoints(kube.EndpointCounts{Total: 3, Ready: 3}), "3/3"},
		"some endpoints not ready": {Endpoints(kube.EndpointCounts{Total: 5, Ready: 2, NotReady: 2, Terminating: 1}), "2/5 (2 not ready, 1 terminating)"},
		"no restart":               {Restarts(now, &kube.Pod{}), "0"},
		"restarts":                 {Restarts(now, &kube.Pod{Restarts: 17, LastRestart: now.Add(-5 * time.Minute)}), "17 (5m ago)"},
		"restarts, time unknown":   {Restarts(now, &kube.Pod{Restarts: 2}), "2"},
		"all namespaces":           {Scope(kube.Scope{}), "all namespaces"},
		"one namespace":            {Scope(kube.Scope{Namespace: "shop"}), "shop"},
		"yes":                      {YesNo(true), "yes"},
		"no":                       {YesNo(false), "no"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}
