package api

import (
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// request is an HTTP request for objects, understood.
type request struct {
	*http.Request
	resource
	verb                         string // as RBAC calls it
	namespace, name, subresource string
	dry                          bool // nothing may change
	body                         []byte
}

// paths are those of objects, below that of their group.
var paths = []string{
	"/{resource}", "/{resource}/{name}",
	"/namespaces/{namespace}/{resource}", "/namespaces/{namespace}/{resource}/{name}", "/namespaces/{namespace}/{resource}/{name}/{subresource}",
}

// parse understands a request with one of the paths. ok is false when the
// server has nothing there.
func parse(r *http.Request) (parsed request, ok bool) {
	i := slices.IndexFunc(served, func(k resource) bool { return k.group == r.PathValue("group") && k.plural == r.PathValue("resource") })
	if i < 0 {
		return request{}, false
	}
	parsed = request{
		Request: r, resource: served[i], namespace: r.PathValue("namespace"), name: r.PathValue("name"), subresource: r.PathValue("subresource"),
		dry: r.URL.Query().Get("dryRun") == metav1.DryRunAll,
	}
	if parsed.plural == "namespaces" {
		parsed.namespace = parsed.name // that of a Namespace is its own
	}
	parsed.verb = verbOf(r, parsed.name)
	return parsed, parsed.subresource == "" || slices.Contains(subresources[parsed.plural], parsed.subresource)
}

// verbs are what RBAC calls the methods when an object is named.
var verbs = map[string]string{
	http.MethodPost: "create", http.MethodGet: "get", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
}

// verbOf returns "" for a method that the server does not have.
func verbOf(r *http.Request, name string) string {
	watches, verb := r.URL.Query().Get("watch"), verbs[r.Method]
	switch {
	case verb == "get" && (watches == "true" || watches == "1"):
		return "watch"
	case verb == "get" && name == "":
		return "list"
	case verb == "delete" && name == "":
		return "deletecollection"
	}
	return verb
}

// possible reports whether what the request names has its method.
func (r request) possible() bool {
	switch r.subresource {
	case "":
		return r.verb != "create" || r.name == ""
	case "exec", "portforward":
		return r.verb == "get" || r.verb == "create"
	}
	return r.verb == "get" || r.verb == "update" || r.verb == "patch"
}

// place is where the object is: of a request for a list, the name is empty.
func (r request) place() (namespace, name string) {
	if r.clusterScoped {
		return "", r.name
	}
	return r.namespace, r.name
}
