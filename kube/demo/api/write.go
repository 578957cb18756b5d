package api

import (
	"fmt"
	"net/http"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// decode reads an object of the request's kind and place.
func decode(r request, data []byte) (Object, error) {
	wanted := r.groupVersionKind()
	decoded, got, err := codecs().UniversalDeserializer().Decode(data, &wanted, nil)
	if runtime.IsStrictDecodingError(err) && r.URL.Query().Get("fieldValidation") != metav1.FieldValidationStrict {
		err = nil
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", r.kind, "v1", r.kind, err))
	}
	o, ok := decoded.(Object)
	if !ok || *got != wanted {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the kind in the data (%s) does not match the expected kind (%s)", got, wanted))
	}
	namespace, name := r.place()
	if sent := o.GetNamespace(); sent != "" && sent != namespace {
		return nil, apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	o.SetNamespace(namespace)
	if name != "" && o.GetName() != name {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", o.GetName(), name))
	}
	return o, nil
}

// create stores an object that is new. Of what only the server may say, nothing
// is taken from the client.
func (s *Server) create(w http.ResponseWriter, r request) error {
	o, err := decode(r, r.body)
	if err != nil {
		return err
	}
	if o.GetName() == "" && o.GetGenerateName() != "" {
		o.SetName(o.GetGenerateName() + rand.String(5))
	}
	if problems := validation.IsDNS1123Subdomain(o.GetName()); len(problems) > 0 {
		wrong := field.Invalid(field.NewPath("metadata", "name"), o.GetName(), problems[0])
		return apierrors.NewInvalid(r.groupVersionKind().GroupKind(), o.GetName(), field.ErrorList{wrong})
	}
	if _, found := s.store.Get("namespaces", "", o.GetNamespace()); !found && !r.clusterScoped {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, o.GetNamespace())
	}
	o.SetUID("")
	o.SetCreationTimestamp(metav1.Time{})
	o.SetGeneration(0)
	setEnd(o, r.empty())
	if r.plural != "nodes" { // whose status is all that there is of a Node
		setStatus(o, r.empty())
	}
	switch o := o.(type) {
	case *corev1.Pod:
		o.Status.Phase = corev1.PodPending
	case *corev1.Namespace:
		o.Status.Phase = corev1.NamespaceActive
	}
	if o, err = s.store.create(r, o); err != nil {
		return err
	}
	return respond(w, r.Request, http.StatusCreated, o)
}

// change replaces or patches an object. The subresource for the ephemeral
// containers of a Pod takes the same patches as the Pod.
func (s *Server) change(w http.ResponseWriter, r request) error {
	o, err := s.store.update(r, func(before Object) (Object, error) { return changed(r, before) })
	if apierrors.IsNotFound(err) && r.subresource == "" && types.PatchType(r.Header.Get("Content-Type")) == types.ApplyYAMLPatchType {
		return s.create(w, r)
	}
	if err != nil {
		return err
	}
	return respondPart(w, r, o)
}

// changed is an object after a request to change it. Its status is that of
// before: only the controllers say what there is. Its end, too: nothing brings
// a Pod back that terminates.
func changed(r request, before Object) (Object, error) {
	if r.subresource == "scale" {
		return scaled(before.(workload), r.body)
	}
	data := r.body
	if r.verb == "patch" {
		var err error
		if data, err = patched(types.PatchType(r.Header.Get("Content-Type")), before, data); err != nil {
			return nil, err
		}
	}
	o, err := decode(r, data)
	if err != nil {
		return nil, err
	}
	setStatus(o, before)
	setEnd(o, before)
	return o, nil
}

// setStatus gives an object the status of another one of its kind.
func setStatus(o, of Object) {
	if status := reflect.ValueOf(o).Elem().FieldByName("Status"); status.IsValid() {
		status.Set(reflect.ValueOf(of).Elem().FieldByName("Status"))
	}
}

// setEnd lets an object terminate when another one does.
func setEnd(o, of Object) {
	o.SetDeletionTimestamp(of.GetDeletionTimestamp())
	o.SetDeletionGracePeriodSeconds(of.GetDeletionGracePeriodSeconds())
}
