package kube

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCredentialsAreReadAnewWhenTheServerRefusesThem(t *testing.T) {
	valid := "first"
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+valid {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "config")
	write := func(token string) {
		t.Helper()
		text := strings.NewReplacer("SERVER", server.URL, "TOKEN", token).Replace(`{apiVersion: v1, kind: Config, current-context: c,
			clusters: [{name: c, cluster: {server: SERVER, insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: TOKEN}}], contexts: [{name: c, context: {cluster: c, user: u}}]}`)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	config, err := Load(Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	exists := func() error { _, err := client.NamespaceExists(t.Context(), "default"); return err }

	if err := exists(); err != nil {
		t.Fatalf("with a good token: %v", err)
	}
	valid = "second"
	if err := exists(); err == nil {
		t.Fatal("an expired token was accepted")
	}
	write("second")
	time.Sleep(renewInterval)
	_ = exists() // the refusal that makes podpath read the file
	if err := exists(); err != nil {
		t.Errorf("after the kubeconfig got a new token: %v", err)
	}
}
