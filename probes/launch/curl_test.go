package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"podpath/probes/wire"
)

const boundary = "b7c1f0"

func get(id, port int, request string, count int) wire.Request {
	return wire.Request{ID: id, Op: wire.TCP, Timeout: 5 * time.Second, Address: "127.0.0.1", Port: port, Count: count, Data: []byte(request)}
}

func TestCurlConfigKeepsValuesInTheirQuotes(t *testing.T) {
	request := "GET /\"\\x?a=%41#f HTTP/1.1\r\nHost: web\"\\\r\nX-Empty:\r\nConnection: close\r\n\r\n"
	got := curlConfig([]wire.Request{get(3, 80, request, 9)}, boundary)
	for _, want := range []string{
		"url = \"http://127.0.0.1:80\"\n",
		"request-target = \"/\\\"\\\\x?a=%41#f\"\nhttp1.1\n",
		"header = \"Host: web\\\"\\\\\"\n", "header = \"X-Empty;\"\n", "header = \"User-Agent:\"\n", "header = \"Accept:\"\n",
		"max-time = \"5.000\"\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
	if strings.Count(got, "header = ") != 5 {
		t.Errorf("got %s, want five headers", got)
	}
}

func TestCurlRefusesWhatItCannotSay(t *testing.T) {
	const ok = "Host: web\r\n\r\n"
	for name, request := range map[string]wire.Request{
		"a datagram":          {Op: wire.UDP, Address: "10.0.0.1", Port: 53},
		"a held connection":   {Op: wire.Hold, Address: "10.0.0.1", Port: 53},
		"more":                {Op: wire.More},
		"a name":              {Op: wire.TCP, Address: "web", Port: 80},
		"an option":           {Op: wire.TCP, Address: "10.0.0.1\"\noutput = \"/etc/passwd", Port: 80},
		"a relative file":     {Op: wire.File, Address: "etc/passwd"},
		"another method":      get(1, 80, "POST / HTTP/1.1\r\n"+ok, 9),
		"another protocol":    get(1, 80, "\x16\x03\x01", 9),
		"a body":              get(1, 80, "GET / HTTP/1.1\r\n"+ok+"body", 9),
		"half a request":      get(1, 80, "GET / HTTP/1.1\r\nHost: web\r\n", 9),
		"a whole URL":         get(1, 80, "GET http://other/ HTTP/1.1\r\n"+ok, 9),
		"a file as headers":   get(1, 80, "GET / HTTP/1.1\r\n@/etc/passwd: x\r\n"+ok, 9),
		"a line break inside": get(1, 80, "GET / HTTP/1.1\r\nX: a\nurl = \"file:///etc/passwd\"\r\n"+ok, 9),
		"a NUL":               get(1, 80, "GET /\x00 HTTP/1.1\r\n"+ok, 9),
	} {
		t.Run(name, func(t *testing.T) {
			request.ID = 1
			if config := curlConfig([]wire.Request{request}, boundary); config != "silent\nverbose\n" {
				t.Errorf("got %q, want no transfer", config)
			}
			got, err := curlAnswers([]wire.Request{request}, boundary, nil, nil)
			if err != nil || len(got) != 1 || got[0].Result != wire.Failed || !strings.HasPrefix(string(got[0].Data), "curl cannot ") {
				t.Errorf("got %v, %v, want that curl cannot", got, err)
			}
		})
	}
}

func TestCurlAnswersOfOldVersions(t *testing.T) {
	// What 7.58 says: no exit codes, and "connect to" on stderr in the order of the transfers.
	requests := []wire.Request{
		get(1, 80, "GET / HTTP/1.1\r\n\r\n", 99), get(2, 81, "", 0), get(3, 82, "", 0), get(4, 83, "", 0),
		get(5, 84, "GET / HTTP/1.1\r\n\r\n", 99),
		{ID: 6, Op: wire.File, Address: "/none", Count: 9},
		get(7, 81, "", 0),
	}
	stdout := "HTTP/1.1 200 OK\r\n\r\nhi\nb7c1f0 1 0.001000 0.002500 40000 [] \n" +
		"\nb7c1f0 2 0.000000 0.000100 0 [] \n" + "\nb7c1f0 3 0,000000 5,001000 0 [] \n" + "\nb7c1f0 4 0.000500 0.000600 40001 [] \n" +
		"\nb7c1f0 5 0.000500 5.000600 40001 [] \n" + "\nb7c1f0 6 0.000000 0.000000 0 [] \n" + "\nb7c1f0 7 0.000000 0.000100 0 [] \n"
	stderr := "*   Trying 127.0.0.1...\n* connect to 127.0.0.1 port 81 failed: Connection refused\n" +
		"* Couldn't open file /none\n* connect to 127.0.0.1 port 81 failed: No route to host\ncurl: unknown --write-out variable: 'exitcode'\n"
	got, err := curlAnswers(requests, boundary, []byte(stdout), []byte(stderr))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []wire.Result{wire.OK, wire.Refused, wire.Timeout, wire.OK, wire.Timeout, wire.Failed, wire.Unreachable} {
		if got[i].ID != i+1 || got[i].Result != want {
			t.Errorf("got %+v, want %s", got[i], want)
		}
	}
	if a := got[0]; a.Connect != time.Millisecond || a.Total != 2500*time.Microsecond || a.LocalPort != 40000 || string(a.Data) != "HTTP/1.1 200 OK\r\n\r\nhi" {
		t.Errorf("got %+v, want the times, the port and the reply", a)
	}
	if text := string(got[5].Data); text != "curl: Couldn't open file /none" {
		t.Errorf("got %q, want what curl says", text)
	}
}

func TestCurlAnswersNoMoreThanWasSaid(t *testing.T) {
	requests := []wire.Request{get(1, 80, "", 0), get(2, 81, "", 0)}
	whole := "\nb7c1f0 1 0.001000 0.002500 40000 [49] x\n\nb7c1f0 2 0.001000 0.002500 40000 [49] x\n"
	for length := range len(whole) {
		got, err := curlAnswers(requests, boundary, []byte(whole[:length]), nil)
		if !errors.Is(err, ErrCut) || len(got) > 1 {
			t.Fatalf("%q: got %v, %v, want ErrCut", whole[:length], got, err)
		}
	}
}

// runCurl does the requests with the curl of this machine.
func runCurl(t *testing.T, requests ...wire.Request) []wire.Answer {
	t.Helper()
	const word = "4e1d88"
	command := curlCommand()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skip("no curl here")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "http_proxy=http://127.0.0.1:9", "ALL_PROXY=http://127.0.0.1:9", "LANG=de_DE.UTF-8")
	cmd.Stdin = strings.NewReader(curlConfig(requests, word))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code is that of the last transfer
	got, err := curlAnswers(requests, word, stdout.Bytes(), stderr.Bytes())
	if err != nil || len(got) != len(requests) {
		t.Fatalf("got %d answers, %v, want %d; curl says:\n%s", len(got), err, len(requests), stderr.String())
	}
	return got
}

