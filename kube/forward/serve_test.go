package forward

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// troubled is a listener that has errors before it has clients.
type troubled struct {
	net.Listener
	mu    sync.Mutex
	errs  []error
	calls []time.Time
}

func (l *troubled) Accept() (net.Conn, error) {
	l.mu.Lock()
	l.calls = append(l.calls, time.Now())
	if len(l.errs) > 0 {
		defer l.mu.Unlock()
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
	}
	l.mu.Unlock()
	return l.Listener.Accept()
}

// inTrouble runs a forward to one endpoint, whose listener has these errors.
func inTrouble(t *testing.T, errs ...error) (f *Forward, l *troubled, events chan Event, ended chan error, stop func()) {
	t.Helper()
	events, ended = make(chan Event, 100), make(chan error, 1)
	f, err := Listen(t.Context(), Options{Forward: "svc/web:80", Address: Loopback, Route: NewDirect(nil), Events: events})
	must(t, err)
	l = &troubled{Listener: f.listeners[0], errs: errs}
	f.listeners[0] = l
	f.Update(View{Endpoints: []Endpoint{serveTCP(t, "web", sayName("web")).endpoint()}})
	ctx, stop := context.WithCancel(t.Context())
	go func() { ended <- f.Run(ctx) }()
	return f, l, events, ended, stop
}

func TestErrorsOfAcceptThatMayPassAreWaitedFor(t *testing.T) {
	errs := []error{syscall.EMFILE, syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.EMFILE}
	f, l, events, ended, stop := inTrouble(t, errs...)
	defer stop()
	client := running{Forward: f, events: events}
	if text, err := client.ask(t); text != "web" || err != nil {
		t.Errorf("got %q, %v after the trouble, want the answer", text, err)
	}
	stop()
	must(t, <-ended)
	pause := acceptPause
	for i := range errs {
		if got := l.calls[i+1].Sub(l.calls[i]); got < pause {
			t.Errorf("call %d came after %s, want a pause of %s", i+1, got, pause)
		}
		pause *= 2
	}
	troubles := 0
	for close(events); ; {
		e, more := <-events
		if !more {
			break
		}
		if e.Kind == Trouble {
			troubles++
			if !strings.Contains(e.Reason, "too many open files") {
				t.Errorf("got %+v, want the reason", e)
			}
		}
	}
	if troubles != 1 {
		t.Errorf("got %d events about one trouble", troubles)
	}
}

func TestAListenerThatIsBrokenEndsTheForward(t *testing.T) {
	for _, broken := range []error{syscall.EINVAL, syscall.EBADF} {
		f, _, _, ended, stop := inTrouble(t, syscall.EMFILE, broken)
		err := <-ended
		stop()
		if err == nil || !strings.Contains(err.Error(), "svc/web:80: the listener on "+f.Address()+" is broken") {
			t.Errorf("%v: got %v, want what is broken", broken, err)
		}
	}
}
