package api

import (
	"cmp"
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
	bookmarks bool
	encoder   *clientwatch.Encoder
	flush     func()
	err       error // of the connection
}

// watch sends what happens until the client leaves or its time is over.
func (s *Server) watch(w http.ResponseWriter, r request) error {
	options, which, err := listOptions(r)
	if err != nil {
		return err
	}
	version, err := strconv.ParseUint(cmp.Or(options.ResourceVersion, "0"), 10, 64)
	if err != nil {
		return invalidOption("resourceVersion", err.Error())
	}
	f := &follower{request: r, selection: which, bookmarks: options.AllowWatchBookmarks, flush: func() { _ = http.NewResponseController(w).Flush() }}
	if err := f.begin(w); err != nil {
		return err
	}
	ctx := r.Context()
	if seconds := options.TimeoutSeconds; seconds != nil && *seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
		defer cancel()
	}
	withList := options.SendInitialEvents != nil && *options.SendInitialEvents
	switch {
	case withList, version == 0 && options.SendInitialEvents == nil:
		version = f.sendObjects(s.store)
	case version == 0: // from now on
		_, version, _ = s.store.at(f.plural, f.selection.namespace, 0)
	}
	if withList {
		f.sendBookmark(version, map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	f.follow(ctx, s.store, version)
	return nil
}

// begin chooses the encoding, and answers that there will be events.
func (f *follower) begin(w http.ResponseWriter) error {
	info, err := accepted(f.Request, f.empty())
	if err != nil {
		return err
	}
	if info.StreamSerializer == nil {
		return notAcceptable(runtime.ContentTypeJSON, runtime.ContentTypeProtobuf)
	}
	media := info.MediaType
	if !info.EncodesAsText {
		media += ";stream=watch"
	}
	w.Header().Set("Content-Type", media)
	f.encoder = clientwatch.NewEncoder(streaming.NewEncoder(info.StreamSerializer.NewFrameWriter(w), info.StreamSerializer.Serializer), info.Serializer)
	return nil
}

// sendObjects begins with what there is.
func (f *follower) sendObjects(store *Store) uint64 {
	objects, version, _ := store.at(f.plural, f.selection.namespace, 0) // the latest version is never too old
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
			f.sendBookmark(version, nil)
			bookmark.Reset(bookmarkInterval)
		case <-ctx.Done():
			return
		}
	}
}

// sendBookmark tells how far the watch has come.
func (f *follower) sendBookmark(version uint64, annotations map[string]string) {
	if !f.bookmarks {
		return
	}
	o := f.empty()
	o.SetResourceVersion(strconv.FormatUint(version, 10))
	o.SetAnnotations(annotations)
	f.send(watch.Bookmark, o)
}

func (f *follower) send(kind watch.EventType, o runtime.Object) {
	if f.err == nil {
		f.err = f.encoder.Encode(&watch.Event{Type: kind, Object: o})
	}
}
