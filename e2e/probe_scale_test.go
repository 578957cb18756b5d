package e2e_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"podpath/e2e/cluster"
)

// sources and addresses make ten thousand cells: each Pod of many.yaml dials this many addresses of its own.
const (
	sources   = 10
	addresses = 1000
)

func TestProbeOfTenThousandHealthyCells(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.Apply(namespace, "many.yaml")
	c.WaitForRollout(namespace, "many")
	words := []string{"deploy/many"}
	for i := range addresses { // the app listens on all of them
		words = append(words, fmt.Sprintf("127.0.%d.%d:8080", i/250, 1+i%250))
	}

	r := probe(t, c.Kubeconfig, namespace, words...)
	if r.Summary.Pass != sources*addresses {
		t.Errorf("got %+v, want %d passes", r.Summary, sources*addresses)
	}

	t.Run("and of every second stream cut", func(t *testing.T) {
		user := c.User(namespace, append(cluster.View, cluster.Probe...)...)
		kubeconfig, cuts := cutting(t, user.Kubeconfig)
		r := probe(t, kubeconfig, namespace, words...)
		if cuts.Load() == 0 {
			t.Error("no stream was cut")
		}
		if s := r.Summary; s.Fail > 0 || s.Pass+s.Inconclusive != sources*addresses {
			t.Errorf("got %+v, want no failure among %d", s, sources*addresses)
		}
		for _, p := range r.Results {
			if p.Verdict == "pass" && (p.Stage != "request" || p.Error != "") {
				t.Errorf("got %s, want nothing passed that was not observed", p)
			}
		}
		t.Logf("%d streams cut: %+v", cuts.Load(), r.Summary)
	})
}

// cutting is a proxy in front of the API server that cuts every second exec in the middle of its output. It returns the
// kubeconfig that goes through it.
func cutting(t *testing.T, kubeconfig string) (string, *atomic.Int64) {
	t.Helper()
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(string(regexp.MustCompile(`server: (\S+)`).FindSubmatch(text)[1]))
	if err != nil {
		t.Fatal(err)
	}
	var execs, cuts atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test's own cluster
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/exec") && execs.Add(1)%2 == 0 {
			w = &cutWriter{ResponseWriter: w, left: 20_000, cuts: &cuts}
		}
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	through := edited(t, kubeconfig, regexp.MustCompile(`server: \S+`), "server: "+front.URL)
	return edited(t, through, regexp.MustCompile(`certificate-authority-data: \S+`), "insecure-skip-tls-verify: true"), &cuts
}

// cutWriter hands out a connection that is closed after some bytes.
type cutWriter struct {
	http.ResponseWriter
	left int64
	cuts *atomic.Int64
}

// Hijack is what the proxy calls for an upgrade.
func (w *cutWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	cut := &cutConn{Conn: c, left: w.left, cuts: w.cuts}
	return cut, bufio.NewReadWriter(bufio.NewReader(cut), bufio.NewWriter(cut)), nil
}

type cutConn struct {
	net.Conn
	left int64
	cuts *atomic.Int64
}

// Write passes on what is left, in the middle of a line as it comes, and then closes.
func (c *cutConn) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left > 0 {
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:max(0, int64(len(p))+c.left)])
	c.cuts.Add(1)
	return n, errors.Join(io.ErrClosedPipe, c.Close())
}
