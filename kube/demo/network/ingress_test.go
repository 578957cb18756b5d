package network

import (
	"bufio"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheIngressControllerTellsWhatIsWrong(t *testing.T) {
	const rule = "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {ingressClassName: nginx, " +
		"rules: [{http: {paths: [{path: /shop, backend: {service: {name: s, port: {name: http}}}}]}}]}}"
	controller := pod("c", "10.244.2.3", `annotations: {demo.podpath/listens: "ingress:80"}`)
	ready := endpointYAML("10.244.2.2", "ready: true")
	for name, test := range map[string]struct {
		fault, path string
		service     []string
		want        int
	}{
		"all is well":        {"", "/shop", service("s", vip, ready), http.StatusOK},
		"a headless Service": {"", "/shop", service("s", "clusterIP: None", ready), http.StatusOK},
		"no rule":            {"", "/", service("s", vip, ready), http.StatusNotFound},
		"no such Service":    {"", "/shop", service("t", vip, ready), http.StatusServiceUnavailable},
		"no endpoint":        {"", "/shop", service("s", vip, ""), http.StatusServiceUnavailable},
		"none that is ready": {"", "/shop", service("s", vip, endpointYAML("10.244.2.2", "ready: false")), http.StatusServiceUnavailable},
		"it refuses":         {"refuse", "/shop", service("s", vip, ready), http.StatusBadGateway},
		"it breaks off":      {"reset", "/shop", service("s", vip, ready), http.StatusBadGateway},
		"it is silent":       {"drop", "/shop", service("s", vip, ready), http.StatusGatewayTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, append(test.service, rule, controller, pod("b", "10.244.2.2", "annotations: {demo.podpath/fault: "+test.fault+"}"))...)
			c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.3:80")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(2 * programTimeout))
			if _, err := io.WriteString(c, "GET "+test.path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			reply, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _ = reply.Body.Close(); reply.StatusCode != test.want {
				t.Errorf("%s: got %s, want %d", name, reply.Status, test.want)
			}
		})
	}
}
