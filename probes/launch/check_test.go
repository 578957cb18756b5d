package launch

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"podpath/probes/wire"
)

// checkLink asks a server that sends back what it gets, through a link, checks
// how that came to be, and ends it.
func checkLink(t *testing.T, link Link, err error, want Via, server netip.AddrPort) {
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

// in returns the container that a link is to, and closes it.
func in(t *testing.T, link Link, err error) string {
	t.Helper()
	must(t, err)
	must(t, link.Close())
	return link.Via().Pod + "/" + link.Via().Container
}
