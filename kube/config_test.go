package kube

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// kubeconfig writes a file whose contexts are all called after it: NAME, and
// NAME-ns, which sets a namespace.
func kubeconfig(t *testing.T, name, current string) string {
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: %[2]q
clusters: [{name: %[1]s, cluster: {server: "https://%[1]s:6443"}}]
users: [{name: %[1]s, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: log-in, interactiveMode: IfAvailable}}}]
contexts:
- {name: %[1]s, context: {cluster: %[1]s, user: %[1]s}}
- {name: %[1]s-ns, context: {cluster: %[1]s, user: %[1]s, namespace: shop}}
`, name, current), 0o600))
	return path
}

// noConfig hides the machine's own configuration.
func noConfig(t *testing.T) {
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
}

func TestLoadChoosesAsKubectlDoes(t *testing.T) {
	noConfig(t)
	home, work := kubeconfig(t, "home", "home"), kubeconfig(t, "work", "work-ns")
	both := strings.Join([]string{home, filepath.Join(t.TempDir(), "missing"), work}, string(os.PathListSeparator))
	for _, test := range []struct {
		name, env              string
		options                Options
		context, server, scope string
	}{
		{"first file of a list decides the context", both, Options{}, "home", "https://home:6443", "default"},
		{"a context from a later file", both, Options{Context: "work"}, "work", "https://work:6443", "default"},
		{"the namespace of the context", both, Options{Context: "home-ns"}, "home-ns", "https://home:6443", "shop"},
		{"-n wins over the context", both, Options{Context: "home-ns", Namespace: "bank"}, "home-ns", "https://home:6443", "bank"},
		{"-A wins over all", both, Options{Context: "home-ns", Namespace: "bank", AllNamespaces: true}, "home-ns", "https://home:6443", ""},
		{"--kubeconfig wins over $KUBECONFIG", both, Options{Kubeconfig: work}, "work-ns", "https://work:6443", "shop"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.env)
			c, err := Load(test.options)
			must(t, err)
			if c.Context != test.context || c.Server != test.server || c.Scope.Namespace != test.scope {
				t.Errorf("got %q, %s, %q; want %q, %s, %q", c.Context, c.Server, c.Scope.Namespace, test.context, test.server, test.scope)
			}
			if want := []string{"home", "home-ns", "work", "work-ns"}; test.options.Kubeconfig == "" && !slices.Equal(c.Contexts, want) {
				t.Errorf("got contexts %q, want %q", c.Contexts, want)
			}
		})
	}
}

func TestLoadSetsUpRequests(t *testing.T) {
	noConfig(t)
	environment := os.Environ()
	c, err := Load(Options{Kubeconfig: kubeconfig(t, "home", "home"), As: "jane", AsGroups: []string{"dev", "ops"}, RequestTimeout: time.Minute, Burst: 7})
	must(t, err)
	if got := c.rest.Impersonate; got.UserName != "jane" || !slices.Equal(got.Groups, []string{"dev", "ops"}) {
		t.Errorf("got impersonation %+v", got)
	}
	if p := c.rest.ExecProvider; p == nil || !p.StdinUnavailable {
		t.Errorf("got exec plugin %+v, want one that knows that the terminal is taken", p)
	}
	if !slices.Equal(os.Environ(), environment) {
		t.Errorf("got the environment of the process changed to %q", os.Environ())
	}
	if c.rest.Timeout != 0 || c.timeout != time.Minute {
		t.Errorf("got timeouts %s and %s, want one for requests and none for watches", c.rest.Timeout, c.timeout)
	}
	if c.rest.QPS != DefaultQPS || c.rest.Burst != 7 {
		t.Errorf("got %v requests a second, burst %d", c.rest.QPS, c.rest.Burst)
	}
}

func TestLoadNamesWhatIsWrong(t *testing.T) {
	noConfig(t)
	home := kubeconfig(t, "home", "home")
	broken := filepath.Join(t.TempDir(), "broken")
	must(t, os.WriteFile(broken, []byte("{"), 0o600))
	for _, test := range []struct {
		name    string
		options Options
		want    []string
	}{
		{"unknown context", Options{Kubeconfig: home, Context: "wrok"}, []string{`no context "wrok"`, `"home" "home-ns"`}},
		{"unknown current context", Options{Kubeconfig: kubeconfig(t, "home", "gone")}, []string{`no context "gone"`}},
		{"no current context", Options{Kubeconfig: kubeconfig(t, "home", "")}, []string{"no current context", `"home" "home-ns"`, "--context"}},
		{"missing file", Options{Kubeconfig: "/no/such/file"}, []string{"/no/such/file", "no such file"}},
		{"broken file", Options{Kubeconfig: broken}, []string{broken}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(test.options)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want an error that says %s", err, want)
				}
			}
		})
	}
	for _, context := range []string{"", "home"} {
		if _, err := Load(Options{Context: context}); !errors.Is(err, ErrNoConfig) {
			t.Errorf("context %q without any file: got %v, want %v", context, err, ErrNoConfig)
		}
	}
}
