package forward

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// atLocalhost are the addresses of this machine that localhost means, with the
// port of a forward.
func atLocalhost(t *testing.T, r *running) (all []string) {
	t.Helper()
	_, port, err := net.SplitHostPort(r.Address())
	must(t, err)
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Logf("this machine has no %s", host)
			continue
		}
		_ = l.Close()
		all = append(all, net.JoinHostPort(host, port))
	}
	if len(all) == 2 && r.Address() != "localhost:"+port {
		t.Errorf("got %s said, want localhost:%s", r.Address(), port)
	}
	return all
}

func TestLocalhostIsBothFamiliesWithOnePort(t *testing.T) {
	r := start(t, Options{Address: Localhost}, serveTCP(t, "web", sayName("web")).endpoint())
	all := atLocalhost(t, r)
	for _, address := range all {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		must(t, err)
		if text, err := io.ReadAll(c); string(text) != "web" || err != nil {
			t.Errorf("%s: got %q, %v, want its answer", address, text, err)
		}
		_ = c.Close()
	}
	must(t, r.stop())
	for _, address := range all {
		if c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
			_ = c.Close()
			t.Errorf("%s: it still listens", address)
		}
	}
}

func TestLocalhostIsBothFamiliesForDatagrams(t *testing.T) {
	a, _ := serveUDP(t, "a")
	r := start(t, Options{Protocol: "UDP", Address: Localhost}, a)
	for _, address := range atLocalhost(t, r) {
		c, err := new(net.Dialer).DialContext(t.Context(), "udp", address)
		must(t, err)
		if got := (client{c.(*net.UDPConn)}).ask(t, "x"); got != "a x" {
			t.Errorf("%s: got %q, want its answer", address, got)
		}
		_ = c.Close()
	}
}

func TestASecondAddressMayBeMissingButNotTaken(t *testing.T) {
	elsewhere := Address{IP: Loopback.IP, Also: netip.MustParseAddr("192.0.2.1")} // for documentation: nobody has it
	got, err := listenEach(t.Context(), elsewhere, 0, listen)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d listeners, %v, want the one that can be", len(got), err)
	}
	defer func() { _ = got[0].Close() }()
	port := portOf(got[0].Addr())
	second := Address{IP: netip.MustParseAddr("127.0.0.2"), Also: Loopback.IP}
	all, err := listenEach(t.Context(), second, port, listen)
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) {
		t.Errorf("got %v, %v, want the taken port named", all, err)
	}
	l, err := listen(t.Context(), Address{IP: second.IP}, port)
	if err != nil {
		t.Fatalf("the first address is left taken: %v", err)
	}
	_ = l.Close()
}

func TestAFreePortIsLookedForUntilBothAddressesHaveIt(t *testing.T) {
	refusals := 3
	picky := func(ctx context.Context, a Address, port int) (net.Listener, error) {
		if a.IP == Localhost.Also {
			if refusals--; refusals >= 0 {
				return nil, os.ErrExist
			}
			a.IP = netip.MustParseAddr("127.0.0.3")
		}
		return listen(ctx, a, port)
	}
	got, err := listenEach(t.Context(), Localhost, 0, picky)
	if err != nil || len(got) != 2 || portOf(got[0].Addr()) != portOf(got[1].Addr()) {
		t.Fatalf("got %v, %v, want two with one port", got, err)
	}
	for _, l := range got {
		_ = l.Close()
	}
}

func TestAUnixSocketIsTheUsersFromTheFirstMomentOn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("here the mode of a socket cannot be set before it has a file")
	}
	path := filepath.Join(t.TempDir(), "web.sock")
	l, err := (&net.ListenConfig{Control: ownOnly}).Listen(t.Context(), "unix", path)
	must(t, err)
	defer func() { _ = l.Close() }()
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("got mode %v before it is changed, want it to be the user's only", info.Mode())
	}
}
