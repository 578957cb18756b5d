package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

func discoveryNamesTheKinds(t *testing.T, s Subject) {
	client := core(t, s)
	for path, kinds := range map[string]map[string]string{
		"/api/v1":                       {"pods": "Pod", "nodes": "Node", "services": "Service", "namespaces": "Namespace", "events": "Event", "pods/exec": "PodExecOptions", "pods/portforward": "PodPortForwardOptions", "pods/ephemeralcontainers": "Pod"},
		"/apis/discovery.k8s.io/v1":     {"endpointslices": "EndpointSlice"},
		"/apis/networking.k8s.io/v1":    {"ingresses": "Ingress", "networkpolicies": "NetworkPolicy"},
		"/apis/apps/v1":                 {"deployments": "Deployment", "replicasets": "ReplicaSet", "deployments/scale": "Scale"},
		"/apis/authorization.k8s.io/v1": {"selfsubjectaccessreviews": "SelfSubjectAccessReview"},
	} {
		var list metav1.APIResourceList
		raw, err := client.Get().AbsPath(path).SetHeader("Accept", runtime.ContentTypeJSON).DoRaw(within(t))
		must(t, err)
		must(t, json.Unmarshal(raw, &list))
		if list.Kind != "APIResourceList" || list.GroupVersion == "" {
			t.Errorf("%s: got %s of %q", path, list.Kind, list.GroupVersion)
		}
		got := map[string]string{}
		for _, r := range list.APIResources {
			got[r.Name] = r.Kind
		}
		for name, kind := range kinds {
			if got[name] != kind {
				t.Errorf("%s: %s is a %q, want %q", path, name, got[name], kind)
			}
		}
	}
	for path, want := range map[string]string{"/version": `"major"`, "/api": `"versions":["v1"]`, "/apis": `"groupVersion":"discovery.k8s.io/v1"`, "/apis/apps": `"kind":"APIGroup"`} {
		raw, err := client.Get().AbsPath(path).SetHeader("Accept", runtime.ContentTypeJSON).DoRaw(within(t))
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: got %s, %v; want %s in it", path, raw, err, want)
		}
	}
	_, err := client.Get().AbsPath("/apis/example.test/v1").DoRaw(within(t))
	checkStatus(t, err, 404, metav1.StatusReasonNotFound, "the server could not find the requested resource")
}

func listsNameTheirKindOnce(t *testing.T, s Subject) {
	slice(t, s, "listed", nil)
	for _, m := range media {
		var list discoveryv1.EndpointSliceList
		must(t, as(t, s.Config, discoveryv1.SchemeGroupVersion, m).Get().Namespace(s.Namespace).Resource("endpointslices").Do(within(t)).Into(&list))
		if len(list.Items) == 0 || list.Items[0].Kind != "" {
			t.Errorf("got %+v, want items without a kind", list.Items)
		}
	}
	remove(t, s, "listed")
}

func listsComeInPages(t *testing.T, s Subject) {
	for i := range 5 {
		slice(t, s, fmt.Sprintf("page-%d", i), map[string]string{"pages": "yes"})
	}
	options := metav1.ListOptions{Limit: 2}
	var names []string
	for page := 0; ; page++ {
		var list discoveryv1.EndpointSliceList
		must(t, slices(t, s).Get().Namespace(s.Namespace).Resource("endpointslices").VersionedParams(&options, metav1.ParameterCodec).Do(within(t)).Into(&list))
		for _, item := range list.Items {
			names = append(names, item.Name)
			if item.Kind != "" {
				t.Errorf("an item of a list has the kind %q, want none", item.Kind)
			}
		}
		switch {
		case page == 0:
			if left := list.RemainingItemCount; left == nil || *left != 3 {
				t.Errorf("got %v remaining, want 3", left)
			}
			remove(t, s, "page-4") // the list is of before
		case list.Continue == "" && list.RemainingItemCount != nil:
			t.Errorf("the last page has %d remaining", *list.RemainingItemCount)
		}
		if options.Continue = list.Continue; options.Continue == "" {
			break
		}
	}
	if got, want := strings.Join(names, " "), "page-0 page-1 page-2 page-3 page-4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	options = metav1.ListOptions{Limit: 1, LabelSelector: "pages"}
	var list discoveryv1.EndpointSliceList
	must(t, slices(t, s).Get().Namespace(s.Namespace).Resource("endpointslices").VersionedParams(&options, metav1.ParameterCodec).Do(within(t)).Into(&list))
	if list.RemainingItemCount != nil || list.Continue == "" {
		t.Errorf("with a selector: %v remaining, continue %q; want none, and a token", list.RemainingItemCount, list.Continue)
	}
	for i := range 4 {
		remove(t, s, fmt.Sprintf("page-%d", i))
	}
}

