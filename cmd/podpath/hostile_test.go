package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"podpath/kube/demo"
)

// deceitful is an API server, before a good one, that answers some requests
// with a text.
type deceitful struct {
	*httptest.Server
	text atomic.Value  // string
	all  atomic.Bool   // requests are answered so, not only reviews, execs and port-forwards
	code atomic.Uint32 // HTTP status of the answer
}

func newDeceitful(f *testing.F, behind *demo.Cluster) *deceitful {
	f.Helper()
	config := behind.Config()
	to, err := url.Parse(config.Host)
	if err != nil {
		f.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(config.CAData)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}} //nolint:gosec // a test
	proxy := &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Authorization", "Bearer "+config.BearerToken)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	d := &deceitful{}
	d.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, end := range []string{"reviews", "/exec", "/portforward"} {
			if d.all.Load() || strings.HasSuffix(r.URL.Path, end) {
				d.answer(w)
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	f.Cleanup(func() { d.Close(); transport.CloseIdleConnections() })
	return d
}

func (d *deceitful) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(d.code.Load()))
	text := d.text.Load().(string)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": d.code.Load(), "message": text, "reason": text,
	})
}

// kubeconfig lets the environment lead to the server. A command is what gives
// the credentials; empty for a token.
func (d *deceitful) kubeconfig(t *testing.T, context, command string) {
	type object = map[string]any
	user := object{"token": "t"}
	if command != "" {
		user = object{"exec": object{
			"apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never",
			"installHint": d.text.Load(),
		}}
	}
	to := object{"cluster": "c", "user": "u", "namespace": "shop"}
	path := filepath.Join(t.TempDir(), "config")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // a test
	inYAML := func(r rune) string { return fmt.Sprintf(`\U%08x`, r) }
	err = json.NewEncoder(&plain{to: file, escape: inYAML}).Encode(object{
		"apiVersion": "v1", "kind": "Config", "current-context": "test", "users": []object{{"name": "u", "user": user}},
		"clusters": []object{{"name": "c", "cluster": object{"server": d.URL, "insecure-skip-tls-verify": true}}},
		"contexts": []object{{"name": "test", "context": to}, {"name": context, "context": to}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

// Whatever the words on the command line, the API server, a container's runtime
// or a credential plugin say: nothing that is printed can steer the terminal.
func FuzzNothingHiddenIsPrinted(f *testing.F) {
	f.Add(hostile)
	f.Add("\x1b]0;owned\x07\r\n\x1b[2J")
	behind, err := demo.Start(f.Context(), demo.Options{Still: true, Seed: seed, Manifests: manifests(shop)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = behind.Close() })
	server := newDeceitful(f, behind)
	f.Fuzz(func(t *testing.T, text string) {
		server.text.Store(text)
		server.all.Store(false)
		server.code.Store(http.StatusInternalServerError)
		server.kubeconfig(t, text, "")
		for _, args := range wordsOf(text) {
			mustPrintPlainly(t, args...)
		}
		for _, args := range [][]string{
			{"probe", "pod/web-1", "svc/web"},
			{"probe", "pod/web-1", "svc/web", "-o", "wide"},
			{"trace", "pod/web-1", "svc/web"},
			{"probe", "pod/web-1", "svc/web", "-o", "tap"},
			{"probe", "pod/web-1", "svc/web", "-o", "yaml"},
			{"forward", "svc/web", "0:18080", "--via", "tunnel"},
		} {
			mustPrintPlainly(t, args...)
		}
		out := mustPrintPlainly(t, "probe", "pod/web-1", "svc/web", "-o", "json")
		if !json.Valid([]byte(out)) {
			t.Errorf("got a document that is no JSON: %q", out)
		}
		out = mustPrintPlainly(t, "probe", "pod/web-1", "svc/web", "-o", "junit")
		if err := xml.Unmarshal([]byte(out), new(junitSuite)); err != nil {
			t.Errorf("got a document that is no XML: %v in %q", err, out)
		}
		server.all.Store(true)
		for _, code := range []uint32{http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError} {
			server.code.Store(code)
			for _, args := range [][]string{
				{"pods"}, {"services", "-A"}, {"probe"}, {"forward", "svc/web"}, {"cleanup"}, {"__complete", "pods", "-n", ""},
			} {
				mustPrintPlainly(t, args...)
			}
		}
		server.kubeconfig(t, "other", plugin(t, text))
		mustPrintPlainly(t, "pods")
		server.kubeconfig(t, "other", "no-such-plugin"+strings.ReplaceAll(text, "\x00", ""))
		mustPrintPlainly(t, "pods")
	})
}

// wordsOf are command lines with a text in each place for a word.
func wordsOf(text string) [][]string {
	return [][]string{
		{text},
		{"--" + text},
		{"pods", text},
		{"pods", "-o", text},
		{"pods", "-n", text},
		{"pods", "--context", text + "x"},
		{"pods", "--kubeconfig", "/nowhere/" + text},
		{"pods", "--request-timeout", text},
		{"rbac", text},
		{"demo", "lessons", text},
		{"--demo", "--lesson", text},
		{"probe", "svc/" + text, "svc/web"},
		{"probe", "local", "svc/" + text},
		{"probe", "local", text},
		{"probe", "local", "svc/web", "--ca", text},
		{"probe", "--only", text},
		{"trace", "pod/" + text, "http://" + text},
		{"forward", "svc/" + text},
		{"forward", text, "80"},
		{"forward", "svc/web", text},
		{"forward", "-l", text},
		{"forward", "svc/web", "--address", text},
		{"forward", "svc/web", "--via", text},
		{"completion", text},
		{"__complete", "pods", "--context", ""},
		{"__complete", "probe", text},
		{"__complete", text, text},
	}
}

// plugin is a credential plugin that complains and fails.
func plugin(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "plugin")
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncat '" + dir + "/text' | tee /dev/stderr\nexit 1\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // it is to run
		t.Fatal(err)
	}
	return path
}

// mustPrintPlainly runs a command, and returns what it printed on stdout.
func mustPrintPlainly(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	file, err := os.CreateTemp(t.TempDir(), "stderr") // what is not podpath's own
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	got := cluster{}.podpathUntil(ctx, t, args...)
	os.Stderr = before
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	plugins, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	for _, text := range []string{got.out, got.err, string(plugins)} {
		mustBePlain(t, text)
	}
	if t.Failed() {
		t.Fatalf("by podpath %q", args)
	}
	return got.out
}
