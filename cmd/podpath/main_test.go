package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"podpath/kube/demo"
	"podpath/kube/demo/api"
)

func TestMain(m *testing.M) {
	logThroughSlog()
	goleak.VerifyTestMain(m,
		// client-go's: notices the end of a WebSocket with its next beat.
		goleak.IgnoreTopFunction("k8s.io/client-go/tools/remotecommand.(*heartbeat).start"),
		// spdystream's: waits ten minutes for whoever reads its errors.
		goleak.IgnoreTopFunction("github.com/moby/spdystream.(*Connection).shutdown"))
}

// emptyShop has nothing but the namespace shop.
const emptyShop = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"

// denies is for a user who may do nothing with one resource of one namespace.
func denies(what string) func(verb, resource, namespace string) bool {
	return func(_, resource, namespace string) bool { return resource+" "+namespace == what }
}

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		denied string // what the user may not do
		want   answer // the texts are parts
	}{
		"version":               {[]string{"version"}, "", answer{out: "podpath dev (commit unknown, go"}},
		"--version":             {[]string{"--version"}, "", answer{out: "podpath dev (commit unknown, go"}},
		"version for programs":  {[]string{"version", "-o", "json"}, "", answer{out: "\"kind\": \"Version\",\n  \"version\": \"dev\",\n  \"commit\": \"unknown\",\n  \"go\": \"go1."}},
		"version as YAML":       {[]string{"version", "-o", "yaml"}, "", answer{out: "kind: Version\n"}},
		"no such version":       {[]string{"version", "-o", "wide"}, "", answer{err: `podpath: there is no output format "wide": use one of text, json, yaml`, code: exitUsage}},
		"help":                  {[]string{"--help"}, "", answer{out: "It changes nothing in the cluster unless you allow it."}},
		"an unknown command":    {[]string{"nonsense"}, "", answer{err: `podpath: unknown command "nonsense"`, code: exitUsage}},
		"an unknown flag":       {[]string{"pods", "--nonsense"}, "", answer{err: "podpath: unknown flag: --nonsense", code: exitUsage}},
		"an argument too many":  {[]string{"pods", "web"}, "", answer{err: "podpath: ", code: exitUsage}},
		"an unknown format":     {[]string{"pods", "-o", "xml"}, "", answer{err: `podpath: there is no output format "xml": use one of text, wide, json, yaml`, code: exitUsage}},
		"a bad timeout":         {[]string{"pods", "--request-timeout", "soon"}, "", answer{err: "podpath: invalid argument", code: exitUsage}},
		"a negative timeout":    {[]string{"probe", "--timeout", "-1s"}, "", answer{err: "podpath: --timeout -1s is too short: it must be at least 1ms\n", code: exitUsage}},
		"a negative count":      {[]string{"probe", "--count", "-1"}, "", answer{err: "podpath: --count -1 must not be negative\n", code: exitUsage}},
		"no requests at all":    {[]string{"pods", "--qps", "0"}, "", answer{err: "podpath: --qps 0 must be more than 0\n", code: exitUsage}},
		"an escape sequence":    {[]string{"forward", "svc/web\x1b[31m"}, "", answer{err: "podpath: ", code: exitUsage}},
		"no such kubeconfig":    {[]string{"pods", "--kubeconfig", "/nowhere"}, "", answer{err: "podpath: read the kubeconfig: ", code: exitUsage}},
		"no such context":       {[]string{"pods", "--context", "x"}, "", answer{err: `podpath: the kubeconfig has no context "x"; it has ["other" "test"]`, code: exitUsage}},
		"no terminal":           {nil, "", answer{err: "podpath: the UI needs a terminal: log in with ssh -t, or use podpath pods", code: exitUsage}},
		"an empty namespace":    {[]string{"pods"}, "", answer{out: "NAME"}},
		"and its document":      {[]string{"services", "-o", "json"}, "", answer{out: `"services": []`}},
		"all namespaces":        {[]string{"pods", "-A"}, "", answer{out: "NAMESPACE"}},
		"no such namespace":     {[]string{"pods", "-n", "nowhere"}, "", answer{err: `podpath: there is no namespace "nowhere": kubectl get namespaces lists them`, code: exitUsage}},
		"a denied list":         {[]string{"pods"}, "pods shop", answer{err: "you may not list pods in namespace shop; a rule in a Role in shop would permit it: {", code: exitUsage}},
		"a listing with a hole": {[]string{"pods", "-A"}, "nodes ", answer{out: "NAME", err: "you may not list nodes in the whole cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := startCluster(t, demo.Options{API: api.Options{Denies: denies(c.denied)}}, emptyShop).podpath(t, c.args...)
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

func TestAnAPIServerThatDoesNotTalkToTheUserIsNamed(t *testing.T) {
	c := startCluster(t, demo.Options{}, emptyShop)
	stranger := c.Config()
	stranger.BearerToken = "expired"
	kubeconfig(t, stranger)
	if got := c.podpath(t, "pods"); got.code != exitUsage || !strings.Contains(got.err, "the API server does not accept your credentials: log in again") {
		t.Errorf("got %+v, want that the user is to log in", got)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	got := c.podpath(t, "services")
	if got.code != exitUsage || !strings.HasPrefix(got.err, "podpath: "+stranger.Host+": list services: dial tcp ") || !strings.Contains(got.err, "connection refused") {
		t.Errorf("got %+v, want that nobody listens there", got)
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
		{verdictError{exitInconclusive}, exitInconclusive, ""},
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
