package forward

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
)

// speechless reads a request, and ends the connection when it is told to.
func speechless(got chan<- struct{}, end <-chan struct{}) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 5))
		got <- struct{}{}
		<-end
	}
}

// echoName answers a request with a name, and that is all.
func echoName(name string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		_, _ = io.ReadFull(c, make([]byte, 5))
		_, _ = io.WriteString(c, name)
	}
}

func TestAClientThatALeavingEndpointDidNotAnswerGetsAnother(t *testing.T) {
	for name, c := range map[string]struct {
		terminates, gone, halfClosed bool
		want                         string
	}{
		"it stays":                           {want: ""},
		"it terminates":                      {terminates: true, want: "new"},
		"its Pod is gone, though listed":     {gone: true, want: "new"},
		"it terminates, and all was sent it": {terminates: true, halfClosed: true, want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, end := make(chan struct{}, 1), make(chan struct{})
			old := serveTCP(t, "old", speechless(got, end)).endpoint()
			r := start(t, Options{}, old)
			client := r.dial(t)
			_, err := io.WriteString(client, "hello")
			must(t, err)
			<-got
			if c.halfClosed {
				must(t, client.CloseWrite())
				time.Sleep(50 * time.Millisecond)
			}
			old.Ready, old.Terminating = !c.terminates, c.terminates
			v := View{Endpoints: []Endpoint{old, serveTCP(t, "new", echoName("new")).endpoint()}}
			v.Exists = func(Target) bool { return true }
			r.Update(v)
			v.Exists = func(target Target) bool { return !c.gone || target.Pod != "old" }
			if r.Update(v); !c.gone {
				close(end)
			} else {
				defer close(end)
			}
			text := make([]byte, len(c.want))
			_, err = io.ReadFull(client, text)
			must(t, err)
			if !c.halfClosed { // and not sooner: who has sent all may have had the whole answer
				_ = client.CloseWrite()
			}
			if rest, err := io.ReadAll(client); string(text)+string(rest) != c.want || err != nil {
				t.Errorf("got %q, %v, want %q", string(text)+string(rest), err, c.want)
			}
		})
	}
}

func TestAnAnswerThatAPodTakesAlongIsNoGoodEnd(t *testing.T) {
	e := serveTCP(t, "old", func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "begun")
		_, _ = io.Copy(io.Discard, c)
	}).endpoint()
	r := start(t, Options{}, e)
	client := r.dial(t)
	_, err := io.ReadFull(client, make([]byte, 5))
	must(t, err)
	v := View{Endpoints: []Endpoint{e}, Exists: func(Target) bool { return true }}
	r.Update(v)
	v.Exists = func(Target) bool { return false }
	r.Update(v) // the EndpointSlice lists it still
	if _, err := io.ReadAll(client); !wasReset(err) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestAPodThatWasNeverSeenIsNotTakenForGone(t *testing.T) {
	e := serveTCP(t, "new", echo).endpoint()
	r := start(t, Options{}, e)
	client := r.dial(t)
	_, err := io.WriteString(client, "hello")
	must(t, err)
	_, err = io.ReadFull(client, make([]byte, 5))
	must(t, err)
	r.Update(View{Endpoints: []Endpoint{e}, Exists: func(Target) bool { return false }})
	must(t, client.CloseWrite())
	if _, err := io.ReadAll(client); err != nil {
		t.Errorf("got %v, want the connection to live on", err)
	}
}

func TestAClientThatAllHaveRefusedWaitsForNews(t *testing.T) {
	r := start(t, Options{}, dead(t, "dying"))
	waiting := r.dial(t)
	until(t, "it is held", func() bool { return r.Stats().Held == 1 })
	r.Update(View{Endpoints: []Endpoint{serveTCP(t, "new", sayName("new")).endpoint()}})
	if text, err := io.ReadAll(waiting); string(text) != "new" || err != nil {
		t.Errorf("got %q, %v, want the answer of the endpoint that came", text, err)
	}
}

func TestOneClientAtATimeTriesAnEndpointThatComesBack(t *testing.T) {
	l := newLab(RoundRobin)
	l.update(ready("a", "b"))
	bad, good := l.members[identity{"10.0.0.1", 80, "a"}], l.members[identity{"10.0.0.2", 80, "b"}]
	for range failuresToEject {
		l.failed(bad, errors.New("no answer"))
	}
	l.at = l.at.Add(ejectionStep)
	trial := &flow{}
	for m := (*member)(nil); m != bad; {
		trial = &flow{}
		m, _ = l.take("", nil, trial)
	}
	for range 4 {
		if m, _ := l.take("", nil, &flow{}); m != good {
			t.Fatal("a second client has to wait for the endpoint that is tried")
		}
	}
	l.opened(bad, trial, time.Millisecond)
	l.proved(bad)
	if a, b := l.taken(), l.taken(); a == b {
		t.Error("the endpoint that is well again is not used")
	}
}

// taken returns who gets the next connection.
func (l *lab) taken() *member {
	m, _ := l.take("", nil, &flow{})
	return m
}

func TestAPodThatIsDeletedLeavesBeforeItsEndpointSliceSaysSo(t *testing.T) {
	late := strings.Replace(shop, "{ready: false, serving: true, terminating: true}", "{ready: true, serving: true}", 1)
	s := fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, noon, late)
	d, err := ParseDestination("svc/web:http", "shop")
	must(t, err)
	v, err := d.Find(s)
	must(t, err)
	for _, e := range v.Endpoints {
		if want := e.Pod == "web-5d4f-b"; e.Terminating != want {
			t.Errorf("%s: got terminating %t, want %t", e.Pod, e.Terminating, want)
		}
	}
	if len(v.Endpoints) != 2 {
		t.Errorf("got %d endpoints, want both", len(v.Endpoints))
	}
}
