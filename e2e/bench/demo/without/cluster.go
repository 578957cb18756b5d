// Package demo stands in for the practice cluster in a build that is made only to tell how much of podpath's size that is. See the
// script run.
package demo

import (
	"context"
	"errors"

	"podpath/assets"
	"podpath/probes/wire"
)

// Options are those that cmd/podpath sets.
type Options struct {
	Lesson assets.Lesson
	Still  bool
	Seed   uint64
}

// Cluster is none.
type Cluster struct{}

// Start fails.
func Start(context.Context, Options) (*Cluster, error) {
	return nil, errors.New("this podpath was built without the practice cluster")
}

// Close does nothing.
func (*Cluster) Close() error { return nil }

// Kubeconfig is empty.
func (*Cluster) Kubeconfig() ([]byte, error) { return nil, nil }

// Machine is the real one.
func (*Cluster) Machine() wire.Host { return wire.Host{} }

// Begin does nothing.
func (*Cluster) Begin(assets.Lesson) error { return nil }
