package menu

import (
	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/tui/intent"
)

// Namespaces is the menu of the cluster's namespaces.
func Namespaces(current string) Open {
	o := names("Namespaces", "There are no namespaces.", current,
		func(s *kube.Snapshot) []string { return s.Namespaces },
		func(name string) tea.Msg { return intent.UseNamespace{Namespace: name} })
	o.Resource = kube.Namespaces
	return o
}

// Contexts is the menu of the contexts of the kubeconfig.
func Contexts(contexts []string, current string) Open {
	return names("Contexts", "There are no contexts.", current,
		func(*kube.Snapshot) []string { return contexts },
		func(name string) tea.Msg { return intent.UseContext{Context: name} })
}

func names(title, none, current string, list func(*kube.Snapshot) []string, pick func(name string) tea.Msg) Open {
	return Open{Title: title, About: " ", None: none, Current: kube.Clean(current), Choices: func(s *kube.Snapshot) []Choice {
		var choices []Choice
		for _, name := range list(s) {
			c := Choice{Label: kube.Clean(name), Pick: pick(name)}
			if name == current {
				c.Note = "current"
			}
			choices = append(choices, c)
		}
		return choices
	}}
}