func selectorsChoose(t *testing.T, s Subject) {
	for selector, want := range map[metav1.ListOptions]string{
		{}:                          "nowhere over web",
		{LabelSelector: "app=web"}:  "web",
		{LabelSelector: "app"}:      "web",
		{LabelSelector: "app!=web"}: "nowhere over",
		{LabelSelector: "app in (web,db), !tier"}:                        "web",
		{FieldSelector: "metadata.name=over"}:                            "over",
		{FieldSelector: "status.podIP=198.18.0.1,status.phase!=Failed"}:  "",
		{FieldSelector: "status.phase=Running"}:                          "web",
		{FieldSelector: "status.phase!=Running"}:                         "nowhere over",
		{FieldSelector: "spec.nodeName="}:                                "nowhere",
		{FieldSelector: "status.phase=Succeeded"}:                        "over",
		{FieldSelector: "metadata.namespace=absent"}:                     "",
		{FieldSelector: "status.phase=Running", LabelSelector: "app=db"}: "",
	} {
		var list corev1.PodList
		var names []string
		must(t, core(t, s).Get().Namespace(s.Namespace).Resource("pods").VersionedParams(&selector, metav1.ParameterCodec).Do(within(t)).Into(&list))
		for _, pod := range list.Items {
			names = append(names, pod.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("labels %q, fields %q: got %s, want %s", selector.LabelSelector, selector.FieldSelector, got, want)
		}
	}
	var web corev1.Pod
	must(t, core(t, s).Get().Namespace(s.Namespace).Resource("pods").Name("web").Do(within(t)).Into(&web))
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "conformance", Namespace: s.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "web", Namespace: s.Namespace, UID: web.UID}, Reason: "Conformance", Type: corev1.EventTypeNormal,
	}
	must(t, core(t, s).Post().Namespace(s.Namespace).Resource("events").Body(event).Do(within(t)).Error())
	selector := metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,involvedObject.name=web,involvedObject.uid=" + string(web.UID) + ",reason=Conformance"}
	var events corev1.EventList
	must(t, core(t, s).Get().Namespace(s.Namespace).Resource("events").VersionedParams(&selector, metav1.ParameterCodec).Do(within(t)).Into(&events))
	if len(events.Items) != 1 || events.Items[0].Name != "conformance" {
		t.Errorf("got %d events about the Pod, want one", len(events.Items))
	}
}

