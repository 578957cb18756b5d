package filter

import (
	"slices"
	"testing"

	"podpath/kube"
)

var rows = []Subject{
	{Fields: []string{"web-1", "raspi001", "10.0.0.1"}, Labels: kube.Labels{{Key: "app", Value: "web"}}},
	{Fields: []string{"web-2", "raspi002", "10.0.0.2"}, Labels: kube.Labels{{Key: "app", Value: "web"}, {Key: "track", Value: "canary"}}},
	{Fields: []string{"DB-1", "raspi002", "10.0.0.3"}, Labels: kube.Labels{{Key: "app", Value: "db"}}},
}

func TestKeep(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"everything when empty":               {"", []string{"web-1", "web-2", "DB-1"}},
		"everything for spaces":               {"  ", []string{"web-1", "web-2", "DB-1"}},
		"a part of any field":                 {"spi002", []string{"web-2", "DB-1"}},
		"upper case in the row":               {"db", []string{"DB-1"}},
		"upper case in the filter":            {"WEB", []string{"web-1", "web-2"}},
		"every word, each in any field":       {"raspi002 web", []string{"web-2"}},
		"without":                             {"!web", []string{"DB-1"}},
		"without those that have all words":   {"!web raspi002", []string{"web-1", "DB-1"}},
		"without nothing is everything":       {"!", []string{"web-1", "web-2", "DB-1"}},
		"letters in order where no word is":   {"wb2", []string{"web-2"}},
		"words win over letters":              {"b-1", []string{"web-1", "DB-1"}},
		"letters are not enough for an exact": {"web-1", []string{"web-1"}},
		"nothing at all":                      {"xyz", nil},
		"labels":                              {"-l app=web", []string{"web-1", "web-2"}},
		"labels without a space":              {"-lapp=web,track=canary", []string{"web-2"}},
		"labels that are not there":           {"-l !track", []string{"web-1", "DB-1"}},
		"a set of label values":               {"-l app in (db, cache)", []string{"DB-1"}},
		"every row for an empty selector":     {"-l ", []string{"web-1", "web-2", "DB-1"}},
	} {
		f, err := Parse(c.text)
		if err != nil || f.Text != c.text {
			t.Errorf("%s: got filter %q and %v", name, f.Text, err)
		}
		var got []string
		for _, kept := range Keep(f, rows, func(s Subject) Subject { return s }) {
			got = append(got, kept.Fields[0])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v for %q, want %v", name, got, c.text, c.want)
		}
	}
}

func TestParseRefusesBadSelectors(t *testing.T) {
	for _, text := range []string{"-l app in (", "-l =web", "-l app=a b", "-l -x"} {
		if f, err := Parse(text); err == nil || f.Text != "" {
			t.Errorf("%q: got %+v and no error", text, f)
		}
	}
}
