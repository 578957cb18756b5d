package conformance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// media are what watches come in.
var media = []string{runtime.ContentTypeProtobuf, runtime.ContentTypeJSON}

// open starts a watch of the EndpointSlices.
func open(t *testing.T, client rest.Interface, s Subject, o metav1.ListOptions) watch.Interface {
	t.Helper()
	o.Watch = true
	w, err := client.Get().Namespace(s.Namespace).Resource("endpointslices").VersionedParams(&o, metav1.ParameterCodec).Watch(within(t))
	must(t, err)
	t.Cleanup(w.Stop)
	return w
}

// version is the resource version of now.
func version(t *testing.T, s Subject) string {
	t.Helper()
	var list discoveryv1.EndpointSliceList
	must(t, slices(t, s).Get().Namespace(s.Namespace).Resource("endpointslices").Do(within(t)).Into(&list))
	return list.ResourceVersion
}

// next reads one event: "ADDED name".
func next(t *testing.T, w watch.Interface) (string, *discoveryv1.EndpointSlice) {
	t.Helper()
	select {
	case event, open := <-w.ResultChan():
		if !open {
			t.Fatal("the watch has ended")
		}
		o, ok := event.Object.(*discoveryv1.EndpointSlice)
		if !ok {
			t.Fatalf("got %s with %+v", event.Type, event.Object)
		}
		return string(event.Type) + " " + o.Name, o
	case <-time.After(patience):
		t.Fatal("nothing comes")
	}
	return "", nil
}

// sees reads events and checks that their versions grow.
func sees(t *testing.T, w watch.Interface, want ...string) (versions []string) {
	t.Helper()
	last := uint64(0)
	for _, event := range want {
		got, o := next(t, w)
		if got != event {
			t.Errorf("got %s, want %s", got, event)
		}
		if number(t, o) <= last {
			t.Errorf("%s: version %s after %d", got, o.ResourceVersion, last)
		}
		last = number(t, o)
		versions = append(versions, o.ResourceVersion)
	}
	return versions
}

// number is the version of an object, which counts all that happens.
func number(t *testing.T, o *discoveryv1.EndpointSlice) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(o.ResourceVersion, 10, 64)
	must(t, err)
	return n
}

func watchTells(t *testing.T, s Subject) {
	for _, m := range media {
		client := as(t, s.Config, discoveryv1.SchemeGroupVersion, m)
		since := version(t, s)
		w := open(t, client, s, metav1.ListOptions{ResourceVersion: since})
		o := slice(t, s, "watched", nil)
		change(t, s, o, map[string]string{"a": "b"})
		remove(t, s, "watched")
		versions := sees(t, w, "ADDED watched", "MODIFIED watched", "DELETED watched")
		if len(versions) != 3 {
			return
		}
		sees(t, open(t, client, s, metav1.ListOptions{ResourceVersion: since}), "ADDED watched", "MODIFIED watched", "DELETED watched")
		sees(t, open(t, client, s, metav1.ListOptions{ResourceVersion: versions[0]}), "MODIFIED watched", "DELETED watched")
		sees(t, open(t, client, s, metav1.ListOptions{ResourceVersion: versions[1]}), "DELETED watched")
	}
}

func watchFollowsSelection(t *testing.T, s Subject) {
	since := version(t, s)
	labeled := open(t, slices(t, s), s, metav1.ListOptions{ResourceVersion: since, LabelSelector: "in"})
	named := open(t, slices(t, s), s, metav1.ListOptions{ResourceVersion: since, FieldSelector: "metadata.name=second"})
	first := slice(t, s, "first", nil)
	slice(t, s, "second", map[string]string{"in": "yes"})
	change(t, s, first, map[string]string{"in": "yes"})
	change(t, s, first, map[string]string{"in": "still"})
	change(t, s, first, nil)
	remove(t, s, "first")
	remove(t, s, "second")
	sees(t, labeled, "ADDED second", "ADDED first", "MODIFIED first", "DELETED first", "DELETED second")
	sees(t, named, "ADDED second", "DELETED second")
}

func watchExpires(t *testing.T, s Subject) {
	if s.Young {
		t.Skip("the API server was started so lately that nothing has expired")
	}
	for _, m := range media {
		w := open(t, as(t, s.Config, discoveryv1.SchemeGroupVersion, m), s, metav1.ListOptions{ResourceVersion: "1"})
		select {
		case event := <-w.ResultChan():
			err := apierrors.FromObject(event.Object)
			if event.Type != watch.Error || !apierrors.IsResourceExpired(err) || !strings.HasPrefix(err.Error(), "too old resource version: 1 (") {
				t.Errorf("got %s: %v, want that version 1 has expired", event.Type, err)
			}
		case <-time.After(patience):
			t.Error("nothing comes")
		}
	}
}

