package kube

import (
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/cache"
)

// collection takes what a reflector reads of one resource, turns each object
// into a compact record at once and keeps only that. It implements
// cache.TransformingStore: during the first list the reflector collects
// records, never whole objects.
type collection[O any, R keyed] struct {
	mu      *sync.Mutex // the store's
	convert func(interner, O) R
	strings interner
	changed func() // wakes the reader of snapshots; never blocks
	now     func() time.Time

	records list[R]
	pending map[Key]change[R]
	watched bool // a watch is open
	state   State
}

var _ cache.TransformingStore = (*collection[any, *Pod])(nil)

func newCollection[O any, R keyed](s *Store, convert func(interner, O) R) *collection[O, R] {
	return &collection[O, R]{
		mu: &s.mu, changed: s.changed, now: s.now,
		convert: convert, strings: interner{}, pending: map[Key]change[R]{},
		state: State{Since: s.now()},
	}
}

// Transformer converts on the way into the reflector's own temporary store.
func (c *collection[O, R]) Transformer() cache.TransformFunc {
	return func(object any) (any, error) {
		r, err := c.record(object)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state.Phase == Syncing {
			c.state.Received++
			c.changed()
		}
		return r, err
	}
}

func (c *collection[O, R]) record(object any) (R, error) {
	switch o := object.(type) {
	case R:
		return o, nil
	case O:
		return c.convert(c.strings, o), nil
	default:
		var none R
		return none, fmt.Errorf("unexpected object of type %T from the API server", object)
	}
}

// Add stores a new object.
func (c *collection[O, R]) Add(object any) error { return c.Update(object) }

// Update stores the newest state of an object.
func (c *collection[O, R]) Update(object any) error {
	r, err := c.record(object)
	if err != nil {
		return err
	}
	c.set(r.Key(), change[R]{record: r})
	return nil
}

// Delete forgets an object.
func (c *collection[O, R]) Delete(object any) error {
	o, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	c.set(Key{Clean(o.GetNamespace()), Clean(o.GetName())}, change[R]{deleted: true})
	return nil
}

func (c *collection[O, R]) set(k Key, ch change[R]) {
	c.mu.Lock()
	c.pending[k] = ch
	c.mu.Unlock()
	c.changed()
}

// Replace stores a complete list in place of all that was known. After a plain
// list the watch is still to be opened: only then is the collection live.
func (c *collection[O, R]) Replace(objects []any, _ string) error {
	next := make([]R, 0, len(objects))
	for _, o := range objects {
		r, err := c.record(o)
		if err != nil {
			return err
		}
		next = append(next, r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = make(map[Key]change[R], len(next))
	for _, old := range c.records {
		c.pending[old.Key()] = change[R]{deleted: true}
	}
	for _, r := range next {
		c.pending[r.Key()] = change[R]{record: r}
	}
	c.state.Listed = true
	if c.watched {
		c.live()
	}
	c.changed()
	return nil
}

// opens notes that the API server has opened a watch. One that begins with a
// list says nothing before the list is complete.
func (c *collection[O, R]) opens(withList bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched = true
	switch {
	case withList && c.state.Phase == Syncing:
		c.state = State{Since: c.state.Since} // an earlier try does not count
	case !withList && c.state.Listed:
		c.live()
	}
}

func (c *collection[O, R]) live() {
	if c.state.Phase != Live {
		c.state = State{Phase: Live, Since: c.now(), Listed: true}
		c.changed()
	}
}

// fails notes an error of a list or watch, and which permission was missing if
// that is why.
func (c *collection[O, R]) fails(err error, denied Denied) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched = false
	if next := c.state.failed(err, denied, c.now()); next != c.state {
		c.state = next
		c.changed()
	}
}

func (c *collection[O, R]) forbidden() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Phase == Forbidden
}

// Resync has nothing to do: a collection has no handlers.
func (c *collection[O, R]) Resync() error { return nil }

// take applies what is pending and returns it.
func (c *collection[O, R]) take() map[Key]change[R] {
	changes := c.pending
	if len(changes) > 0 {
		c.records = c.records.with(changes)
		c.pending = map[Key]change[R]{}
	}
	return changes
}
