package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"podpath/probes"
	"podpath/tui/table"
)

// writeWide writes a check a line, with all that fits one.
func writeWide(w io.Writer, results []probes.Result) error {
	text := func(title string, of func(probes.Result) string) table.Column[probes.Result] {
		return table.Column[probes.Result]{Title: title, Cell: func(r probes.Result) table.Cell { return table.Plain(of(r)) }}
	}
	var out strings.Builder
	err := table.Print(&out, []table.Column[probes.Result]{
		text("VERDICT", func(r probes.Result) string { return string(r.Verdict) }),
		text("SOURCE", func(r probes.Result) string { return r.Source.Label }),
		text("TARGET", func(r probes.Result) string { return r.Target }),
		text("KIND", func(r probes.Result) string { return string(r.Kind) }),
		text("ADDRESS", func(r probes.Result) string { return r.Address }),
		text("EXPECTED", func(r probes.Result) string { return string(r.Expect.Outcome) }),
		text("STAGE", func(r probes.Result) string { return string(r.Stage) }),
		text("ERROR", func(r probes.Result) string { return string(r.Error) }),
		text("MS", func(r probes.Result) string { return latency(r.Latency()) }),
		text("CAUSE", func(r probes.Result) string {
			if r.Cause == nil {
				return ""
			}
			return string(r.Cause.Code)
		}),
		text("VIA", func(r probes.Result) string { return r.Via.String() }),
		text("SEEN", outcome),
	}, nil, results, true)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, inLocale(out.String()))
	return err
}

// writeTAP writes the Test Anything Protocol, version 14.
func writeTAP(w io.Writer, results []probes.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", len(results))
	for i, r := range results {
		switch r.Verdict {
		case probes.Pass:
			fmt.Fprintf(&b, "ok %d - %s\n", i+1, tapText(r.ID))
			continue
		case probes.Fail:
			fmt.Fprintf(&b, "not ok %d - %s\n", i+1, tapText(r.ID))
		case probes.Inconclusive, probes.Skipped: // neither ok nor broken: TAP has only SKIP for it
			fmt.Fprintf(&b, "ok %d - %s # SKIP %s: %s\n", i+1, tapText(r.ID), r.Verdict, tapText(timed(r)))
			continue
		}
		fmt.Fprintf(&b, "  ---\n  message: %q\n", timed(r))
		if r.Cause != nil {
			fmt.Fprintf(&b, "  cause: %s\n  summary: %q\n  next: %q\n", r.Cause.Code, r.Cause.Summary, r.Cause.Next)
		}
		b.WriteString("  ...\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tapText escapes what begins a directive.
func tapText(s string) string { return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(s) }

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	TestCases []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure,omitempty"`
	Skipped *junitText `xml:"skipped,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes the XML that test dashboards read. What is inconclusive
// counts as skipped there.
func writeJUnit(w io.Writer, results []probes.Result, took time.Duration) error {
	s := probes.Summarize(results)
	suite := junitSuite{
		Name: "podpath probe", Tests: len(results), Failures: s.Fail, Skipped: s.Inconclusive + s.Skipped, Time: seconds(took),
	}
	for _, r := range results {
		c := junitCase{Class: r.Source.Label, Name: string(r.Kind) + " " + r.Target, Time: seconds(r.Latency())}
		switch r.Verdict {
		case probes.Fail:
			c.Failure = &junitText{Message: timed(r)}
			if r.Cause != nil {
				c.Failure.Text = strings.Join(append([]string{string(r.Cause.Code) + ": " + r.Cause.Summary}, append(r.Cause.Evidence, "next: "+r.Cause.Next)...), "\n")
			}
		case probes.Inconclusive, probes.Skipped:
			c.Skipped = &junitText{Message: timed(r)}
		case probes.Pass:
		}
		suite.TestCases = append(suite.TestCases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
