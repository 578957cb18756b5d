package api

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Store holds the objects of a cluster, and what has happened to them lately.
// It may be used by several goroutines.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	objects map[string]map[string]Object // by resource and key
	changed chan struct{}                // closed at the next change
	version uint64                       // of the last change
	oldest  uint64                       // all changes after this version are in log
	log     []change
}

// change is something that happened to an object.
type change struct {
	version  uint64
	resource string
	before   Object // nil: it was created
	after    Object // nil: it was deleted
	last     Object // what there is to show: after, or before with the version of its end
}

// history is how many changes are kept at least: a watch that was cut, and a
// list that is read in pages, can go on for minutes. A rollout makes about
// fifty; each keeps an object.
const history = 1000

// NewStore returns an empty store. The clock gives objects their age.
func NewStore(now func() time.Time) *Store {
	s := &Store{now: now, objects: map[string]map[string]Object{}, changed: make(chan struct{}), version: 1, oldest: 1}
	for _, r := range resources {
		s.objects[r.plural] = map[string]Object{}
	}
	return s
}

// Now is the time of the clock.
func (s *Store) Now() time.Time { return s.now() }

// List returns the objects of a resource, such as "pods", in a namespace or in
// all when that is empty, sorted by namespace and name.
func (s *Store) List(resource, namespace string) []Object {
	found, _, _ := s.at(resource, namespace, 0) // the latest version is never too old
	return found
}

// ListOf returns all objects of a resource by their type.
func ListOf[T Object](objects interface {
	List(resource, namespace string) []Object
}, resource string,
) []T {
	found := objects.List(resource, "")
	all := make([]T, len(found))
	for i, o := range found {
		all[i] = o.(T)
	}
	return all
}

// Get returns one object. The namespace of a cluster-scoped one is empty.
func (s *Store) Get(resource, namespace, name string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, found := s.objects[resource][key(namespace, name)]
	return o, found
}

// Changed returns a channel that is closed at the next change of anything.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Put creates an object, or replaces the one of its name. It stores a copy,
// with uid, creationTimestamp, resourceVersion and the generation of a
// Deployment or StatefulSet filled in. When the object has a resourceVersion, it must be that
// of the stored one: else the error is a conflict, or not found. Nothing
// happens when it changes nothing.
func (s *Store) Put(o Object) (Object, error) {
	r, err := resourceOf(o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(r, o)
}

// create is a Put of an object that must not be there yet. A dry run stores
// nothing.
func (s *Store) create(r request, o Object) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.objects[r.plural][keyOf(o)] != nil {
		return nil, apierrors.NewAlreadyExists(r.groupResource(), o.GetName())
	}
	o.SetResourceVersion("")
	if r.dry {
		return o, nil
	}
	return s.put(r.resource, o)
}

// update is a Put of what an object shall become, which nobody else changes
// meanwhile. A dry run stores nothing.
func (s *Store) update(r request, become func(Object) (Object, error)) (Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, found := s.objects[r.plural][key(r.place())]
	if !found {
		return nil, apierrors.NewNotFound(r.groupResource(), r.name)
	}
	o, err := become(o)
	if err != nil || r.dry {
		return o, err
	}
	return s.put(r.resource, o)
}

func (s *Store) put(r resource, o Object) (Object, error) {
	before, found := s.objects[r.plural][keyOf(o)]
	switch version := o.GetResourceVersion(); {
	case version != "" && !found:
		return nil, apierrors.NewNotFound(r.groupResource(), o.GetName())
	case version != "" && version != before.GetResourceVersion():
		return nil, apierrors.NewConflict(r.groupResource(), o.GetName(), errors.New("the object has been modified; please apply your changes to the latest version and try again"))
	}
	o = o.DeepCopyObject().(Object)
	o.GetObjectKind().SetGroupVersionKind(r.groupVersionKind())
	if found {
		o.SetUID(before.GetUID())
		o.SetCreationTimestamp(before.GetCreationTimestamp())
		o.SetGeneration(before.GetGeneration())
		o.SetResourceVersion(before.GetResourceVersion())
		if equality.Semantic.DeepEqual(o, before) {
			return before, nil
		}
	}
	if s, ok := o.(*StatefulSet); ok && s.Spec.UpdateStrategy == nil { // kubectl rollout status asks for it
		s.Spec.UpdateStrategy = map[string]any{"type": "RollingUpdate"}
	}
	if w, ok := o.(workload); ok && (!found || !equality.Semantic.DeepEqual(w.wanted(), before.(workload).wanted())) {
		o.SetGeneration(o.GetGeneration() + 1)
	}
	o.SetUID(cmp.Or(o.GetUID(), newUID()))
	if created := o.GetCreationTimestamp(); created.IsZero() {
		o.SetCreationTimestamp(metav1.NewTime(s.now()).Rfc3339Copy())
	}
	o.SetResourceVersion(s.next())
	s.objects[r.plural][keyOf(o)] = o
	s.record(change{s.version, r.plural, before, o, o})
	return o, nil
}

// newUID is a random UUID.
func newUID() types.UID {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

// Delete removes an object, and reports whether there was one.
func (s *Store) Delete(resource, namespace, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, found := s.objects[resource][key(namespace, name)]
	if !found {
		return false
	}
	last := before.DeepCopyObject().(Object)
	last.SetResourceVersion(s.next())
	delete(s.objects[resource], key(namespace, name))
	s.record(change{s.version, resource, before, nil, last})
	return true
}

// Expire forgets all changes, as a real cluster does after some minutes: every
// resource version that anybody knows, and every open watch, is too old then.
func (s *Store) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next()
	s.oldest, s.log = s.version, nil
	s.wake()
}

func (s *Store) next() string {
	s.version++
	return strconv.FormatUint(s.version, 10)
}

func (s *Store) record(c change) {
	s.log = append(s.log, c)
	if len(s.log) > 2*history {
		s.oldest = s.log[history-1].version
		s.log = slices.Clone(s.log[history:])
	}
	s.wake()
}

func (s *Store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// at returns the objects of a resource as they were at a version, 0 for the
// latest, and that version.
func (s *Store) at(resource, namespace string, version uint64) ([]Object, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	version = cmp.Or(version, s.version)
	if version < s.oldest {
		return nil, 0, apierrors.NewResourceExpired("The resourceVersion for the provided list is too old.")
	}
	then := s.objects[resource]
	if version < s.version {
		then = maps.Clone(then)
	}
	for _, c := range slices.Backward(s.log) {
		if c.version <= version {
			break
		}
		switch {
		case c.resource != resource:
		case c.before == nil:
			delete(then, keyOf(c.last))
		default:
			then[keyOf(c.last)] = c.before
		}
	}
	var found []Object
	for _, k := range slices.Sorted(maps.Keys(then)) {
		if namespace == "" || strings.HasPrefix(k, namespace+"/") {
			found = append(found, then[k])
		}
	}
	return found, version, nil
}

// since returns what happened after a version, the version of now, and a
// channel that is closed at the next change.
func (s *Store) since(version uint64) ([]change, uint64, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if version < s.oldest {
		return nil, 0, nil, apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", version, s.oldest))
	}
	i, _ := slices.BinarySearchFunc(s.log, version+1, func(c change, v uint64) int { return cmp.Compare(c.version, v) })
	return s.log[i:], s.version, s.changed, nil
}
