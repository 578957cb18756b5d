package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo"
	"podpath/kube/demo/api"
	"podpath/kube/forward"
)

// shop has a Service with an endpoint that sends everything back, one without
// endpoints, and an ExternalName.
const shop = `
apiVersion: v1
kind: Node
metadata: {name: raspi001}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.100.11}]}
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: web-1, labels: {app: web}}
spec: {nodeName: raspi001, containers: [{name: echo, image: busybox, ports: [{containerPort: 7}]}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: web, labels: {tier: front}}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{name: http, port: 18080, targetPort: 7}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: idle}
spec: {clusterIP: 10.96.0.2, selector: {app: idle}, ports: [{port: 18080}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: shop, name: outside}
spec: {type: ExternalName, externalName: db.example.com}
`

// screen is what a command prints while it runs.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *screen) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *screen) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// until waits until a word was printed.
func (p *screen) until(t *testing.T, word string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.String(), word) {
			return
		}
	}
	t.Fatalf("got %q, and no %q", p.String(), word)
}

// forwardUntil runs podpath forward, calls what is to be done when it listens,
// ends it, and returns what it printed.
func (c cluster) forwardUntil(t *testing.T, listens string, then func(out, stderr *screen), args ...string) answer {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var out, stderr screen
	root := newRoot(streams{in: os.Stdin, out: &out, err: &stderr}, &clusterOptions{practice: c.Cluster})
	root.SetArgs(append([]string{"forward"}, args...))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- exitCode(root.ExecuteContext(ctx), &stderr) }()
	func() {
		defer cancel() // however the test ends
		out.until(t, listens)
		then(&out, &stderr)
	}()
	code := <-ended
	return answer{out.String(), stderr.String(), code}
}

