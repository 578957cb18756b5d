package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// object is what the fake API server keeps.
type object interface {
	metav1.Object
	runtime.Object
}

var kinds = map[string]schema.GroupVersionKind{
	"pods":           {Version: "v1", Kind: "Pod"},
	"nodes":          {Version: "v1", Kind: "Node"},
	"services":       {Version: "v1", Kind: "Service"},
	"namespaces":     {Version: "v1", Kind: "Namespace"},
	"events":         {Version: "v1", Kind: "Event"},
	"endpointslices": {Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"},
}

// fakeAPI is an API server with as much of a real one as a store can notice:
// lists, watches (with the list inside, or refusing that as old servers do),
// access reviews, refusals, expired resource versions, and absence.
type fakeAPI struct {
	address string
	server  *httptest.Server

	mu       sync.Mutex
	news     chan struct{} // closed and replaced when something has changed
	log      []happening   // index + 1 is the resource version
	expired  int           // resource versions up to this one are forgotten
	requests []string      // "verb resource namespace"

	old           bool                      // does not know sendInitialEvents
	cuts          bool                      // ends connections after a while, without an answer
	held          bool                      // keeps the end of lists inside watches back
	refusesTokens bool                      // answers 401
	denies        func(request string) bool // answers 403
}

type happening struct {
	Type     string `json:"type"`
	Object   object `json:"object"`
	resource string
}

func newFakeAPI(t *testing.T, objects ...object) *fakeAPI {
	api := &fakeAPI{address: "127.0.0.1:0", news: make(chan struct{}), denies: func(string) bool { return false }}
	for _, o := range objects {
		api.put(o)
	}
	api.start(t)
	t.Cleanup(func() { api.stop() })
	return api
}

// start serves, again at the address that it had before.
func (api *fakeAPI) start(t *testing.T) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", api.address)
	must(t, err)
	api.address = listener.Addr().String()
	api.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: api}}
	api.server.Start()
}

func (api *fakeAPI) stop() {
	api.server.CloseClientConnections()
	api.server.Close()
}

// do changes the server's mind, or looks into it.
func (api *fakeAPI) do(change func()) {
	api.mu.Lock()
	defer api.mu.Unlock()
	change()
	close(api.news)
	api.news = make(chan struct{})
}

func (api *fakeAPI) put(o object)    { api.happen("MODIFIED", o) }
func (api *fakeAPI) remove(o object) { api.happen("DELETED", o) }

func (api *fakeAPI) happen(kind string, o object) {
	api.do(func() {
		o = o.DeepCopyObject().(object)
		o.SetResourceVersion(strconv.Itoa(len(api.log) + 1))
		resource := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", o), "*v1.")) + "s"
		o.GetObjectKind().SetGroupVersionKind(kinds[resource])
		api.log = append(api.log, happening{kind, o, resource})
	})
}

// expire makes every open watch and every known resource version too old.
func (api *fakeAPI) expire() { api.do(func() { api.expired = len(api.log) }) }

// objects returns what exists of a resource, and at which version.
func (api *fakeAPI) objects(resource, namespace string) (items []object, version int) {
	for i, h := range api.log {
		if h.resource != resource || namespace != "" && h.Object.GetNamespace() != namespace {
			continue
		}
		later := func(l happening) bool { return l.resource == resource && keyOf(l.Object) == keyOf(h.Object) }
		if h.Type != "DELETED" && !slices.ContainsFunc(api.log[i+1:], later) {
			items = append(items, h.Object)
		}
	}
	return items, len(api.log)
}

func (api *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	verb, resource, namespace, name := parse(r)
	request := strings.TrimSpace(fmt.Sprintf("%s %s %s", verb, resource, namespace))
	api.mu.Lock()
	api.requests = append(api.requests, request)
	api.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	kind := schema.GroupResource{Resource: resource}
	sendsList := r.URL.Query().Get("sendInitialEvents") == "true"
	since, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	switch {
	case api.is(func() bool { return api.cuts }):
		time.Sleep(1100 * time.Millisecond) // a reflector takes less for a mishap
		panic(http.ErrAbortHandler)
	case api.is(func() bool { return api.refusesTokens }):
		refuse(w, apierrors.NewUnauthorized("Unauthorized"))
	case verb == "create":
		api.review(w, r)
	case api.is(func() bool { return api.denies(request) }):
		refuse(w, apierrors.NewForbidden(kind, name, fmt.Errorf("User %q cannot %s resource", "jane", verb)))
	case verb == "watch" && sendsList && api.old:
		refuse(w, apierrors.NewInvalid(schema.GroupKind{Group: "meta.k8s.io", Kind: "ListOptions"}, "", nil))
	case verb == "watch" && sendsList:
		api.watch(w, r, resource, namespace, api.sendList(w, resource, namespace))
	case verb == "watch":
		api.watch(w, r, resource, namespace, since)
	default:
		api.read(w, resource, namespace, name)
	}
}

