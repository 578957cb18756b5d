package kube

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"

	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // auth-provider: oidc, as kubectl has it; 78 kB
)

// login gets the user's credentials from what makes them, a plugin or an
// identity provider, before a request is sent. All requests wait for one
// attempt, and one that failed counts for all of them for a while: podpath asks
// for several lists at once, and a plugin may ask the user, or lock an account.
type login struct {
	attempt chan struct{} // holds a token while one is made
	through http.RoundTripper
	failed  error // guarded by attempt, as is at
	at      time.Time
}

// loginPause is how long a failed login is not tried again.
const loginPause = 10 * time.Second

// newLogin returns the login of a configuration. What adds the credentials to
// requests is client-go's; here it adds them to a request that goes nowhere.
func newLogin(config *transport.Config) (*login, error) {
	through, err := transport.HTTPWrappersForConfig(config, nowhere{})
	return &login{attempt: make(chan struct{}, 1), through: through}, err
}

type nowhere struct{}

// RoundTrip answers at once.
func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// prepare has the credentials for a request ready.
func (l *login) prepare(r *http.Request) error {
	select {
	case l.attempt <- struct{}{}:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	defer func() { <-l.attempt }()
	if l.failed != nil && time.Since(l.at) < loginPause {
		return l.failed
	}
	response, err := l.through.RoundTrip(r.Clone(r.Context()))
	if err == nil {
		_ = response.Body.Close()
	}
	l.failed, l.at = err, time.Now()
	return err
}

// loginFailed says why there are no credentials.
func (c *Config) loginFailed(err error) error {
	if c.rest.ExecProvider == nil {
		return &ConnectError{
			Problem: LoginFailed, Err: err,
			What: fmt.Sprintf("auth-provider %s gives no token for %s: %s", c.rest.AuthProvider.Name, c.user(), oneLine(err)),
			Step: "log in again with what has written the kubeconfig",
		}
	}
	plugin := c.rest.ExecProvider
	e := &ConnectError{Problem: LoginFailed, Err: err}
	whose := fmt.Sprintf("the credential plugin %s of %s", plugin.Command, c.user())
	asks := plugin.InteractiveMode == clientcmdapi.AlwaysExecInteractiveMode
	switch {
	case isMissing(plugin.Command):
		e.Problem, e.What = PluginMissing, whose+" is not installed"
		e.Step = "install it, or choose another context with --context"
		if plugin.InstallHint != "" {
			e.Step = "the kubeconfig says: " + strings.Join(strings.Fields(plugin.InstallHint), " ")
		}
	case asks && plugin.StdinUnavailable:
		e.Problem, e.What, e.Step = PluginAsks, whose+" has questions, and podpath uses the terminal itself", logInFirst
	case asks && !term.IsTerminal(os.Stdin.Fd()):
		e.Problem, e.What = PluginAsks, whose+" has questions, and there is no terminal to ask them on"
		e.Step = "run podpath in a terminal, or choose a user that needs no questions"
	default:
		e.What = whose + " failed: " + oneLine(err)
		e.Step = "run it by itself to see why: " + strings.Join(append([]string{plugin.Command}, plugin.Args...), " ")
		if plugin.StdinUnavailable {
			e.Step = logInFirst
		}
	}
	return e
}

// late says why there is no answer in time, where it is the credentials that
// podpath waits for: nothing was sent then.
func (c *Client) late(err error) error {
	if c == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if login := c.transport.connection().login; login == nil || len(login.attempt) == 0 {
		return err
	}
	return &ConnectError{
		Problem: LoginFailed, Err: err,
		What: fmt.Sprintf("%v: nothing was sent, because there are no credentials yet of %s", err, c.transport.of.user()),
		Step: "answer what the credential plugin asks, or give it more time",
	}
}

// logInFirst is for the UI.
const logInFirst = "log in first, for example with: kubectl get namespaces"

// isMissing reports that there is no such program.
func isMissing(command string) bool {
	_, err := exec.LookPath(command)
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}

// oneLine is an error without the paragraphs of advice that client-go adds, and
// without its heading.
func oneLine(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n\n")
	return strings.TrimPrefix(first, "getting credentials: ")
}
