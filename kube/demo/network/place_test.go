package network

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestConnectionsShowInTheTablesAndEndWithTheirPods(t *testing.T) {
	l := newLab(t)
	c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:80")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		f, err := l.place(name).Open("/proc/net/tcp")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(f)
		return string(text)
	}
	port := fmt.Sprintf("%04X", c.LocalAddr().(*net.TCPAddr).Port)
	if got, want := read("b"), "0202F40A:0050 0201F40A:"+port+" 01"; !strings.Contains(got, want) || !strings.Contains(got, "00000000:0050 00000000:0000 0A") {
		t.Errorf("got\n%swant %s and the listener", got, want)
	}
	if got, want := read("a"), "0201F40A:"+port+" 0202F40A:0050 01"; !strings.Contains(got, want) {
		t.Errorf("got\n%swant %s", got, want)
	}
	l.store.Delete("pods", "shop", "b")
	_ = read("c") // whoever looks next
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v after the Pod was gone, want a reset", err)
	}
}

func TestPodsOnTheNetworkOfTheirNodeHaveItsName(t *testing.T) {
	l := newLab(t)
	place, err := l.Pod("kube-system", "proxy-2")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, command := range []string{"hostname", "env"} {
		if exit, err := place.Exec(t.Context(), "busybox", []string{command}, nil, &out, io.Discard); exit != 0 || err != nil {
			t.Errorf("%s: got %d, %v", command, exit, err)
		}
	}
	if got := out.String(); !strings.HasPrefix(got, "raspi002\n") || !strings.Contains(got, "HOSTNAME=raspi002\n") {
		t.Errorf("got %q, want the name of the Node", got)
	}
}

func TestListenersThatCannotBeAreNone(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "http http:99999 http:::1:80 http:[::1]:80 : http:81"}`))
	f, err := l.place("b").Open("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	if strings.Count(string(text), " 0A ") != 1 || !strings.Contains(string(text), "00000000:0051 ") {
		t.Errorf("got\n%swant port 81 alone", text)
	}
}

func TestPodsRunOnNodesOnly(t *testing.T) {
	l := newLab(t, strings.NewReplacer("raspi001", Outside, "proxy-1", "proxy-3").Replace(proxy(1)))
	if _, err := l.Pod("kube-system", "proxy-3"); !errors.Is(err, syscall.ENETDOWN) {
		t.Errorf("got %v for a Pod on a machine outside, want that it has no network", err)
	}
}

func TestVariablesAreThoseOfOlderServices(t *testing.T) {
	links := pod("b", "10.244.2.2", "creationTimestamp: 2026-03-14T12:00:00Z")
	links = strings.Replace(links, "running: {}", "running: {startedAt: 2026-03-14T12:00:02Z}", 1)
	at := func(name, time string) string {
		return fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: shop, creationTimestamp: %s}, spec: {clusterIP: 10.96.0.9, ports: [{name: web-ui, port: 80}]}}", name, time)
	}
	l := newLab(t, links, at("my-old", "2026-03-14T12:00:02Z"), at("young", "2026-03-14T12:00:03Z"))
	f, err := l.place("b").Open("/proc/self/environ")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	got := strings.Split(string(text), "\x00")
	for _, want := range []string{"HOSTNAME=b", "MY_OLD_SERVICE_HOST=10.96.0.9", "MY_OLD_SERVICE_PORT=80", "MY_OLD_SERVICE_PORT_WEB_UI=80"} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if strings.Contains(string(text), "YOUNG") {
		t.Errorf("got %q, want nothing of a Service that came later", got)
	}
}

func TestRedisAndUDP(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "redis:6379 echo:7"}`))
	c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:6379")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "*1\r\n$4\r\nPING\r\nwhat\r\n")
	_ = c.(*conn).CloseWrite()
	if got, _ := io.ReadAll(c); string(got) != "+PONG\r\n-ERR unknown command\r\n" {
		t.Errorf("got %q", got)
	}
	l.put(strings.Replace(pod("c", "10.244.2.3", ""), "containerPort: 80", "containerPort: 7, protocol: UDP", 1))
	u, err := l.place("a").DialContext(t.Context(), "udp", "10.244.2.3:7")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = u.Write([]byte("echo"))
	_ = u.SetDeadline(time.Now().Add(5 * time.Second))
	answer := make([]byte, 9)
	if n, err := u.Read(answer); string(answer[:n]) != "echo" {
		t.Errorf("got %q, %v", answer[:n], err)
	}
	_ = u.Close()
	for address, want := range map[string]error{"10.244.2.2:9": syscall.ECONNREFUSED, "10.244.2.99:9": os.ErrDeadlineExceeded} {
		c, err := l.place("a").DialContext(t.Context(), "udp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond))
		_, errWrite := c.Write([]byte("x"))
		if _, err := c.Read(make([]byte, 9)); !errors.Is(err, want) || errWrite != nil {
			t.Errorf("%s: got %v, %v; want %v", address, errWrite, err, want)
		}
		_ = c.Close()
	}
}
