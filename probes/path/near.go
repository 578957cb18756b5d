package path

import (
	"strings"
)

// closest is the word that another one was probably meant to be: the same but
// for a few letters, their case, or a part before or behind a hyphen. It is ""
// where none is near, or several are as near.
func closest(word string, among []string) string {
	best, at, several := "", len(word), false
	for _, other := range among {
		d, near := distance(word, other)
		switch {
		case !near || other == best:
		case best == "" || d < at:
			best, at, several = other, d, false
		case d == at:
			several = true
		}
	}
	if several {
		return ""
	}
	return best
}

// distance is how many letters are typed wrong, missing, too many or in the
// wrong place, and whether that may be a slip: one letter in four.
func distance(a, b string) (letters int, near bool) {
	x, y := strings.ToLower(a), strings.ToLower(b)
	if x == "" || y == "" {
		return 0, false
	}
	letters = slips(x, y)
	if most := max(1, min(len(x), len(y))/4); letters <= most && letters < min(len(x), len(y)) {
		return letters, true
	}
	short, long := x, y
	if len(short) > len(long) {
		short, long = long, short
	}
	return letters, strings.HasPrefix(long, short+"-") || strings.HasSuffix(long, "-"+short)
}

// slips is the distance of two words by letters that are changed, left out, put
// in, or exchanged with their neighbour (optimal string alignment).
func slips(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			change := row[j]
			if a[i] != b[j] {
				change++
			}
			next[j+1] = min(change, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
