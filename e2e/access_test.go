package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

// recorder is a proxy in front of the API server that remembers what was asked.
type recorder struct {
	mu    sync.Mutex
	paths []string
}

// record returns a recorder, and the kubeconfig that goes through it.
func record(t *testing.T, kubeconfig string) (*recorder, string) {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := rest.TLSConfigFor(config) // a certificate ends here; a token is passed on
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.Transport = &http.Transport{TLSClientConfig: identity}
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		r.paths = append(r.paths, request.Method+" "+request.URL.Path)
		r.mu.Unlock()
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(front.CloseClientConnections)
	t.Cleanup(front.Close)
	through := edited(t, kubeconfig, regexp.MustCompile(`server: \S+`), "server: "+front.URL)
	return r, edited(t, through, regexp.MustCompile(`certificate-authority-data: \S+`), "insecure-skip-tls-verify: true")
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.paths...)
}

// changes are the requests that may have changed something, without the namespaces: neither a question about rights nor a
// command in a container does.
func (r *recorder) changes() []string {
	var found []string
	for _, call := range r.all() {
		method, path, _ := strings.Cut(call, " ")
		if method != http.MethodGet && !strings.HasSuffix(path, "/selfsubjectaccessreviews") && !strings.HasSuffix(path, "/exec") {
			_, what, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1/namespaces/"), "/")
			found = append(found, method+" "+what)
		}
	}
	return found
}

// edited is a copy of a file with every match replaced.
func edited(t *testing.T, path string, match *regexp.Regexp, with string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(copied, match.ReplaceAllLiteral(text, []byte(with)), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestUserOfOneNamespaceSeesItAndMakesNoClusterWideCall(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	few := c.User(namespace, cluster.View...)
	asked, kubeconfig := record(t, few.Kubeconfig)
	u := open(t, command(t, kubeconfig), screen.Options{Cols: 120})

	u.sees("› "+namespace, "1 Pods 3", "2 Services 1", "▾ raspi002  ", "2 forbidden, see :status")
	u.press(":", "status", screen.Enter)
	u.sees("you may not list nodes in the whole cluster", "ClusterRole", `{apiGroups: [""], resources: [nodes], verbs: [list, watch]}`)
	got := run(t, command(t, kubeconfig, "pods"))
	if got.code != 0 || !strings.Contains(got.out, "sample-deployment-") || !strings.Contains(got.err, "you may not list nodes") {
		t.Errorf("podpath pods: exit code %d, stdout %q, stderr %q; want the Pods and a notice about nodes", got.code, got.out, got.err)
	}
	for _, call := range asked.all() {
		if !strings.Contains(call, "/namespaces/"+namespace+"/") && call != "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews" {
			t.Errorf("podpath called %s, want only calls in the namespace and access reviews", call)
		}
	}

	few.AllowEverywhere(cluster.Rule{Verbs: "list,watch", Resource: "nodes"})
	u.press("1")
	u.seesWithin(60*time.Second, "▾ raspi002  Ready") // a refusal is asked about again every 30 s or so
}

func TestUserWithoutRightsIsToldTheRule(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	none := c.User(namespace)
	u := open(t, command(t, none.Kubeconfig), screen.Options{Cols: 100})
	u.sees("forbidden", "you may not list pods in namespace "+namespace, "A rule in a Role in "+namespace, `{apiGroups: [""], resources: [pods], verbs: [list, watch]}`)
	u.press("2")
	u.sees("you may not list services in namespace " + namespace)

	got := run(t, command(t, none.Kubeconfig, "services", "-o", "json"))
	if got.code != 2 || got.out != "" || !strings.Contains(got.err, "you may not list services in namespace "+namespace) {
		t.Errorf("podpath services: exit code %d, stdout %q, stderr %q; want 2 and what is denied", got.code, got.out, got.err)
	}
	got = run(t, command(t, none.Kubeconfig, "pods", "-A"))
	if got.code != 2 || !strings.Contains(got.err, "you may not list pods in the whole cluster") {
		t.Errorf("podpath pods -A: exit code %d, stderr %q; want 2 and what is denied", got.code, got.err)
	}
}

func TestAllNamespacesWithoutTheRightSaysSoAndLeadsBack(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	few := c.User(namespace, cluster.View...)
	u := open(t, command(t, few.Kubeconfig), screen.Options{Cols: 120})
	u.sees("1 Pods 3")
	u.press("0")
	u.sees("all namespaces", "you may not list pods in the whole cluster")
	u.press("0")
	u.sees("› "+namespace, "1 Pods 3")
}

func TestTokenExpiresAndComesBack(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	few := c.User(namespace, cluster.View...)
	u := open(t, command(t, few.Kubeconfig), screen.Options{Cols: 120})
	u.sees("1 Pods 3")

	few.Revoke()
	time.Sleep(15 * time.Second) // the API server remembers a good token for 10 s
	u.press(":", "reload", screen.Enter)
	u.sees("not logged in", "does not accept your credentials")
	few.Renew()
	u.seesWithin(30*time.Second, "1 Pods 3")
	u.seesNo("not logged in")
}
