package forwards

import (
	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/menu"
)

// What the pane and its menus ask of the root, as messages of commands.
type (
	// AskLocal asks for the local port of a destination.
	AskLocal struct{ Destination forward.Destination }
	// Show shows the endpoints of a forward.
	Show struct{ ID int }
	// AskStop asks whether to stop a forward; one that has failed is forgotten.
	AskStop struct{ Status forward.Status }
	// Retry asks for the local port again, and begins anew.
	Retry struct{ Status forward.Status }
	// SetPolicy changes which endpoint is next.
	SetPolicy struct {
		ID     int
		Policy forward.Policy
	}
	// SetVia changes the route.
	SetVia struct {
		ID  int
		Via forward.Via
	}
)

// explained is a short text and a long one.
type explained struct{ short, long string }

// policyTexts explain the policies.
var policyTexts = map[forward.Policy]explained{
	forward.EWMA:       {"the least busy", "The endpoint with the fewest open connections, weighed with how long it took to open one lately."},
	forward.RoundRobin: {"in turn", "One endpoint after the other."},
	forward.Random:     {"by chance", "Any endpoint, each as likely."},
	forward.Sticky:     {"by client", "Always the same endpoint for the address of a client."},
}

// policies is the menu of policies.
func policies(s forward.Status) menu.Open {
	return menu.Open{Title: "Policy", Current: string(s.Order.Policy), Choices: func(*kube.Snapshot) []menu.Choice {
		var choices []menu.Choice
		for _, p := range forward.Policies {
			choices = append(choices, menu.Choice{Label: string(p), Note: note(policyTexts[p], p == s.Order.Policy), Explains: policyTexts[p].long, Pick: SetPolicy{s.ID, p}})
		}
		return choices
	}}
}

// viaTexts explain the routes.
var viaTexts = map[forward.Via]explained{
	forward.ViaAuto:   {"measured", "Directly where a Pod answers within 300 ms, else through the API server."},
	forward.ViaDirect: {"to the Pods", "To the addresses of the Pods, which a machine in the Pod network reaches, such as a Node."},
	forward.ViaTunnel: {"by the API server", "Through the API server; it takes the permission to create pods/portforward."},
}

// routes is the menu of routes.
func routes(s forward.Status) menu.Open {
	return menu.Open{Title: "Route", Current: string(s.Order.Via), Choices: func(*kube.Snapshot) []menu.Choice {
		var choices []menu.Choice
		for _, v := range forward.Vias {
			choices = append(choices, menu.Choice{Label: string(v), Note: note(viaTexts[v], v == s.Order.Via), Explains: viaTexts[v].long + " Open connections stay where they are.", Pick: SetVia{s.ID, v}})
		}
		return choices
	}}
}

func note(e explained, current bool) string {
	if current {
		return e.short + ", current"
	}
	return e.short
}
