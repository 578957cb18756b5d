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
	"k8s.io/apimachinery/pkg/util/validation/field"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// find returns the object that a request names.
func (s *Server) find(r request) (Object, error) {
	if o, found := s.store.Get(r.key()); found {
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
	var page token
	version := uint64(0)
	switch {
	case options.Continue != "":
		page, err = decodeToken(options.Continue)
		version = page.ResourceVersion
	case options.ResourceVersionMatch == metav1.ResourceVersionMatchExact:
		version, err = versionOf(options.ResourceVersion)
	}
	if err != nil {
		return err
	}
	_, namespace, _ := r.key()
	objects, version, err := s.store.at(r.plural, namespace, version)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o Object) bool { return !which.has(o) || keyOf(o) < page.Start })
	about := metav1.ListMeta{ResourceVersion: strconv.FormatUint(version, 10)}
	if limit := int(options.Limit); limit > 0 && limit < len(objects) {
		about.Continue = token{"meta.k8s.io/v1", version, keyOf(objects[limit-1]) + "\x00"}.encode()
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

// listOptions reads and checks what a list or watch asks for.
func listOptions(r request) (metav1.ListOptions, selection, error) {
	var o metav1.ListOptions
	query := r.URL.Query()
	if err := metav1.Convert_url_Values_To_v1_ListOptions(&query, &o, nil); err != nil {
		return o, selection{}, apierrors.NewBadRequest(err.Error())
	}
	if o.SendInitialEvents != nil && o.ResourceVersionMatch != metav1.ResourceVersionMatchNotOlderThan {
		return o, selection{}, invalidOption("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
	}
	which, err := selected(r, o)
	return o, which, err
}

// listOf makes a list of a copy of the objects, whose kind is not repeated.
func listOf(r resource, objects []Object, about metav1.ListMeta) (runtime.Object, error) {
	list, err := r.new(r.kind + "List")
	if err != nil {
		return nil, err
	}
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

func versionOf(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	version, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, invalidOption("resourceVersion", err.Error())
	}
	return version, nil
}

// token is what a client gets that shall ask for the rest of a list: the
// moment that the list is of, and the key from where it goes on.
type token struct {
	Version         string `json:"v"`
	ResourceVersion uint64 `json:"rv"`
	Start           string `json:"start"`
}

func (t token) encode() string {
	encoded, _ := json.Marshal(t) // texts and a number
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func decodeToken(text string) (t token, err error) {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &t)
	}
	if err != nil {
		return t, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: continue key is not valid: %v", err))
	}
	return t, nil
}

func invalidOption(option, why string) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: "meta.k8s.io", Kind: "ListOptions"}, "", field.ErrorList{field.Forbidden(field.NewPath(option), why)})
}
