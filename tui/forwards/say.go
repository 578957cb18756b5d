package forwards

import (
	"fmt"
	"strings"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/style"
)

// line is a sentence and its role.
type line struct {
	text string
	role style.Role
}

// say says what a forward is and how it stands.
func say(s forward.Status) []line {
	where := kube.Clean(s.Cluster) + " › " + s.Order.Namespace + " › " + s.Order.Label
	if s.Cluster == "" {
		where = s.Order.Namespace + " › " + s.Order.Label
	}
	lines := []line{{where, style.Accent}}
	if s.URL != "" && s.Phase == forward.Serving {
		lines[0].text = s.URL + " → " + where
	}
	return append(lines, stands(s)...)
}

// stands says how a forward stands, and why.
func stands(s forward.Status) []line {
	switch s.Phase {
	case forward.Failed:
		return []line{{kube.Clean(s.Err.Error()) + ".", style.Bad}, {"r tries again, also with another local port; x forgets it.", style.Dim}}
	case forward.Starting:
		return []line{{"starting: podpath reads the namespace, asks for the permission, and looks for the way …", style.Warn}}
	case forward.Finishing:
		return []line{{"stopping: " + kube.Count(s.Stats.Open, "open connection") + " may run on for a while; x resets them.", style.Warn}}
	default:
		return serves(s)
	}
}

// serves says how a forward stands that listens.
func serves(s forward.Status) (lines []line) {
	if s.Stats.Why != "" {
		lines = append(lines, line{"No endpoint: connections wait up to 5 s, and are refused then. " + kube.Clean(s.Stats.Why), style.Bad})
	} else {
		lines = append(lines, line{endpoints(s.Stats) + ", " + route(s) + ", " + string(s.Order.Policy), style.Dim})
	}
	if s.Stats.Refused > 0 {
		lines = append(lines, line{kube.Count(int(s.Stats.Refused), "connection") + " refused, the last one because: " + s.Stats.RefusedWhy, style.Bad})
	}
	return lines
}

// endpoints counts the endpoints by their state.
func endpoints(s forward.Stats) string {
	counts, all := map[string]int{}, 0
	for _, e := range s.Endpoints {
		if e.State != gone {
			counts[e.State]++
			all++
		}
	}
	text := fmt.Sprintf("%d of %s ready", counts["ready"], kube.Count(all, "endpoint"))
	var rest []string
	for _, state := range []string{"ejected", "terminating", "not ready"} {
		if counts[state] > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if len(rest) > 0 {
		text += " (" + strings.Join(rest, ", ") + ")"
	}
	return text
}

// draw wraps lines to a width, and cuts them off after so many.
func draw(theme *style.Theme, lines []line, width, most int) []string {
	var out []string
	for _, l := range lines {
		wrapped := style.Wrap(l.text, width)
		if l.role == style.Accent {
			wrapped = []string{style.FitMiddle(l.text, width)}
		}
		for _, text := range wrapped {
			out = append(out, theme.Render(l.role, text))
		}
	}
	return out[:max(0, min(len(out), most))]
}
