package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// answering is an API server that gives one answer after the other, the last
// one again and again, and keeps what it was asked.
type answering struct {
	mu      sync.Mutex
	answers []any // an object, or an error
	asked   []string
	bodies  []string
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	a.asked = append(a.asked, strings.TrimSuffix(r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery, "?"))
	a.bodies = append(a.bodies, string(body))
	w.Header().Set("Content-Type", "application/json")
	var status *apierrors.StatusError
	if err, ok := a.answers[0].(error); ok && errors.As(err, &status) {
		refuse(w, status)
	} else {
		_ = json.NewEncoder(w).Encode(a.answers[0])
	}
	if len(a.answers) > 1 {
		a.answers = a.answers[1:]
	}
}

func (a *answering) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	c := &Config{rest: &rest.Config{Host: server.URL}, timeout: 5 * time.Second}
	c.tune(Options{})
	client, err := NewClient(c)
	must(t, err)
	return client
}

// decodeBody reads the protobuf that the client has sent.
func decodeBody(t *testing.T, body string, into runtime.Object) {
	t.Helper()
	scheme := runtime.NewScheme()
	must(t, corev1.AddToScheme(scheme))
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	_, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode([]byte(body), nil, into)
	must(t, err)
}

var guest = Guest{Name: "podpath-1a2b", Image: "redis:8", Command: []string{"sh", "-c", "sleep 5"}}

func podOf(kind string, statuses ...corev1.ContainerStatus) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	if kind == "ephemeral" {
		p.Status.EphemeralContainerStatuses = statuses
	} else {
		p.Status.ContainerStatuses = statuses
	}
	return p
}

func podList(pods ...*corev1.Pod) *corev1.PodList {
	list := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}}
	for _, p := range pods {
		list.Items = append(list.Items, *p)
	}
	return list
}

func TestAddEphemeralAddsARestrictedContainer(t *testing.T) {
	pod := podOf("")
	pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
	api := &answering{answers: []any{pod}}
	must(t, api.client(t).AddEphemeral(t.Context(), Key{"shop", "web"}, guest))
	if got, want := api.asked[0], "PATCH /api/v1/namespaces/shop/pods/web/ephemeralcontainers"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var patch struct{ Spec corev1.PodSpec }
	must(t, json.Unmarshal([]byte(api.bodies[0]), &patch))
	if len(patch.Spec.EphemeralContainers) != 1 {
		t.Fatalf("got %s, want one container", api.bodies[0])
	}
	c := patch.Spec.EphemeralContainers[0]
	if c.Name != guest.Name || c.Image != guest.Image || !reflect.DeepEqual(c.Command, guest.Command) || c.ImagePullPolicy != corev1.PullIfNotPresent {
		t.Errorf("got %+v, want the guest", c)
	}
	checkRestricted(t, c.SecurityContext)
}

// checkRestricted checks what Pod Security "restricted" asks for.
func checkRestricted(t *testing.T, c *corev1.SecurityContext) {
	t.Helper()
	want := &corev1.SecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(65534)), RunAsGroup: new(int64(65534)), AllowPrivilegeEscalation: new(false),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, SeccompProfile: &corev1.SeccompProfile{Type: "RuntimeDefault"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got security context %+v, want %+v", c, want)
	}
}

func TestRefusalsOfGuestsAreSaid(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	rbac := apierrors.NewForbidden(pods, "web", errors.New(`User "jane" cannot patch resource "pods/ephemeralcontainers" in API group "" in the namespace "shop"`))
	err := (&answering{answers: []any{rbac}}).client(t).AddEphemeral(t.Context(), Key{"shop", "web"}, guest)
	var denied *AccessError
	if want := (Access{Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers", Namespace: "shop"}); !errors.As(err, &denied) || denied.Access != want {
		t.Errorf("got %v, want the missing permission", err)
	}
	security := apierrors.NewForbidden(pods, "podpath-x", errors.New(`violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`))
	_, err = (&answering{answers: []any{security}}).client(t).CreateHelper(t.Context(), HelperPod{Key: Key{"shop", "podpath-x"}}, guest, time.Minute)
	if errors.As(err, &denied) || !strings.Contains(fmt.Sprint(err), "violates PodSecurity") {
		t.Errorf("got %v, want the words of admission", err)
	}
}

func TestAwaitRunning(t *testing.T) {
	state := func(s corev1.ContainerStatus) corev1.ContainerStatus { s.Name = guest.Name; return s }
	for name, test := range map[string]struct {
		answers []any
		want    string // of the error; empty for none
	}{
		"starts after a while": {
			[]any{podList(podOf("ephemeral")), podList(podOf("ephemeral", state(waiting("ContainerCreating")))), podList(podOf("ephemeral", state(running(0, time.Time{}))))}, "",
		},
		"of a helper Pod":         {[]any{podList(podOf("", state(running(0, time.Time{}))))}, ""},
		"image missing":           {[]any{podList(podOf("ephemeral", state(waiting("ErrImagePull"))))}, "ErrImagePull"},
		"runs as root":            {[]any{podList(podOf("ephemeral", state(waiting("CreateContainerConfigError"))))}, "CreateContainerConfigError"},
		"command missing":         {[]any{podList(podOf("ephemeral", state(terminated("StartError", 128, 0))))}, "StartError, exit 128"},
		"Pod gone":                {[]any{podList()}, "the Pod is gone"},
		"Pod refused by its Node": {[]any{podList(&corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "OutOfpods"}})}, "OutOfpods"},
		"never taken note of":     {[]any{podList(podOf("ephemeral"))}, "has not taken note of it yet: too late"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), 700*time.Millisecond, errors.New("too late"))
			defer cancel()
			api := &answering{answers: test.answers}
			err := api.client(t).AwaitRunning(ctx, Key{"shop", "web"}, guest.Name)
			if (err == nil) != (test.want == "") || !strings.Contains(fmt.Sprint(err), test.want) && err != nil {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if want := "GET /api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb"; api.asked[0] != want {
				t.Errorf("got %q, want %q", api.asked[0], want)
			}
		})
	}
}

