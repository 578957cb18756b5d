package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"podpath/probes"
	"podpath/probes/path"
	"podpath/probes/present"
	"podpath/tui/table"
)

// writeWide writes a check a line, with all that fits one.
func writeWide(w io.Writer, results []path.Result) error {
	text := func(title string, of func(path.Result) string) table.Column[path.Result] {
		return table.Column[path.Result]{Title: title, Cell: func(r path.Result) table.Cell { return table.Plain(of(r)) }}
	}
	var out strings.Builder
	err := table.Print(&out, []table.Column[path.Result]{
		text("VERDICT", func(r path.Result) string { return string(r.Verdict) }),
		text("SOURCE", func(r path.Result) string { return r.Source.Label }),
		text("TARGET", func(r path.Result) string { return r.Target }),
		text("KIND", func(r path.Result) string { return string(r.Kind) }),
		text("ADDRESS", func(r path.Result) string { return r.Address }),
		text("EXPECTED", func(r path.Result) string { return string(r.Expect.Outcome) }),
		text("STAGE", func(r path.Result) string { return string(r.Stage) }),
		text("ERROR", func(r path.Result) string { return string(r.Error) }),
		text("MS", func(r path.Result) string { return present.Milliseconds(r.Latency()) }),
		text("CAUSE", func(r path.Result) string {
			if r.Cause == nil {
				return ""
			}
			return string(r.Cause.Code)
		}),
		text("VIA", func(r path.Result) string { return r.Via.String() }),
		text("SEEN", present.Outcome),
	}, nil, results, true)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, inLocale(out.String()))
	return err
}

// writeTAP writes the Test Anything Protocol, version 14.
func writeTAP(w io.Writer, results []path.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", len(results))
	for i, r := range results {
		switch r.Verdict {
		case path.Pass:
			fmt.Fprintf(&b, "ok %d - %s\n", i+1, tapText(r.ID))
			continue
		case path.Fail:
			fmt.Fprintf(&b, "not ok %d - %s\n", i+1, tapText(r.ID))
		case path.Inconclusive, path.Skipped: // neither ok nor broken: TAP has only SKIP for it
			fmt.Fprintf(&b, "ok %d - %s # SKIP %s: %s\n", i+1, tapText(r.ID), r.Verdict, tapText(present.Timed(r)))
			continue
		}
		fmt.Fprintf(&b, "  ---\n  message: %q\n", present.Timed(r))
		if r.Cause != nil {
			fmt.Fprintf(&b, "  cause: %s\n  summary: %q\n  next: %q\n", r.Cause.Code, r.Cause.Summary, r.Cause.Next.String())
		}
		b.WriteString("  ...\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// explanation is a cause, a line each.
func explanation(c *path.Cause) []string {
	lines := []string{string(c.Code) + ": " + c.Summary}
	for _, e := range c.Evidence {
		lines = append(lines, e.String())
	}
	return append(lines, "next: "+c.Next.String())
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
func writeJUnit(w io.Writer, results []path.Result, took time.Duration) error {
	s := probes.Summarize(results)
	suite := junitSuite{
		Name: "podpath probe", Tests: len(results), Failures: s.Fail, Skipped: s.Inconclusive + s.Skipped, Time: seconds(took),
	}
	for _, r := range results {
		c := junitCase{Class: r.Source.Label, Name: string(r.Kind) + " " + r.Target, Time: seconds(r.Latency())}
		switch r.Verdict {
		case path.Fail:
			c.Failure = &junitText{Message: present.Timed(r)}
			if r.Cause != nil {
				c.Failure.Text = strings.Join(explanation(r.Cause), "\n")
			}
		case path.Inconclusive, path.Skipped:
			c.Skipped = &junitText{Message: present.Timed(r)}
		case path.Pass:
		}
		suite.TestCases = append(suite.TestCases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(&plain{to: w, escape: inXML})
	e.Indent("", "  ")
	if err := e.Encode(suite); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
