package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// The ports of the Pods.
const (
	httpPort = "80"
	sinkPort = "9000"
)

// way is one way to the Pods.
type way struct {
	name  string
	pid   int // of the program that forwards; 0 when there is none
	ports map[string][]string
	turn  atomic.Uint32
}

// address is where a client connects to reach a port of a Pod.
func (w *way) address(port string) string {
	all := w.ports[port]
	return all[int(w.turn.Add(1))%len(all)]
}

// ways are all of them.
type ways struct{ none, bare, direct, tunnel, kubectl *way }

// open starts the programs. Stop ends them, and waits for their end.
func open(ctx context.Context, o options) (all ways, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	all.none = &way{name: "no proxy", ports: map[string][]string{}}
	for _, port := range []string{httpPort, sinkPort} {
		for _, pod := range o.pods {
			all.none.ports[port] = append(all.none.ports[port], net.JoinHostPort(pod, port))
		}
	}
	self, err := os.Executable()
	if err != nil {
		return all, stop, err
	}
	for _, program := range []struct {
		way   **way
		start func() (*way, func(), error)
	}{
		{&all.bare, func() (*way, func(), error) {
			return start(ctx, "the bare proxy", listeningBare, self, "-proxy", "-pods", strings.Join(o.pods, ","))
		}},
		{&all.direct, func() (*way, func(), error) { return startPodpath(ctx, o, "direct") }},
		{&all.tunnel, func() (*way, func(), error) { return startPodpath(ctx, o, "tunnel") }},
		{&all.kubectl, func() (*way, func(), error) { return startKubectl(ctx, o) }},
	} {
		started, end, err := program.start()
		if err != nil {
			stop()
			return all, nil, err
		}
		*program.way = started
		stops = append(stops, end)
	}
	return all, stop, nil
}

func startPodpath(ctx context.Context, o options, via string) (*way, func(), error) {
	return start(ctx, "podpath "+via, listeningPodpath, o.podpath, "--kubeconfig", o.kubeconfig, "--namespace", o.namespace,
		"forward", "svc/far", "0:"+httpPort, "0:"+sinkPort, "--via", via, "--output", "json", "--drain", "0s")
}

func startKubectl(ctx context.Context, o options) (*way, func(), error) {
	return start(ctx, "kubectl", listeningKubectl, o.kubectl, "--kubeconfig", o.kubeconfig, "--namespace", o.namespace,
		"port-forward", "svc/far", ":"+httpPort, ":"+sinkPort)
}

// start starts a program, and waits until it listens for both ports, which its lines tell.
func start(ctx context.Context, name string, listening func(line string) (address, port string), program string, args ...string) (*way, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "HOME="+os.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 3 * time.Second
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	w := &way{name: name, pid: cmd.Process.Pid, ports: map[string][]string{}}
	drained := make(chan struct{})
	stop := func() {
		cancel()
		<-drained
		_ = cmd.Wait() // how it ends after a signal says nothing
	}
	lines := bufio.NewScanner(out)
	for len(w.ports) < 2 && lines.Scan() {
		if address, port := listening(lines.Text()); address != "" {
			w.ports[port] = []string{address}
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, out)
	}()
	if len(w.ports) < 2 {
		stop()
		return nil, nil, fmt.Errorf("%s has ended before it listened", name)
	}
	return w, stop, nil
}

func listeningPodpath(line string) (address, port string) {
	var event struct{ Event, Forward, Listen string }
	if err := json.Unmarshal([]byte(line), &event); err != nil || event.Event != "listening" {
		return "", ""
	}
	_, port, _ = strings.Cut(event.Forward, ":")
	return event.Listen, port
}

// kubectlLine is what kubectl says for each port, and once more for IPv6.
var kubectlLine = regexp.MustCompile(`^Forwarding from (127\.0\.0\.1:\d+) -> (\d+)$`)

func listeningKubectl(line string) (address, port string) {
	found := kubectlLine.FindStringSubmatch(line)
	if found == nil {
		return "", ""
	}
	return found[1], found[2]
}

// listeningBare reads what serveProxy prints.
func listeningBare(line string) (address, port string) {
	address, port, _ = strings.Cut(line, " ")
	return address, port
}
