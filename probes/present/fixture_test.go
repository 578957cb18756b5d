package present_test

import (
	"net"
	"strconv"
	"testing"
	"time"

	"podpath/kube"
	"podpath/kube/demo/fixture"
	"podpath/probes/path"
	"podpath/probes/path/manifest"
)

// clientPod belongs to no Service.
var clientPod = manifest.Pod{Name: "client", Node: "raspi003", IPs: []string{"10.244.2.20"}, App: "client"}.YAML()

// storyWorld is the World of the story, with a client.
func storyWorld(t testing.TB) *path.World {
	t.Helper()
	snapshot := fixture.Snapshot(t, kube.Scope{Namespace: "shop"}, manifest.Noon, manifest.Story(), clientPod)
	return &path.World{Snapshot: snapshot, Home: "shop", NamespaceLabels: map[string]kube.Labels{}}
}

// seen is what comes of a request.
type seen func(path.Check) path.Observation

// asks is what comes of each request of pod/client, beside those that failed as well, and the
// causes of it; the first result is that of what was asked for.
func asks(t testing.TB, w *path.World, to string, comes seen, looks path.Looks) path.Result {
	t.Helper()
	checks, err := w.PlanFor(path.Intent{Sources: []string{"pod/client"}, Targets: []string{to}})
	if err != nil {
		t.Fatal(err)
	}
	results := made(checks, comes)
	looks.Compared = made(w.Closer(results), comes)
	path.Explain(w, results, looks)
	return results[0]
}

func made(checks []path.Check, comes seen) []path.Result {
	var out []path.Result
	for _, c := range checks {
		o := comes(c)
		out = append(out, path.Result{Check: c, Observation: o, Verdict: path.Judge(c, o)})
	}
	return out
}

// at is an observation of a stage, with an error or none.
func at(c path.Check, host string, stage path.Stage, failure path.ErrorKind) path.Observation {
	return path.Observation{
		Stage: stage, Error: failure, Address: net.JoinHostPort(host, strconv.Itoa(c.Ask.Port)),
		Times: []path.StageTime{{Stage: path.StageConnect, Took: 412 * time.Microsecond}},
	}
}

// page is the answer of a web server.
func page(c path.Check, host string) path.Observation {
	o := at(c, host, path.StageRequest, path.NoError)
	o.Status, o.Detail = 200, "HTTP/1.1 200 OK"
	o.Times = append(o.Times, path.StageTime{Stage: path.StageRequest, Took: 1200 * time.Microsecond})
	return o
}

// listens is where Pods of the namespace listen.
func listens(sockets []path.Listener, pods ...string) path.Looks {
	looks := path.Looks{Sockets: map[kube.Key][]path.Listener{}}
	for _, name := range pods {
		looks.Sockets[kube.Key{Namespace: "shop", Name: name}] = sockets
	}
	return looks
}
