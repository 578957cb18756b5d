// Package cluster lets a test use, and break, the real cluster that the script beside it runs.
package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// The machines of the cluster. The tests run in the network of Master.
const (
	Master  = "raspi001"
	Worker  = "raspi002"
	Worker2 = "raspi003"
	Outside = "imac" // no part of the cluster
)

// long is more than anything takes that does not hang.
const long = 3 * time.Minute

// Cluster is the running cluster as one test sees it: what fails ends the test, what the test changes is undone after it.
type Cluster struct {
	t      *testing.T
	script string

	// Kubeconfig is the file of the cluster's admin.
	Kubeconfig string
	// API is for what kubectl cannot do in one line.
	API kubernetes.Interface
}

// Use is how a test gets the cluster that `make e2e` has started.
func Use(t *testing.T) *Cluster {
	t.Helper()
	script, kubeconfig := os.Getenv("CLUSTER"), os.Getenv("KUBECONFIG")
	if script == "" || kubeconfig == "" {
		t.Fatalf("there is no cluster; run: make e2e RUN=%s", t.Name())
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatalf("read %s: %v", kubeconfig, err)
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatalf("make a client from %s: %v", kubeconfig, err)
	}
	return &Cluster{t: t, script: script, Kubeconfig: kubeconfig, API: api}
}

// Kubectl runs kubectl as the cluster's admin and returns what it printed.
func (c *Cluster) Kubectl(args ...string) string {
	c.t.Helper()
	return c.run(append([]string{"kubectl"}, args...)...)
}

// Namespace makes a namespace that is deleted after the test.
func (c *Cluster) Namespace() string {
	c.t.Helper()
	name := fmt.Sprintf("e2e-%d", time.Now().UnixNano()%1e9)
	c.Kubectl("create", "namespace", name)
	c.t.Cleanup(func() { c.Kubectl("delete", "namespace", name, "--wait=false") })
	// Without it no Pod can be created; after an outage it comes late.
	c.Kubectl("--namespace", name, "wait", "--for=create", "serviceaccount/default", "--timeout=170s")
	return name
}

// WaitForRollout waits until all Pods of a Deployment are ready.
func (c *Cluster) WaitForRollout(namespace, deployment string) {
	c.t.Helper()
	c.Kubectl("--namespace", namespace, "rollout", "status", "deployment", deployment, "--timeout=170s")
}

// WaitForDaemonSet waits until a DaemonSet has a ready Pod on every node.
func (c *Cluster) WaitForDaemonSet(namespace, name string) {
	c.t.Helper()
	c.Kubectl("--namespace", namespace, "rollout", "status", "daemonset", name, "--timeout=170s")
}

// Eventually waits until try returns no error.
func (c *Cluster) Eventually(what string, timeout time.Duration, try func() error) {
	c.t.Helper()
	deadline := time.Now().Add(timeout)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("waited %v for %s: %v", timeout, what, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// On is a command on a machine: in its network.
func (c *Cluster) On(ctx context.Context, machine string, command ...string) *exec.Cmd {
	return exec.CommandContext(ctx, c.script, append([]string{"on", machine}, command...)...)
}

// Kill ends a program of a node as a crash would, and starts it again after the test unless the test has done so.
func (c *Cluster) Kill(node, program string) {
	c.t.Helper()
	c.run("kill", node, program)
	c.t.Cleanup(func() {
		_, _ = c.output("start", node, program) // refused when it runs again
		c.waitUntilReady()
		if program == "kube-apiserver" {
			c.wakeControllers()
		}
	})
}

// wakeControllers starts anew what waits up to a minute before it asks an API server that was gone again.
func (c *Cluster) wakeControllers() {
	c.t.Helper()
	for _, program := range []string{"kube-controller-manager", "kube-scheduler"} {
		c.run("kill", Master, program)
		c.run("start", Master, program)
	}
}

// Start starts a program that was killed.
func (c *Cluster) Start(node, program string) {
	c.t.Helper()
	c.run("start", node, program)
}

// Unplug pulls a node's network cable, and puts it back after the test.
func (c *Cluster) Unplug(node string) {
	c.t.Helper()
	c.run("unplug", node)
	c.t.Cleanup(func() {
		c.Plug(node)
		c.waitUntilReady()
	})
}

// Plug puts a node's network cable back.
func (c *Cluster) Plug(node string) {
	c.t.Helper()
	c.run("plug", node)
}

// waitUntilReady waits until all nodes are Ready, for the sake of the tests that follow.
func (c *Cluster) waitUntilReady() {
	c.t.Helper()
	c.Eventually("the cluster to be as before", long, func() error {
		out, err := c.output("status")
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// run runs the cluster script.
func (c *Cluster) run(args ...string) string {
	c.t.Helper()
	out, err := c.output(args...)
	if err != nil {
		c.t.Fatalf("cluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c *Cluster) output(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	out, err := exec.CommandContext(ctx, c.script, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// In is a command in a Pod, fed with input.
func (c *Cluster) In(ctx context.Context, namespace, pod string, input io.Reader, command ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.script, append([]string{"kubectl", "--namespace", namespace, "exec", "--stdin", pod, "--"}, command...)...)
	cmd.Stdin = input
	return cmd
}
