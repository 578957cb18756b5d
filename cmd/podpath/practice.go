package main

import (
	"context"
	"errors"
	"fmt"

	"podpath/assets"
	"podpath/kube"
	"podpath/kube/demo"
	"podpath/probes/launch"
	"podpath/probes/wire"
	"podpath/tui"
)

// clusterOptions say which cluster to use: one of a kubeconfig, or the practice
// cluster.
type clusterOptions struct {
	kube.Options
	demo, still bool
	lesson      string // "" for none

	practice *demo.Cluster // while it runs
}

// seed is of the practice cluster: it is the same for everybody, so that they
// can talk about what they see.
const seed = 1

// practises reports whether the practice cluster is meant.
func (o *clusterOptions) practises() bool { return o.demo || o.lesson != "" }

// check finds flags that contradict each other.
func (o *clusterOptions) check() error {
	switch {
	case o.practises() && (o.Kubeconfig != "" || o.Context != "" || o.As != "" || len(o.AsGroups) > 0):
		return errors.New("--demo and --lesson use the practice cluster: leave --kubeconfig, --context and --as out")
	case o.still && !o.practises():
		return errors.New("--still is for the practice cluster: add --demo")
	}
	return validate(&o.Options)
}

// start starts the practice cluster, where it was asked for and does not run
// yet. It runs until close.
func (o *clusterOptions) start() error {
	if !o.practises() || o.practice != nil {
		return nil
	}
	options := demo.Options{Still: o.still, Seed: seed}
	var err error
	if o.lesson != "" {
		if options.Lesson, err = assets.FindLesson(o.lesson); err != nil {
			return err
		}
	}
	if o.practice, err = demo.Start(context.Background(), options); err != nil {
		return fmt.Errorf("start the practice cluster: %w", err)
	}
	o.Inline, err = o.practice.Kubeconfig()
	return err
}

// close ends the practice cluster.
func (o *clusterOptions) close() {
	if o.practice != nil {
		_ = o.practice.Close()
	}
}

// connect connects to the cluster.
func (o *clusterOptions) connect() (*kube.Config, *kube.Client, error) {
	if err := o.start(); err != nil {
		return nil, nil, err
	}
	config, err := kube.Load(o.Options)
	if err != nil {
		return nil, nil, err
	}
	client, err := kube.NewClient(config)
	return config, client, err
}

// connectSilently connects for a completion: a credential plugin may ask
// nothing then.
func (o *clusterOptions) connectSilently() (*kube.Config, *kube.Client, error) {
	o.Interactive = false
	return o.connect()
}

// lessons are what the UI needs to teach; nil without the practice cluster.
func (o *clusterOptions) lessons() *tui.Practice {
	if o.practice == nil {
		return nil
	}
	return &tui.Practice{Lessons: assets.Lessons(), Begin: o.practice.Begin, Lesson: o.lesson}
}

// machine is what podpath runs on.
func (o *clusterOptions) machine() launch.Machine {
	if o.practice != nil {
		return o.practice.Machine()
	}
	return wire.Host{}
}