func (api *fakeAPI) is(what func() bool) bool {
	api.mu.Lock()
	defer api.mu.Unlock()
	return what()
}

func parse(r *http.Request) (verb, resource, namespace, name string) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	path = path[slices.Index(path, "v1")+1:]
	if path[0] == "namespaces" && len(path) > 2 {
		namespace, path = path[1], path[2:]
	}
	resource = path[0]
	switch {
	case r.Method == http.MethodPost:
		return "create", resource, namespace, ""
	case len(path) > 1:
		return "get", resource, namespace, path[1]
	case r.URL.Query().Has("watch"):
		return "watch", resource, namespace, ""
	default:
		return "list", resource, namespace, ""
	}
}

func refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	status.Kind, status.APIVersion = "Status", "v1"
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}

// review answers a SelfSubjectAccessReview by what the server would deny.
func (api *fakeAPI) review(w http.ResponseWriter, r *http.Request) {
	scheme := runtime.NewScheme()
	_ = authorizationv1.AddToScheme(scheme)
	body, _ := io.ReadAll(r.Body)
	var review authorizationv1.SelfSubjectAccessReview
	if _, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(body, nil, &review); err != nil {
		refuse(w, apierrors.NewBadRequest(err.Error()))
		return
	}
	asked := review.Spec.ResourceAttributes
	review.Status.Allowed = !api.is(func() bool {
		return api.denies(strings.TrimSpace(asked.Verb + " " + asked.Resource + " " + asked.Namespace))
	})
	review.Kind, review.APIVersion = "SelfSubjectAccessReview", "authorization.k8s.io/v1"
	_ = json.NewEncoder(w).Encode(review)
}

func (api *fakeAPI) read(w http.ResponseWriter, resource, namespace, name string) {
	api.mu.Lock()
	items, version := api.objects(resource, namespace)
	api.mu.Unlock()
	if name == "" {
		group, kind := kinds[resource].ToAPIVersionAndKind()
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": kind + "List", "apiVersion": group, "metadata": metav1.ListMeta{ResourceVersion: strconv.Itoa(version)}, "items": items})
	} else if i := slices.IndexFunc(items, func(o object) bool { return o.GetName() == name }); i >= 0 {
		_ = json.NewEncoder(w).Encode(items[i])
	} else {
		refuse(w, apierrors.NewNotFound(schema.GroupResource{Resource: resource}, name))
	}
}

// sendList begins a watch with what exists and a bookmark at its end, and
// returns the version from where the watch goes on.
func (api *fakeAPI) sendList(w http.ResponseWriter, resource, namespace string) int {
	api.mu.Lock()
	items, version := api.objects(resource, namespace)
	api.mu.Unlock()
	for _, o := range items {
		_ = json.NewEncoder(w).Encode(happening{Type: "ADDED", Object: o})
	}
	w.(http.Flusher).Flush()
	for held, news := true, (chan struct{})(nil); held; {
		if news != nil {
			<-news
		}
		api.mu.Lock()
		held, news = api.held, api.news
		api.mu.Unlock()
	}
	group, kind := kinds[resource].ToAPIVersionAndKind()
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "BOOKMARK", "object": map[string]any{"kind": kind, "apiVersion": group, "metadata": metav1.ObjectMeta{
		ResourceVersion: strconv.Itoa(version), Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"},
	}}})
	return version
}

func (api *fakeAPI) watch(w http.ResponseWriter, r *http.Request, resource, namespace string, since int) {
	for {
		api.mu.Lock()
		happenings, news, expired := api.log[since:], api.news, since < api.expired
		api.mu.Unlock()
		if expired {
			gone := apierrors.NewResourceExpired("too old resource version").Status()
			gone.Kind, gone.APIVersion = "Status", "v1"
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "ERROR", "object": gone})
			return
		}
		for _, h := range happenings {
			if h.resource == resource && (namespace == "" || h.Object.GetNamespace() == namespace) {
				_ = json.NewEncoder(w).Encode(h)
			}
		}
		since += len(happenings)
		w.(http.Flusher).Flush()
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}
