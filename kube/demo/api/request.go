package api

import (
	"net/http"
	"slices"
	"strings"
)

// request is an HTTP request for objects, understood.
type request struct {
	*http.Request
	resource
	verb                         string // as RBAC calls it
	namespace, name, subresource string
}

// parse understands the path of a request for objects. ok is false when the
// server has nothing there.
func parse(r *http.Request) (parsed request, ok bool) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group := ""
	switch {
	case len(path) > 2 && path[0] == "api" && path[1] == "v1":
		path = path[2:]
	case len(path) > 3 && path[0] == "apis" && path[2] == "v1":
		group, path = path[1], path[3:]
	default:
		return request{}, false
	}
	parsed.Request = r
	if path[0] == "namespaces" && len(path) > 1 {
		parsed.namespace = path[1] // that of a Namespace is its own
		if len(path) > 2 && path[2] != "status" {
			path = path[2:]
		}
	}
	i := slices.IndexFunc(served, func(k resource) bool { return k.group == group && k.plural == path[0] })
	if i < 0 || len(path) > 3 {
		return request{}, false
	}
	parsed.resource = served[i]
	path = append(path, "", "")
	parsed.name, parsed.subresource = path[1], path[2]
	if parsed.subresource != "" && !slices.Contains(parsed.subresources(), parsed.subresource) {
		return request{}, false
	}
	parsed.verb = verbOf(r, parsed.name)
	return parsed, true
}

// subresources are what the objects of a resource have besides themselves.
func (r resource) subresources() []string {
	switch r.plural {
	case "pods":
		return []string{"ephemeralcontainers", "exec", "portforward", "status"}
	case "deployments":
		return []string{"scale", "status"}
	default:
		return []string{"status"}
	}
}

// verbOf returns "" for a method that the server does not have.
func verbOf(r *http.Request, name string) string {
	switch watches := r.URL.Query().Get("watch"); {
	case r.Method == http.MethodPost:
		return "create"
	case r.Method == http.MethodPut:
		return "update"
	case r.Method == http.MethodPatch:
		return "patch"
	case r.Method == http.MethodDelete && name != "":
		return "delete"
	case r.Method == http.MethodDelete:
		return "deletecollection"
	case r.Method != http.MethodGet:
		return ""
	case watches == "true" || watches == "1":
		return "watch"
	case name != "":
		return "get"
	default:
		return "list"
	}
}

// key is where the store has the object.
func (r request) key() (resource, namespace, name string) {
	if r.clusterScoped {
		return r.plural, "", r.name
	}
	return r.plural, r.namespace, r.name
}
