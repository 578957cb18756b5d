package probes

import (
	"errors"
	"slices"
	"time"

	"podpath/probes/launch"
	"podpath/probes/path"
	"podpath/probes/present"
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
	world   *path.World
	choices []path.Choice
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
	path.Check
	result  path.Result
	verdict path.Verdict
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
	b.unknown, b.world, b.choices = n.Unknown, n.World, n.Choices
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

// take notes results.
func (b *board) take(seen []path.Result) {
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
		if it.verdict == path.Inconclusive && lacksTools(it.result) {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

func lacksTools(r path.Result) bool {
	if r.Cause != nil {
		return r.Cause.Code == path.NoTools
	}
	var failure *launch.Failure
	return errors.As(r.Blind, &failure) && failure.Code == launch.NoTools
}

// causes lists what is wrong, and where podpath could not look. What is by
// design is not.
func (b *board) causes() []*present.Explained {
	var wrong []path.Result
	for _, it := range b.items {
		if (it.verdict == path.Fail || it.verdict == path.Inconclusive) && !it.result.Unexplained {
			wrong = append(wrong, it.result)
		}
	}
	if b.world == nil {
		return nil
	}
	return present.Explain(b.world, wrong)
}

// subject tells the filter what to look at.
func subject(it *item) filter.Subject {
	fields := []string{it.Source.Label, it.Target, string(it.Kind), string(it.Group), string(it.verdict), it.Source.Node, it.Path.Node, string(it.result.Error)}
	if it.result.Cause != nil {
		fields = append(fields, string(it.result.Cause.Code))
	}
	return filter.Subject{Fields: fields}
}