func errorsHaveTheSameWords(t *testing.T, s Subject) {
	get := func(resource, name string) error {
		return core(t, s).Get().Namespace(s.Namespace).Resource(resource).Name(name).Do(within(t)).Error()
	}
	list := func(resource string, o metav1.ListOptions) error {
		return core(t, s).Get().Namespace(s.Namespace).Resource(resource).VersionedParams(&o, metav1.ParameterCodec).Do(within(t)).Error()
	}
	checkStatus(t, get("pods", "absent"), 404, metav1.StatusReasonNotFound, `pods "absent" not found`)
	checkStatus(t, get("services", "absent"), 404, metav1.StatusReasonNotFound, `services "absent" not found`)
	checkStatus(t, core(t, s).Get().Resource("nodes").Name("absent").Do(within(t)).Error(), 404, metav1.StatusReasonNotFound, `nodes "absent" not found`)
	checkStatus(t, slices(t, s).Get().Namespace(s.Namespace).Resource("endpointslices").Name("absent").Do(within(t)).Error(),
		404, metav1.StatusReasonNotFound, `endpointslices.discovery.k8s.io "absent" not found`)
	checkStatus(t, list("pods", metav1.ListOptions{FieldSelector: "spec.unheard=of"}), 400, metav1.StatusReasonBadRequest, `field label not supported: spec.unheard`)
	checkStatus(t, list("pods", metav1.ListOptions{LabelSelector: "a=(b"}), 400, metav1.StatusReasonBadRequest, `unable to parse requirement: found '(', expected: identifier`)
	checkStatus(t, list("pods", metav1.ListOptions{Continue: "?", Limit: 1}), 400, metav1.StatusReasonBadRequest, `invalid continue token: continue key is not valid: illegal base64 data at input byte 0`)
	create := func(namespace string, pod *corev1.Pod) error {
		pod.Spec.Containers = []corev1.Container{{Name: "a", Image: "example.test/none:1"}}
		return core(t, s).Post().Namespace(namespace).Resource("pods").Body(pod).Do(within(t)).Error()
	}
	checkStatus(t, create("absent", &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}}), 404, metav1.StatusReasonNotFound, `namespaces "absent" not found`)
	checkStatus(t, create(s.Namespace, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}}), 409, metav1.StatusReasonAlreadyExists, `pods "web" already exists`)
	checkStatus(t, core(t, s).Get().Namespace(s.Namespace).Resource("pods").Name("web").SetHeader("Accept", "image/png").Do(within(t)).Error(),
		406, metav1.StatusReasonNotAcceptable, "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf")
	apps := as(t, s.Config, appsv1.SchemeGroupVersion, runtime.ContentTypeJSON)
	for _, request := range []*rest.Request{
		apps.Delete().Resource("deployments").SubResource("scale"), apps.Post().Resource("deployments").SubResource("scale"),
		core(t, s).Delete().Resource("pods").SubResource("ephemeralcontainers"), core(t, s).Post().Resource("pods"),
	} {
		checkStatus(t, request.Namespace(s.Namespace).Name("absent").Do(within(t)).Error(), 405, metav1.StatusReasonMethodNotAllowed,
			"the server does not allow this method on the requested resource")
	}
	stranger := rest.AnonymousClientConfig(s.Config)
	stranger.BearerToken = "wrong"
	checkStatus(t, as(t, stranger, corev1.SchemeGroupVersion, runtime.ContentTypeJSON).Get().Resource("nodes").Do(within(t)).Error(), 401, metav1.StatusReasonUnauthorized, "Unauthorized")
}

