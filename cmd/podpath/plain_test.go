package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"podpath/kube"
)

// hostile has what must not reach a terminal: ESC, BEL, CR, C1, a bidirectional
// override, zero-width characters, an invisible tag, and bytes that are no UTF-8.
const hostile = "a\x1b[31mb\x07c\rd\u009b2Je\u202ef\u200b\u200d\ufeffg\U000e0041h\xff\x9b\x7f\u2028i"

func TestPlainLetsOnlyHarmlessCharactersThrough(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"what podpath says":    {"✗ web → 漢字\n\té\n", "✗ web → 漢字\n\té\n"},
		"everything at once":   {hostile, "a[31mbcd2Jefghi"},
		"the replacement sign": {"a\ufffdb", "a\ufffdb"},
	} {
		for _, size := range []int{len(c.in), 1, 2, 3} { // characters may come in pieces
			var out bytes.Buffer
			w := &plain{to: &out}
			for in := []byte(c.in); len(in) > 0; in = in[min(size, len(in)):] {
				if n, err := w.Write(in[:min(size, len(in))]); err != nil || n != min(size, len(in)) {
					t.Fatalf("got %d, %v", n, err)
				}
			}
			if out.String() != c.want {
				t.Errorf("%s, %d at once: got %q, want %q", name, size, out.String(), c.want)
			}
		}
	}
}

func TestDocumentsKeepHiddenCharactersAsEscapes(t *testing.T) {
	const text = "a\x1bb\u009bc\u202ed\u200be\U000e0041f\x7f"
	var asJSON bytes.Buffer
	if err := printJSON(&asJSON, text); err != nil {
		t.Fatal(err)
	}
	mustBePlain(t, asJSON.String())
	var got string
	if err := json.Unmarshal(asJSON.Bytes(), &got); err != nil || got != text {
		t.Errorf("JSON: got %q, %v from %s; want %q", got, err, asJSON.String(), text)
	}
	var asXML bytes.Buffer
	if err := xml.NewEncoder(&plain{to: &asXML, escape: inXML}).Encode(junitText{Message: text, Text: text}); err != nil {
		t.Fatal(err)
	}
	mustBePlain(t, asXML.String())
	var back junitText
	want := strings.ReplaceAll(text, "\x1b", "\ufffd") // XML has no way to write it
	if err := xml.Unmarshal(asXML.Bytes(), &back); err != nil || back.Message != want || back.Text != want {
		t.Errorf("XML: got %q, %v from %s; want %q", back, err, asXML.String(), want)
	}
}

func TestTheTerminalIsFoundBehindWhatMakesItPlain(t *testing.T) {
	if f := terminal(&plain{to: io.Discard}); f != nil {
		t.Errorf("got %v, want none", f)
	}
}

// mustBePlain fails when a text could steer a terminal.
func mustBePlain(t *testing.T, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && r != '\t' && kube.IsHidden(r) {
			t.Errorf("got %U in the output: %q", r, text[max(0, i-40):min(len(text), i+40)])
			return
		}
	}
	if text != strings.ToValidUTF8(text, "") {
		t.Errorf("got an output that is no UTF-8: %q", text)
	}
}
