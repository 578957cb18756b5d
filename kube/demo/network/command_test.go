package network

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// app is the Pod b with one container, which has started just now.
func app(container string) string {
	return fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: shop, uid: b2}, spec: {nodeName: raspi002, containers: [{name: app, %s}]}, `+
		`status: {phase: Running, podIP: 10.244.2.2, containerStatuses: [{name: app, state: {running: {startedAt: "%s"}}}]}}`, container, time.Now().UTC().Format(time.RFC3339))
}

// table is one of the tables of sockets of Pod b.
func (l *lab) table(table string) string {
	l.t.Helper()
	f, err := l.place("b").Open("/proc/net/" + table)
	if err != nil {
		l.t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	return string(text)
}

func script(text string) string {
	word, _ := json.Marshal(text)
	return "command: [bash, -c, " + string(word) + "]"
}

func TestCommandsSayWhatListens(t *testing.T) {
	const port80, port8080 = ", ports: [{containerPort: 80}]", ", ports: [{containerPort: 8080}]"
	podIP := ", env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]"
	for name, test := range map[string]struct {
		container, to, want string
	}{
		"the image":                    {"image: nginx" + port80, "10.244.2.2:80", "b to 10.244.1.2"},
		"nothing but a sleep":          {"image: nginx, " + script("sleep 1000000") + port80, "10.244.2.2:80", "refused"},
		"a sleep without a shell":      {"image: busybox, command: [sleep, infinity]" + port80, "10.244.2.2:80", "refused"},
		"a sleep first":                {"image: nginx, " + script("sleep 600; exec nginx") + port80, "10.244.2.2:80", "refused"},
		"a short sleep first":          {"image: nginx, " + script("sleep 0 && exec nginx") + port80, "10.244.2.2:80", "b to 10.244.1.2"},
		"a sleep behind":               {"image: nginx, " + script("nginx & sleep 600") + port80, "10.244.2.2:80", "b to 10.244.1.2"},
		"httpd":                        {"image: busybox, " + script("hostname >/x && exec httpd -f -p 8080 -h /x"), "10.244.2.2:8080", "b to 10.244.1.2"},
		"httpd on the Pod's address":   {"image: busybox, " + script("exec httpd -f -p $(POD_IP):8080 -h /etc") + podIP + port8080, "10.244.2.2:8080", "b to 10.244.1.2"},
		"it is not on localhost":       {"image: busybox, " + script("exec httpd -f -p $POD_IP:8080 -h /etc") + podIP + port8080, "127.0.0.1:8080", "refused"},
		"httpd on localhost":           {"image: busybox, " + script("httpd -p 127.0.0.1:8080"), "10.244.2.2:8080", "refused"},
		"the image echo":               {`image: "example.test/echo:1"`, "10.244.2.2:8080", "b to 10.244.1.2"},
		"the image echo with PORT":     {`image: "example.test/echo:1", env: [{name: PORT, value: "9000"}]` + port80, "10.244.2.2:9000", "b to 10.244.1.2"},
		"and not where it says":        {`image: "example.test/echo:1", env: [{name: PORT, value: "9000"}]` + port80, "10.244.2.2:80", "refused"},
		"the image echo with flags":    {`image: "example.test/echo:1", command: [/echo, "-http=:81", "-https=:8443"]`, "10.244.2.2:81", "b to 10.244.1.2"},
		"a port of another protocol":   {"image: nginx, ports: [{containerPort: 80, protocol: UDP}]", "10.244.2.2:80", "refused"},
		"a command that is not a tale": {"image: nginx, command: [nginx, -g, daemon off;]" + port80, "10.244.2.2:80", "b to 10.244.1.2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			from := "a"
			if strings.HasPrefix(test.to, "127.") {
				from = "b"
			}
			if got := newLab(t, app(test.container)).dial(from, test.to); got != test.want {
				t.Errorf("%s: got %s, want %s", name, got, test.want)
			}
		})
	}
}

func TestAnAppListensOnceItHasSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, app("image: nginx, "+script("sleep 600; exec nginx")))
		before, table := l.dial("a", "10.244.2.2:80"), l.table("tcp")
		time.Sleep(601 * time.Second)
		if after := l.dial("a", "10.244.2.2:80"); before != "refused" || after != "b to 10.244.1.2" {
			t.Errorf("got %s, and after ten minutes %s", before, after)
		}
		if strings.Contains(table, " 0A ") || !strings.Contains(l.table("tcp"), "00000000:0050 00000000:0000 0A ") {
			t.Errorf("got\n%s and after ten minutes\n%s", table, l.table("tcp"))
		}
	})
}

func TestTheKernelTakesConnectionsForAnAppThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, app("image: redis, "+script("redis-server --protected-mode no & p=$!; sleep 5; kill -STOP $p; sleep 1000000")+", ports: [{containerPort: 6379}]"))
		for _, question := range []string{"PING\r\n", "GET / HTTP/1.1\r\n\r\n"} {
			c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:6379")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, question)
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || !strings.Contains(err.Error(), "timeout") {
				t.Errorf("got %d bytes, %v; want no answer", n, err)
			}
			if got, want := l.table("tcp"), fmt.Sprintf(" 01 00000000:%08X ", len(question)); !strings.Contains(got, want) {
				t.Errorf("got\n%s want what was not read: %s", got, want)
			}
			_ = c.Close()
		}
		if got, want := l.table("tcp"), "00000000:18EB 00000000:0000 0A 00000000:00000002 "; !strings.Contains(got, want) {
			t.Errorf("got\n%s want two connections that nobody accepts: %s", got, want)
		}
		for range backlog - 1 {
			c, err := l.place("a").DialContext(t.Context(), "tcp", "10.244.2.2:6379")
			if err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
		}
		if got := l.dial("a", "10.244.2.2:6379"); got != "timeout" {
			t.Errorf("got %s from a full queue, want no answer", got)
		}
	})
}

func TestAQueueThatIsFullDropsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "full:8080"}`))
		for from, to := range map[string]string{"a": "10.244.2.2:8080", "b": "127.0.0.1:8080"} {
			if got := l.dial(from, to); got != "timeout" {
				t.Errorf("%s: got %s, want no answer", from, got)
			}
		}
		if got := l.table("tcp"); !strings.Contains(got, "0A 00000000:00000002 ") {
			t.Errorf("got\n%s want two connections in the queue", got)
		}
	})
}

func TestTheTablesTellAddressesAndProtocols(t *testing.T) {
	l := newLab(t, pod("b", "10.244.2.2", `annotations: {demo.podpath/listens: "http:[::]:8080 udp-echo:8125 http:10.244.2.2:81"}`))
	for table, want := range map[string]string{
		"tcp":  "0202F40A:0051 00000000:0000 0A ",
		"tcp6": "00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A ",
		"udp":  "00000000:1FBD 00000000:0000 07 ",
	} {
		if got := l.table(table); !strings.Contains(got, want) || strings.Count(got, "\n") != 2 {
			t.Errorf("%s: got\n%s want %s alone", table, got, want)
		}
	}
	if got := l.table("udp6"); strings.Count(got, "\n") != 1 {
		t.Errorf("got\n%s want an empty table", got)
	}
	if got := l.dial("a", "10.244.2.2:8080"); got != "refused" {
		t.Errorf("got %s over IPv4 from what listens on IPv6, want a refusal", got)
	}
}
