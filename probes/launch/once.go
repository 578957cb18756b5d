package launch

import (
	"context"
	"sync"
)

// once works values out, each only once however many ask for it at the same
// time. A failure is for all who waited, unless the one who worked was called
// off, and is not kept.
type once[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]*entry[V]
}

type entry[V any] struct {
	done      chan struct{}
	value     V
	err       error
	calledOff bool // the context of the one who worked has ended
}

// get returns the value of the key. At most one call of work runs for a key.
func (o *once[K, V]) get(ctx context.Context, key K, work func() (V, error)) (V, error) {
	for {
		o.mu.Lock()
		e, taken := o.entries[key]
		if !taken {
			e = o.begin(key)
		}
		o.mu.Unlock()
		if !taken {
			e.value, e.err = work()
			e.calledOff = ctx.Err() != nil
			if e.err != nil {
				o.forget(key)
			}
			close(e.done)
			return e.value, e.err
		}
		select {
		case <-e.done:
			if e.err == nil || !e.calledOff {
				return e.value, e.err
			}
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
	}
}

// begin makes an entry; the lock is held.
func (o *once[K, V]) begin(key K) *entry[V] {
	if o.entries == nil {
		o.entries = map[K]*entry[V]{}
	}
	e := &entry[V]{done: make(chan struct{})}
	o.entries[key] = e
	return e
}

// known returns the value of a key if it was worked out.
func (o *once[K, V]) known(key K) (value V, ok bool) {
	o.mu.Lock()
	e := o.entries[key]
	o.mu.Unlock()
	if e == nil {
		return value, false
	}
	select {
	case <-e.done:
		return e.value, e.err == nil
	default:
		return value, false
	}
}

// forgetWhere forgets the values that match.
func (o *once[K, V]) forgetWhere(match func(V) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, e := range o.entries {
		select {
		case <-e.done:
			if e.err == nil && match(e.value) {
				delete(o.entries, key)
			}
		default:
		}
	}
}

// forget makes the next get work the value out again.
func (o *once[K, V]) forget(key K) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.entries, key)
}
