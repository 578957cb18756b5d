package api

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var (
	errUnauthorized = apierrors.NewUnauthorized("Unauthorized")
	errMethod       = refusal(http.StatusMethodNotAllowed, metav1.StatusReasonMethodNotAllowed, "the server does not allow this method on the requested resource")
	errMediaType    = refusal(http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType,
		"the body of the request was in an unknown format - accepted media types include: application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml")
)

// refusal is an error that apierrors has no function for.
func refusal(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

// notAcceptable is the error for clients who understand nothing of that.
func notAcceptable(known ...string) error {
	return refusal(http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable, "406: Not Acceptable\n\nAvailable representations: "+strings.Join(known, ", "))
}

// accepted is the first encoding that the client asks for and the object has:
// JSON, YAML or protobuf. Tables and the like it has not; clients who want
// them name the plain objects as well.
func accepted(r *http.Request, o runtime.Object) (runtime.SerializerInfo, error) {
	known := codecs().SupportedMediaTypes()
	if _, has := o.(runtime.ProtobufMarshaller); !has {
		known = slices.DeleteFunc(slices.Clone(known), func(i runtime.SerializerInfo) bool { return i.MediaType == runtime.ContentTypeProtobuf })
	}
	wanted := strings.Split(r.Header.Get("Accept"), ",")
	for _, each := range wanted {
		media, parameters, err := mime.ParseMediaType(each)
		if media == "*/*" || media == "application/*" || len(wanted) == 1 && wanted[0] == "" {
			media, err = runtime.ContentTypeJSON, nil
		}
		if info, found := runtime.SerializerInfoForMediaType(known, media); found && err == nil && parameters["as"] == "" {
			return info, nil
		}
	}
	var names []string
	for _, info := range known {
		names = append(names, info.MediaType)
	}
	return known[0], notAcceptable(names...)
}

// respond sends an object as it is.
func respond(w http.ResponseWriter, r *http.Request, code int, o runtime.Object) error {
	info, err := accepted(r, o)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", info.MediaType)
	w.WriteHeader(code)
	_ = info.Serializer.Encode(o, w) // only the client could have broken it
	return nil
}

// respondError sends an error as a Status, in JSON if the client understands
// nothing that the server knows.
func respondError(w http.ResponseWriter, r *http.Request, err error) {
	status := statusOf(err)
	if err := respond(w, r, int(status.Code), status); err != nil {
		respondJSON(w, http.StatusNotAcceptable, statusOf(err))
	}
}

func respondJSON(w http.ResponseWriter, code int, answer any) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}

// statusOf is an error for a client: unknown ones are the server's own fault.
func statusOf(err error) *metav1.Status {
	var known apierrors.APIStatus
	if !errors.As(err, &known) {
		known = apierrors.NewInternalError(err)
	}
	status := known.Status()
	status.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
	return &status
}