func TestHelperPodIsPinnedBoundedAndLabelled(t *testing.T) {
	made := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "podpath-1", UID: "u9"}}
	api := &answering{answers: []any{made}}
	h, err := api.client(t).CreateHelper(t.Context(), HelperPod{Key: Key{"shop", "podpath-1"}, Node: "raspi002", Run: "1a2b"}, guest, time.Minute)
	must(t, err)
	if h.UID != "u9" {
		t.Errorf("got %+v, want the UID of what was made", h)
	}
	var sent corev1.Pod
	decodeBody(t, api.bodies[0], &sent)
	if got, want := sent.Labels, map[string]string{"app.kubernetes.io/managed-by": "podpath", "podpath/run": "1a2b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got labels %v, want %v", got, want)
	}
	spec := sent.Spec
	if spec.NodeName != "raspi002" || !spec.HostNetwork || spec.HostPID || spec.HostIPC || *spec.ActiveDeadlineSeconds != 60 || *spec.AutomountServiceAccountToken ||
		len(spec.Tolerations) != 1 || spec.Tolerations[0] != (corev1.Toleration{Operator: "Exists"}) || spec.RestartPolicy != "Never" {
		t.Errorf("got %+v", spec)
	}
	checkRestricted(t, spec.Containers[0].SecurityContext)
}

func TestCreateHelperTellsAPodThatIsNotItsOwn(t *testing.T) {
	api := &answering{answers: []any{apierrors.NewAlreadyExists(schema.GroupResource{Resource: "pods"}, "podpath-1")}}
	_, err := api.client(t).CreateHelper(t.Context(), HelperPod{Key: Key{"shop", "podpath-1"}}, guest, time.Minute)
	if !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "create Pod shop/podpath-1: ") {
		t.Errorf("got %v, want ErrTaken and which", err)
	}
}

func TestDeleteHelperIsForThatPodOnly(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	for name, test := range map[string]struct {
		answer any
		want   string
	}{
		"deleted":                 {&metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Success"}, ""},
		"gone already":            {apierrors.NewNotFound(pods, "podpath-1"), ""},
		"another Pod of its name": {apierrors.NewConflict(pods, "podpath-1", errors.New("the UID in the precondition does not match")), ""},
		"forbidden":               {apierrors.NewForbidden(pods, "podpath-1", errors.New(`User "jane" cannot delete resource "pods"`)), "kubectl delete pod -n shop podpath-1"},
	} {
		t.Run(name, func(t *testing.T) {
			api := &answering{answers: []any{test.answer}}
			err := api.client(t).DeleteHelper(t.Context(), HelperPod{Key: Key{"shop", "podpath-1"}, UID: "u9"})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			var options metav1.DeleteOptions
			decodeBody(t, api.bodies[0], &options)
			if *options.GracePeriodSeconds != 0 || string(*options.Preconditions.UID) != "u9" {
				t.Errorf("got %+v, want at once, and only that UID", options)
			}
		})
	}
}

func TestHelpersAreFoundByTheirLabels(t *testing.T) {
	left := podOf("")
	left.Labels, left.Spec.NodeName, left.UID = map[string]string{RunLabel: "old"}, "raspi001", "u1"
	api := &answering{answers: []any{podList(left)}}
	got, err := api.client(t).Helpers(t.Context(), Scope{})
	must(t, err)
	if want := []HelperPod{{Key: Key{"shop", "web"}, UID: "u1", Node: "raspi001", Run: "old"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if want := "GET /api/v1/pods?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dpodpath%2Cpodpath%2Frun"; api.asked[0] != want {
		t.Errorf("got %q, want %q", api.asked[0], want)
	}
}
