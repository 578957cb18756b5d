package api

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	structs "k8s.io/apimachinery/third_party/forked/golang/json"
	"sigs.k8s.io/yaml"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// patched applies a patch to the fields of an object of type t. Server-side
// apply is taken for a strategic merge: nobody owns fields here.
func patched(kind types.PatchType, old map[string]any, patch []byte, t reflect.Type) (map[string]any, error) {
	var now map[string]any
	var err error
	switch kind {
	case types.StrategicMergePatchType, types.ApplyYAMLPatchType:
		var changes map[string]any
		if patch, err = yaml.YAMLToJSON(patch); err == nil {
			err = json.Unmarshal(patch, &changes)
		}
		if err == nil {
			now = merge(runtime.DeepCopyJSON(old), changes, t)
		}
	case types.MergePatchType, types.JSONPatchType:
		var document []byte
		if document, err = json.Marshal(old); err != nil {
			return nil, err
		}
		if kind == types.MergePatchType {
			document, err = jsonpatch.MergePatch(document, patch)
		} else {
			var steps jsonpatch.Patch
			if steps, err = jsonpatch.DecodePatch(patch); err == nil {
				if document, err = steps.Apply(document); err != nil {
					return nil, apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
				}
			}
		}
		if err == nil {
			err = json.Unmarshal(document, &now)
		}
	default:
		return nil, errMediaType
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	return now, nil
}

// merge lays a strategic merge patch over the fields of a value of type t, as
// the Kubernetes API documents it ("Update API objects in place using kubectl
// patch"). k8s.io/apimachinery has the same in package strategicpatch, which
// makes the program 2.3 MB larger.
func merge(into, patch map[string]any, t reflect.Type) map[string]any {
	if patch["$patch"] == "replace" {
		delete(patch, "$patch")
		return patch
	}
	for name, value := range patch {
		directive, of, _ := strings.Cut(name, "/")
		switch value := value.(type) {
		case nil:
			delete(into, name)
		case map[string]any:
			if value["$patch"] == "delete" {
				delete(into, name)
				continue
			}
			inner := asMap(into[name])
			if inner == nil {
				inner = map[string]any{}
			}
			fieldType, _ := fieldOf(t, name)
			into[name] = merge(inner, value, fieldType)
		case []any:
			list, _ := into[of].([]any)
			switch directive {
			case "$setElementOrder": // with the list itself
			case "$retainKeys":
				maps.DeleteFunc(into, func(key string, _ any) bool { return !slices.Contains(value, any(key)) })
			case "$deleteFromPrimitiveList":
				into[of] = slices.DeleteFunc(list, func(e any) bool {
					return slices.ContainsFunc(value, func(gone any) bool { return keyIn(gone, "") == keyIn(e, "") })
				})
			default:
				element, key := fieldOf(t, name)
				list, _ := into[name].([]any)
				if key == replaced {
					into[name] = value
					continue
				}
				order, found := patch["$setElementOrder/"+name].([]any)
				if !found {
					order = value
				}
				into[name] = ordered(mergeList(slices.Clone(list), value, element, key), list, order, key)
			}
		default:
			into[name] = value
		}
	}
	return into
}

// mergeList merges lists whose elements have a key, and unites those of plain
// values.
func mergeList(into, patch []any, element reflect.Type, key string) []any {
	for _, e := range patch {
		changes := asMap(e)
		i := slices.IndexFunc(into, func(old any) bool { return keyIn(old, key) == keyIn(e, key) })
		switch {
		case changes["$patch"] == "replace":
			return slices.DeleteFunc(patch, func(e any) bool { return asMap(e)["$patch"] == "replace" })
		case changes["$patch"] == "delete" && i >= 0:
			into = slices.Delete(into, i, i+1)
		case changes["$patch"] == "delete", changes == nil && i >= 0:
		case changes == nil:
			into = append(into, e)
		case i < 0:
			into = append(into, merge(map[string]any{}, changes, element))
		default:
			into[i] = merge(asMap(into[i]), changes, element)
		}
	}
	return into
}

// ordered sorts a merged list: the elements that the patch names in its order,
// and the others among them where they were.
func ordered(merged, old, order []any, key string) []any {
	at := func(list []any, e any) int {
		return slices.IndexFunc(list, func(l any) bool { return keyIn(l, key) == keyIn(e, key) })
	}
	var named, others, all []any
	for _, e := range order {
		if i := at(merged, e); i >= 0 {
			named = append(named, merged[i])
		}
	}
	for _, e := range merged {
		if at(order, e) < 0 {
			others = append(others, e)
		}
	}
	for len(named) > 0 && len(others) > 0 {
		if before := at(old, named[0]); before >= 0 && at(old, others[0]) < before {
			all, others = append(all, others[0]), others[1:]
		} else {
			all, named = append(all, named[0]), named[1:]
		}
	}
	return append(append(all, named...), others...)
}

// keyIn is what an element of a list is known by: its key field, or itself. It
// is a text because what clients send may be no key.
func keyIn(element any, key string) string {
	if fields := asMap(element); fields != nil {
		element = fields[key]
	}
	return fmt.Sprint(element)
}

// asMap returns nil for what is none.
func asMap(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

// replaced stands for the key of a list that is not merged.
const replaced = "$replaced"

// fieldOf returns the type of a field, of a list its elements', and the key by
// which a list is merged.
func fieldOf(t reflect.Type, name string) (reflect.Type, string) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, replaced
	}
	found, strategies, key, err := structs.LookupPatchMetadataForStruct(t, name)
	if err != nil {
		return nil, replaced
	}
	if !slices.Contains(strategies, "merge") {
		key = replaced
	}
	for found.Kind() == reflect.Pointer || found.Kind() == reflect.Slice {
		found = found.Elem()
	}
	return found, key
}
