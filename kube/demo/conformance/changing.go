package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func objectsChange(t *testing.T, s Subject) {
	o := slice(t, s, "changes", map[string]string{"a": "b"})
	if o.UID == "" || o.ResourceVersion == "" || o.CreationTimestamp.IsZero() || o.Namespace != s.Namespace {
		t.Errorf("created: got %+v, want uid, version, time and namespace", o.ObjectMeta)
	}
	before := o.DeepCopy()
	change(t, s, o, map[string]string{"a": "c"})
	if o.ResourceVersion == before.ResourceVersion || o.UID != before.UID || !o.CreationTimestamp.Equal(&before.CreationTimestamp) {
		t.Errorf("changed: got %+v, want a new version of %+v", o.ObjectMeta, before.ObjectMeta)
	}
	same := o.ResourceVersion
	if change(t, s, o, map[string]string{"a": "c"}); o.ResourceVersion != same {
		t.Errorf("a change of nothing makes version %s of %s", o.ResourceVersion, same)
	}
	put := func(o *discoveryv1.EndpointSlice) error {
		return slices(t, s).Put().Namespace(s.Namespace).Resource("endpointslices").Name(o.Name).Body(o).Do(within(t)).Error()
	}
	checkStatus(t, put(before), 409, metav1.StatusReasonConflict,
		`Operation cannot be fulfilled on endpointslices.discovery.k8s.io "changes": the object has been modified; please apply your changes to the latest version and try again`)
	del := func(options metav1.DeleteOptions) rest.Result {
		return slices(t, s).Delete().Namespace(s.Namespace).Resource("endpointslices").Name("changes").Body(&options).Do(within(t))
	}
	checkStatus(t, del(metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: new(types.UID("other"))}}).Error(), 409, metav1.StatusReasonConflict,
		fmt.Sprintf(`Operation cannot be fulfilled on EndpointSlice.discovery.k8s.io "changes": the UID in the precondition (other) does not match the UID in record (%s). The object might have been deleted and then recreated`, o.UID))
	checkStatus(t, del(metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: new("1")}}).Error(), 409, metav1.StatusReasonConflict,
		fmt.Sprintf(`Operation cannot be fulfilled on EndpointSlice.discovery.k8s.io "changes": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (%s). The object might have been modified`, o.ResourceVersion))
	again := before.DeepCopy()
	again.ResourceVersion = ""
	err := slices(t, s).Post().Namespace(s.Namespace).Resource("endpointslices").Param("dryRun", metav1.DryRunAll).Body(again).Do(within(t)).Error()
	checkStatus(t, err, 409, metav1.StatusReasonAlreadyExists, `endpointslices.discovery.k8s.io "changes" already exists`)
	must(t, del(metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}).Error())
	var status metav1.Status
	must(t, del(metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &o.UID}}).Into(&status))
	if d := status.Details; status.Status != metav1.StatusSuccess || d == nil || d.Name != "changes" || d.Group != "discovery.k8s.io" || d.Kind != "endpointslices" || d.UID != o.UID {
		t.Errorf("deleted: got %+v, want success with the details", status)
	}
	checkStatus(t, del(metav1.DeleteOptions{}).Error(), 404, metav1.StatusReasonNotFound, `endpointslices.discovery.k8s.io "changes" not found`)
	checkStatus(t, put(o), 404, metav1.StatusReasonNotFound, `endpointslices.discovery.k8s.io "changes" not found`)
	generated := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{GenerateName: "generated-"}, AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{}}
	must(t, slices(t, s).Post().Namespace(s.Namespace).Resource("endpointslices").Body(generated).Do(within(t)).Into(generated))
	if len(generated.Name) != len("generated-")+5 {
		t.Errorf("got the name %q, want five letters added", generated.Name)
	}
	remove(t, s, generated.Name)
}

