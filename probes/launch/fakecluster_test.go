package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/wire"
)

// fakeCluster has containers with some programs, which understand what podpath
// starts them with. Everything is in the network of the test.
type fakeCluster struct {
	programs map[string]string // of each image, between blanks
	images   map[string]string // of each NAMESPACE/POD/CONTAINER
	denied   []string          // as kube.Access.String says it
	fails    func(ctx context.Context, e kube.Exec) error

	mu      sync.Mutex
	execs   []string // PLACE: ARGV, without the places of scripts
	asked   int      // access reviews
	files   map[string]bool
	guests  []kube.Guest
	helpers []kube.HelperPod
	deleted []string
}

// nodeMachine is the host, at the address of a Node.
type nodeMachine struct{ wire.Host }

func (nodeMachine) Addresses() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.168.0.1")} }

// ladder returns a ladder of the cluster as a snapshot of the manifests has it.
func (f *fakeCluster) ladder(t *testing.T, o Options, manifests string) (*Ladder, *kube.Snapshot) {
	t.Helper()
	s := fixture.Snapshot(t, kube.Scope{}, time.Now(), manifests)
	f.images, f.files = map[string]string{}, map[string]bool{}
	for _, p := range s.Pods {
		for _, c := range p.Containers {
			f.images[p.Key().String()+"/"+c.Name] = c.Image
		}
	}
	o.RunID, o.Machine = "r1", nodeMachine{}
	l := New(f, o)
	l.script = func(name string) (string, error) { return "#" + name, nil }
	l.prober = func(arch string) ([]byte, error) { return []byte("prober for " + arch), nil }
	return l, s
}

func (f *fakeCluster) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeCluster) Allowed(_ context.Context, a kube.Access) (bool, error) {
	f.do(func() { f.asked++ })
	return !slices.Contains(f.denied, a.String()), nil
}

func (f *fakeCluster) Exec(ctx context.Context, e kube.Exec) error {
	if in, ok := e.Stdin.(io.Closer); ok {
		defer func() { _ = in.Close() }()
	}
	place := e.Pod.String() + "/" + e.Container
	var programs string
	f.do(func() {
		f.execs = append(f.execs, place+": "+strings.NewReplacer(guardScript, "GUARD", uploadScript, "UPLOAD", runUploaded, "RUN").Replace(strings.Join(e.Command, " ")))
		programs = f.programs[f.images[place]]
	})
	if f.fails != nil {
		switch err := f.fails(ctx, e); {
		case errors.Is(err, errOver):
			return nil
		case err != nil:
			return err
		}
	}
	if !strings.Contains(" "+programs+" ", " "+e.Command[0]+" ") {
		return &kube.ExecError{Failure: kube.NoProgram, Pod: e.Pod, Container: e.Container, Program: e.Command[0]}
	}
	return f.run(ctx, e, place, programs)
}

func (f *fakeCluster) run(ctx context.Context, e kube.Exec, place, programs string) error {
	script := ""
	if len(e.Command) > 2 {
		script = e.Command[2]
	}
	switch script {
	case "#survey.sh":
		fmt.Fprintln(e.Stdout, "podpath-survey 1")
		for _, p := range strings.Fields(programs) {
			fmt.Fprintln(e.Stdout, p, "/bin/"+p)
		}
		fmt.Fprintln(e.Stdout, "END")
	case uploadScript:
		return f.upload(e, place)
	case guardScript:
		_, err := io.Copy(io.Discard, e.Stdin)
		f.do(func() { delete(f.files, place+"/tmp/"+e.Command[6]) })
		return err
	case runUploaded:
		var there bool
		f.do(func() { there = f.files[place+e.Command[4]]; delete(f.files, place+e.Command[4]) })
		if !there {
			return &kube.ExitError{Code: 2}
		}
		return serve(ctx, e, "podpath")
	case pythonReader, perlReader, shellReader:
		length, _ := strconv.Atoi(e.Command[3])
		text := make([]byte, length)
		if _, err := io.ReadFull(e.Stdin, text); err != nil || text[0] != '#' {
			return &kube.ExitError{Code: 1}
		}
		return serve(ctx, e, e.Command[0])
	}
	return nil
}

func (f *fakeCluster) upload(e kube.Exec, place string) error {
	size, file := e.Command[4], "/tmp/"+e.Command[6]
	if size == "0" {
		f.do(func() { delete(f.files, place+file) })
		fmt.Fprintln(e.Stdout, "END")
		return nil
	}
	f.do(func() { f.files[place+file] = true })
	got, err := io.ReadAll(e.Stdin)
	fmt.Fprintf(e.Stdout, "file %s\nsize %d\nEND\n", file, len(got))
	return err
}

