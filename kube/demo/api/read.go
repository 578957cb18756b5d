package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// find returns the object that a request names.
func (s *Server) find(r request) (Object, error) {
	namespace, name := r.place()
	if o, found := s.store.Get(r.plural, namespace, name); found {
		return o, nil
	}
	return nil, apierrors.NewNotFound(r.groupResource(), r.name)
}

func (s *Server) get(w http.ResponseWriter, r request) error {
	o, err := s.find(r)
	if err != nil {
		return err
	}
	return respondPart(w, r, o)
}

func (s *Server) list(w http.ResponseWriter, r request) error {
	options, which, err := listOptions(r)
	if err != nil {
		return err
	}
	page, err := pageOf(options.Continue)
	if err != nil {
		return err
	}
	objects, version, err := s.store.at(r.plural, which.namespace, page.ResourceVersion)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o Object) bool { return !which.has(o) || keyOf(o) < page.Start })
	about := metav1.ListMeta{ResourceVersion: strconv.FormatUint(version, 10)}
	if limit := int(options.Limit); limit > 0 && limit < len(objects) {
		about.Continue = nextPage(version, objects[limit-1])
		if which.everything() {
			about.RemainingItemCount = new(int64(len(objects) - limit))
		}
		objects = objects[:limit]
	}
	list, err := listOf(r.resource, objects, about)
	if err != nil {
		return err
	}
	return respond(w, r.Request, http.StatusOK, list)
}

// listOf makes a list of a copy of the objects, whose kind is not repeated.
func listOf(r resource, objects []Object, about metav1.ListMeta) (runtime.Object, error) {
	list := r.new(r.kind + "List")
	items := make([]runtime.Object, len(objects))
	for i, o := range objects {
		items[i] = o
	}
	if err := meta.SetList(list, items); err != nil {
		return nil, err
	}
	*list.(metav1.ListMetaAccessor).GetListMeta().(*metav1.ListMeta) = about
	return list, meta.EachListItem(list, func(o runtime.Object) error {
		o.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		return nil
	})
}

// page is where a client goes on that reads a list in parts: the moment that
// the list is of, and the key of the first object. The zero page is the first
// one of now.
type page struct {
	ResourceVersion uint64 `json:"rv"`
	Start           string `json:"start"`
}

// pageOf reads what nextPage has made.
func pageOf(token string) (p page, err error) {
	if token == "" {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: continue key is not valid: %v", err))
	}
	return p, nil
}

// nextPage is the token of the page that comes after an object.
func nextPage(version uint64, last Object) string {
	text, _ := json.Marshal(page{version, keyOf(last) + "\x00"}) // a number and a text
	return base64.RawURLEncoding.EncodeToString(text)
}