func patches(t *testing.T, s Subject) {
	slice(t, s, "patched", map[string]string{"keep": "1", "drop": "2"})
	patch := func(kind types.PatchType, body string) (*discoveryv1.EndpointSlice, error) {
		var o discoveryv1.EndpointSlice
		request := slices(t, s).Patch(kind).Namespace(s.Namespace).Resource("endpointslices").Name("patched")
		if kind == types.ApplyYAMLPatchType {
			request.Param("fieldManager", "conformance").Param("force", "true")
		}
		return &o, request.Body([]byte(body)).Do(within(t)).Into(&o)
	}
	for _, test := range []struct {
		kind       types.PatchType
		body, want string
	}{
		{types.StrategicMergePatchType, `{"metadata":{"labels":{"drop":null,"new":"3"}}}`, "map[keep:1 new:3]"},
		{types.MergePatchType, `{"metadata":{"labels":{"new":null,"merged":"4"}}}`, "map[keep:1 merged:4]"},
		{types.ApplyYAMLPatchType, "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: patched, labels: {applied: \"5\"}}, addressType: IPv4, endpoints: []}", "map[applied:5 keep:1 merged:4]"},
	} {
		o, err := patch(test.kind, test.body)
		if got := fmt.Sprint(o.Labels); err != nil || got != test.want {
			t.Errorf("%s: got %s, %v; want %s", test.kind, got, err, test.want)
		}
	}
	_, err := patch(types.MergePatchType, `{"metadata":{"resourceVersion":"1"}}`)
	if !apierrors.IsConflict(err) {
		t.Errorf("a patch of an old version: got %v, want a conflict", err)
	}
	remove(t, s, "patched")
}

// deployed is a Deployment without Pods, on which lists can be patched.
const deployed = `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "listed", "labels": {"a": "1"}}, "spec": {
	"replicas": 0, "selector": {"matchLabels": {"app": "listed"}}, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
	"template": {"metadata": {"labels": {"app": "listed"}}, "spec": {"tolerations": [{"key": "t", "operator": "Exists"}], "containers": [
		{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}], "args": ["1", "2"]}, {"name": "b", "image": "b:1"}]}}}}`

func deploymentsAreSent(t *testing.T, s Subject) {
	for _, m := range media {
		client := as(t, s.Config, appsv1.SchemeGroupVersion, m)
		var sent, got appsv1.Deployment
		must(t, json.Unmarshal([]byte(deployed), &sent))
		sent.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
		sent.Spec.Paused, sent.Spec.MinReadySeconds, sent.Spec.RevisionHistoryLimit, sent.Spec.ProgressDeadlineSeconds = true, 3, new(int32(4)), new(int32(5))
		sent.Generation, sent.DeletionTimestamp, sent.Status.Replicas = 7, new(metav1.Now()), 8 // which are not the client's to say
		must(t, client.Post().Namespace(s.Namespace).Resource("deployments").Body(&sent).Do(within(t)).Into(&got))
		if got.Generation != 1 || got.DeletionTimestamp != nil || got.Status.Replicas != 0 {
			t.Errorf("%s: got generation %d, the end %v and %d replicas, want 1, none and 0", m, got.Generation, got.DeletionTimestamp, got.Status.Replicas)
		}
		same := equality.Semantic.DeepEqual(sent.Spec.Selector, got.Spec.Selector) && equality.Semantic.DeepEqual(sent.Labels, got.Labels)
		if !same || containers(&got) != containers(&sent) || got.Spec.Strategy.Type != sent.Spec.Strategy.Type || *got.Spec.Replicas != 0 {
			t.Errorf("%s: got %+v, want %+v", m, got, sent)
		}
		if got := fmt.Sprint(got.Spec.Paused, got.Spec.MinReadySeconds, *got.Spec.RevisionHistoryLimit, *got.Spec.ProgressDeadlineSeconds); got != "true 3 4 5" {
			t.Errorf("%s: got the numbers %s, want true 3 4 5", m, got)
		}
		must(t, client.Get().Namespace(s.Namespace).Resource("deployments").Do(within(t)).Into(&appsv1.DeploymentList{}))
		must(t, client.Delete().Namespace(s.Namespace).Resource("deployments").Name("listed").Do(within(t)).Error())
	}
}

