package path

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
)

// procNetTCP is that of a Pod with nginx, redis on localhost, one connection
// that is open and one that has ended.
const procNetTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 35283 1 0000000000000000 100 0 0 10 0
   1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 35290 1 0000000000000000 100 0 0 10 0
   2: 0501F40A:0050 0502F40A:C350 01 00000000:00000000 00:00000000 00000000   101        0 36001 1 0000000000000000 20 4 30 10 -1
   3: 0501F40A:0050 0502F40A:C351 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000
   4: broken
   5: 0501F40A:0050 0502F40A:C35
   5: 0501F40A: 0502F40A:C350 01
   6: 0501F40A:10050 0502F40A:C352 01
   7: 05:0050 0502F40A:C352 01
`

// procNetTCP6 has a listener for both families, a connection of IPv4 on it,
// one of IPv6, and a listener on ::1.
const procNetTCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41234 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF00000501F40A:1F90 0000000000000000FFFF00000502F40A:C350 01 00000000:00000000 00:00000000 00000000     0        0 41300 1 0000000000000000 20 4 30 10 -1
   2: B80D01200000000067452301EFCDAB89:1F90 000000FD000000000000000002000000:C351 01 00000000:00000000 00:00000000 00000000     0        0 41301 1 0000000000000000 20 4 30 10 -1
   3: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 41235 1 0000000000000000 100 0 0 10 0
`

func at(address string) netip.AddrPort { return netip.MustParseAddrPort(address) }

func TestSocketTablesAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		table string
		want  []Socket
	}{
		"IPv4": {procNetTCP, []Socket{
			{at("0.0.0.0:80"), at("0.0.0.0:0"), true, 0},
			{at("127.0.0.1:6379"), at("0.0.0.0:0"), true, 0},
			{at("10.244.1.5:80"), at("10.244.2.5:50000"), false, 0},
			{at("10.244.1.5:80"), at("10.244.2.5:50001"), false, 0},
		}},
		"IPv6": {procNetTCP6, []Socket{
			{at("[::]:8080"), at("[::]:0"), true, 0},
			{at("10.244.1.5:8080"), at("10.244.2.5:50000"), false, 0},
			{at("[2001:db8::123:4567:89ab:cdef]:8080"), at("[fd00::2]:50001"), false, 0},
			{at("[::1]:6379"), at("[::]:0"), true, 0},
		}},
		"nothing":      {"", nil},
		"only a title": {"  sl  local_address rem_address   st\n", nil},
	} {
		if got := ParseSockets([]byte(test.table)); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%v\nwant\n%v", name, got, test.want)
		}
	}
}

func TestTheKernelsOwnTablesAreRead(t *testing.T) {
	for table, address := range map[string]string{"/proc/net/tcp": "127.0.0.1:0", "/proc/net/tcp6": "[::1]:0"} {
		var config net.ListenConfig
		server, err := config.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Logf("no listener on %s here: %v", address, err)
			continue
		}
		text, err := os.ReadFile(table)
		_ = server.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := at(server.Addr().String())
		if !slices.ContainsFunc(ParseSockets(text), func(s Socket) bool { return s.Listens && s.Local == want }) {
			t.Errorf("%s: got no listener on %s", table, want)
		}
	}
}

func TestListenersTakeWhatComesToTheirAddress(t *testing.T) {
	all := Listeners("TCP", append(ParseSockets([]byte(procNetTCP)), ParseSockets([]byte(procNetTCP6))...))
	takes := func(address string, port int) bool {
		return slices.ContainsFunc(all, func(l Listener) bool { return l.takes(netip.MustParseAddr(address), port) })
	}
	for name, test := range map[string]struct {
		address string
		port    int
		want    bool
	}{
		"on all addresses":                {"10.244.1.5", 80, true},
		"on all addresses of both kinds":  {"10.244.1.5", 8080, true},
		"on localhost, from there":        {"127.0.0.1", 6379, true},
		"on localhost, from elsewhere":    {"10.244.1.5", 6379, false},
		"on another port":                 {"10.244.1.5", 81, false},
		"a connection is no listener":     {"10.244.1.5", 50000, false},
		"IPv4 alone does not take IPv6":   {"fd00::5", 80, false},
		"the kernel's :: takes IPv6, too": {"fd00::5", 8080, true},
	} {
		if got := takes(test.address, test.port); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
}

// procNetUDP has a DNS server that takes packets of everybody, a client of one
// address, and a socket that is bound to localhost.
const procNetUDP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 35283 2 0000000000000000 0
   1: 0501F40A:C350 0A00600A:0035 01 00000000:00000000 00:00000000 00000000     0        0 35284 2 0000000000000000 0
   2: 0100007F:0143 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 35285 2 0000000000000000 0
`

func TestTablesSayWhoTakesPackets(t *testing.T) {
	got := Listeners("UDP", ParseSockets([]byte(procNetUDP)))
	want := sockets("udp 0.0.0.0:53", "udp 127.0.0.1:323") // what waits there is no connection
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got[0].String() != "udp 0.0.0.0:53" || sockets("[::]:80")[0].String() != "[::]:80" {
		t.Errorf("got %s", got[0])
	}
}

func TestTablesSayHowManyConnectionsWait(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue
   0: 00000000:0050 00000000:0000 0A 00000000:00000081 00:00000000 00000000     0        0 35283 1 0000000000000000 100 0 0 10 0
   1: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 35290 1 0000000000000000 100 0 0 10 0
   2: 0501F40A:0050 0502F40A:C350 01 00000000:00000081 00:00000000 00000000   101        0 36001 1 0000000000000000 20 4 30 10 -1
   3: 00000000:0051 00000000:0000 0A 00000000:xyz
   4: 00000000:0052 00000000:0000 0A
`
	var got []int
	for _, l := range Listeners("TCP", ParseSockets([]byte(table))) {
		got = append(got, l.Queue)
	}
	if want := []int{129, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
