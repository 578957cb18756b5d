package probes

import (
	"strings"
	"time"

	"podpath/kube"
)

// Report is the document of one run, as docs/json.md describes it. Fields are
// added, never renamed or removed, while apiVersion stays podpath/v1.
type Report struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Namespace  string      `json:"namespace"` // empty for all
	Results    []ResultDoc `json:"results"`
	Summary    Summary     `json:"summary"`
	DurationMs int64       `json:"durationMs"`
}

// Summary counts verdicts.
type Summary struct {
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Inconclusive int `json:"inconclusive"`
	Skipped      int `json:"skipped"`
}

// ResultDoc is one result.
type ResultDoc struct {
	ID          string    `json:"id"`
	Group       Group     `json:"group"`
	Source      string    `json:"source"`
	Target      string    `json:"target"`
	Kind        Kind      `json:"kind"`
	Expected    Outcome   `json:"expected"`
	ExpectedWhy string    `json:"expectedWhy"`
	Verdict     Verdict   `json:"verdict"`
	Stage       Stage     `json:"stage"`
	Error       ErrorKind `json:"error"`
	Detail      string    `json:"detail"`
	Address     string    `json:"address"`
	// LatencyMs is nil where nothing was measured.
	LatencyMs   *float64        `json:"latencyMs"`
	Stages      []StageDoc      `json:"stages"`
	Responder   string          `json:"responder"`
	Status      int             `json:"status,omitempty"`
	Body        string          `json:"body,omitempty"`
	Values      []string        `json:"values"`
	Wanted      []string        `json:"wanted"`
	Asked       []string        `json:"asked"`
	Certificate *CertificateDoc `json:"certificate,omitempty"`
	Spread      *SpreadDoc      `json:"spread,omitempty"`
	Via         string          `json:"via"`
	Command     []string        `json:"command"`
	Tries       int             `json:"tries"`
	Cause       *CauseDoc       `json:"cause"`
	OtherCauses []CauseCode     `json:"otherCauses"`
}

// StageDoc is how long one stage took.
type StageDoc struct {
	Stage Stage   `json:"stage"`
	Ms    float64 `json:"ms"`
}

// CauseDoc is a cause.
type CauseDoc struct {
	Code     CauseCode `json:"code"`
	Summary  string    `json:"summary"`
	Evidence []string  `json:"evidence"`
	Next     string    `json:"next"`
	ByDesign bool      `json:"byDesign"`
}

// CertificateDoc is a server's certificate.
type CertificateDoc struct {
	Subject   string    `json:"subject"`
	Names     []string  `json:"names"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Problem   string    `json:"problem"`
}

// SpreadDoc is who answered.
type SpreadDoc struct {
	Connections int        `json:"connections"`
	Errors      int        `json:"errors"`
	Elsewhere   int        `json:"elsewhere"`
	Shares      []ShareDoc `json:"shares"`
	How         string     `json:"how"`
	ChiSquare   float64    `json:"chiSquare"`
	P           float64    `json:"p"`
	Parts       []PartDoc  `json:"parts"`
}

// ShareDoc is what one endpoint took; Count is nil when that is not known.
type ShareDoc struct {
	Endpoint string `json:"endpoint"`
	Count    *int   `json:"count"`
}

// PartDoc is one question that a spread answers.
type PartDoc struct {
	Name    string  `json:"part"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
}

// NewReport makes the document of a run.
func NewReport(w *World, results []Result, took time.Duration) Report {
	r := Report{
		APIVersion: "podpath/v1", Kind: "ProbeReport", Namespace: w.Scope.Namespace,
		Results: []ResultDoc{}, Summary: Summarize(results), DurationMs: took.Milliseconds(),
	}
	for _, result := range results {
		r.Results = append(r.Results, result.document())
	}
	return r
}

// Summarize counts the verdicts.
func Summarize(results []Result) Summary {
	var s Summary
	for _, r := range results {
		switch r.Verdict {
		case Pass:
			s.Pass++
		case Fail:
			s.Fail++
		case Inconclusive:
			s.Inconclusive++
		case Skipped:
			s.Skipped++
		}
	}
	return s
}

// milliseconds are a duration with microseconds behind the point.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (r Result) document() ResultDoc {
	d := ResultDoc{
		ID: r.ID, Group: r.Group, Source: r.Source.Label, Target: r.Target, Kind: r.Kind,
		Expected: r.Expect.Outcome, ExpectedWhy: r.Expect.Why, Verdict: r.Verdict, Stage: r.Stage, Error: r.Error,
		Detail: r.Says(), Address: r.Address, Stages: []StageDoc{}, Responder: r.Responder, Status: r.Status, Body: r.Body,
		Values: filled(r.Values), Wanted: filled(r.Expect.Values), Asked: filled(r.Asked), Via: r.Via.String(), Command: filled(r.Via.Command), Tries: r.Tries,
		OtherCauses: filled(r.Others),
	}
	for _, t := range r.Times {
		d.Stages = append(d.Stages, StageDoc{t.Stage, milliseconds(t.Took)})
	}
	if took := r.Latency(); took > 0 {
		ms := milliseconds(took)
		d.LatencyMs = &ms
	}
	if c := r.Certificate; c != nil {
		d.Certificate = &CertificateDoc{c.Subject, filled(c.Names), c.Issuer, c.NotBefore.UTC(), c.NotAfter.UTC(), c.Problem}
	}
	if r.Spread != nil {
		d.Spread = r.Spread.document()
	}
	if c := r.Cause; c != nil {
		d.Cause = &CauseDoc{c.Code, c.Summary, filled(c.Evidence), c.Next, c.ByDesign}
	}
	return d
}

// Says is what there is to say about what was seen, in one line.
func (o Observation) Says() string {
	switch {
	case o.Blind != nil:
		return kube.Clean(strings.ReplaceAll(o.Blind.Error(), "\n", "; "))
	case o.Detail != "":
		return o.Detail
	default:
		return strings.Join(o.Values, ", ")
	}
}

func (s *SpreadResult) document() *SpreadDoc {
	d := &SpreadDoc{Connections: s.Connections, Errors: s.Errors, Elsewhere: s.Elsewhere, Shares: []ShareDoc{}, How: s.How, ChiSquare: s.ChiSquare, P: s.P, Parts: []PartDoc{}}
	for _, e := range s.Shares {
		share := ShareDoc{Endpoint: e.Endpoint}
		if e.Known {
			share.Count = &e.Count
		}
		d.Shares = append(d.Shares, share)
	}
	for _, p := range s.Parts() {
		d.Parts = append(d.Parts, PartDoc(p))
	}
	return d
}

// NamedPart is a part with its name.
type NamedPart struct {
	Name    string
	Verdict Verdict
	Text    string
}

// Parts lists the questions that a spread answers, with their verdicts.
func (s *SpreadResult) Parts() []NamedPart {
	return []NamedPart{
		{"errors", s.Failing.Verdict, s.Failing.Text},
		{"responders", s.Unexpected.Verdict, s.Unexpected.Text},
		{"coverage", s.Coverage.Verdict, s.Coverage.Text},
		{"evenness", s.Evenly.Verdict, s.Evenly.Text},
	}
}

// filled makes an empty list print as [] and not as null.
func filled[S ~[]E, E any](list S) S {
	if list == nil {
		return S{}
	}
	return list
}