// echo sends hello to an address and returns what comes back.
func echo(t *testing.T, address string) string {
	t.Helper()
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	text := make([]byte, len("hello"))
	if _, err = io.WriteString(c, "hello"); err == nil {
		_, err = io.ReadFull(c, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestForwardServesAndSumsUp(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	for _, via := range []string{"direct", "tunnel"} {
		got := c.forwardUntil(t, "svc/web:http", func(out, stderr *screen) {
			address, rest, _ := strings.Cut(out.String(), " ")
			if want := "→ svc/web:http  (1 endpoint, " + via + ", round-robin)\n"; rest != want {
				t.Errorf("got %q, want %q", rest, want)
			}
			for range 3 {
				if text := echo(t, address); text != "hello" {
					t.Errorf("got %q through the forward", text)
				}
			}
			stderr.until(t, "joined")
		}, "svc/web", "0:http", "--policy", "round-robin", "--via", via)
		if got.code != exitOK || !strings.Contains(got.out, "3 connections, 0 refused\n") || !strings.Contains(got.out, "15B") {
			t.Errorf("%s: got %+v, want the summary", via, got)
		}
	}
}

func TestForwardPrintsJSONLines(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	got := c.forwardUntil(t, `"joined"`, func(*screen, *screen) {}, "svc/web", "0:http", "-o", "json")
	var kinds []string
	for line := range strings.Lines(got.out) {
		var document struct{ APIVersion, Kind, Event, Listen string }
		if err := json.Unmarshal([]byte(line), &document); err != nil || document.APIVersion != "podpath/v1" {
			t.Errorf("%s: %v", line, err)
		}
		kinds = append(kinds, document.Kind+" "+document.Event)
	}
	if want := "ForwardEvent listening, ForwardEvent joined, ForwardEvent stopped, ForwardSummary "; strings.Join(kinds, ", ") != want {
		t.Errorf("got %q, want %q", kinds, want)
	}
}

func TestForwardOfWholeNamespaces(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	got := c.forwardUntil(t, "svc/web:18080", func(out, _ *screen) {
		for line := range strings.Lines(out.String()) {
			if f := strings.Fields(line); len(f) > 1 && f[1] == "svc/web:18080" {
				if text := echo(t, f[0]); text != "hello" {
					t.Errorf("got %q through %s", text, f[0])
				}
			}
		}
	}, "--all-services", "--via", "direct")
	if !strings.HasPrefix(got.out, "LISTENS ON") || !strings.Contains(got.out, "svc/idle:18080") || !strings.Contains(got.err, "svc/outside is left out: it is another name for db.example.com") {
		t.Errorf("got %+v, want every Service", got)
	}
	got = c.forwardUntil(t, "web.shop", func(*screen, *screen) {}, "-l", "tier=front", "--hosts", "--via", "direct")
	line, _, _ := strings.Cut(got.out, "\n")
	if f := strings.Fields(line); len(f) != 5 || !strings.HasPrefix(f[0], "127.1.") || f[4] != "web" || strings.Contains(got.out+got.err, "idle") {
		t.Errorf("got %+v, want one line for /etc/hosts", got)
	}
}

func TestForwardOfWholeNamespacesFollowsServices(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	address := ""
	got := c.forwardUntil(t, "idle.shop", func(out, stderr *screen) {
		if _, err := c.Apply([]byte("{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: late}, spec: {ports: [{port: 18080}]}}")); err != nil {
			t.Fatal(err)
		}
		out.until(t, "late.shop")
		c.Store().Delete("services", "shop", "idle")
		stderr.until(t, "svc/idle:18080 is gone, and not forwarded any more")
		for line := range strings.Lines(out.String()) {
			if f := strings.Fields(line); f[1] == "idle.shop" {
				address = net.JoinHostPort(f[0], "18080")
			}
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			c, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				break
			}
			_ = c.Close()
			if time.Now().After(end) {
				t.Errorf("got %s open though its Service is gone", address)
				break
			}
		}
	}, "--all-services", "--hosts", "--via", "direct")
	if got.code != exitOK || !strings.Contains(got.out, "late.shop.svc.cluster.local late\n") || !strings.Contains(got.err, "→ svc/late:18080  (0 endpoints, direct, ewma): ") || !strings.Contains(got.err, "svc/idle:18080 on "+address+": ") {
		t.Errorf("got %+v, want a Service that came and one that went", got)
	}
}

func TestForwardServesMetrics(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	_ = free.Close()
	c.forwardUntil(t, "svc/web:http", func(out, _ *screen) {
		address, _, _ := strings.Cut(out.String(), " ")
		echo(t, address)
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/metrics", nil)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, _ := io.ReadAll(response.Body)
		for _, want := range []string{"# TYPE podpath_forward_endpoint_connections_total counter\n", `podpath_forward_endpoint_connections_total{forward="svc/web:http",listen="` + address + `",endpoint="10.244.1.2:7`, "podpath_forward_refused_total{"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("got %s, want %s in it", text, want)
			}
		}
		http.DefaultClient.CloseIdleConnections()
	}, "svc/web", "0:http", "--metrics", at)
}

func TestForwardRefusesBadInput(t *testing.T) {
	c := startCluster(t, demo.Options{}, shop)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing":                   {nil, "say what to forward"},
		"a port alone":              {[]string{"8080:80"}, "a port follows its target"},
		"an unknown kind":           {[]string{"ingress/web:80"}, "is nothing that podpath forwards to"},
		"an unknown Service":        {[]string{"svc/nope:80"}, `svc/nope:80: there is no Service "nope" in namespace shop; there are svc/idle`},
		"an unknown port":           {[]string{"svc/web", "81"}, `svc/web:81: the Service has no port "81"; there is http:18080/TCP`},
		"an ExternalName":           {[]string{"svc/outside:80"}, "another name for db.example.com"},
		"no local port":             {[]string{"svc/web", "x:80"}, `"x" is no local port`},
		"an unknown policy":         {[]string{"svc/web", "--policy", "fair"}, `there is no policy "fair"`},
		"an unknown way":            {[]string{"svc/web", "--via", "air"}, `there is no way "air"`},
		"a bad address":             {[]string{"svc/web", "--address", "here"}, `"here" is no address to listen on`},
		"a bad selector":            {[]string{"-l", "=="}, "is no label selector"},
		"a selector that finds nil": {[]string{"-l", "app=nobody"}, "there is no Service to forward in namespace shop"},
		"targets beside all":        {[]string{"svc/web", "--all-services"}, "leave them out, or the targets"},
		"hosts on one address":      {[]string{"svc/web", "--hosts"}, "--hosts needs an address for each target"},
		"UDP through a tunnel":      {[]string{"svc/web", "0:http/udp", "--via", "tunnel"}, `no port "http"`},
		"metrics at a bad address":  {[]string{"svc/web", "0:http", "--metrics", "nowhere"}, "serve metrics: "},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.podpath(t, append([]string{"forward"}, test.args...)...)
			if got.code != exitUsage || !strings.Contains(got.err, test.want) || got.out != "" {
				t.Errorf("got %+v, want %q", got, test.want)
			}
		})
	}
}

