package demo

import (
	"cmp"
	"fmt"
	"strings"

	"podpath/assets"
	"podpath/kube/demo/network"
)

// master is the machine that podpath seems to run on unless a lesson says
// otherwise.
const master = "raspi001"

// Begin makes the cluster what a lesson needs, and ends the lesson before it. The
// zero lesson needs nothing.
func (c *Cluster) Begin(l assets.Lesson) error {
	c.learning.Lock()
	defer c.learning.Unlock()
	if c.undo != nil {
		if err := c.undo(); err != nil {
			return fmt.Errorf("end the lesson before: %w", err)
		}
	}
	var err error
	if c.undo, err = c.Apply([]byte(strings.Join(l.Manifests, "---\n"))); err != nil {
		return fmt.Errorf("begin lesson %s: %w", l.Name, err)
	}
	err = c.SetMachine(cmp.Or(l.Machine, master))
	if err != nil && l.Machine == "" { // a cluster of a test may do without a master
		return c.SetMachine(network.Outside)
	}
	return err
}
