package present

import (
	"fmt"
	"slices"

	"podpath/probes/path"
)

// Explained are results that have the same explanation.
type Explained struct {
	// Cause is nil where none is known.
	Cause *path.Cause
	Of    []path.Result
	// Next is what to do: what the cause says, or without one what would make it
	// known.
	Next path.Next
}

// Explain groups results by what explains them: what is wrong first, the
// causes that explain most before others, then where podpath could not look,
// then what is by design.
func Explain(w *path.World, results []path.Result) []*Explained {
	type id struct {
		code    path.CauseCode
		summary string
		verdict path.Verdict
		target  string
	}
	var groups []*Explained
	known := map[id]*Explained{}
	for _, r := range results {
		var of id
		switch {
		case r.Cause == nil && r.Verdict != path.Fail && r.Verdict != path.Inconclusive:
			continue
		case r.Cause == nil:
			of = id{verdict: r.Verdict, target: r.Target}
		case r.Verdict == path.Inconclusive: // the same for many sources
			of = id{code: r.Cause.Code}
		default:
			of = id{code: r.Cause.Code, summary: r.Cause.Summary}
		}
		if known[of] == nil {
			known[of] = &Explained{Cause: r.Cause}
			groups = append(groups, known[of])
		}
		known[of].Of = append(known[of].Of, r)
	}
	for _, e := range groups {
		if e.Cause != nil {
			e.Next = e.Cause.Next
		} else {
			e.Next = w.UnknownNext(e.Of[0])
		}
	}
	slices.SortStableFunc(groups, func(a, b *Explained) int {
		if d := a.rank() - b.rank(); d != 0 || a.rank() > 0 {
			return d
		}
		return len(b.Of) - len(a.Of)
	})
	return groups
}

func (e *Explained) rank() int {
	switch {
	case e.Of[0].Verdict == path.Fail && e.Cause != nil:
		return 0
	case e.Of[0].Verdict == path.Fail:
		return 1
	case e.Of[0].Verdict == path.Inconclusive:
		return 2
	default:
		return 3
	}
}

// Sign is that of what is explained: a dot for what is by design.
func (e *Explained) Sign() string {
	if e.Cause != nil && e.Cause.ByDesign {
		return "·"
	}
	return Sign(e.Of[0].Verdict)
}

// Code names the cause, unknown where there is none.
func (e *Explained) Code() string {
	switch {
	case e.Cause != nil:
		return string(e.Cause.Code)
	case e.Of[0].Verdict == path.Inconclusive:
		return "inconclusive"
	default:
		return "unknown"
	}
}

// Sentence says what is wrong, or what was seen without a cause.
func (e *Explained) Sentence() string {
	switch {
	case e.Cause != nil:
		return e.Cause.Summary
	case e.Of[0].Verdict == path.Inconclusive:
		return Outcome(e.Of[0])
	default:
		return Outcome(e.Of[0]) + "; no cause that podpath knows fits"
	}
}

// Where names the first of the results, and how many more there are.
func (e *Explained) Where() string {
	seen := e.Of[0].Source.Label + " → " + e.Of[0].Target
	if len(e.Of) > 1 {
		seen += fmt.Sprintf(" and %d more", len(e.Of)-1)
	}
	return seen
}