func refusalsNameTheRight(t *testing.T, s Subject) {
	config := rest.CopyConfig(s.Powerless)
	config.Impersonate.UserName = "mallory"
	client := as(t, config, corev1.SchemeGroupVersion, runtime.ContentTypeJSON)
	discovery := as(t, config, discoveryv1.SchemeGroupVersion, runtime.ContentTypeProtobuf)
	for _, test := range []struct {
		request *rest.Request
		message string
	}{
		{client.Get().Namespace("shop").Resource("pods"), `pods is forbidden: User "mallory" cannot list resource "pods" in API group "" in the namespace "shop"`},
		{client.Get().Resource("pods"), `pods is forbidden: User "mallory" cannot list resource "pods" in API group "" at the cluster scope`},
		{client.Get().Resource("pods").Param("watch", "true"), `pods is forbidden: User "mallory" cannot watch resource "pods" in API group "" at the cluster scope`},
		{client.Get().Namespace("shop").Resource("pods").Name("web"), `pods "web" is forbidden: User "mallory" cannot get resource "pods" in API group "" in the namespace "shop"`},
		{client.Get().Resource("namespaces").Name("shop"), `namespaces "shop" is forbidden: User "mallory" cannot get resource "namespaces" in API group "" in the namespace "shop"`},
		{client.Get().Resource("nodes").Name("raspi001"), `nodes "raspi001" is forbidden: User "mallory" cannot get resource "nodes" in API group "" at the cluster scope`},
		{client.Get().Namespace("shop").Resource("pods").Name("web").SubResource("exec"), `pods "web" is forbidden: User "mallory" cannot get resource "pods/exec" in API group "" in the namespace "shop"`},
		{client.Post().Namespace("shop").Resource("pods").Name("web").SubResource("portforward"), `pods "web" is forbidden: User "mallory" cannot create resource "pods/portforward" in API group "" in the namespace "shop"`},
		{client.Delete().Namespace("shop").Resource("pods").Name("web"), `pods "web" is forbidden: User "mallory" cannot delete resource "pods" in API group "" in the namespace "shop"`},
		{client.Post().Namespace("shop").Resource("pods").Body(&corev1.Pod{}), `pods is forbidden: User "mallory" cannot create resource "pods" in API group "" in the namespace "shop"`},
		{discovery.Get().Namespace("shop").Resource("endpointslices"), `endpointslices.discovery.k8s.io is forbidden: User "mallory" cannot list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "shop"`},
	} {
		checkStatus(t, test.request.Do(within(t)).Error(), 403, metav1.StatusReasonForbidden, test.message)
	}
}

func accessReviewsAnswer(t *testing.T, s Subject) {
	powerless := rest.CopyConfig(s.Powerless)
	powerless.Impersonate.UserName = "mallory"
	for media, config := range map[string]*rest.Config{runtime.ContentTypeJSON: s.Config, runtime.ContentTypeProtobuf: s.Config, "powerless": powerless} {
		want := media != "powerless"
		if !want {
			media = runtime.ContentTypeProtobuf
		}
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: s.Namespace},
		}}
		var answer authorizationv1.SelfSubjectAccessReview
		must(t, as(t, config, authorizationv1.SchemeGroupVersion, media).Post().Resource("selfsubjectaccessreviews").Body(review).Do(within(t)).Into(&answer))
		if answer.Status.Allowed != want || answer.Status.Denied || !equality.Semantic.DeepEqual(answer.Spec, review.Spec) {
			t.Errorf("got %+v of %+v, want allowed: %t", answer.Status, answer.Spec, want)
		}
	}
}

func encodingsAgree(t *testing.T, s Subject) {
	var lists [3]corev1.PodList
	for i, media := range []string{runtime.ContentTypeProtobuf, runtime.ContentTypeJSON, runtime.ContentTypeYAML} {
		request := as(t, s.Config, corev1.SchemeGroupVersion, media).Get().Namespace(s.Namespace).Resource("pods")
		result := request.Do(within(t))
		var got string
		result.ContentType(&got)
		must(t, result.Into(&lists[i]))
		if got != media {
			t.Errorf("got the content type %s, want %s", got, media)
		}
		lists[i].TypeMeta, lists[i].ResourceVersion = metav1.TypeMeta{}, "" // others change the cluster meanwhile
	}
	if len(lists[0].Items) < 3 {
		t.Errorf("got %d Pods, want those of the manifest", len(lists[0].Items))
	}
	for i, other := range lists[1:] {
		if !equality.Semantic.DeepEqual(lists[0], other) {
			t.Errorf("encoding %d: got\n%+v\nwant what protobuf has\n%+v", i+1, other, lists[0])
		}
	}
	watchedPodsAgree(t, s)
	table := "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
	raw, err := core(t, s).Get().Namespace(s.Namespace).Resource("pods").SetHeader("Accept", table).DoRaw(within(t))
	if err != nil || !strings.HasPrefix(string(raw), "{") {
		t.Errorf("a client that prefers a table gets %.20s, %v", raw, err)
	}
}
