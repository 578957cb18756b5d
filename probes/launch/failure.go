package launch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"podpath/kube"
)

// Code says in one word why no prober could be started. Codes are part of the
// output and do not change.
type Code string

// The codes of a Failure.
const (
	// ExecDenied means that the user may not run commands in containers there.
	ExecDenied Code = "exec-denied"
	// NoTools means that nothing there can be a prober, and that what would
	// help is not allowed.
	NoTools Code = "no-tools"
	// ExecFailed means that running commands failed for other reasons, which
	// may pass.
	ExecFailed Code = "exec-failed"
)

// Refusal is why one rung did not hold.
type Refusal struct {
	Rung Rung
	Why  string
	Err  error
	// Access is the permission that is missing, if that is why.
	Access *kube.Access
}

// Failure means that no prober could be started. It says nothing about the
// network.
type Failure struct {
	Code     Code
	Source   string // pod/NAMESPACE/NAME or node/NAME
	Refusals []Refusal
}

func (f *Failure) Error() string {
	reasons := make([]string, len(f.Refusals))
	for i, r := range f.Refusals {
		reasons[i] = fmt.Sprintf("%s: %s", r.Rung, r.Why)
	}
	return fmt.Sprintf("no prober runs in %s: %s", f.Source, strings.Join(reasons, "; "))
}

// Unwrap gives the errors of the refusals to errors.As.
func (f *Failure) Unwrap() []error {
	errs := make([]error, 0, len(f.Refusals))
	for _, r := range f.Refusals {
		if r.Err != nil {
			errs = append(errs, r.Err)
		}
	}
	return errs
}

// attempt is one climb of the ladder.
type attempt struct {
	ladder   *Ladder
	source   string
	refusals []Refusal
	code     Code // the most telling of the refusals
}

// refuse notes why a rung did not hold.
func (t *attempt) refuse(rung Rung, err error) {
	refusal := Refusal{Rung: rung, Why: err.Error(), Err: err}
	code := codeOf(err)
	if denied := (*kube.AccessError)(nil); errors.As(err, &denied) {
		refusal.Access = &denied.Access
	}
	if rank := map[Code]int{NoTools: 0, ExecFailed: 1, ExecDenied: 2}; t.code == "" || rank[code] > rank[t.code] {
		t.code = code
	}
	t.refusals = append(t.refusals, refusal)
}

// codeOf tells what is missing from what may pass. That a program is not there,
// or ended by itself, does not pass.
func codeOf(err error) Code {
	var denied *kube.AccessError
	var failed *kube.ExecError
	switch {
	case errors.As(err, &denied):
		if denied.Access.Subresource == "exec" {
			return ExecDenied
		}
		return NoTools
	case isNoProgram(err), isExit(err):
		return NoTools
	case errors.As(err, &failed), errors.Is(err, ErrCut), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ExecFailed
	default:
		return NoTools
	}
}

func (t *attempt) failure() error { return &Failure{t.code, t.source, t.refusals} }

// over ends the attempt with one last refusal.
func (t *attempt) over(rung Rung, err error) error {
	t.refuse(rung, err)
	return t.failure()
}
