package kube

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// newTunnel is a proxy that lets everything through, and counts.
func newTunnel(t *testing.T) (proxy *httptest.Server, seen *atomic.Int32) {
	t.Helper()
	seen = &atomic.Int32{}
	proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		to, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		from, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
		_, _ = io.Copy(from, to)
		_ = from.Close()
	}))
	t.Cleanup(proxy.Close)
	return proxy, seen
}

func TestProxyURLIsUsed(t *testing.T) {
	proxy, seen := newTunnel(t)
	a := access{trusting(quiet(t, ok)) + fmt.Sprintf(", proxy-url: %q", proxy.URL), "token: t"}
	client, err := a.client(t, Options{})
	must(t, err)
	_, err = client.NamespaceExists(t.Context(), "default")
	must(t, err)
	if seen.Load() == 0 {
		t.Error("got a request past the proxy")
	}
	client.transport.CloseIdleConnections() // what the proxy waits for
}

func TestTLSServerNameIsTheNameInTheCertificate(t *testing.T) {
	server := quiet(t, ok)
	a := access{trusting(server), "token: t"}
	a.cluster = strings.Replace(a.cluster, "127.0.0.1", "localhost", 1)
	if err := a.ask(t, Options{}); err == nil {
		t.Fatal("a certificate without the name was accepted")
	}
	a.cluster += ", tls-server-name: example.com"
	must(t, a.ask(t, Options{}))
}

func TestTheServersURLMayHaveAPath(t *testing.T) {
	var asked atomic.Value
	server := quiet(t, func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.Path) })
	a := access{trusting(server), "token: t"}
	a.cluster = strings.Replace(a.cluster, server.URL, server.URL+"/k8s/clusters/c-1", 1)
	must(t, a.ask(t, Options{}))
	if got, want := asked.Load(), "/k8s/clusters/c-1/api/v1/namespaces/default"; got != want {
		t.Errorf("got %s asked for, want %s", got, want)
	}
}

func TestPathsOfCertificatesAreRelativeToTheKubeconfig(t *testing.T) {
	server, folder := quiet(t, ok), t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "ca.crt"), pemOf("CERTIFICATE", server.Certificate().Raw), 0o600))
	a := access{fmt.Sprintf("server: %q, certificate-authority: ca.crt", server.URL), "token: t"}
	must(t, a.ask(t, Options{Kubeconfig: a.write(t, folder, "config")}))
}

func TestOfSeveralFilesTheFirstCountsPartByPart(t *testing.T) {
	noConfig(t)
	folder := t.TempDir()
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer first" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	first := access{trusting(server), "token: first"}.write(t, folder, "first")
	second := access{"server: https://no-such-host.invalid", "token: second"}.write(t, folder, "second")
	t.Setenv("KUBECONFIG", first+string(os.PathListSeparator)+second)
	config, err := Load(Options{})
	must(t, err)
	client, err := NewClient(config)
	must(t, err)
	_, err = client.NamespaceExists(t.Context(), "default")
	must(t, err)
}

func TestRequestsGoOverHTTP2(t *testing.T) {
	server := newRefusing(t)
	var protocol atomic.Value
	handler := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol.Store(r.Proto)
		handler.ServeHTTP(w, r)
	})
	must(t, access{trusting(server.Server), "token: first"}.ask(t, Options{}))
	if got := protocol.Load(); got != "HTTP/2.0" {
		t.Errorf("got %s, want HTTP/2, on which all watches share a connection", got)
	}
}
