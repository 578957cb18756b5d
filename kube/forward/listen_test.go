package forward

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for word, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:80", "localhost": "127.0.0.1:80", "[::1]": "[::1]:80", "::1": "[::1]:80", "0.0.0.0": "0.0.0.0:80",
		"unix:/run/web.sock": "/run/web.sock", "unix:///run/web.sock": "/run/web.sock",
	} {
		a, err := ParseAddress(word)
		if got := a.with(80); got != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", word, got, err, want)
		}
		if got, want := a.Public(), word == "0.0.0.0"; got != want {
			t.Errorf("%s: got public %t", word, got)
		}
	}
	for _, word := range []string{"", "web", "127.0.0.1:80", "unix:"} {
		if a, err := ParseAddress(word); err == nil {
			t.Errorf("%q: got %v, want an error", word, a)
		}
	}
}

func TestAPortThatIsTakenIsNamedWithItsHolder(t *testing.T) {
	taken := serveTCP(t, "taken", echo)
	port := taken.Addr().(*net.TCPAddr).Port
	_, err := Listen(t.Context(), Options{Forward: "svc/web:80", Address: Loopback, Port: port, Route: NewDirect(nil)})
	want := fmt.Sprintf("svc/web:80: listen on 127.0.0.1:%d: another forward of this podpath has this port already: choose another one", port)
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestHolderReadsTheTablesOfTheKernel(t *testing.T) {
	proc := t.TempDir()
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for path, text := range map[string]string{
		"net/tcp": head + "   0: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 111 1\n" + // open, not listening
			"   1: 0200007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1\n" + // another address
			"   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 333 1\n",
		"net/tcp6":  head + "   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 444 1\n",
		"4711/comm": "nginx\n", "4712/comm": "we\x1bird\n",
	} {
		path = filepath.Join(proc, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pid, inode := range map[string]string{"4711": "333", "4712": "444"} {
		if err := os.Mkdir(filepath.Join(proc, pid, "fd"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("socket:["+inode+"]", filepath.Join(proc, pid, "fd", "3")); err != nil {
			t.Fatal(err)
		}
	}
	loopback := netip.MustParseAddr("127.0.0.1")
	for port, want := range map[int]string{8080: `"nginx" (process 4711)`, 8081: `"we\x1bird" (process 4712)`, 8082: "another program"} {
		if got := holder(proc, "tcp", loopback, port); got != want {
			t.Errorf("port %d: got %s, want %s", port, got, want)
		}
	}
}

func TestOtherListenErrorsSayWhatToDo(t *testing.T) {
	for want, o := range map[string]Options{
		"this machine does not have the address": {Address: Address{IP: netip.MustParseAddr("192.0.2.1")}},
		"no such file or directory":              {Address: Address{Unix: "/nowhere/web.sock"}},
		"UDP needs an IP address":                {Address: Address{Unix: "/nowhere/web.sock"}, Protocol: "UDP"},
		"the Kubernetes API forwards no UDP":     {Address: Loopback, Protocol: "UDP", Route: tunnel(nil)},
	} {
		if o.Route == nil {
			o.Route = NewDirect(nil)
		}
		if _, err := Listen(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestListeningOnOtherAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	b := serveTCP(t, "web", echo)
	for name, a := range map[string]Address{"IPv6": {IP: netip.IPv6Loopback()}, "another loopback": {IP: netip.MustParseAddr("127.1.2.3")}, "unix": {Unix: path}} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Options{Address: a}, b.endpoint())
			network, address := "tcp", r.Address()
			if a.Unix != "" {
				network, address = "unix", a.Unix
			}
			c, err := new(net.Dialer).DialContext(t.Context(), network, address)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, "hello")
			_ = c.(halfCloser).CloseWrite()
			if text, err := io.ReadAll(c); string(text) != "hello" || err != nil {
				t.Errorf("got %q, %v", text, err)
			}
			_ = c.Close()
		})
	}
}

func TestAUnixSocketOfAKilledRunIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	o := Options{Forward: "svc/web:80", Address: Address{Unix: path}, Route: NewDirect(nil)}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another program does already") {
		t.Errorf("got %v while somebody listens", err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	f, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want it to be the user's only", info.Mode(), err)
	}
	f.closeListeners()
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), o); err == nil {
		t.Error("a file was replaced")
	}
}

func TestAPortIsFreeAgainAtOnce(t *testing.T) {
	b := serveTCP(t, "web", sayName("web"))
	r := start(t, Options{}, b.endpoint())
	if _, err := r.ask(t); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(r.Address())
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	var n int
	_, _ = fmt.Sscan(port, &n)
	again := start(t, Options{Port: n}, b.endpoint())
	if text, err := again.ask(t); text != "web" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}
