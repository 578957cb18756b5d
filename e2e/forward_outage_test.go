package e2e_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

func TestForwardWhileTheAPIServerIsGone(t *testing.T) {
	p := backends(t)
	forwards := overBoth(t, p.c, p.namespace, "svc/backends", "0:80")
	open := map[string]*request{}
	for via, f := range forwards {
		open[via] = ask(t, f.listen, "/endless?every=50ms")
		open[via].body(t, soon)
	}
	loads := loadBoth(forwards, 0)

	gone := time.Now()
	p.c.Kill(cluster.Master, "kube-apiserver")
	if err := open["tunnel"].ends(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that was open through the API server ended with %v, want a reset", err)
	}
	began := time.Now()
	if err := silently(t.Context(), forwards["tunnel"].listen); !errors.Is(err, syscall.ECONNRESET) || time.Since(began) > time.Second {
		t.Errorf("a new connection got %v after %s, want a reset at once", err, time.Since(began))
	}
	time.Sleep(time.Until(gone.Add(30 * time.Second)))
	p.c.Start(cluster.Master, "kube-apiserver")
	p.c.Eventually("the API server", 30*time.Second, func() error { return ready(p.c) })
	back := time.Now()
	time.Sleep(8 * time.Second)

	open["direct"].line(t, soon) // runs on
	loads["direct"].stop().wantNoFailure(t, "direct")
	seen := loads["tunnel"].stop()
	failed := seen.failures()
	for _, a := range failed {
		if a.took > 2*time.Second {
			t.Errorf("a connection failed %s, want that at once", a)
		}
		if a.began.Before(gone.Add(-time.Second)) || a.began.After(back.Add(5*time.Second)) {
			t.Errorf("a connection failed %s, want that only from %s to 5 s after %s", a, gone, back)
		}
	}
	if len(failed) == 0 {
		t.Fatal("no connection failed through an API server that was gone")
	}
	if !slices.ContainsFunc(forwards["tunnel"].seen("refused"), func(e forwardEvent) bool { return strings.Contains(e.Reason, ":6443: connect: connection refused") }) {
		t.Errorf("got %+v, want the reason to say that the API server cannot be reached", forwards["tunnel"].seen("refused"))
	}
	t.Logf("tunnel: %d of %d connections failed; the last one began %s after the API server was back", len(failed), seen.sent, failed[len(failed)-1].began.Sub(back))
}

// silently connects, and returns what a client gets that says nothing.
func silently(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: soon}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err // a reset may come as early as this
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(soon))
	_, err = conn.Read(make([]byte, 1))
	return err
}