// listsArePatched checks strategic merges: each patch is made on what the one
// before has left.
func listsArePatched(t *testing.T, s Subject) {
	client := as(t, s.Config, appsv1.SchemeGroupVersion, runtime.ContentTypeJSON)
	var d appsv1.Deployment
	must(t, client.Post().Namespace(s.Namespace).Resource("deployments").Body([]byte(deployed)).Do(within(t)).Into(&d))
	if d.Generation != 1 {
		t.Errorf("got generation %d of a new Deployment, want 1", d.Generation)
	}
	patch := func(body string) (d appsv1.Deployment) {
		must(t, client.Patch(types.StrategicMergePatchType).Namespace(s.Namespace).Resource("deployments").Name("listed").Body([]byte(body)).Do(within(t)).Into(&d))
		return d
	}
	for _, test := range []struct{ about, patch, want string }{
		{"a new element comes first", `{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"c:1"}]}}}}`, "c=c:1[] a=a:1[X=1 Y=2] b=b:1[]"},
		{"the order can be given", `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"},{"name":"c"},{"name":"b"}],"containers":[{"name":"b","image":"b:2"}]}}}}`, "a=a:1[X=1 Y=2] c=c:1[] b=b:2[]"},
		{"a list in a list", `{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"3"},{"name":"Z","value":"4"},{"name":"X","$patch":"delete"}]}]}}}}`, "a=a:1[Y=3 Z=4] c=c:1[] b=b:2[]"},
		{"an element is deleted", `{"spec":{"template":{"spec":{"containers":[{"name":"c","$patch":"delete"},{"name":"absent","$patch":"delete"}]}}}}`, "a=a:1[Y=3 Z=4] b=b:2[]"},
		{"two change places", `{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","image":"b:3"},{"name":"a","image":"a:2"}]}}}}`, "b=b:3[] a=a:2[Y=3 Z=4]"},
	} {
		generation := d.Generation
		d = patch(test.patch)
		if got := containers(&d); got != test.want || d.Generation != generation+1 {
			t.Errorf("%s: got %s at generation %d, want %s at %d", test.about, got, d.Generation, test.want, generation+1)
		}
	}
	d = patch(`{
		"metadata": {"labels": {"a": null, "b": "2"}, "finalizers": ["example.test/f", "example.test/g"]},
		"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}, "template": {"spec": {"tolerations": [{"key": "u", "operator": "Exists"}]}}}}`)
	if got := fmt.Sprintln(d.Labels, d.Spec.Strategy.Type, d.Spec.Strategy.RollingUpdate == nil, len(d.Spec.Template.Spec.Tolerations), d.Finalizers); got != "map[b:2] Recreate true 1 [example.test/f example.test/g]\n" {
		t.Errorf("got %s", got)
	}
	d = patch(`{
		"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.test/f", "example.test/g"]}}`)
	if len(d.Finalizers) != 0 {
		t.Errorf("got the finalizers %v, want none", d.Finalizers)
	}
	generation := d.Generation
	for _, verb := range []string{"GET", "PATCH"} {
		raw, err := client.Verb(verb).Namespace(s.Namespace).Resource("deployments").Name("listed").SubResource("scale").
			SetHeader("Content-Type", string(types.MergePatchType)).Body([]byte(`{"spec":{"replicas":0}}`)).DoRaw(within(t))
		must(t, err)
		var scale struct {
			Kind, APIVersion string
			Spec             struct{ Replicas int }
			Status           struct{ Selector string }
		}
		must(t, json.Unmarshal(raw, &scale))
		if got := fmt.Sprint(scale); got != "{Scale autoscaling/v1 {0} {app=listed}}" {
			t.Errorf("%s: got %s", verb, got)
		}
	}
	must(t, client.Get().Namespace(s.Namespace).Resource("deployments").Name("listed").Do(within(t)).Into(&d))
	if d.Generation != generation {
		t.Errorf("a scale that changes nothing makes generation %d of %d", d.Generation, generation)
	}
	must(t, client.Delete().Namespace(s.Namespace).Resource("deployments").Name("listed").Do(within(t)).Error())
}

// containers are the containers of a Deployment, with their variables.
func containers(d *appsv1.Deployment) string {
	var all []string
	for _, c := range d.Spec.Template.Spec.Containers {
		var env []string
		for _, e := range c.Env {
			env = append(env, e.Name+"="+e.Value)
		}
		all = append(all, fmt.Sprintf("%s=%s%v", c.Name, c.Image, env))
	}
	return strings.Join(all, " ")
}

