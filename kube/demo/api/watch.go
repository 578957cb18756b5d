package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	"k8s.io/apimachinery/pkg/watch"
	clientwatch "k8s.io/client-go/rest/watch"
)

const (
	bookmarkInterval = time.Minute     // as a real API server
	bookmarkBefore   = 2 * time.Second // the end of the time that the client asked for
)

// follower is one watch.
type follower struct {
	request
	selection
	options metav1.ListOptions
	encoder *clientwatch.Encoder
	flush   func()
	err     error // of the connection
}

// watch sends what happens until the client leaves or its time is over.
func (s *Server) watch(w http.ResponseWriter, r request) error {
	options, which, err := listOptions(r)
	if err != nil {
		return err
	}
	version, err := versionOf(options.ResourceVersion)
	if err != nil {
		return err
	}
	info, err := accepted(r.Request)
	switch {
	case err != nil:
		return err
	case info.StreamSerializer == nil:
		return errNotAcceptable
	}
	media := info.MediaType
	if !info.EncodesAsText {
		media += ";stream=watch"
	}
	w.Header().Set("Content-Type", media)
	f := &follower{request: r, selection: which, options: options, flush: func() { _ = http.NewResponseController(w).Flush() }}
	f.encoder = clientwatch.NewEncoder(streaming.NewEncoder(info.StreamSerializer.NewFrameWriter(w), info.StreamSerializer.Serializer), info.Serializer)
	ctx := r.Context()
	if seconds := options.TimeoutSeconds; seconds != nil && *seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
		defer cancel()
	}
	wanted := options.SendInitialEvents
	if wanted != nil && *wanted || wanted == nil && version == 0 {
		version = f.sendObjects(s.store)
		if wanted != nil && options.AllowWatchBookmarks {
			f.sendBookmark(version, map[string]string{metav1.InitialEventsAnnotationKey: "true"})
		}
	} else if version == 0 {
		_, version, _ = s.store.at(r.plural, "", 0)
	}
	f.flush()
	f.follow(ctx, s.store, version)
	return nil
}

// sendObjects begins with what there is.
func (f *follower) sendObjects(store *Store) uint64 {
	resource, namespace, _ := f.key()
	objects, version, _ := store.at(resource, namespace, 0) // the latest version is never too old
	for _, o := range objects {
		if f.has(o) {
			f.send(watch.Added, o)
		}
	}
	return version
}

// follow sends what happens after a version.
func (f *follower) follow(ctx context.Context, store *Store, version uint64) {
	next := bookmarkInterval
	if deadline, bounded := ctx.Deadline(); bounded {
		next = min(next, time.Until(deadline)-bookmarkBefore)
	}
	bookmark := time.NewTimer(next)
	defer bookmark.Stop()
	for f.err == nil {
		changes, now, changed, err := store.since(version)
		if err != nil {
			f.send(watch.Error, statusOf(err))
			f.flush()
			return
		}
		for _, c := range changes {
			if c.resource != f.plural {
				continue
			}
			if event, concerned := f.event(c); concerned {
				f.send(event.Type, event.Object)
			}
		}
		version = now
		f.flush()
		select {
		case <-changed:
		case <-bookmark.C:
			if f.options.AllowWatchBookmarks {
				f.sendBookmark(version, nil)
			}
			bookmark.Reset(bookmarkInterval)
		case <-ctx.Done():
			return
		}
	}
}

// sendBookmark tells how far the watch has come.
func (f *follower) sendBookmark(version uint64, annotations map[string]string) {
	o, err := f.new(f.kind)
	if err != nil {
		f.err = err
		return
	}
	o.(Object).SetResourceVersion(strconv.FormatUint(version, 10))
	o.(Object).SetAnnotations(annotations)
	f.send(watch.Bookmark, o)
}

func (f *follower) send(kind watch.EventType, o runtime.Object) {
	if f.err == nil {
		f.err = f.encoder.Encode(&watch.Event{Type: kind, Object: o})
	}
}
