package wire_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"podpath/probes/wire"
)

func TestEscapedDataIsOneWordAndComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 2*wire.MaxData).Draw(t, "data")
		field := wire.Escape(data)
		if field == "" || strings.Trim(field, `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./:_,=\-`) != "" {
			t.Fatalf("got %q, want nothing that means something to a shell", field)
		}
		if got, err := wire.Unescape(field); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("got %q, %v, want %q", got, err, data)
		}
	})
}

func TestUnescapeRefusesWhatIsNoEscape(t *testing.T) {
	for _, field := range []string{`\`, `\0`, `\01`, `\012`, `a\012`, `\0400`, `\0777`, `\0128`, `\x41`, `\n`, `\\`, `\0+12`, `\0 12`, `\1012`} {
		if got, err := wire.Unescape(field); err == nil {
			t.Errorf("%q: got %q, want an error", field, got)
		}
	}
}

// number draws what a field may hold.
func number(t *rapid.T, name string) int { return rapid.IntRange(0, 1<<31-1).Draw(t, name) }

func TestRequestsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Request{
			ID: max(1, number(t, "id")), Op: rapid.SampledFrom([]wire.Op{wire.TCP, wire.UDP, wire.Hold, wire.More, wire.Drop, wire.File}).Draw(t, "op"),
			Timeout: time.Duration(number(t, "timeout")) * time.Millisecond, Address: string(rapid.SliceOf(rapid.Byte()).Draw(t, "address")),
			Port: number(t, "port"), Count: number(t, "count"), Data: someBytes(t),
		}
		line := want.String()
		if got, err := wire.ParseRequest(line); err != nil || !reflect.DeepEqual(got, want) || strings.Contains(line, "\n") {
			t.Fatalf("%q: got %+v, %v, want %+v", line, got, err, want)
		}
	})
}

func TestAnswersComeBackAndFitALine(t *testing.T) {
	results := []wire.Result{wire.OK, wire.Refused, wire.Timeout, wire.Reset, wire.Unreachable, wire.Denied, wire.Failed, wire.Part}
	rapid.Check(t, func(t *rapid.T) {
		want := wire.Answer{
			ID: max(1, number(t, "id")), Result: rapid.SampledFrom(results).Draw(t, "result"),
			Connected: rapid.Bool().Draw(t, "connected"), LocalPort: rapid.IntRange(0, 65535).Draw(t, "port"), Data: someBytes(t),
		}
		if want.Connected {
			want.Connect = time.Duration(number(t, "connect")) * time.Microsecond
		}
		if want.Result != wire.Part {
			want.Total = time.Duration(number(t, "total")) * time.Microsecond
		}
		line := want.String()
		if got, err := wire.ParseAnswer(line); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %+v, %v, want %+v", line, got, err, want)
		}
		if len(line)+1 > 4096 || strings.Contains(line, "\n") {
			t.Fatalf("%q has %d bytes, want one line of at most 4096", line, len(line))
		}
	})
}

// someBytes draws the data of a line; none is nil, as the parsers have it.
func someBytes(t *rapid.T) []byte {
	if data := rapid.SliceOfN(rapid.Byte(), 0, wire.MaxData).Draw(t, "data"); len(data) > 0 {
		return data
	}
	return nil
}

func TestHostileLinesAreErrors(t *testing.T) {
	for name, line := range map[string]string{
		"nothing":          "",
		"a word":           "x",
		"too few fields":   "1 ok - 0 -",
		"too many":         "1 ok - 0 - - - -",
		"two blanks":       "1  ok - 0 - -",
		"an unknown end":   "1 fine - 0 - -",
		"no ID":            "- ok - 0 - -",
		"ID zero":          "0 ok - 0 - -",
		"a negative ID":    "-1 ok - 0 - -",
		"a signed ID":      "+1 ok - 0 - -",
		"a huge time":      "1 ok - 99999999999999999999 - -",
		"over 31 bits":     "1 ok - 2147483648 - -",
		"hexadecimal":      "1 ok - 0x10 - -",
		"a broken escape":  `1 ok - 0 - \09`,
		"a carriage":       "1 ok - 0\r - -",
		"an escape in ID":  `\0061 ok - 0 - -`,
		"the end":          "END 3",
		"the first line":   "podpath 1 bash",
		"a shell's excuse": "sh: 1: Syntax error: end of file unexpected",
	} {
		if got, err := wire.ParseAnswer(line); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
		if got, err := wire.ParseRequest(line); err == nil {
			t.Errorf("%s: got %+v as a request, want an error", name, got)
		}
	}
}

func TestNoLineMakesTheParsersPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9-]{1,3} (ok|tcp|part) [0-9-]{1,12} [0-9-]{1,12} [0-9-]{1,6} [\\0-9a-z-]{0,12}( [\\0-9a-z-]{0,12})?`)).Draw(t, "line")
		if a, err := wire.ParseAnswer(line); err == nil && (a.ID <= 0 || a.Connect < 0 || a.Total < 0 || a.LocalPort < 0) {
			t.Fatalf("%q: got %+v, want no negative numbers", line, a)
		}
		if r, err := wire.ParseRequest(line); err == nil && (r.ID <= 0 || r.Timeout < 0 || r.Port < 0 || r.Count < 0) {
			t.Fatalf("%q: got %+v, want no negative numbers", line, r)
		}
		if n, ok := wire.ParseEnd(line); ok && n < 0 {
			t.Fatalf("%q: got %d, want no negative number", line, n)
		}
		if tool, ok := wire.ParseHello(line); ok && wire.Hello(tool) != line {
			t.Fatalf("%q: got %q, want another tool", line, tool)
		}
	})
}

func TestEndsAndHellos(t *testing.T) {
	if n, ok := wire.ParseEnd(wire.End(17)); n != 17 || !ok {
		t.Errorf("got %d, %t, want 17", n, ok)
	}
	for _, line := range []string{"", "END", "END ", "END -", "END -1", "END +1", "END 1 ", "END 1x", "end 1", " END 1"} {
		if n, ok := wire.ParseEnd(line); ok {
			t.Errorf("%q: got %d, want no end", line, n)
		}
	}
	if tool, ok := wire.ParseHello(wire.Hello("bash")); tool != "bash" || !ok {
		t.Errorf("got %q, %t, want bash", tool, ok)
	}
	if tool, ok := wire.ParseHello("podpath 2 bash"); ok {
		t.Errorf("got %q, want no Hello of another version", tool)
	}
}