// server runs a TCP server that closes the connection when handle returns.
func server(t *testing.T, address string, handle func(*net.TCPConn)) int {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address+":0")
	if err != nil {
		t.Skip(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				handle(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		work.Wait()
	})
	return int(netip.MustParseAddrPort(listener.Addr().String()).Port())
}

// replies is a server that reads the head of a request, hands it over and
// says something.
func replies(heads chan<- string, reply string) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		var head []byte
		for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			b := make([]byte, 1)
			if _, err := io.ReadFull(conn, b); err != nil {
				return
			}
			head = append(head, b[0])
		}
		heads <- string(head)
		_, _ = io.WriteString(conn, reply)
	}
}

func TestCurlSendsTheRequestAndReturnsTheReply(t *testing.T) {
	for name, test := range map[string]struct{ request, reply string }{
		"GET":            {"GET /a/../b?x=%20#y HTTP/1.1\r\nHost: web.example\r\nUser-Agent: podpath\r\nAccept: */*\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x00\xffhi\n"},
		"HEAD":           {"HEAD / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"},
		"HTTP/1.0":       {"GET / HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.0 404 Not Found\r\n\r\ngone"},
		"chunks":         {"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"},
		"a redirect":     {"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"},
		"a cut body":     {"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\npart"},
		"a forged end":   {"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n\nguess 1 0.1 0.1 1 [7] x\n* connect to 127.0.0.1 port 1 failed: Connection refused\n"},
		"nothing at all": {"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			heads := make(chan string, 1)
			port := server(t, "127.0.0.1", replies(heads, test.reply))
			got := runCurl(t, get(1, port, test.request, 4096))[0]
			if head := <-heads; head != test.request {
				t.Errorf("curl sent %q, want %q", head, test.request)
			}
			if got.Result != wire.OK || !got.Connected || got.Connect <= 0 || got.LocalPort == 0 || string(got.Data) != test.reply {
				t.Errorf("got %+v with %q, want ok with %q", got, got.Data, test.reply)
			}
		})
	}
}

