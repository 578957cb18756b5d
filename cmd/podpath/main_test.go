package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/klog/v2"
)

func TestMain(m *testing.M) {
	logThroughSlog()
	os.Exit(m.Run())
}

// answer is what podpath prints and ends with.
type answer struct {
	out, err string
	code     int
}

// podpath runs the command line, without a terminal.
func podpath(t *testing.T, args ...string) answer {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var out, stderr bytes.Buffer
	root := newRoot(streams{in: os.Stdin, out: &out, err: &stderr}, &clusterOptions{})
	root.SetArgs(append([]string{}, args...)) // not nil, which would be those of the test
	code := exitCode(root.ExecuteContext(t.Context()), &stderr)
	return answer{out.String(), stderr.String(), code}
}

// kubeconfig writes one for the server, and returns its path.
func kubeconfig(t *testing.T, server string) string {
	path := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, namespace: shop}}, {name: other, context: {cluster: test}}]
clusters: [{name: test, cluster: {server: %q}}]
`, server)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// server is an API server without any object. Everything in denied is refused
// with that status.
func server(t *testing.T, denied map[string]int) string {
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		status := denied[r.URL.Path]
		switch {
		case status == 0 && r.URL.Query().Has("sendInitialEvents"): // as an old server, which is simpler
			status = http.StatusUnprocessableEntity
		case status == 0 && r.URL.Query().Has("watch"):
			w.(http.Flusher).Flush()
			select {
			case <-done:
			case <-r.Context().Done():
			}
			return
		}
		if status != 0 {
			reason := map[int]string{403: "Forbidden", 401: "Unauthorized", 404: "NotFound", 422: "Invalid"}[status]
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"no"}`, status, reason)
			return
		}
		kind := map[string]string{"pods": "Pod", "services": "Service", "nodes": "Node"}[filepath.Base(r.URL.Path)]
		version := "v1"
		if strings.HasSuffix(r.URL.Path, "/endpointslices") {
			kind, version = "EndpointSlice", "discovery.k8s.io/v1"
		}
		_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"1"},"items":[]}`, kind, version)
	}))
	t.Cleanup(func() { close(done); s.Close() })
	return s.URL
}

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		denied map[string]int
		want   answer // the texts are parts
	}{
		"version":               {[]string{"version"}, nil, answer{out: "podpath dev (commit unknown, go"}},
		"help":                  {[]string{"--help"}, nil, answer{out: "It changes nothing in the cluster unless you allow it."}},
		"an unknown command":    {[]string{"nonsense"}, nil, answer{err: `podpath: unknown command "nonsense"`, code: exitUsage}},
		"an unknown flag":       {[]string{"pods", "--nonsense"}, nil, answer{err: "podpath: unknown flag: --nonsense", code: exitUsage}},
		"an argument too many":  {[]string{"pods", "web"}, nil, answer{err: "podpath: ", code: exitUsage}},
		"an unknown format":     {[]string{"pods", "-o", "xml"}, nil, answer{err: `podpath: there is no output format "xml": use one of text, wide, json, yaml`, code: exitUsage}},
		"a bad timeout":         {[]string{"pods", "--request-timeout", "soon"}, nil, answer{err: "podpath: invalid argument", code: exitUsage}},
		"no such kubeconfig":    {[]string{"pods", "--kubeconfig", "/nowhere"}, nil, answer{err: "podpath: read the kubeconfig: ", code: exitUsage}},
		"no such context":       {[]string{"pods", "--context", "x"}, nil, answer{err: `podpath: the kubeconfig has no context "x"; it has ["other" "test"]`, code: exitUsage}},
		"no terminal":           {nil, nil, answer{err: "podpath: the UI needs a terminal: log in with ssh -t, or use podpath pods", code: exitUsage}},
		"an empty namespace":    {[]string{"pods"}, nil, answer{out: "NAME"}},
		"and its document":      {[]string{"services", "-o", "json"}, nil, answer{out: `"services": []`}},
		"all namespaces":        {[]string{"pods", "-A"}, nil, answer{out: "NAMESPACE"}},
		"no such namespace":     {[]string{"pods"}, map[string]int{"/api/v1/namespaces/shop": 404}, answer{err: `podpath: there is no namespace "shop": kubectl get namespaces lists them`, code: exitUsage}},
		"a denied list":         {[]string{"pods"}, map[string]int{"/api/v1/namespaces/shop/pods": 403}, answer{err: "you may not list pods in namespace shop; a rule in a Role in shop would permit it: {", code: exitUsage}},
		"credentials refused":   {[]string{"pods"}, map[string]int{"/api/v1/namespaces/shop/pods": 401}, answer{err: "the API server does not accept your credentials: log in again", code: exitUsage}},
		"a listing with a hole": {[]string{"pods", "-A"}, map[string]int{"/api/v1/nodes": 403}, answer{out: "NAME", err: "you may not list nodes in the whole cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", kubeconfig(t, server(t, c.denied)))
			got := podpath(t, c.args...)
			if got.code != c.want.code || !strings.Contains(got.out, c.want.out) || !strings.Contains(got.err, c.want.err) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
			if c.want.err != "" && strings.Count(got.err, "\n") != 1 {
				t.Errorf("got %q on stderr, want one line", got.err)
			}
			if c.want.code != 0 && got.out != "" {
				t.Errorf("got %q on stdout, want nothing", got.out)
			}
		})
	}
}

func TestAnUnreachableServerIsNamed(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	t.Setenv("KUBECONFIG", kubeconfig(t, gone.URL))
	got := podpath(t, "services")
	if got.code != exitUsage || !strings.HasPrefix(got.err, "podpath: "+gone.URL+": list services: dial tcp ") || !strings.Contains(got.err, "connection refused") {
		t.Errorf("got %+v", got)
	}
}

func TestExitCodes(t *testing.T) {
	broke := brokeError{errors.New("broken pipe")}
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		{nil, exitOK, ""},
		{errors.New("no cluster"), exitUsage, "podpath: no cluster\n"},
		{broke, exitBroke, "podpath: broken pipe\n"},
		{fmt.Errorf("print: %w", broke), exitBroke, "podpath: print: broken pipe\n"},
	} {
		var said bytes.Buffer
		if code := exitCode(c.err, &said); code != c.code || said.String() != c.said {
			t.Errorf("%v: got %d and %q, want %d and %q", c.err, code, said.String(), c.code, c.said)
		}
	}
}

func TestSpeaksUTF8(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing is set":          {nil, true},
		"a UTF-8 language":        {map[string]string{"LANG": "de_DE.UTF-8"}, true},
		"as some systems have it": {map[string]string{"LANG": "en_US.utf8"}, true},
		"another encoding":        {map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
		"the POSIX locale":        {map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, false},
		"LC_CTYPE before LANG":    {map[string]string{"LC_CTYPE": "C.UTF-8", "LANG": "C"}, true},
		"empty counts as not set": {map[string]string{"LC_ALL": "", "LANG": "C"}, false},
	} {
		if got := speaksUTF8(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}

func TestLogsGoToAFile(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	path, undo := redirectLogs(true)
	stderr := os.Stderr
	klog.Error("from klog")
	slog.Error("from slog")
	_, _ = fmt.Fprintln(os.Stderr, "from a plugin")
	undo()
	if want := filepath.Join(state, "podpath", "podpath.log"); path != want {
		t.Errorf("got the log in %s, want %s", path, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from klog", "from slog", "from a plugin"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
	if os.Stderr == stderr {
		t.Error("got stderr still redirected")
	}
}

func TestLogsGoBelowHomeWithoutAStateDirectory(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", home)
	path, undo := redirectLogs(false)
	undo()
	if want := filepath.Join(home, ".local", "state", "podpath", "podpath.log"); path != want {
		t.Errorf("got the log in %s, want %s", path, want)
	}
}

func TestALargeLogStartsAnew(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	for _, c := range []struct{ before, after int64 }{{logLimit, logLimit}, {logLimit + 1, 0}} {
		path := filepath.Join(state, "podpath", "podpath.log")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Truncate(path, c.before)); err != nil {
			t.Fatal(err)
		}
		_, undo := redirectLogs(false)
		undo()
		if info, err := os.Stat(path); err != nil || info.Size() != c.after {
			t.Errorf("%d bytes: got %d after the start, want %d", c.before, info.Size(), c.after)
		}
	}
}

func TestWithoutAPlaceForTheLogItIsDropped(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "/dev/null")
	path, undo := redirectLogs(true)
	defer undo()
	if path != os.DevNull {
		t.Errorf("got the log in %s, want it dropped", path)
	}
}
