package probes

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"podpath/probes/path"
)

// Report is the document of one run, as docs/json.md describes it. Fields are
// added, never renamed or removed, while apiVersion stays podpath/v1.
type Report struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Namespace  string      `json:"namespace"` // empty for all
	Results    []ResultDoc `json:"results"`
	Summary    SummaryDoc  `json:"summary"`
	DurationMs int64       `json:"durationMs"`
}

// Summary counts verdicts.
type Summary struct {
	Pass         int `json:"pass"`
	Fail         int `json:"fail"`
	Inconclusive int `json:"inconclusive"`
	Skipped      int `json:"skipped"`
}

// SummaryDoc counts verdicts, and says what they are of.
type SummaryDoc struct {
	Summary
	// Choices are where some of many were looked at.
	Choices []ChoiceDoc `json:"choices"`
}

// ChoiceDoc is a choice of some of many.
type ChoiceDoc struct {
	What string `json:"what"`
	Of   int    `json:"of"`
	All  int    `json:"all"`
}

// ResultDoc is one result.
type ResultDoc struct {
	ID          string         `json:"id"`
	Group       path.Group     `json:"group"`
	Source      string         `json:"source"`
	Target      string         `json:"target"`
	Kind        path.Kind      `json:"kind"`
	Expected    path.Outcome   `json:"expected"`
	ExpectedWhy string         `json:"expectedWhy"`
	Verdict     path.Verdict   `json:"verdict"`
	Stage       path.Stage     `json:"stage"`
	Error       path.ErrorKind `json:"error"`
	Detail      string         `json:"detail"`
	Address     string         `json:"address"`
	// LatencyMs is nil where nothing was measured.
	LatencyMs   *float64         `json:"latencyMs"`
	Stages      []StageDoc       `json:"stages"`
	Responder   string           `json:"responder"`
	Status      int              `json:"status,omitempty"`
	Body        string           `json:"body,omitempty"`
	Values      []string         `json:"values"`
	Wanted      []string         `json:"wanted"`
	Asked       []string         `json:"asked"`
	Certificate *CertificateDoc  `json:"certificate,omitempty"`
	Spread      *SpreadDoc       `json:"spread,omitempty"`
	Via         string           `json:"via"`
	Command     []string         `json:"command"`
	Tries       int              `json:"tries"`
	Cause       *CauseDoc        `json:"cause"`
	OtherCauses []path.CauseCode `json:"otherCauses"`
	Hops        []HopDoc         `json:"hops"`
	Tails       []TailDoc        `json:"tails"`
}

// StageDoc is how long one stage took.
type StageDoc struct {
	Stage path.Stage `json:"stage"`
	Ms    float64    `json:"ms"`
}

// CauseDoc is a cause.
type CauseDoc struct {
	Code     path.CauseCode `json:"code"`
	Hop      path.HopKind   `json:"hop"`
	Summary  string         `json:"summary"`
	Evidence []string       `json:"evidence"`
	// Seen is the evidence in parts, and NextArgv and NextNote are Next.
	Seen     []EvidenceDoc `json:"seen"`
	Next     string        `json:"next"`
	NextArgv []string      `json:"nextArgv"`
	NextNote string        `json:"nextNote"`
	ByDesign bool          `json:"byDesign"`
}

// EvidenceDoc is one thing that was seen.
type EvidenceDoc struct {
	What  string `json:"what"`
	Where string `json:"where"`
	Seen  string `json:"seen"`
}

