// Package launch gets a prober to run where a probe starts: in a Pod, on a
// Node, or in podpath itself. It climbs a ladder, from what changes nothing
// to what the user has to allow:
//
//  1. local: podpath's own process
//  2. tools: what a container of the Pod has already, driven by a script
//  3. ephemeral: an ephemeral container (--allow-ephemeral)
//  4. upload: the prober, written into a container and deleted (--allow-upload)
//  5. helper: a Pod of podpath's own on the Node's network (--allow-helper-pods)
package launch

import (
	"context"
	"errors"
	"fmt"

	"podpath/probes/wire"
)

// Rung is a way of the ladder.
type Rung string

// The rungs, in the order in which they are tried.
const (
	Local     Rung = "local"
	Tools     Rung = "tools"
	Ephemeral Rung = "ephemeral"
	Upload    Rung = "upload"
	Helper    Rung = "helper"
)

// Via says how a prober got to run.
type Via struct {
	Rung Rung
	// Tool is what the prober runs on, such as bash; podpath for its own.
	Tool string
	// Pod and Container are where; empty for Local.
	Pod, Container string
	// Command is the whole argv of the exec. A script comes over its standard
	// input.
	Command []string
}

// String says it in one line: tools: bash in redis-container of pod/web-1.
func (v Via) String() string {
	switch {
	case v.Rung == "":
		return ""
	case v.Pod == "":
		return string(v.Rung)
	default:
		return fmt.Sprintf("%s: %s in %s of pod/%s", v.Rung, v.Tool, v.Container, v.Pod)
	}
}

// Link is a conversation with one running prober. Many callers may Ask at the
// same time: answers find their caller by ID.
type Link interface {
	// Via says how the prober got to run.
	Via() Via
	// Ask sends one request and returns its answer, data in parts joined. The
	// link gives the request its ID, which the answer carries; only for
	// wire.More and wire.Drop the caller names that of the wire.Hold. The error
	// is ErrCut when the prober ended without an answer, or the cause of ctx.
	Ask(ctx context.Context, request wire.Request) (wire.Answer, error)
	// Close ends the prober and reports whether it ended as it should: with
	// its END line, and as many answers as podpath got. Otherwise answers may
	// have been lost, and the error is ErrCut.
	Close() error
}

// ErrCut means that a prober ended, or its output did, before all was
// answered. Nothing is learned about the network from that.
var ErrCut = errors.New("the prober's output was cut")