func ephemeralContainersAreAdded(t *testing.T, s Subject) {
	add := func(name, media string) *corev1.Pod {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"ephemeralContainers": []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{
			Name: name, Image: "busybox:1.35", ImagePullPolicy: corev1.PullNever, Command: []string{"true"},
		}}}}})
		must(t, err)
		var pod corev1.Pod
		must(t, as(t, s.Config, corev1.SchemeGroupVersion, media).Patch(types.StrategicMergePatchType).Namespace(s.Namespace).Resource("pods").Name("web").
			SubResource("ephemeralcontainers").Body(patch).Do(within(t)).Into(&pod))
		return &pod
	}
	add("guest-1", runtime.ContentTypeJSON)
	pod := add("guest-2", runtime.ContentTypeProtobuf)
	if got := pod.Spec.EphemeralContainers; len(got) != 2 || got[0].Name != "guest-2" || got[1].Name != "guest-1" || got[1].Image != "busybox:1.35" {
		t.Errorf("got %+v, want the new one before the old", got)
	}
	if len(pod.Spec.Containers) != 2 || pod.Status.Phase != corev1.PodRunning {
		t.Errorf("got %d containers, %s; want the Pod otherwise as it was", len(pod.Spec.Containers), pod.Status.Phase)
	}
	must(t, core(t, s).Patch(types.MergePatchType).Namespace(s.Namespace).Resource("pods").Name("web").Body([]byte(`{"status":{"phase":"Failed"}}`)).Do(within(t)).Into(pod))
	if pod.Status.Phase != corev1.PodRunning {
		t.Errorf("a client makes the Pod %s, want that only its Node can", pod.Status.Phase)
	}
	err := core(t, s).Patch(types.StrategicMergePatchType).Namespace(s.Namespace).Resource("pods").Name("absent").SubResource("ephemeralcontainers").Body([]byte("{}")).Do(within(t)).Error()
	checkStatus(t, err, 404, metav1.StatusReasonNotFound, `pods "absent" not found`)
}

func podsAreDeleted(t *testing.T, s Subject) {
	del := func(name string, options metav1.DeleteOptions) *corev1.Pod {
		var pod corev1.Pod
		must(t, core(t, s).Delete().Namespace(s.Namespace).Resource("pods").Name(name).Body(&options).Do(within(t)).Into(&pod))
		return &pod
	}
	absent := func(name string) bool {
		return apierrors.IsNotFound(core(t, s).Get().Namespace(s.Namespace).Resource("pods").Name(name).Do(within(t)).Error())
	}
	create := func(name string) {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
			NodeSelector: map[string]string{"example.test/none": "has-this"},
			Containers:   []corev1.Container{{Name: "a", Image: "busybox:1.35"}},
		}}
		must(t, core(t, s).Post().Namespace(s.Namespace).Resource("pods").Body(pod).Do(within(t)).Into(pod))
		if pod.Status.Phase != corev1.PodPending {
			t.Errorf("a new Pod is %q, want Pending", pod.Status.Phase)
		}
	}
	create("unborn")
	if del("unborn", metav1.DeleteOptions{}); !absent("unborn") {
		t.Error("a Pod of no Node is still there")
	}
	if pod := del("over", metav1.DeleteOptions{}); pod.Name != "over" || !absent("over") {
		t.Errorf("a Pod that has ended: got %q, absent: %t; want itself, and that it is gone", pod.Name, absent("over"))
	}
	pod := del("web", metav1.DeleteOptions{GracePeriodSeconds: new(int64(600)), DryRun: []string{metav1.DryRunAll}})
	if at := pod.DeletionTimestamp; at == nil || time.Until(at.Time) < 590*time.Second || pod.DeletionGracePeriodSeconds == nil || *pod.DeletionGracePeriodSeconds != 600 {
		t.Errorf("got the end %v after %v s, want in ten minutes", at, pod.DeletionGracePeriodSeconds)
	}
	var still corev1.Pod
	must(t, core(t, s).Get().Namespace(s.Namespace).Resource("pods").Name("web").Do(within(t)).Into(&still))
	if still.DeletionTimestamp != nil {
		t.Error("a dry run has deleted the Pod")
	}
}
