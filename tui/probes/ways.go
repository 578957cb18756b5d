package probes

import (
	"slices"

	"podpath/kube"
	"podpath/probes/launch"
	"podpath/tui/menu"
)

// wayTexts say what each further rung of the ladder would create.
var wayTexts = []struct {
	rung           launch.Rung
	label, creates string
}{
	{
		launch.Ephemeral, "ephemeral containers",
		"Adds a container to each Pod without tools, where possible from an image that its Node has already, as a user without rights. It ends by itself after 15 minutes, but Kubernetes cannot remove it: the Pod lists it until the Pod is gone.",
	},
	{
		launch.Upload, "uploads of its prober",
		"Writes a program of about 2 MB into a writable directory of a container, such as /tmp or an emptyDir, and deletes it before it starts to run.",
	},
	{
		launch.Helper, "helper Pods",
		"Creates a Pod on the network of a Node, for probes that start at the Node. It is labelled app.kubernetes.io/managed-by=podpath and deleted when podpath is quit.",
	},
}

// ways are the rungs that podpath may not use yet.
func (p *Pane) ways() []launch.Rung {
	var left []launch.Rung
	for _, w := range wayTexts {
		if !slices.Contains(p.permitted, w.rung) {
			left = append(left, w.rung)
		}
	}
	return left
}

// Ways are the further ways into Pods that podpath may be permitted to use.
func (p *Pane) Ways(*kube.Snapshot) []menu.Choice {
	var choices []menu.Choice
	left := p.ways()
	for _, w := range wayTexts {
		if slices.Contains(left, w.rung) {
			choices = append(choices, menu.Choice{Label: "permit " + w.label, Explains: w.creates, Pick: Permit{[]launch.Rung{w.rung}}})
		} else {
			choices = append(choices, menu.Choice{Label: "permitted: " + w.label, Explains: w.creates})
		}
	}
	if len(left) > 1 {
		choices = append(choices, menu.Choice{Label: "permit all of these", Explains: "For as long as podpath is connected to this cluster. In this order: the next one is tried only where the one before does not do.", Pick: Permit{left}})
	}
	return choices
}
