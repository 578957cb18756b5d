package results

import (
	"cmp"
	"fmt"

	"podpath/probes/path"
	"podpath/probes/present"
)

// Tally counts verdicts. The zero value is ready to use.
type Tally struct{ Pass, Fail, Inconclusive, Skipped, Waiting int }

// Count adds one verdict; the empty one is that of a check without a result.
func (t *Tally) Count(v path.Verdict) {
	switch v {
	case path.Pass:
		t.Pass++
	case path.Fail:
		t.Fail++
	case path.Inconclusive:
		t.Inconclusive++
	case path.Skipped:
		t.Skipped++
	default:
		t.Waiting++
	}
}

// All is how many there are.
func (t Tally) All() int { return t.Pass + t.Fail + t.Inconclusive + t.Skipped + t.Waiting }

// Worst is the verdict that matters most: one failure is told, however much
// passes.
func (t Tally) Worst() path.Verdict {
	switch {
	case t.Fail > 0:
		return path.Fail
	case t.Inconclusive > 0:
		return path.Inconclusive
	case t.Waiting > 0:
		return ""
	case t.Pass > 0:
		return path.Pass
	default:
		return path.Skipped
	}
}

// String says how many of how many passed, and what is with the others:
// 12/12, 11/12 ✗.
func (t Tally) String() string {
	s := fmt.Sprintf("%d/%d", t.Pass, t.All())
	if worst := t.Worst(); worst != path.Pass {
		s += " " + present.Sign(worst)
	}
	return s
}

// CompareTallies orders the worst first.
func CompareTallies(a, b Tally) int {
	return cmp.Or(cmp.Compare(b.Fail, a.Fail), cmp.Compare(b.Inconclusive, a.Inconclusive))
}