// HopDoc is one hop of a path.
type HopDoc struct {
	Hop    path.HopKind  `json:"hop"`
	By     string        `json:"by"`
	Node   string        `json:"node"`
	Pod    string        `json:"pod"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Rule   string        `json:"rule"`
	Origin string        `json:"origin"`
	State  path.HopState `json:"state"`
	Known  path.Known    `json:"known"`
	Says   string        `json:"says"`
}

// TailDoc is the rest of a path behind the fork.
type TailDoc struct {
	Endpoint string   `json:"endpoint"`
	Pod      string   `json:"pod"`
	Node     string   `json:"node"`
	Hops     []HopDoc `json:"hops"`
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
	Name    string       `json:"part"`
	Verdict path.Verdict `json:"verdict"`
	Text    string       `json:"text"`
}

// NewReport makes the document of a run.
func NewReport(w *path.World, choices []path.Choice, results []path.Result, took time.Duration) Report {
	r := Report{
		APIVersion: "podpath/v1", Kind: "ProbeReport", Namespace: w.Scope.Namespace,
		Results: []ResultDoc{}, Summary: SummaryDoc{Summarize(results), []ChoiceDoc{}}, DurationMs: took.Milliseconds(),
	}
	for _, c := range choices {
		r.Summary.Choices = append(r.Summary.Choices, ChoiceDoc(c))
	}
	for _, result := range results {
		r.Results = append(r.Results, document(w, result))
	}
	return r
}

// Summarize counts the verdicts.
func Summarize(results []path.Result) Summary {
	var s Summary
	for _, r := range results {
		switch r.Verdict {
		case path.Pass:
			s.Pass++
		case path.Fail:
			s.Fail++
		case path.Inconclusive:
			s.Inconclusive++
		case path.Skipped:
			s.Skipped++
		}
	}
	return s
}

// WithoutBodies are the results without the bodies of HTTP answers: a report is
// kept and passed on, and what an app answers may be meant for nobody else.
func WithoutBodies(results []path.Result) []path.Result {
	out := slices.Clone(results)
	for i := range out {
		out[i].Body, out[i].Beside = "", WithoutBodies(out[i].Beside)
	}
	return out
}

// milliseconds are a duration with microseconds behind the point.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func document(w *path.World, r path.Result) ResultDoc {
	d := ResultDoc{
		ID: r.ID, Group: r.Group, Source: r.Source.Label, Target: r.Target, Kind: r.Kind,
		Expected: r.Expect.Outcome, ExpectedWhy: r.Expect.Why, Verdict: r.Verdict, Stage: r.Stage, Error: r.Error,
		Detail: r.Says(), Address: r.Address, Stages: []StageDoc{}, Responder: r.Responder, Status: r.Status, Body: r.Body,
		Values: filled(r.Values), Wanted: filled(r.Expect.Values), Asked: texts(r.Answers), Via: r.Via.String(), Command: filled(r.Via.Command), Tries: r.Tries,
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
		d.Spread = spreadDocument(r.Spread)
	}
	if c := r.Cause; c != nil {
		d.Cause = causeDocument(c)
	}
	trace := w.Trace(r)
	d.Hops, d.Tails = hopDocuments(trace.Hops), []TailDoc{}
	for _, t := range trace.Tails {
		d.Tails = append(d.Tails, TailDoc{
			Endpoint: net.JoinHostPort(t.Endpoint.Address, strconv.Itoa(t.Endpoint.Port)), Pod: t.Endpoint.Pod, Node: t.Endpoint.Node, Hops: hopDocuments(t.Hops),
		})
	}
	return d
}

func causeDocument(c *path.Cause) *CauseDoc {
	d := &CauseDoc{
		Code: c.Code, Hop: c.Hop, Summary: c.Summary, Evidence: texts(c.Evidence), Seen: []EvidenceDoc{},
		Next: c.Next.String(), NextArgv: filled(c.Next.Argv), NextNote: c.Next.Note, ByDesign: c.ByDesign,
	}
	for _, e := range c.Evidence {
		d.Seen = append(d.Seen, EvidenceDoc{What: e.What, Where: e.Where, Seen: e.Seen})
	}
	return d
}

func hopDocuments(hops []path.Hop) []HopDoc {
	out := []HopDoc{}
	for _, h := range hops {
		pod := ""
		if h.Pod.Name != "" {
			pod = h.Pod.String()
		}
		out = append(out, HopDoc{h.Kind, h.By, h.Node, pod, h.From, h.To, h.Rule, h.Origin, h.State, h.Known, h.Says})
	}
	return out
}

// texts writes each of a list.
func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, e.String())
	}
	return out
}

func spreadDocument(s *path.SpreadResult) *SpreadDoc {
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

// filled makes an empty list print as [] and not as null.
func filled[S ~[]E, E any](list S) S {
	if list == nil {
		return S{}
	}
	return list
}
