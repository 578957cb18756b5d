package probes

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"podpath/probes/path"
)

func TestAReportWithoutBodiesHoldsNone(t *testing.T) {
	const secret = "session=4711"
	w, results := smallRun(t)
	for i := range results {
		results[i].Body = secret
		results[i].Beside = []path.Result{{Observation: path.Observation{Body: secret}}}
	}
	text := func(r []path.Result) string {
		out, err := json.Marshal(NewReport(w, nil, r, time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	without := WithoutBodies(results)
	if got := text(without); strings.Contains(got, secret) || strings.Contains(got, `"body"`) {
		t.Errorf("got a body in %s", got)
	}
	if without[0].Beside[0].Body != "" {
		t.Error("got the body of an endpoint beside")
	}
	if got := text(results); !strings.Contains(got, secret) || results[0].Beside[0].Body != secret {
		t.Errorf("got the bodies lost in the results themselves: %s", got)
	}
}
