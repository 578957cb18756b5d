package probes

import (
	"cmp"
	"errors"
	"slices"
	"time"

	engine "podpath/probes"
	"podpath/probes/launch"
	"podpath/tui/filter"
	"podpath/tui/results"
)

// phase is how far a run is.
type phase string

const (
	idle       phase = "" // nothing was run yet
	looking    phase = "looking"
	running    phase = "running"
	cancelling phase = "cancelling"
	done       phase = "done"
	cancelled  phase = "cancelled"
)

// board is what is known of the checks in the pane.
type board struct {
	state         // of the last run
	before  state // to go back to when a run has nothing to check
	items   []*item
	byID    map[string]*item
	unknown []error
}

// state is how it stands with a run.
type state struct {
	phase          phase
	title          string // of its request
	started, ended time.Time
	again          []string // the IDs of its checks, nil when it is of all
}

// item is a check with its result, as far as there is one. While a check is
// run again its verdict is empty, as that of a check without a result.
type item struct {
	engine.Check
	result  engine.Result
	verdict engine.Verdict
}

// begin starts a run, of all checks of a request or of some of them again.
func (b *board) begin(now time.Time, title string, again []string) {
	b.before = b.state
	b.state = state{phase: looking, title: title, started: now, again: again}
}

// receive takes news of the run.
func (b *board) receive(now time.Time, n News) {
	if n.Planned {
		b.plan(n)
	}
	b.take(n.Seen)
	b.take(n.Final)
	if !n.Done {
		return
	}
	b.ended = now
	if b.phase == cancelling {
		b.phase = cancelled
		return
	}
	b.phase = done
}

// plan replaces the checks that are run now. Those of them that nothing is
// planned for any more have lost their object.
func (b *board) plan(n News) {
	if b.phase == looking {
		b.phase = running
	}
	b.unknown = n.Unknown
	if b.again == nil {
		b.items, b.byID = nil, map[string]*item{}
	}
	planned := map[string]bool{}
	for _, c := range n.Checks {
		planned[c.ID] = true
		if old := b.byID[c.ID]; old != nil {
			*old = item{Check: c}
			continue
		}
		it := &item{Check: c}
		b.items = append(b.items, it)
		b.byID[c.ID] = it
	}
	for _, id := range b.again {
		if !planned[id] {
			b.items = slices.DeleteFunc(b.items, func(it *item) bool { return it.ID == id })
			delete(b.byID, id)
		}
	}
}

func (b *board) take(seen []engine.Result) {
	for _, r := range seen {
		if it := b.byID[r.ID]; it != nil {
			it.Check, it.result, it.verdict = r.Check, r, r.Verdict
		}
	}
}

// fail ends a run that has nothing to check: what was there before stays.
func (b *board) fail() { b.state = b.before }

func (b *board) busy() bool { return b.phase == looking || b.phase == running || b.phase == cancelling }

func (b *board) tally() results.Tally {
	var t results.Tally
	for _, it := range b.items {
		t.Count(it.verdict)
	}
	return t
}

// withoutTools are the checks that podpath could not make because nothing in
// the container can.
func (b *board) withoutTools() []string {
	var ids []string
	for _, it := range b.items {
		if it.verdict == engine.Inconclusive && lacksTools(it.result) {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

func lacksTools(r engine.Result) bool {
	if r.Cause != nil {
		return r.Cause.Code == engine.NoTools
	}
	var failure *launch.Failure
	return errors.As(r.Blind, &failure) && failure.Code == launch.NoTools
}

// found is a cause with how many results have it.
type found struct {
	*engine.Cause
	verdict engine.Verdict
	times   int
}

// causes lists what is wrong, the most frequent first. What is by design is
// not.
func (b *board) causes() []*found {
	var list []*found
	index := map[string]*found{}
	for _, it := range b.items {
		c := it.result.Cause
		if c == nil || c.ByDesign || it.verdict == "" {
			continue
		}
		id := string(c.Code) + "\x00" + c.Summary
		if index[id] == nil {
			index[id] = &found{Cause: c, verdict: it.verdict}
			list = append(list, index[id])
		}
		index[id].times++
	}
	slices.SortStableFunc(list, func(x, y *found) int {
		return cmp.Or(-compareBools(x.verdict == engine.Fail, y.verdict == engine.Fail), cmp.Compare(y.times, x.times))
	})
	return list
}

func compareBools(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	default:
		return -1
	}
}

// subject tells the filter what to look at.
func subject(it *item) filter.Subject {
	fields := []string{it.Source.Label, it.Target, string(it.Kind), string(it.Group), string(it.verdict), it.Source.Node, it.About.Node, string(it.result.Error)}
	if it.result.Cause != nil {
		fields = append(fields, string(it.result.Cause.Code))
	}
	return filter.Subject{Fields: fields}
}
