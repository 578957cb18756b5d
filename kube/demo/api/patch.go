package api

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// patched applies a patch to an object. Server-side apply is taken for a
// strategic merge: nobody owns fields here.
func patched(kind types.PatchType, before Object, patch []byte) ([]byte, error) {
	of := reflect.TypeOf(before).Elem()
	switch kind {
	case types.StrategicMergePatchType, types.ApplyYAMLPatchType:
	case types.MergePatchType:
		of = nil
	default:
		return nil, errMediaType
	}
	var fields, changes map[string]any
	old, err := json.Marshal(before)
	if err == nil {
		err = json.Unmarshal(old, &fields)
	}
	if err != nil {
		return nil, err
	}
	patch, err = yaml.YAMLToJSON(patch)
	if err == nil {
		err = json.Unmarshal(patch, &changes)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	merged, err := json.Marshal(merge(fields, changes, of))
	if bytes.Contains(merged, []byte(`"$patch":`)) { // within a text the quotes would be escaped
		return nil, apierrors.NewBadRequest("the practice cluster knows no $patch but the delete of an element that has a key; use --type=merge")
	}
	return merged, err
}

// Merge returns an object with the fields of a document, which is JSON, in
// place of its own.
func Merge(o Object, document []byte) (Object, error) {
	merged, err := patched(types.MergePatchType, o, document)
	if err != nil {
		return nil, err
	}
	return Decode(merged)
}

// merge lays a strategic merge patch over the fields of a value of type t, as
// the Kubernetes API documents it ("Update API objects in place using kubectl
// patch"), with the directives that kubectl sends. Where the type is not known
// it is a plain merge: lists are replaced. k8s.io/apimachinery has the same in
// package strategicpatch, which makes the program 2.3 MB larger.
func merge(into, patch map[string]any, t reflect.Type) map[string]any {
	if into == nil { // what was no object becomes one
		into = map[string]any{}
	}
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(into, name)
		case map[string]any:
			fieldType, _ := fieldOf(t, name)
			into[name] = merge(asMap(into[name]), value, fieldType)
		case []any:
			mergeList(into, patch, name, value, t)
		default:
			into[name] = value
		}
	}
	return into
}

// mergeList merges one field of a patch that is a list, or follows a directive
// about one.
func mergeList(into, patch map[string]any, name string, value []any, t reflect.Type) {
	directive, of, _ := strings.Cut(name, "/")
	switch directive {
	case "$setElementOrder": // with the list itself
		return
	case "$retainKeys":
		maps.DeleteFunc(into, func(key string, _ any) bool { return !slices.Contains(value, any(key)) })
		return
	case "$deleteFromPrimitiveList":
		list, _ := into[of].([]any)
		into[of] = slices.DeleteFunc(list, func(e any) bool { return indexOf(value, e, "") >= 0 })
		return
	}
	element, key := fieldOf(t, name)
	if key == replaced {
		into[name] = value
		return
	}
	order, given := patch["$setElementOrder/"+name].([]any)
	if !given {
		order = value
	}
	list, _ := into[name].([]any)
	into[name] = ordered(mergeElements(slices.Clone(list), value, element, key), list, order, key)
}

// mergeElements merges lists whose elements have a key, and unites those of
// plain values.
func mergeElements(into, patch []any, element reflect.Type, key string) []any {
	for _, e := range patch {
		changes, i := asMap(e), indexOf(into, e, key)
		switch {
		case changes["$patch"] == "delete":
			into = slices.DeleteFunc(into, func(old any) bool { return keyIn(old, key) == keyIn(e, key) })
		case changes == nil && i < 0:
			into = append(into, e)
		case changes == nil: // is there
		case i < 0:
			into = append(into, merge(nil, changes, element))
		default:
			into[i] = merge(asMap(into[i]), changes, element)
		}
	}
	return into
}

// ordered sorts a merged list: the elements that the patch names in its order,
// and the others among them where they were. Several can be known by the same,
// as the ports of a Service are that differ in the protocol.
func ordered(merged, old, order []any, key string) []any {
	var named, others, all []any
	for _, e := range merged {
		if indexOf(order, e, key) >= 0 {
			named = append(named, e)
		} else {
			others = append(others, e)
		}
	}
	slices.SortStableFunc(named, func(a, b any) int { return indexOf(order, a, key) - indexOf(order, b, key) })
	for len(named) > 0 && len(others) > 0 {
		if before := indexOf(old, named[0], key); before >= 0 && indexOf(old, others[0], key) < before {
			all, others = append(all, others[0]), others[1:]
		} else {
			all, named = append(all, named[0]), named[1:]
		}
	}
	return slices.Concat(all, named, others)
}

// indexOf finds the element of a list that is known by the same as another.
func indexOf(list []any, e any, key string) int {
	return slices.IndexFunc(list, func(l any) bool { return keyIn(l, key) == keyIn(e, key) })
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
	for _, field := range reflect.VisibleFields(t) {
		if called, _, _ := strings.Cut(field.Tag.Get("json"), ","); called != name {
			continue
		}
		found, key := field.Type, replaced
		if strings.Contains(field.Tag.Get("patchStrategy"), "merge") {
			key = field.Tag.Get("patchMergeKey")
		}
		for found.Kind() == reflect.Pointer || found.Kind() == reflect.Slice {
			found = found.Elem()
		}
		return found, key
	}
	return nil, replaced
}