// serve runs podpath's prober in place of a script, as a runtime would: it
// ends with its input, or with ctx.
func serve(ctx context.Context, e kube.Exec, tool string) error {
	return wire.Serve(ctx, e.Stdin.(io.ReadCloser), e.Stdout.(io.WriteCloser), tool, wire.Host{})
}

func (f *fakeCluster) AddEphemeral(_ context.Context, pod kube.Key, g kube.Guest) error {
	f.do(func() {
		f.guests = append(f.guests, g)
		f.images[pod.String()+"/"+g.Name] = g.Image
	})
	return nil
}

func (f *fakeCluster) AwaitRunning(ctx context.Context, _ kube.Key, _ string) error {
	return ctx.Err()
}

func (f *fakeCluster) CreateHelper(_ context.Context, h kube.HelperPod, g kube.Guest, _ time.Duration) (kube.HelperPod, error) {
	f.do(func() {
		f.helpers = append(f.helpers, h)
		f.images[h.String()+"/"+g.Name] = g.Image
	})
	return h, nil
}

func (f *fakeCluster) DeleteHelper(ctx context.Context, h kube.HelperPod) error {
	f.do(func() { f.deleted = append(f.deleted, h.String()) })
	return ctx.Err()
}

func (f *fakeCluster) Helpers(context.Context, kube.Scope) ([]kube.HelperPod, error) {
	return f.helpers, nil
}

// surveys counts the surveys with a shell.
func (f *fakeCluster) surveys() (n int) {
	for _, e := range f.execs {
		if strings.HasSuffix(e, "#survey.sh") {
			n++
		}
	}
	return n
}

// container is one of a Pod in a manifest.
type container struct{ name, image string }

// podYAML is a running Pod on a Node.
func podYAML(name, node string, containers ...container) string {
	spec, status := "", ""
	for _, c := range containers {
		spec += fmt.Sprintf("{name: %s, image: %s}, ", c.name, c.image)
		status += fmt.Sprintf("{name: %s, state: {running: {}}}, ", c.name)
	}
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: %[1]s, uid: uid-%[1]s}
spec: {nodeName: %[2]s, containers: [%[3]s]}
status: {phase: Running, containerStatuses: [%[4]s]}
`, name, node, spec, status)
}

// nodesYAML are three Nodes; the test runs on raspi001.
const nodesYAML = `
---
apiVersion: v1
kind: Node
metadata: {name: raspi001}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}], nodeInfo: {architecture: arm64}}
---
apiVersion: v1
kind: Node
metadata: {name: raspi002}
spec: {podCIDR: 10.244.2.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}], nodeInfo: {architecture: arm}}
---
apiVersion: v1
kind: Node
metadata: {name: raspi003}
spec: {podCIDR: 10.244.3.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.0.3}], nodeInfo: {architecture: arm64}}
`

var web = kube.Key{Namespace: "shop", Name: "web"}

// checkLink asks something through a link, checks how it came to be, and ends
// it.
func checkLink(t *testing.T, link Link, err error, want Via) {
	t.Helper()
	address, port := echo(t)
	checkLinkTo(t, link, err, want, netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port)))
}

// checkLinkTo asks a server that sends back what it gets.
func checkLinkTo(t *testing.T, link Link, err error, want Via, server netip.AddrPort) {
	t.Helper()
	must(t, err)
	a, err := link.Ask(t.Context(), wire.Request{Op: wire.TCP, Timeout: 5 * time.Second, Address: server.Addr().String(), Port: int(server.Port()), Count: 2, Data: []byte("hi")})
	if err != nil || string(a.Data) != "hi" {
		t.Errorf("got %q, %v from the prober", a.Data, err)
	}
	got := link.Via()
	if got.Rung != want.Rung || got.Tool != want.Tool || got.Container != want.Container {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := link.Close(); err != nil {
		t.Errorf("got %v from Close", err)
	}
}

// checkFailure checks why there is no link: the code, and a part of the reason
// for each rung.
func checkFailure(t *testing.T, err error, code Code, reasons ...string) {
	t.Helper()
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a Failure", err)
	}
	if failure.Code != code || len(failure.Refusals) != len(reasons) {
		t.Fatalf("got %s: %v; want %s and %q", failure.Code, failure, code, reasons)
	}
	for i, r := range failure.Refusals {
		if got := string(r.Rung) + ": " + r.Why; !strings.Contains(got, reasons[i]) {
			t.Errorf("refusal %d: got %q, want %q", i+1, got, reasons[i])
		}
	}
}

func podNames(n int) (names []string) {
	for i := range n {
		names = append(names, "web-"+strconv.Itoa(i))
	}
	return names
}
