package forward

import "time"

// Ejection: an endpoint that fails twice in a row gets no connections for 5 s,
// then 10 s, and so on up to a minute. Envoy's outlier detection does the same
// with longer times; a person waits here.
const (
	failuresToEject = 2
	ejectionStep    = 5 * time.Second
	ejectionMost    = time.Minute
)

// fitness is what the openings of an endpoint tell about it.
type fitness struct {
	failures int       // in a row
	times    int       // ejected so often lately
	until    time.Time // the end of the last ejection
	ejected  bool      // it gets no connections
}

// failed counts a failure, and ejects the endpoint where that is permitted. It
// says for how long, or 0.
func (h *fitness) failed(now time.Time, permitted bool) time.Duration {
	h.failures++
	if h.failures < failuresToEject || !permitted || h.ejected {
		return 0
	}
	if now.Sub(h.until) > ejectionMost {
		h.times = 0 // the last one is long ago
	}
	h.times++
	pause := min(time.Duration(h.times)*ejectionStep, ejectionMost)
	h.until, h.ejected = now.Add(pause), true
	return pause
}

// succeeded ends a row of failures. An endpoint that comes back from an
// ejection has not done so yet: its next failure ejects it again.
func (h *fitness) succeeded() { h.failures = 0 }

// onTrial reports whether nothing was heard since an ejection.
func (h *fitness) onTrial() bool { return h.failures >= failuresToEject }

// readmitted ends an ejection whose time is over, and reports that it did.
func (h *fitness) readmitted(now time.Time) bool {
	if !h.ejected || now.Before(h.until) {
		return false
	}
	h.ejected = false
	return true
}