func watchBeginsWithList(t *testing.T, s Subject) {
	slice(t, s, "one", nil)
	slice(t, s, "two", nil)
	for _, m := range media {
		client := as(t, s.Config, discoveryv1.SchemeGroupVersion, m)
		w := open(t, client, s, metav1.ListOptions{
			SendInitialEvents: new(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true,
		})
		sees(t, w, "ADDED one")
		sees(t, w, "ADDED two")
		got, bookmark := next(t, w)
		if got != "BOOKMARK " || bookmark.Annotations[metav1.InitialEventsAnnotationKey] != "true" || bookmark.ResourceVersion == "" {
			t.Errorf("got %s with %v at %q, want the bookmark that ends the list", got, bookmark.Annotations, bookmark.ResourceVersion)
		}
		slice(t, s, "three", nil)
		sees(t, w, "ADDED three")
		remove(t, s, "three")
		sees(t, open(t, client, s, metav1.ListOptions{ResourceVersion: bookmark.ResourceVersion}), "ADDED three", "DELETED three")
		for _, version := range []string{"", "0"} {
			w = open(t, client, s, metav1.ListOptions{ResourceVersion: version})
			sees(t, w, "ADDED one")
			sees(t, w, "ADDED two")
			w = open(t, client, s, metav1.ListOptions{ResourceVersion: version, SendInitialEvents: new(false), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
			slice(t, s, "three", nil)
			sees(t, w, "ADDED three")
			remove(t, s, "three")
		}
	}
	o := metav1.ListOptions{Watch: true, SendInitialEvents: new(true)}
	err := slices(t, s).Get().Namespace(s.Namespace).Resource("endpointslices").VersionedParams(&o, metav1.ParameterCodec).Do(within(t)).Error()
	checkStatus(t, err, 422, metav1.StatusReasonInvalid,
		`ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`)
	remove(t, s, "one")
	remove(t, s, "two")
}

func bookmarkComes(t *testing.T, s Subject) {
	start := time.Now()
	w := open(t, slices(t, s), s, metav1.ListOptions{ResourceVersion: version(t, s), LabelSelector: "none", AllowWatchBookmarks: true, TimeoutSeconds: new(int64(6))})
	unseen := slice(t, s, "unseen", nil)
	defer remove(t, s, "unseen")
	got, o := next(t, w)
	if got != "BOOKMARK " || number(t, o) < number(t, unseen) || len(o.Annotations) != 0 {
		t.Errorf("got %s at %q with %v, want a bookmark of %s or later", got, o.ResourceVersion, o.Annotations, unseen.ResourceVersion)
	}
	for range w.ResultChan() {
		continue // until it ends
	}
	if took := time.Since(start); took < 5*time.Second || took > 10*time.Second {
		t.Errorf("the watch took %s, want the 6 s that were asked for", took)
	}
}

func podsWatched(t *testing.T, s Subject, m string) map[string]*corev1.Pod {
	t.Helper()
	w, err := as(t, s.Config, corev1.SchemeGroupVersion, m).Get().Namespace(s.Namespace).Resource("pods").Param("watch", "1").Watch(within(t))
	must(t, err)
	defer w.Stop()
	pods := map[string]*corev1.Pod{}
	for len(pods) < 3 {
		event, open := <-w.ResultChan()
		if !open {
			t.Fatal("the watch has ended")
		}
		pod := event.Object.(*corev1.Pod)
		pods[pod.Name] = pod
	}
	return pods
}

// watchedPodsAgree is the part of encodingsAgree for watches.
func watchedPodsAgree(t *testing.T, s Subject) {
	t.Helper()
	protobuf, json := podsWatched(t, s, media[0]), podsWatched(t, s, media[1])
	for name, pod := range protobuf {
		pod.TypeMeta, json[name].TypeMeta = metav1.TypeMeta{}, metav1.TypeMeta{}
		if !equality.Semantic.DeepEqual(pod, json[name]) {
			t.Errorf("watched Pod %s: got\n%+v\nas JSON, want what protobuf has\n%+v", name, json[name], pod)
		}
	}
}
