// Package probes is the pane of probes: a matrix of what was checked from
// where to where, and the evidence of each check.
package probes

import (
	"podpath/probes/launch"
	"podpath/probes/path"
)

// Request is what the user wants checked.
type Request struct {
	// Title says it in a few words.
	Title  string
	Intent path.Intent
}

// What the pane and its menus ask of the root, as messages of commands.
type (
	// Start runs what was requested, and shows it.
	Start struct{ Request Request }
	// Again runs some checks of the pane once more: those with the IDs, or
	// all where that is nil.
	Again struct{ IDs []string }
	// Everything checks all that is worth it in what podpath looks at.
	Everything struct{}
	// ShowEvidence shows everything about a check.
	ShowEvidence struct{ ID string }
	// AskForWays asks which further ways into Pods podpath may use.
	AskForWays struct{}
	// Permit lets podpath use further ways, for as long as it is connected.
	Permit struct{ Rungs []launch.Rung }
)

// News is what has happened in a run since the last news.
type News struct {
	// Planned is set once the checks are known; Unknown says what podpath
	// could not read while planning.
	Planned bool
	Checks  []path.Check
	Unknown []error
	// World is what they were planned from.
	World *path.World
	// Choices are where the plan looks at some of many.
	Choices []path.Choice
	// Seen are results as they came, without causes.
	Seen []path.Result
	// Final are all results, with causes.
	Final []path.Result
	// Done is set at the end; Err is why nothing could be checked.
	Done bool
	Err  error
}
