package kube

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// script is a credential plugin in shell; counted is how often it ran.
func script(t *testing.T, body string) (command string, counted func() int) {
	t.Helper()
	folder := t.TempDir()
	command, runs := filepath.Join(folder, "plugin"), filepath.Join(folder, "runs")
	must(t, os.WriteFile(command, []byte("#!/bin/sh\necho >>"+runs+"\n"+body+"\n"), 0o700)) //nolint:gosec // it is to run
	return command, func() int {
		text, _ := os.ReadFile(runs)
		return len(text)
	}
}

func execUser(command, mode string) string {
	return fmt.Sprintf("exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: %s}",
		command, mode)
}

const gives = `printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
	"status": {"token": "%s"}}'`

func TestAPluginThatFailsRunsOnceForAllRequests(t *testing.T) {
	command, runs := script(t, "exit 1")
	client, err := access{trusting(quiet(t, ok)), execUser(command, "Never")}.client(t, Options{Interactive: true})
	must(t, err)
	var asked sync.WaitGroup
	for range 7 {
		asked.Go(func() {
			_, err := client.NamespaceExists(t.Context(), "default")
			var failed *ConnectError
			if !errors.As(err, &failed) || failed.Problem != LoginFailed || !strings.Contains(failed.Step, "run it by itself") {
				t.Errorf("got %v, want that the plugin failed", err)
			}
		})
	}
	asked.Wait()
	if got := runs(); got != 1 {
		t.Errorf("got %d runs, want one", got)
	}
}

func TestAPluginMayAskWhereStdinIsLeftToIt(t *testing.T) {
	user, tty, err := pty.Open()
	must(t, err)
	stdin := os.Stdin
	os.Stdin = tty
	t.Cleanup(func() { os.Stdin = stdin; _, _ = user.Close(), tty.Close() })
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer from-the-user" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	for _, mode := range []string{"IfAvailable", "Always"} {
		command, runs := script(t, "read answer; "+gives+` "$answer"`)
		_, _ = user.WriteString("from-the-user\n")
		must(t, access{trusting(server), execUser(command, mode)}.ask(t, Options{Interactive: true}))
		if got := runs(); got != 1 {
			t.Errorf("%s: got %d runs, want one", mode, got)
		}
	}
}

func TestLateCredentialsAreSaid(t *testing.T) {
	command, _ := script(t, "sleep 1; exit 1")
	client, err := access{trusting(quiet(t, ok)), execUser(command, "Never")}.client(t, Options{})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	store, ended := NewStore(client, Scope{"shop"}, Pods), make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	_, err = Await(ctx, store.Next, []Resource{Pods}, []Resource{Pods})
	if err == nil || !strings.Contains(err.Error(), "nothing was sent, because there are no credentials yet") {
		t.Errorf("got %v, want that nothing was sent", err)
	}
	must(t, <-ended)
}

func TestAnIdentityProvidersTokenIsSent(t *testing.T) {
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, time.Now().Add(time.Hour).Unix()))
	token := "e30." + claims + ".c2ln"
	server := quiet(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	user := "auth-provider: {name: oidc, config: {idp-issuer-url: https://id, client-id: c, id-token: " + token + "}}"
	must(t, access{trusting(server), user}.ask(t, Options{}))
}
