package api

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// Version is what the server calls itself: that of the API that it speaks.
const Version = "v1.34.4"

// discovery are the answers to questions about what the server has, by path.
func discovery() map[string]any {
	number := strings.Split(strings.TrimPrefix(Version, "v"), ".")
	groups := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	schemas := map[string]any{}
	answers := map[string]any{
		"/version":    version.Info{Major: number[0], Minor: number[1], GitVersion: Version},
		"/api":        metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}},
		"/openapi/v3": map[string]any{"paths": schemas},
	}
	for _, r := range served {
		path := "apis/" + r.groupVersion().String()
		if r.group == "" {
			path = "api/v1"
		}
		if answers["/"+path] != nil {
			continue // another resource of the group was first
		}
		answers["/"+path] = resourcesOf(r.group)
		answers["/openapi/v3/"+path] = openAPI(path, r.group)
		schemas[path] = map[string]string{"serverRelativeURL": "/openapi/v3/" + path}
		if r.group != "" {
			only := metav1.GroupVersionForDiscovery{GroupVersion: r.groupVersion().String(), Version: "v1"}
			group := metav1.APIGroup{Name: r.group, Versions: []metav1.GroupVersionForDiscovery{only}, PreferredVersion: only}
			groups.Groups = append(groups.Groups, group)
			group.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
			answers["/apis/"+r.group] = group
		}
	}
	answers["/apis"] = groups
	return answers
}

// inGroup are the resources of a group.
func inGroup(group string) []resource {
	return slices.DeleteFunc(slices.Clone(served), func(r resource) bool { return r.group != group })
}

func resourcesOf(group string) metav1.APIResourceList {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	for _, r := range inGroup(group) {
		list.GroupVersion = r.groupVersion().String()
		whole := metav1.APIResource{Name: r.plural, SingularName: strings.ToLower(r.kind), Namespaced: !r.clusterScoped, Kind: r.kind}
		whole.Verbs = metav1.Verbs{"create", "delete", "get", "list", "patch", "update", "watch"}
		if r == accessReview {
			whole.Verbs = metav1.Verbs{"create"}
		}
		if r.short != "" {
			whole.ShortNames = []string{r.short}
		}
		if r.group == apps.Group || r.plural == "pods" || r.plural == "services" {
			whole.Categories = []string{"all"} // for kubectl get all
		}
		list.APIResources = append(list.APIResources, whole)
		for _, sub := range subresources[r.plural] {
			part := metav1.APIResource{Name: r.plural + "/" + sub, Namespaced: !r.clusterScoped, Kind: r.kind, Verbs: metav1.Verbs{"get", "patch", "update"}}
			switch sub {
			case "exec":
				part.Kind, part.Verbs = "PodExecOptions", metav1.Verbs{"create", "get"}
			case "portforward":
				part.Kind, part.Verbs = "PodPortForwardOptions", metav1.Verbs{"create", "get"}
			case "scale":
				part.Kind, part.Group, part.Version = "Scale", "autoscaling", "v1"
			}
			list.APIResources = append(list.APIResources, part)
		}
	}
	return list
}

// openAPI tells kubectl, which reads it before it applies a manifest, that the
// server checks fields itself; there are no schemas.
func openAPI(path, group string) any {
	paths := map[string]any{}
	for _, r := range inGroup(group) {
		paths["/"+path+"/"+r.plural+"/{name}"] = map[string]any{"patch": map[string]any{
			"x-kubernetes-group-version-kind": map[string]string{"group": r.group, "version": "v1", "kind": r.kind},
			"parameters":                      []map[string]string{{"name": "fieldValidation", "in": "query"}},
		}}
	}
	return map[string]any{"openapi": "3.0.0", "paths": paths}
}
