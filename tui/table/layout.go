package table

// sized is a column as layout sees it.
type sized struct {
	min, natural int
	priority     int
	extra        bool // shown only where all others have their natural width
}

// layout decides which columns are shown in width cells, and how wide each is;
// 0 means not shown. Columns with the highest priority number go first until
// the rest has its minimum; what is left over brings them up to their natural
// width, the lowest priority number first.
func layout(columns []sized, width, gap int) []int {
	widths := make([]int, len(columns))
	shown, used, natural := 0, 0, -gap
	for i, c := range columns {
		if natural += c.natural + gap; c.extra && natural > width {
			continue
		}
		widths[i] = min(c.min, c.natural)
		used += widths[i]
		shown++
	}
	for used+gap*(shown-1) > width && shown > 1 {
		drop := -1
		for i, c := range columns {
			if widths[i] > 0 && (drop < 0 || c.priority >= columns[drop].priority) {
				drop = i
			}
		}
		used -= widths[drop]
		widths[drop] = 0
		shown--
	}
	spare := width - used - gap*(shown-1)
	if spare < 0 { // one column is left, and even that is too wide
		for i := range widths {
			widths[i] = min(widths[i], max(0, width))
		}
		return widths
	}
	for priority := 0; spare > 0 && priority <= maxPriority; priority++ {
		for i, c := range columns {
			if widths[i] == 0 || c.priority != priority {
				continue
			}
			more := min(spare, c.natural-widths[i])
			widths[i] += more
			spare -= more
		}
	}
	return widths
}

// maxPriority is the highest priority number a column may have.
const maxPriority = 20
