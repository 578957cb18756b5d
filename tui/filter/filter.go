// Package filter decides which rows match what the user typed after a slash.
package filter

import (
	"fmt"
	"strings"

	"github.com/sahilm/fuzzy"
	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube"
)

// Filter is a parsed filter. The zero value matches everything.
type Filter struct {
	// Text is what the user typed.
	Text     string
	selector labels.Selector
	inverse  bool
	words    []string
}

// Parse reads a filter:
//
//	web raspi002     rows with both words in any of their columns
//	!web             rows without it
//	-l app=web       rows whose labels match the selector, as in kubectl
//
// Where no row holds the words as they are, their letters in that order are
// enough (fuzzy).
func Parse(text string) (Filter, error) {
	f := Filter{Text: text}
	text = strings.TrimSpace(text)
	if selector, ok := strings.CutPrefix(text, "-l"); ok {
		parsed, err := labels.Parse(strings.TrimSpace(selector))
		if err != nil {
			return Filter{}, fmt.Errorf("label selector: %w", err)
		}
		f.selector = parsed
		return f, nil
	}
	text, f.inverse = strings.CutPrefix(text, "!")
	f.words = strings.Fields(strings.ToLower(text))
	return f, nil
}

// AsksForWords is false for a filter that a row can satisfy by what it lacks: a
// word, or a label.
func (f Filter) AsksForWords() bool { return f.selector == nil && !f.inverse && len(f.words) > 0 }

// Subject is what a filter looks at of one row.
type Subject struct {
	// Fields are the texts of the row; each word must be in one of them.
	Fields []string
	Labels kube.Labels
}

// Keep returns the rows that match, in their order.
func Keep[R any](f Filter, rows []R, subject func(R) Subject) []R {
	switch {
	case f.selector != nil:
		return keep(rows, func(r R) bool { return f.selector.Matches(subject(r).Labels) })
	case len(f.words) == 0:
		return rows
	case f.inverse:
		return keep(rows, func(r R) bool { return !all(f.words, subject(r).Fields, contains) })
	}
	if exact := keep(rows, func(r R) bool { return all(f.words, subject(r).Fields, contains) }); len(exact) > 0 {
		return exact
	}
	return keep(rows, func(r R) bool { return all(f.words, subject(r).Fields, matchesFuzzy) })
}

func keep[R any](rows []R, match func(R) bool) []R {
	var kept []R
	for _, r := range rows {
		if match(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// all reports whether every word matches some field.
func all(words, fields []string, match func(word, field string) bool) bool {
	for _, w := range words {
		found := false
		for _, field := range fields {
			if found = match(w, field); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func contains(word, field string) bool { return strings.Contains(strings.ToLower(field), word) }

func matchesFuzzy(word, field string) bool {
	return len(fuzzy.FindNoSort(word, []string{field})) > 0
}