func TestForwardNamesThePermissionThatIsMissing(t *testing.T) {
	c := startCluster(t, demo.Options{API: api.Options{Denies: denies("pods/portforward shop")}}, shop)
	got := c.podpath(t, "forward", "svc/web", "0:http")
	if got.code != exitUsage || !strings.Contains(got.err, "you may not create pods/portforward in namespace shop") || got.out != "" {
		t.Errorf("got %+v, want the permission", got)
	}
}

func TestParseOrders(t *testing.T) {
	for text, want := range map[string]string{
		"svc/web":                  "svc/web -1",
		"svc/web:80":               "svc/web:80 -1",
		"svc/web 8080:80 http":     "svc/web:80 8080, svc/web:http -1",
		"svc/web :80":              "svc/web:80 0",
		"svc/web:80 0:443":         "svc/web:80 -1, svc/web:443 0",
		"svc/dns 5353:53/udp":      "svc/dns:53/udp 5353",
		"svc/a 1:1 pod/b 2:2 3":    "svc/a:1 1, pod/b:2 2, pod/b:3 -1",
		"deploy/web svc/db:5432":   "deploy/web -1, svc/db:5432 -1",
		"svc/other/web 8080:named": "svc/other/web:named 8080",
	} {
		orders, err := parseOrders(strings.Fields(text), "shop")
		var got []string
		for _, o := range orders {
			got = append(got, fmt.Sprintf("%s %d", o.Label, o.Local))
		}
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestLoopbacksDifferAndStay(t *testing.T) {
	var orders []forward.Order
	for i := range 2000 {
		orders = append(orders, forward.Order{Destination: forward.Destination{Kind: forward.ToService, Key: kube.Key{Namespace: "shop", Name: fmt.Sprint("web-", i/2)}}})
	}
	new(loopbacks).assign(orders)
	of := map[netip.Addr]string{}
	for _, o := range orders {
		if other, taken := of[o.Address.IP]; taken && other != o.Name || !netip.MustParsePrefix("127.1.0.0/16").Contains(o.Address.IP) {
			t.Errorf("%s has %s, as %s has", o.Name, o.Address.IP, other)
		}
		of[o.Address.IP] = o.Name
	}
	alone := []forward.Order{{Destination: orders[0].Destination}}
	if new(loopbacks).assign(alone); alone[0].Address != orders[0].Address {
		t.Errorf("got %v, want the same address again", alone[0].Address)
	}
}

func TestEventWords(t *testing.T) {
	target := forward.Target{Address: "10.244.1.5", Port: 80, Pod: "web-1"}
	for want, e := range map[string]forward.Event{
		"web-1 (10.244.1.5:80) joined":                                                     {Kind: forward.Joined, Target: target},
		"web-1 (10.244.1.5:80) left (terminating)":                                         {Kind: forward.Left, Target: target, Reason: "terminating"},
		"web-1 (10.244.1.5:80) is left alone for 5s: refused":                              {Kind: forward.Ejected, Target: target, Reason: "for 5s: refused"},
		"no endpoint: connections wait up to 5s, then they are refused: it is scaled to 0": {Kind: forward.NoEndpoints, Reason: "it is scaled to 0"},
		"there are endpoints again":                                                        {Kind: forward.Resumed},
		"refused 3 connections: why":                                                       {Kind: forward.Refused, Count: 3, Reason: "why"},
		"accept a connection: no fds":                                                      {Kind: forward.Trouble, Reason: "accept a connection: no fds"},
	} {
		if got := eventWords(e); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestByteCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 1024: "1.0KiB", 5 << 20: "5.0MiB", 3 << 40: "3.0TiB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
