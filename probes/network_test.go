package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube/demo"
	"podpath/kube/demo/fixture"
	"podpath/probes/launch"
	"podpath/probes/path/manifest"
	"podpath/probes/wire"
)

// network is what a prober in a test sees: the place of a Pod in a practice
// cluster, if there is one, and what the test puts in the way.
type network struct {
	wire.Network                  // nil for one where all is refused, and no file is
	routes       map[string]route // by "tcp 10.244.1.5:80"
	files        map[string]string
}

// route is what becomes of a connection.
type route func(ctx context.Context) (net.Conn, error)

// unanswered is the route to nowhere.
func unanswered(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// noTool is the route of a prober that cannot do it.
func noTool(context.Context) (net.Conn, error) { return nil, errors.New("this shell cannot do that") }

// fails is the route of what the system does not send, or is refused.
func fails(err error) route {
	return func(context.Context) (net.Conn, error) { return nil, err }
}

// serves is the route to a server in memory. The bubble of the test waits for
// its end, which comes with that of the connection.
func serves(handle func(net.Conn)) route {
	return func(context.Context) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			handle(far)
		}()
		return near, nil
	}
}

// answers is a server that reads one piece, says something and closes.
func answers(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			go silent(c) // it takes what more there is, as a network would that is no pipe
			_, _ = io.WriteString(c, text)
		}
	}
}

// silent is a server that never says anything.
func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func (n network) DialContext(ctx context.Context, kind, address string) (net.Conn, error) {
	switch to := n.routes[kind+" "+address]; {
	case to != nil:
		return to(ctx)
	case n.Network != nil:
		return n.Network.DialContext(ctx, kind, address)
	}
	return nil, syscall.ECONNREFUSED
}

func (n network) Open(path string) (io.ReadCloser, error) {
	text, ok := n.files[path]
	switch {
	case ok:
		return io.NopCloser(strings.NewReader(text)), nil
	case n.Network != nil:
		return n.Network.Open(path)
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.ENOENT}
}

func (network) Addresses() []netip.Addr { return nil }

// observing is an observer of a network.
func observing(t testing.TB, n network) *observer {
	t.Helper()
	link, err := launch.New(nil, launch.Options{Machine: n}).Local(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = link.Close() })
	return newObserver(link, Options{Timeout: stepTime})
}

// inBubble runs a test in a bubble, where time passes at once, from manifest.Noon on.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(manifest.Noon))
		test(t)
	})
}

// inPod does the same with the place of a Pod in a practice cluster.
func inPod(t *testing.T, test func(t *testing.T, place wire.Network)) {
	t.Helper()
	inBubble(t, func(t *testing.T) {
		c := fixture.Start(t, demo.Options{Still: true, Seed: 1})
		if _, err := c.Apply([]byte(manifests())); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // until the controllers have done their part
		place, err := c.Network().Pod("shop", "client")
		if err != nil {
			t.Fatal(err)
		}
		test(t, place)
	})
}

// manifests are what the practice cluster has in namespace shop besides its own: Web
// with an endpoint, others without, and names.
func manifests() string {
	var many []string
	for i := range 100 {
		many = append(many, manifest.Endpoint("", fmt.Sprintf("10.244.9.%d", i+1), "raspi002"))
	}
	return manifest.Join(
		manifest.Pod{Name: "web-1", Node: "raspi002", App: "web"}.YAML(),
		manifest.Service("web", "clusterIP: 10.96.9.7, selector: {app: web}, ports: [{port: 80}]", ""),
		manifest.Service("nobody", "clusterIP: 10.96.9.8, ports: [{port: 80}]", ""),
		manifest.Service("many", "clusterIP: None, ports: [{name: http, port: 80}]", ""), manifest.SliceByHand("many", "http", 80, many...),
		manifest.Service("partner", "type: ExternalName, externalName: www.example.com", ""),
		manifest.Pod{Name: "client", Node: "raspi002", App: "client"}.YAML(),
	)
}
