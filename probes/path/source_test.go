package path

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"podpath/probes/path/manifest"
)

func sourcesWorld(t testing.TB, namespace string) *World {
	t.Helper()
	return lookAt(t, namespace, manifest.Story(),
		manifest.Pod{Name: "waiting", App: "web", Owner: "ReplicaSet/web-5d4f"}.YAML(),
		manifest.Pod{Name: "nginx", Node: "raspi001", IPs: []string{"10.244.0.9"}, Owner: "StatefulSet/nginx"}.YAML(),
		manifest.Pod{Name: "tick-29-x", Node: "raspi001", IPs: []string{"10.244.0.8"}, Owner: "Job/tick-29"}.YAML(),
		manifest.Pod{Name: "tick-28-x", Node: "raspi001", IPs: []string{"10.244.0.7"}, Owner: "Job/tick-28", Old: true}.YAML(),
		manifest.Pod{Namespace: "bank", Name: "web-1", Node: "raspi001", IPs: []string{"10.244.0.5"}}.YAML(),
		manifest.Pod{Namespace: "bank", Name: "ledger", Node: "raspi001", IPs: []string{"10.244.0.6"}, Owner: "DaemonSet/ledger"}.YAML(),
		manifest.Pod{Namespace: "web-1", Name: "nginx", Node: "raspi001", IPs: []string{"10.244.0.4"}}.YAML(),
	)
}

func TestFindSourcesReadsWordsAsDESIGNNamesThem(t *testing.T) {
	shop, all := sourcesWorld(t, "shop"), sourcesWorld(t, "")
	wide := sourcesWorld(t, "")
	wide.Home = "shop"
	for name, test := range map[string]struct {
		w    *World
		word string
		want string // labels
	}{
		"a Pod":                                   {shop, "pod/web-1", "pod/web-1"},
		"a container":                             {shop, "po/web-1/redis", "pod/web-1/redis"},
		"a namespace":                             {wide, "pods/bank/ledger", "pod/bank/ledger"},
		"a namespace and a container":             {wide, "pod/bank/web-1/nginx", "pod/bank/web-1/nginx"},
		"a Pod's container before a namespace":    {wide, "pod/web-1/nginx", "pod/web-1/nginx"},
		"a namespace when no Pod has the name":    {wide, "pod/web-1/nginx/redis", "pod/web-1/nginx/redis"},
		"the only Pod of that name anywhere":      {all, "pod/ledger", "pod/bank/ledger"},
		"a Deployment is its running Pods":        {shop, "deploy/web", "pod/web-1 pod/web-2 pod/web-3"},
		"a ReplicaSet has its whole name":         {shop, "rs/web-5d4f", "pod/web-1 pod/web-2 pod/web-3"},
		"a StatefulSet":                           {shop, "sts/nginx", "pod/nginx"},
		"a CronJob is what runs now":              {shop, "cj/tick", "pod/tick-29-x"},
		"a Job":                                   {shop, "job/tick-29", "pod/tick-29-x"},
		"a DaemonSet of another namespace":        {wide, "ds/bank/ledger", "pod/bank/ledger"},
		"a Node":                                  {shop, "node/raspi002", "node/raspi002"},
		"podpath itself":                          {shop, "local", "local"},
		"a label names the namespace when it has": {all, "deploy/shop/web", "pod/shop/web-1 pod/shop/web-2 pod/shop/web-3"},
	} {
		found, err := test.w.FindSources(test.word)
		if got := strings.Join(names(found, func(s Source) string { return s.Label }), " "); err != nil || got != test.want {
			t.Errorf("%s: %s: got %s, %v, want %s", name, test.word, got, err, test.want)
		}
	}
}

func TestFindSourcesSaysWhatThereIsInstead(t *testing.T) {
	shop, all := sourcesWorld(t, "shop"), sourcesWorld(t, "")
	for name, test := range map[string]struct {
		w    *World
		word string
		want []string
	}{
		"no kind":                             {shop, "web-1", []string{"names no source", "pod/NAME"}},
		"an unknown kind":                     {shop, "secret/x", []string{"names no source"}},
		"no name":                             {shop, "pod/", []string{"names no source"}},
		"no container after the slash":        {shop, "pod/web-1/", []string{"names no source"}},
		"too many parts":                      {shop, "pod/a/b/c/d", []string{"names no Pod"}},
		"the beginning of names":              {shop, "pod/web", []string{`no Pod "web"`, "shop", "web-1, web-2, web-3"}},
		"a container that there is not":       {shop, "pod/web-1/sh", []string{`no container "sh"`, "nginx, redis"}},
		"another namespace than the scope's":  {shop, "pod/bank/ledger", []string{`no Pod "ledger" in namespace bank`}},
		"a name in several namespaces":        {all, "pod/web-1", []string{"several namespaces", "NAMESPACE/"}},
		"a Node that there is not":            {shop, "node/raspi9", []string{`no Node "raspi9"`, "raspi001, raspi002, raspi003"}},
		"a workload without running Pods":     {shop, "deploy/api", []string{"deploy/api", "namespace shop", "web"}},
		"a finished Job":                      {shop, "job/tick-28", []string{"no running Pod"}},
		"a workload without a namespace":      {all, "deploy/web", []string{"NAMESPACE/"}},
		"an owner that is only alike in name": {shop, "deploy/we", []string{"no running Pod"}},
	} {
		if found, err := test.w.FindSources(test.word); !has(err, test.want...) {
			t.Errorf("%s: %s: got %v, %v, want an error with %q", name, test.word, found, err, test.want)
		}
	}
	if _, err := all.FindSources("pod/bank/web"); has(err, "web-2") {
		t.Errorf("got %v, want only names of the namespace that was asked for", err)
	}
}

func TestNoWordMakesFindSourcesPanic(t *testing.T) {
	worlds := []*World{sourcesWorld(t, "shop"), sourcesWorld(t, ""), lookAt(t, "")}
	piece := rapid.SampledFrom([]string{"pod", "deploy", "node", "local", "cj", "/", "//", ":", "web-1", "nginx", "bank", "", "é", "\x00", "-"})
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(piece, 0, 7).Draw(t, "pieces"), "")
		})).Draw(t, "word")
		found, err := rapid.SampledFrom(worlds).Draw(t, "world").FindSources(word)
		if err == nil && (len(found) == 0 || slices.ContainsFunc(found, func(s Source) bool { return s.Label == "" })) {
			t.Errorf("%q: got %v without an error", word, found)
		}
	})
}
