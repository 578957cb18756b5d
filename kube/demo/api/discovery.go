package api

import (
	"net/http"
	"runtime"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// Version is what the server calls itself: that of the API that it speaks.
const Version = "v1.34.4"

// verbs are what may be done to the objects of every resource.
var verbs = metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"}

// discovery answers requests about what the server has, and returns nil for
// others.
func discovery(r *http.Request) any {
	path := strings.Trim(r.URL.Path, "/")
	group, version := strings.CutPrefix(path, "apis/")
	switch {
	case path == "version":
		return about()
	case path == "api":
		return metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}}
	case path == "apis":
		list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
		for _, g := range groups() {
			list.Groups = append(list.Groups, groupNamed(g))
		}
		return list
	case path == "api/v1":
		return resourcesOf("")
	case version && slices.Contains(groups(), group):
		g := groupNamed(group)
		g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
		return g
	case version && slices.Contains(groups(), strings.TrimSuffix(group, "/v1")):
		return resourcesOf(strings.TrimSuffix(group, "/v1"))
	case path == "openapi/v3":
		return openAPIPaths()
	}
	return openAPI(path)
}

func about() version.Info {
	parts := strings.Split(strings.TrimPrefix(Version, "v"), ".")
	return version.Info{
		Major: parts[0], Minor: parts[1], GitVersion: Version, GitTreeState: "clean",
		GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

// groups are the names of all groups but the core one.
func groups() []string {
	var names []string
	for _, r := range served {
		if r.group != "" && !slices.Contains(names, r.group) {
			names = append(names, r.group)
		}
	}
	return names
}

func groupNamed(name string) metav1.APIGroup {
	only := metav1.GroupVersionForDiscovery{GroupVersion: name + "/v1", Version: "v1"}
	return metav1.APIGroup{Name: name, Versions: []metav1.GroupVersionForDiscovery{only}, PreferredVersion: only}
}

func resourcesOf(group string) metav1.APIResourceList {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: strings.TrimPrefix(group+"/v1", "/")}
	for _, r := range served {
		if r.group != group {
			continue
		}
		whole := metav1.APIResource{Name: r.plural, SingularName: strings.ToLower(r.kind), Namespaced: !r.clusterScoped, Kind: r.kind, Verbs: verbs}
		if r == accessReview {
			whole.Verbs = metav1.Verbs{"create"}
			list.APIResources = append(list.APIResources, whole)
			continue
		}
		if r.short != "" {
			whole.ShortNames = []string{r.short}
		}
		if r.group == "apps" || r.plural == "pods" || r.plural == "services" {
			whole.Categories = []string{"all"} // for kubectl get all
		}
		list.APIResources = append(list.APIResources, whole)
		for _, sub := range r.subresources() {
			part := metav1.APIResource{Name: r.plural + "/" + sub, Namespaced: !r.clusterScoped, Kind: r.kind, Verbs: metav1.Verbs{"get", "patch", "update"}}
			switch sub {
			case "exec", "portforward":
				part.Kind, part.Verbs = map[string]string{"exec": "PodExecOptions", "portforward": "PodPortForwardOptions"}[sub], metav1.Verbs{"create", "get"}
			case "scale":
				part.Kind, part.Group, part.Version = "Scale", "autoscaling", "v1"
			}
			list.APIResources = append(list.APIResources, part)
		}
	}
	return list
}

// openAPIPaths says where the documents are that kubectl reads before it
// applies a manifest.
func openAPIPaths() any {
	paths := map[string]any{}
	for _, group := range append(groups(), "") {
		paths[groupPath(group)] = map[string]string{"serverRelativeURL": "/openapi/v3/" + groupPath(group)}
	}
	return map[string]any{"paths": paths}
}

func groupPath(group string) string {
	if group == "" {
		return "api/v1"
	}
	return "apis/" + group + "/v1"
}

// openAPI tells kubectl that the server checks fields itself; there are no
// schemas. It returns nil when the path is of no group.
func openAPI(path string) any {
	paths := map[string]any{}
	for _, r := range resources {
		if path == "openapi/v3/"+groupPath(r.group) {
			paths["/"+groupPath(r.group)+"/"+r.plural+"/{name}"] = map[string]any{"patch": map[string]any{
				"x-kubernetes-group-version-kind": map[string]string{"group": r.group, "version": "v1", "kind": r.kind},
				"parameters":                      []map[string]string{{"name": "fieldValidation", "in": "query"}},
			}}
		}
	}
	if len(paths) == 0 {
		return nil
	}
	return map[string]any{"openapi": "3.0.0", "paths": paths}
}
