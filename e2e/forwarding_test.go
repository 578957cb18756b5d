package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// forwardsService presses what forwards the Service sample-clusterip to any free port, and returns where it listens.
func (u *user) forwardsService() (address string) {
	u.t.Helper()
	u.sees("live")
	u.press("2")
	u.filter("sample-clusterip")
	u.press("f")
	u.sees("sample-clusterip:8080: ")
	u.press(screen.Ctrl('u'), "0", screen.Enter)
	return u.listens("sample-clusterip:8080 is at http://")
}

// listens waits for the notice about a forward that has started, and returns its address.
func (u *user) listens(notice string) (address string) {
	u.t.Helper()
	u.sees(notice)
	found := regexp.MustCompile(regexp.QuoteMeta(notice) + `(127\.0\.0\.1:\d+) `).FindStringSubmatch(u.Text())
	if found == nil {
		u.t.Fatalf("no address in\n%s", u.Text())
	}
	return found[1]
}

// shows waits until a line of the screen matches.
func (u *user) shows(what, line string) {
	u.t.Helper()
	pattern := regexp.MustCompile("(?m)^" + line)
	if err := u.WaitFor(what, pattern.MatchString, soon); err != nil {
		u.t.Fatal(err)
	}
}

// fetch asks for a page over a new connection.
func fetch(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(page), "Welcome to nginx!") {
		err = fmt.Errorf("got %q, want nginx's page", page)
	}
	return err
}

// closed waits until nobody listens at an address.
func closed(t *testing.T, p place, address string) {
	t.Helper()
	p.c.Eventually("nobody at "+address, soon, func() error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			return fmt.Errorf("somebody listens at %s", address)
		}
		return nil
	})
}

func TestServiceIsForwardedWatchedChangedAndStopped(t *testing.T) {
	t.Parallel()
	p, pod := sample(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 40})
	address := u.forwardsService()
	u.sees("Services › Forwards", "4 Forwards 1", "auto direct", "ewma", "3 of 3 endpoints ready")
	for range 30 {
		check(t, "a page through the forward", fetch(address))
	}
	u.shows("30 connections and their bytes", `✓ svc/sample-clusterip:8080 +127\S+ +auto direct +ewma +0 +30 +\d\S* .*[▁▂▃▄▅▆▇█].* 0 *$`)
	held, err := (&net.Dialer{Timeout: soon}).DialContext(t.Context(), "tcp", address)
	check(t, "a connection that stays open", err)
	defer held.Close()
	u.shows("an open connection", `✓ svc/sample-clusterip:8080 +127\S+ +auto direct +ewma +1 +31 `)

	u.press(screen.Enter)
	u.sees("Forwards › svc/sample-clusterip:8080", "3 of 3 endpoints ready", "OPENING")
	for _, name := range strings.Fields(p.get("pods", "{.items[*].metadata.name}")) {
		u.shows(name+" among the endpoints", `ready +10\.\S+:80 +`+regexp.QuoteMeta(name))
	}
	var load sync.WaitGroup
	done := make(chan struct{})
	load.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := fetch(address); err != nil {
					t.Errorf("while a Pod is deleted: %v", err)
				}
			}
		}
	})
	p.c.Kubectl("--namespace", p.namespace, "delete", "pod", pod, "--wait=false")
	u.shows("the Pod that left", `(gone|terminating|still serving) +10\.\S+:80 +`+regexp.QuoteMeta(pod))
	p.c.WaitForRollout(p.namespace, "sample-deployment")
	u.sees("3 of 3 endpoints ready")
	for _, name := range strings.Fields(p.get("pods", "{.items[*].metadata.name}")) {
		u.shows(name+" among the endpoints", `(ready|terminating|still serving|gone) +10\.\S+:80 +`+regexp.QuoteMeta(name))
	}
	close(done)
	load.Wait()

	u.press(screen.Escape, "o")
	u.sees("Forwards › Policy", "the least busy, current")
	u.press("j", screen.Enter)
	u.sees("new connections go by the policy round-robin")
	u.press("v")
	u.sees("Forwards › Route")
	u.press("G", screen.Enter)
	u.sees("new connections go by the route tunnel")
	u.shows("the new policy and route", `✓ svc/sample-clusterip:8080 +127\S+ +tunnel +round-robin `)
	check(t, "a page through the tunnel", fetch(address))
	u.press("c")
	u.copies("http://" + address)

	_ = held.Close()
	u.press("x")
	u.sees("y/n  stop svc/sample-clusterip:8080 on " + address + "?")
	u.press("n")
	u.sees("? help")
	check(t, "a page after n", fetch(address))
	u.press("x", "y")
	u.seesWithin(15*time.Second, "Nothing is forwarded yet.")
	closed(t, p, address)
	u.press(screen.Escape)
	u.sees("Services  /sample-clusterip")
}

func TestForwardsLiveOnInAnotherNamespaceAndEndWithPodpath(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(u *user) error{
		"q":      func(u *user) error { return u.Send("q") },
		"ctrl-c": func(u *user) error { return u.Send(screen.Ctrl('c')) },
		"SIGHUP": func(u *user) error { return u.HangUp() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := sample(t)
			u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 30})
			address := u.forwardsService()
			u.press(":ns kube-system", screen.Enter)
			u.sees("› kube-system")
			check(t, "a page from another namespace", fetch(address))
			u.press(":fwd", screen.Enter)
			u.shows("its namespace", `✓ `+regexp.QuoteMeta(p.namespace)+` › svc/sample-clusterip:8080 +`+regexp.QuoteMeta(address))
			p.c.Kubectl("--namespace", p.namespace, "scale", "deployment", "sample-deployment", "--replicas=0")
			u.sees("No endpoint: connections wait up to 5 s")
			p.c.Kubectl("--namespace", p.namespace, "scale", "deployment", "sample-deployment", "--replicas=1")
			u.seesWithin(30*time.Second, "1 of 1 endpoint ready")
			check(t, "a page after the Pods came back", fetch(address))
			held, err := (&net.Dialer{Timeout: soon}).DialContext(t.Context(), "tcp", address)
			check(t, "a connection that stays open", err)
			defer held.Close()
			check(t, "leave", leave(u))
			if _, err := u.Wait(2 * time.Second); err != nil {
				t.Error(err)
			}
			closed(t, p, address)
			_ = held.SetReadDeadline(time.Now().Add(soon))
			if n, err := held.Read(make([]byte, 1)); n > 0 || err == nil {
				t.Error("got an open connection going on after podpath has ended")
			}
		})
	}
}

func TestForwardWithoutPermissionNamesItAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	who := p.c.User(p.namespace, cluster.View...)
	u := open(t, command(t, who.Kubeconfig, "-n", p.namespace), screen.Options{Cols: 100, Rows: 30})
	u.sees("sample-deployment-")
	u.press("2")
	u.sees("sample-clusterip")
	u.press("f")
	u.sees("local port for svc/sample-clusterip:8080: ")
	u.press(screen.Enter)
	u.sees("failed", "you may not create pods/portforward in namespace "+p.namespace, "Role in "+p.namespace, "4 Forwards ✗1")
	p.c.Kubectl("--namespace", p.namespace, "create", "role", "forwarder", "--verb=create,get", "--resource=pods/portforward")
	p.c.Kubectl("--namespace", p.namespace, "create", "rolebinding", "forwarder", "--role=forwarder", "--serviceaccount="+p.namespace+":user")
	p.c.Eventually("the permission", soon, func() error {
		u.press("r")
		u.sees("local port for svc/sample-clusterip:8080: ")
		u.press(screen.Ctrl('u'), "0", screen.Enter)
		return u.WaitForText("is at http://127.0.0.1:", 2*time.Second)
	})
	check(t, "a page", fetch(u.listens("svc/sample-clusterip:8080 is at http://")))
}

func TestBusyLocalPortNamesWhoHasIt(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, "a port", err)
	defer l.Close()
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 30})
	u.sees("live")
	u.press("2")
	u.filter("sample-clusterip")
	u.press("f")
	u.sees("local port for svc/sample-clusterip:8080: ")
	u.press(screen.Ctrl('u'), strconv.Itoa(l.Addr().(*net.TCPAddr).Port), screen.Enter)
	u.sees("failed", `"e2e.test" (process `, "has this port already", "r tries again")
	u.press("r", screen.Ctrl('u'), "0", screen.Enter)
	check(t, "a page at another port", fetch(u.listens("svc/sample-clusterip:8080 is at http://")))
	u.press("x", "y")
	u.sees("Nothing is forwarded yet.")
}

func TestReadOnlyForwardsNothing(t *testing.T) {
	t.Parallel()
	p, _ := sample(t)
	asked, kubeconfig := record(t, p.c.Kubeconfig)
	u := open(t, command(t, kubeconfig, "-n", p.namespace, "--readonly"), screen.Options{})
	u.sees("live")
	u.press("2", "f")
	u.sees("podpath was started with --readonly: it forwards nothing.")
	u.press("4")
	u.sees("Forwards", "podpath was started with --readonly: it forwards nothing.")
	for _, call := range asked.all() {
		if strings.Contains(call, "portforward") {
			t.Errorf("got %s, want none", call)
		}
	}
}

func TestPaneOfForwardsInASmallTerminal(t *testing.T) {
	t.Parallel()
	for _, size := range []screen.Options{{Cols: 80, Rows: 24}, {Cols: 40, Rows: 10}} {
		t.Run(fmt.Sprintf("%dx%d", size.Cols, size.Rows), func(t *testing.T) {
			t.Parallel()
			p, _ := sample(t)
			u := admin(t, p.c, p.namespace, size)
			u.sees("live")
			u.press("4")
			u.sees("Nothing is forwarded yet")
			u.press("2", "f")
			u.sees("8080: ")
			u.press(screen.Ctrl('u'), "0", screen.Enter)
			u.shows("a forward", `✓ svc/\S+ +127\.0\.0\.1:\d+`)
			address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(u.Text())
			check(t, "a page", fetch(address))
			u.press(screen.Enter)
			u.sees("STATE", "3 of 3 endpoints ready")
			u.shows("an endpoint", `ready +10\.\S+:80`)
			u.press("x")
			u.sees("y/n  stop")
			u.press("y")
			u.sees("This forward has ended.")
		})
	}
}

func TestPaneOfForwardsIsSilentWithoutTraffic(t *testing.T) {
	p, _ := sample(t)
	u := admin(t, p.c, p.namespace, screen.Options{Cols: 120, Rows: 30})
	address := u.forwardsService()
	for range 10 {
		check(t, "a page", fetch(address))
	}
	u.press("j") // no notice any more
	held, err := (&net.Dialer{Timeout: soon}).DialContext(t.Context(), "tcp", address)
	check(t, "an idle connection", err)
	defer held.Close()
	u.shows("the figures", `✓ svc/sample-clusterip:8080 +127\S+ +auto direct +ewma +1 +11 `)
	if err := u.WaitFor("a sparkline that has settled", func(text string) bool { return !strings.ContainsAny(text, "▁▂▃▄▅▆▇█") }, 40*time.Second); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	before := u.Received()
	time.Sleep(10 * time.Second)
	if wrote := u.Output()[before:]; len(wrote) > 0 {
		t.Errorf("a pane of forwards without traffic wrote %d bytes: %q", len(wrote), wrote)
	}
}
