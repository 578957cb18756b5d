package path

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/probes/path/manifest"
)

// named checks the causes of results: every failure has the code, and nothing
// else has one. An empty code is none.
func named(t *testing.T, what string, w *World, results []Result, want CauseCode) {
	t.Helper()
	failures := 0
	for _, r := range results {
		switch {
		case r.Verdict == Fail:
			failures++
			if code(r) != want {
				t.Errorf("%s: %s (%s): got cause %q (others %v), want %q", what, r.ID, r.Error, code(r), r.Others, want)
			}
			wholeCause(t, what, w, r)
		case code(r) != "":
			t.Errorf("%s: %s is %s: got cause %q, want none", what, r.ID, r.Verdict, code(r))
		}
	}
	if failures == 0 {
		t.Errorf("%s: nothing failed", what)
	}
}

// explained checks the cause of one result, and words of its summary. An empty
// code is none.
func explained(t *testing.T, what string, w *World, r Result, want CauseCode, says string) {
	t.Helper()
	summary := ""
	if r.Cause != nil {
		summary = r.Cause.Summary
	}
	if code(r) != want || !strings.Contains(summary, says) {
		t.Errorf("%s: %s: got %s, %s %s %s, cause %q (%s), others %v\nwant %q (%s)", what, r.ID, r.Verdict, r.Stage, r.Error, r.Detail, code(r), summary, r.Others, want, says)
	}
	wholeCause(t, what, w, r)
}

// wholeCause checks that a cause is fit for users: a sentence, evidence, and a
// next step that can be typed as it stands.
func wholeCause(t *testing.T, what string, w *World, r Result) {
	t.Helper()
	c := r.Cause
	if c == nil {
		return
	}
	said := c.Summary + c.Next.String()
	for _, e := range c.Evidence {
		said += e.String()
	}
	if c.Summary == "" || c.Hop == "" || len(c.Evidence) == 0 && !c.ByDesign || c.Next.String() == "" || strings.Contains(said, "%!") ||
		strings.Contains(said, "  ") && !strings.Contains(c.Next.String(), "  ") {
		t.Errorf("%s: %s: got %+v, want a sentence, evidence and a next step", what, r.ID, c)
	}
	if slices.Contains(c.Next.Argv, "") {
		t.Errorf("%s: %s: got the command %q, want no empty word in it", what, r.ID, c.Next.Argv)
	}
	plannable(t, what, w, c.Next)
}

// plannable checks that a command of podpath means something where it is typed.
func plannable(t *testing.T, what string, w *World, n Next) {
	t.Helper()
	if len(n.Argv) < 2 || n.Argv[0] != "podpath" || n.Argv[1] != "probe" {
		return
	}
	words, namespace, given := []string{}, "", false
	for i := 2; i < len(n.Argv); i++ {
		switch word := n.Argv[i]; {
		case word == "-n":
			i++
			namespace, given = n.Argv[i], true
		case word == "-A":
			given = true
		case word == "--only":
			i++
		case !strings.HasPrefix(word, "-"):
			words = append(words, word)
		}
	}
	if !given || namespace != w.Home {
		t.Errorf("%s: got %q, want what is looked at: namespace %q", what, n.Command(), w.Home)
	}
	if len(words) == 0 {
		return
	}
	if _, err := tryPlan(w, PlanOptions{}, words[0], words[1:]...); err != nil || len(words) == 1 {
		t.Errorf("%s: got %q, which podpath does not take: %v", what, n.Command(), err)
	}
}

// symptom is what comes of a request that somebody makes, and what else is
// seen then.
type symptom struct {
	docs     []string     // beside the story and the client
	change   func(*World) // what no manifest of the fixture says
	from, to string       // from pod/client unless it says otherwise
	comes    outcome      // of the request, and of what is compared with it
	looks    Looks
	want     CauseCode // "" for none
	says     string    // words of the summary
}

// symptoms checks what each is explained by.
func symptoms(t *testing.T, table map[string]symptom) {
	t.Helper()
	seen := clusters{}
	for name, s := range table {
		w := seen.onMaster(t, append([]string{clientPod}, s.docs...)...)
		if s.change != nil {
			s.change(w)
		}
		results := diagnose(w, planFor(t, w, cmp.Or(s.from, "pod/client"), s.to), s.comes, s.looks)
		explained(t, name, w, results[0], s.want, s.says)
		if c := results[0].Cause; c != nil && !c.ByDesign && results[0].Verdict != Fail && results[0].Verdict != Inconclusive {
			t.Errorf("%s: got %s with the cause %s, want that it is not fine", name, results[0].Verdict, c.Code)
		}
	}
}

// fails is the outcome of every request.
func fails(kind ErrorKind) outcome { return fate(func(Check) ErrorKind { return kind }).meets }

// failsAt is the outcome of requests to a host: an address, or a name as it is asked for.
func failsAt(kind ErrorKind, hosts ...string) outcome {
	return fate(func(c Check) ErrorKind {
		if slices.Contains(hosts, c.Ask.Host) {
			return kind
		}
		return NoError
	}).meets
}

