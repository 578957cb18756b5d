package path

import (
	"strings"
	"testing"
)

func TestAHostThatNoNameInDNSCanHaveIsNoTarget(t *testing.T) {
	label := strings.Repeat("a", labelMost)
	longest := strings.Join([]string{label, label, label, strings.Repeat("b", nameMost-3*(labelMost+1))}, ".")
	for host, want := range map[string]string{
		longest:                        "",
		longest + ".":                  "",
		label + "." + label:            "",
		longest + "b":                  "254 letters, and a name in DNS has at most 253",
		strings.Repeat("a", 5000):      "5000 letters, and a name in DNS has at most 253",
		label + "a.example.com":        "64 letters without a dot, and a name in DNS has at most 63",
		"[2001:db8::1234:5678:9abc:d]": "",
	} {
		for _, word := range []string{host + ":80", "http://" + host + "/", "https://" + host + ":8443", "dns:" + strings.Trim(host, "[]")} {
			_, err := ParseTarget(word)
			if want == "" && err != nil || want != "" && !has(err, want) {
				t.Errorf("%.80s: got %v, want %q", word, err, want)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("%.80s: got an error of %d letters", word, len(err.Error()))
			}
		}
	}
}
