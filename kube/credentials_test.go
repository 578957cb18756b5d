package kube

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// refusing is an API server that takes one token, and counts connections.
type refusing struct {
	*httptest.Server
	valid       atomic.Value
	connections atomic.Int32
}

func newRefusing(t *testing.T) *refusing {
	t.Helper()
	s := &refusing{}
	s.valid.Store("first")
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+s.valid.Load().(string) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state { //nolint:exhaustive // the two ends
		case http.StateNew:
			s.connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.connections.Add(-1)
		}
	}
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestCredentialsAreReadAnewWhenTheServerRefusesThem(t *testing.T) {
	for name, file := range map[string]bool{"in the kubeconfig": false, "in a token file": true} {
		t.Run(name, func(t *testing.T) {
			noConfig(t)
			server, folder := newRefusing(t), t.TempDir()
			write := func(token string) (kubeconfig string) {
				user := "token: " + token
				if file {
					must(t, os.WriteFile(filepath.Join(folder, "token"), []byte(token), 0o600))
					user = "tokenFile: token" // beside the kubeconfig
				}
				return access{trusting(server.Server), user}.write(t, folder, "config")
			}
			config, err := Load(Options{Kubeconfig: write("first")})
			must(t, err)
			client, err := NewClient(config)
			must(t, err)
			ask := func() error {
				client.transport.renewed = time.Time{} // as if it was long ago
				_, err := client.NamespaceExists(t.Context(), "default")
				return err
			}
			must(t, ask())
			server.valid.Store("second")
			for range 10 {
				if ask() == nil {
					t.Fatal("an expired token was accepted")
				}
			}
			if got := server.connections.Load(); got != 1 {
				t.Errorf("got %d connections while the user is logged out, want the one that there was", got)
			}
			must(t, os.Remove(filepath.Join(folder, "config")))
			if err := ask(); err == nil || !strings.Contains(err.Error(), "they cannot be read anew: read the kubeconfig") {
				t.Errorf("got %v, want that the kubeconfig is gone", err)
			}
			write("second")
			_ = ask() // the refusal that makes podpath read the file
			must(t, ask())
			for end := time.Now().Add(5 * time.Second); server.connections.Load() > 1; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("got %d connections, want the older ones closed", server.connections.Load())
				}
			}
		})
	}
}
