package table

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestLayout(t *testing.T) {
	name := sized{min: 4, natural: 10}
	age := sized{min: 3, natural: 3, priority: 1}
	labels := sized{min: 5, natural: 20, priority: 9}
	extra := sized{min: 6, natural: 6, priority: 9, extra: true}
	for title, c := range map[string]struct {
		columns []sized
		width   int
		want    []int
	}{
		"all natural":                               {[]sized{name, age, labels}, 35, []int{10, 3, 20}},
		"the least important is squeezed first":     {[]sized{name, age, labels}, 30, []int{10, 3, 15}},
		"and left out first":                        {[]sized{name, age, labels}, 13, []int{9, 3, 0}},
		"the first one stays to the last":           {[]sized{name, age, labels}, 7, []int{7, 0, 0}},
		"even where there is no room for it":        {[]sized{name, age}, 2, []int{2, 0}},
		"an extra one takes room that is left over": {[]sized{name, age, extra}, 21, []int{10, 3, 6}},
		"and never squeezes another":                {[]sized{name, age, extra}, 20, []int{10, 3, 0}},
		"nothing in no room":                        {[]sized{name}, 0, []int{0}},
	} {
		if got := layout(c.columns, c.width, 1); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", title, got, c.want)
		}
	}
}

func anyColumn(extra bool) *rapid.Generator[sized] {
	return rapid.Custom(func(t *rapid.T) sized {
		return sized{
			min: rapid.IntRange(1, 40).Draw(t, "min"), natural: rapid.IntRange(1, 40).Draw(t, "natural"),
			priority: rapid.IntRange(1, maxPriority).Draw(t, "priority"), extra: extra,
		}
	})
}

func TestLayoutKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := append(rapid.SliceOfN(anyColumn(false), 1, 8).Draw(t, "columns"), rapid.SliceOfN(anyColumn(true), 0, 3).Draw(t, "extra columns")...)
		columns[0].priority = 0
		width := rapid.IntRange(1, 200).Draw(t, "width")
		widths := layout(columns, width, 1)

		used, shown, allNatural := -1, 0, true
		for i, w := range widths {
			if w > 0 {
				used, shown = used+w+1, shown+1
			}
			allNatural = allNatural && (columns[i].extra || w == columns[i].natural)
		}
		if widths[0] == 0 {
			t.Fatalf("got %v, want the first column always", widths)
		}
		if used > width {
			t.Fatalf("got %v, %d cells, want at most %d", widths, used, width)
		}
		for i, w := range widths {
			c := columns[i]
			switch {
			case w > c.natural, w > 0 && w < min(c.min, c.natural) && shown > 1:
				t.Fatalf("got %v: column %d is %d wide, want %d to %d", widths, i, w, min(c.min, c.natural), c.natural)
			case w > 0 && c.extra && !allNatural:
				t.Fatalf("got %v: column %d is extra and shown, want all others natural first", widths, i)
			}
		}
	})
}