// speaks is the outcome of requests that are taken, and answered like this.
func speaks(seen Observation) outcome {
	return func(c Check, o *Observation) {
		if c.Kind != DNS {
			seen.Address = o.Address
			*o = seen
		}
	}
}

func TestAHealthyClusterHasNoCause(t *testing.T) {
	w := onMaster(t,
		manifest.Service("np", `type: NodePort, clusterIP: 10.96.0.11, clusterIPs: [10.96.0.11], selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80, nodePort: 30080, protocol: TCP}]`, ""), manifest.WebSlice("np"),
		manifest.Service("db", `clusterIP: None, selector: {app: web}, ports: [{name: sql, port: 80, targetPort: 80, protocol: TCP}]`, ""), manifest.Slice("db", "sql", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002")),
		manifest.Service("ext", `type: ExternalName, externalName: www.example.com`, ""))
	for _, r := range diagnose(w, w.Plan(Groups...), nil, Looks{}) {
		if r.Verdict != Pass || r.Cause != nil {
			t.Errorf("%s: got %s, %+v, want nothing but passes", r.ID, r.Verdict, r.Cause)
		}
	}
}

func TestAnExecThatWaitsInVainIsForAKubeletThatNobodyReaches(t *testing.T) {
	w := onMaster(t)
	vain := errors.New("it did not start within 15s")
	blind := Result{Check: Check{ID: "x", Kind: TCP, Source: source(t, w, "pod/web-1")}, Verdict: Inconclusive, Observation: Observation{
		Blind: &launch.Failure{Code: launch.ExecFailed, Source: "pod/web-1", Refusals: []launch.Refusal{{Rung: launch.Tools, Why: vain.Error(), Err: vain}}},
	}}
	for comes, want := range map[ErrorKind]CauseCode{TimedOut: KubeletAway, Refused: ExecFailed, NoError: ExecFailed} {
		kubelet := Result{Check: Check{ID: "y", Kind: TCP, Source: source(t, w, "pod/web-3")}, Observation: Observation{Address: "198.51.100.12:10250", Error: comes}}
		r := []Result{blind}
		Explain(w, r, Looks{Compared: []Result{kubelet}})
		explained(t, "the kubelet: "+string(comes), w, r[0], want, "")
	}
}

func TestBlindnessHasACauseWherePodpathKnowsIt(t *testing.T) {
	w := onMaster(t)
	pod, node, down := source(t, w, "pod/web-1"), source(t, w, "node/raspi002"), source(t, w, "pod/web-2")
	changedPod(t, w, "shop/web-2", func(p *kube.Pod) { p.Containers[0].State = "waiting" })
	because := func(code launch.Code, why error) error {
		return &launch.Failure{Code: code, Source: "pod/web-1", Refusals: []launch.Refusal{{Rung: launch.Tools, Why: why.Error(), Err: why}}}
	}
	away := &kube.ExecError{Failure: kube.KubeletAway, Message: "error dialing backend"}
	for name, test := range map[string]struct {
		from  Source
		blind error
		want  CauseCode
	}{
		"exec is denied":            {pod, because(launch.ExecDenied, errors.New("you may not")), ExecDenied},
		"no tools in a Pod":         {pod, because(launch.NoTools, errors.New("no shell")), NoTools},
		"it does not run":           {down, because(launch.NoTools, errors.New("none of its containers runs")), SourceDown},
		"no tools on a Node":        {node, because(launch.NoTools, errors.New("no Pod")), NoTools},
		"the kubelet is away":       {pod, because(launch.ExecFailed, away), KubeletAway},
		"only the words of that":    {pod, because(launch.ExecFailed, errors.New(away.Error())), ExecFailed},
		"exec failed for no reason": {pod, because(launch.ExecFailed, errors.New("EOF")), ExecFailed},
		"the stream was cut":        {pod, launch.ErrCut, ""},
		"another error":             {pod, errors.New("x"), ""},
	} {
		r := []Result{{Check: Check{ID: "x", Kind: TCP, Source: test.from}, Observation: Observation{Blind: test.blind}, Verdict: Inconclusive}}
		Explain(w, r, Looks{})
		explained(t, name, w, r[0], test.want, "")
		if r[0].Verdict != Inconclusive || r[0].Cause != nil && r[0].Cause.Hop != Look {
			t.Errorf("%s: got %s, %+v, want that podpath could not look", name, r[0].Verdict, r[0].Cause)
		}
	}
}

func TestWhoCannotLookAccusesNobody(t *testing.T) {
	w := onMaster(t, manifest.Service("x", `clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], selector: {app: wep}, `+oneWebPort, ""))
	results := carriedOut(w, planFor(t, w, "pod/web-1", "svc/x", "nowhere:80", "pod/web-2:80"), func(_ Check, o *Observation) {
		*o = Observation{Blind: launch.ErrCut}
	})
	Explain(w, results, all())
	for _, r := range results {
		if r.Verdict != Inconclusive || r.Cause != nil {
			t.Errorf("%s: got %s, %+v, want it inconclusive and without a cause", r.ID, r.Verdict, r.Cause)
		}
	}
}

func TestFindingsAreATableThatUsersCanReadAbout(t *testing.T) {
	text, err := os.ReadFile("../../docs/causes.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[CauseCode]bool{}
	for _, m := range regexp.MustCompile(`(?m)^### ([a-z0-9-]+)\n\S`).FindAllStringSubmatch(string(text), -1) {
		documented[CauseCode(m[1])] = true
	}
	type place struct {
		code CauseCode
		hop  HopKind
	}
	seen, codes := map[place]bool{}, map[CauseCode]bool{}
	for _, f := range Findings() {
		if seen[place{f.Code, f.Hop}] {
			t.Errorf("%s: it is there twice for the hop %s", f.Code, f.Hop)
		}
		seen[place{f.Code, f.Hop}], codes[f.Code] = true, true
		if (f.find == nil) != f.Design || !f.Design && f.Why == "" || f.Hop.order() < 0 {
			t.Errorf("%s: got %+v, want a hop, and a reason for its place unless a rule says it", f.Code, f)
		}
		if f.Code != "" && !documented[f.Code] { // "" takes over that of another one
			t.Errorf("docs/causes.md: there is no section %s", f.Code)
		}
	}
	for c := range documented {
		if !codes[c] {
			t.Errorf("docs/causes.md: the section %s is of no cause", c)
		}
	}
}

func TestNextStepsAreQuotedForTheShell(t *testing.T) {
	for word, want := range map[string]string{
		"web-1":               "web-1",
		"svc/web:8080":        "svc/web:8080",
		"app=web,tier=a":      "app=web,tier=a",
		"user@host.x/a_b+c%d": "user@host.x/a_b+c%d",
		"":                    "''",
		"a b":                 "'a b'",
		"$(reboot)":           "'$(reboot)'",
		"`id`":                "'`id`'",
		"it's":                `'it'\''s'`,
		"'; rm -rf / #":       `''\''; rm -rf / #'`,
		"a\nb":                "'a\nb'",
		"{.spec.x}":           "'{.spec.x}'",
		"http://web/?a=1&b=2": "'http://web/?a=1&b=2'",
		"*":                   "'*'",
		"~root":               "'~root'",
		"größe":               "'größe'",
		"!!":                  "'!!'",
	} {
		if got := Quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

// A shell is the judge: what it makes of a command are the words of it.
func TestAShellReadsNextStepsAsTheyAreMeant(t *testing.T) {
	words := []string{"'; touch /tmp/podpath-was-here #", "$HOME", "`id`", "a\\b", "a b\tc\nd", "", "-n", "\"", "''", "&&", "app in (a,b)", "…"}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s\\0' "+run("", words...).Command()).Output()
	if err != nil {
		t.Skipf("there is no shell: %v", err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !slices.Equal(got, words) {
		t.Errorf("got %q, want %q", got, words)
	}
}

func TestNextStepsAreACommandOrAdvice(t *testing.T) {
	for name, test := range map[string]struct {
		next             Next
		command, written string
	}{
		"a command":                    {run("", "kubectl", "describe", "pod", "web"), "kubectl describe pod web", "kubectl describe pod web"},
		"a command and a note":         {run("looks again", "podpath", "probe", "-n", "shop", "pod/a", "pod/b:80"), "podpath probe -n shop pod/a pod/b:80", "podpath probe -n shop pod/a pod/b:80  looks again"},
		"something to do":              {advise("allow a Pod of podpath's own"), "", "allow a Pod of podpath's own"},
		"nothing":                      {Next{}, "", ""},
		"no namespace is all of them":  {run("", "kubectl", "get", "pods", "-n", "", "-o", "wide"), "kubectl get pods -A -o wide", "kubectl get pods -A -o wide"},
		"at the end it stays as it is": {run("", "kubectl", "get", "pods", "-n"), "kubectl get pods -n", "kubectl get pods -n"},
	} {
		if got := test.next.Command(); got != test.command {
			t.Errorf("%s: got the command %q, want %q", name, got, test.command)
		}
		if got := test.next.String(); got != test.written {
			t.Errorf("%s: got %q, want %q", name, got, test.written)
		}
	}
}

func TestEvidenceSaysWhatWhereAndWhatWasSeen(t *testing.T) {
	for want, e := range map[string]Evidence{
		"10.244.1.5:80 from pod/web: refused":     {What: "10.244.1.5:80", Where: "pod/web", Seen: "refused"},
		"10.244.1.5:80 from local: refused":       {What: "10.244.1.5:80", Where: "local", Seen: "refused"},
		"svc/web (shop): selector app=web":        {What: "svc/web", Where: "shop", Seen: "selector app=web"},
		"2 others: answer":                        {What: "2 others", Seen: "answer"},
		"NetworkPolicy in permits it":             {What: "NetworkPolicy in permits it"},
		fmt.Sprintf("%d of 3 (%s)", 2, "default"): {What: "2 of 3", Where: "default"},
	} {
		if got := e.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
