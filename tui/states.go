package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"podpath/kube"
	"podpath/tui/page"
	"podpath/tui/style"
	"podpath/tui/words"
)

var resources = []kube.Resource{kube.Pods, kube.Nodes, kube.Services, kube.EndpointSlices, kube.Namespaces}

// stateSummary says in few words how far what is on the screen can be
// trusted: "live", or what is with the resources that are not.
func stateSummary(s *kube.Snapshot) (string, style.Role) {
	var parts []string
	role, forbidden := style.Good, 0
	for _, r := range resources {
		state := s.State(r)
		switch state.Phase {
		case kube.Live:
			continue
		case kube.Syncing:
			if role == style.Good {
				role = style.Warn
			}
		case kube.Stale:
			role = style.Bad
		case kube.Forbidden:
			role = style.Bad
			if forbidden++; forbidden > 1 {
				continue
			}
		}
		parts = append(parts, r.String()+" "+stateWord(state))
	}
	if forbidden > 1 {
		parts = slices.DeleteFunc(parts, func(p string) bool { return strings.HasSuffix(p, " "+kube.Forbidden.String()) })
		parts = append(parts, fmt.Sprintf("%d forbidden, see :status", forbidden))
	}
	switch {
	case isMissing(s):
		return "there is no namespace " + s.Scope.Namespace, style.Bad
	case len(parts) == 0:
		return "live", role
	case sameState(s):
		return stateWord(s.State(kube.Pods)), role
	default:
		return strings.Join(parts, " · "), role
	}
}

// isMissing reports that the namespace looked at does not exist, as far as
// podpath may know.
func isMissing(s *kube.Snapshot) bool {
	return !s.Scope.All() && s.State(kube.Namespaces).Phase == kube.Live && !slices.Contains(s.Namespaces, s.Scope.Namespace)
}

// sameState reports whether all resources are in the same phase.
func sameState(s *kube.Snapshot) bool {
	for _, r := range resources {
		if s.State(r).Phase != s.State(kube.Pods).Phase {
			return false
		}
	}
	return true
}

func stateWord(s kube.State) string {
	switch {
	case s.Phase == kube.Stale:
		return "stale since " + s.Since.Local().Format(time.TimeOnly)
	case s.Unauthorized():
		return "not logged in"
	case s.Phase == kube.Syncing && s.Code != 0:
		return "failing"
	case s.Phase == kube.Syncing && s.Err != "":
		return "unreachable"
	default:
		return s.Phase.String()
	}
}

// stateLines says everything about each resource's state.
func stateLines(s *kube.Snapshot, server string) []page.Line {
	lines := []page.Line{{Text: "What podpath reads from " + server + ", in " + words.Scope(s.Scope), Role: style.Title}, {}}
	for _, r := range resources {
		state := s.State(r)
		line := page.Line{Text: fmt.Sprintf("%-15s %s", r, stateWord(state)), Indent: 16}
		if state.Phase != kube.Live {
			line.Role = style.Warn
		}
		lines = append(lines, line)
		for _, why := range explain(state) {
			lines = append(lines, page.Line{Text: strings.Repeat(" ", 16) + why, Role: style.Dim, Indent: 16})
		}
	}
	return lines
}

// explain says what is wrong with a resource, and what to do about it.
func explain(s kube.State) []string {
	switch {
	case s.Phase == kube.Forbidden:
		return []string{
			s.Denied.Error() + ".",
			"A rule in a " + s.Denied.RoleKind() + " would permit it:",
			s.Denied.Rule(),
		}
	case s.Err != "":
		return []string{s.Err + ".", "What to do: " + s.Advice() + ".", "podpath keeps trying."}
	default:
		return nil
	}
}

// emptyLines stand in for a list that has no rows: they say why.
func emptyLines(s *kube.Snapshot, r kube.Resource, l lister) []page.Line {
	state := s.State(r)
	switch {
	case state.Phase == kube.Syncing && state.Err == "":
		noun := map[kube.Resource]string{kube.Pods: "Pods", kube.Services: "Services", kube.EndpointSlices: "endpoints", kube.Namespaces: "namespaces"}[r]
		text := "listing " + noun + " …"
		if state.Received > 0 {
			text += " " + strconv.Itoa(state.Received)
		}
		return []page.Line{{Text: text, Role: style.Dim}}
	case !state.Listed:
		var lines []page.Line
		for _, why := range explain(state) {
			lines = append(lines, page.Line{Text: why, Role: style.Warn})
		}
		return lines
	case l.Filter() != "":
		return []page.Line{{Text: "Nothing matches " + l.Filter() + ": esc clears the filter.", Role: style.Dim}}
	default:
		return []page.Line{{Text: l.None(), Role: style.Dim}}
	}
}