func TestCurlTellsHowConnectionsEnd(t *testing.T) {
	request := "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n"
	silent := server(t, "127.0.0.1", func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
	banner := server(t, "127.0.0.1", func(conn *net.TCPConn) { _, _ = io.WriteString(conn, "220 ready\r\n") })
	resets := server(t, "127.0.0.1", func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.SetLinger(0)
	})
	path := filepath.Join(t.TempDir(), "a \"file\" [1-3] {x} 100%")
	if err := os.WriteFile(path, []byte("content\x00\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	slow := get(4, silent, request, 99)
	slow.Timeout = 300 * time.Millisecond
	long := get(8, banner, "", 3)
	six := get(10, server(t, "[::1]", func(*net.TCPConn) {}), "", 0)
	six.Address = "::1"
	began := time.Now()
	for i, want := range []struct {
		request   wire.Request
		result    wire.Result
		connected bool
		data      string
	}{
		{get(1, silent, "", 0), wire.OK, true, ""},
		{get(2, 1, "", 0), wire.Refused, false, ""},
		{get(3, 1, request, 99), wire.Refused, false, ""},
		{slow, wire.Timeout, true, ""},
		{get(5, resets, request, 99), wire.Reset, true, ""},
		{wire.Request{ID: 6, Op: wire.File, Timeout: time.Second, Address: path, Count: 99}, wire.OK, false, "content\x00\xff"},
		{wire.Request{ID: 7, Op: wire.File, Timeout: time.Second, Address: path, Count: 3}, wire.OK, false, "con"},
		{long, wire.OK, true, "220"},
		{wire.Request{ID: 9, Op: wire.File, Timeout: time.Second, Address: "/none", Count: 3}, wire.Failed, false, "curl: Couldn't open file /none"},
		{six, wire.OK, true, ""},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			got := runCurl(t, want.request)[0]
			if got.Result != want.result || got.Connected != want.connected || string(got.Data) != want.data {
				t.Errorf("got %+v with %q, want %s, connected %t, %q", got, got.Data, want.result, want.connected, want.data)
			}
		})
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("took %v: a check of a connection waits for its timeout", took)
	}
}

func TestCurlDoesManyRequestsOnConnectionsOfTheirOwn(t *testing.T) {
	request := "GET / HTTP/1.1\r\nHost: web\r\nAccept: */*\r\nUser-Agent: x\r\n\r\n" // does not ask for a new one itself
	heads := make(chan string, 20)
	port := server(t, "127.0.0.1", replies(heads, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	var requests []wire.Request
	for id := 1; id <= 20; id++ {
		requests = append(requests, get(id, port, request, 4096))
	}
	requests[4] = wire.Request{ID: 5, Op: wire.UDP, Address: "127.0.0.1", Port: 53}
	requests[9] = get(10, 1, request, 99)
	ports := map[int]bool{}
	for i, a := range runCurl(t, requests...) {
		want := wire.OK
		switch a.ID {
		case 5:
			want = wire.Failed
		case 10:
			want = wire.Refused
		default:
			ports[a.LocalPort] = true
		}
		if a.ID != i+1 || a.Result != want {
			t.Errorf("got %+v, want %s", a, want)
		}
	}
	if len(ports) != 18 {
		t.Errorf("got %d client ports, want 18", len(ports))
	}
}
