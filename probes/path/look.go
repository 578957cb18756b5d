package path

import (
	"errors"
	"fmt"
	"slices"

	"podpath/kube"
	"podpath/probes/launch"
)

// failure is why no prober runs in the source, if that is why podpath is blind.
func (k kase) failure() *launch.Failure {
	var failure *launch.Failure
	if !errors.As(k.Blind, &failure) {
		return nil
	}
	return failure
}

// refusals are what each rung of the ladder said.
func refusals(f *launch.Failure) []Evidence {
	var out []Evidence
	for _, r := range f.Refusals {
		out = append(out, Evidence{What: kube.Clean(string(r.Rung)), Seen: kube.Clean(fmt.Sprint(r.Why))})
	}
	return out
}

func (k kase) execDenied() *Cause {
	f := k.failure()
	if f == nil || f.Code != launch.ExecDenied {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("You may not run commands in %s, so that podpath cannot look from there.", k.Source.Label),
		Evidence: refusals(f), Next: run("prints the rules to ask for", "podpath", "rbac", "probe"),
	}
}

func (k kase) noTools() *Cause {
	f := k.failure()
	switch {
	case f == nil || f.Code != launch.NoTools:
		return nil
	case k.Source.Kind == FromNode:
		return &Cause{
			Summary:  fmt.Sprintf("podpath does not run on %s, and no Pod in the Node's network has tools.", k.Source.Label),
			Evidence: refusals(f), Next: advise("allow a Pod of podpath's own there with --allow-helper-pods, or run podpath on the Node"),
		}
	}
	return &Cause{
		Summary:  fmt.Sprintf("No container of %s has a tool that podpath could use.", k.Source.Label),
		Evidence: refusals(f), Next: advise("allow an ephemeral container with --allow-ephemeral, or the prober in a container with --allow-upload"),
	}
}

// sourceDown is a source of which no container runs: no tool helps there.
func (k kase) sourceDown() *Cause {
	f, pod := k.failure(), k.Pod(k.Source.Pod)
	if f == nil || f.Code != launch.NoTools || pod == nil || Runs(pod) {
		return nil
	}
	next := run("", "kubectl", "describe", "pod", "-n", pod.Namespace, pod.Name)
	if slices.ContainsFunc(pod.Reasons, func(r kube.Reason) bool { return r.Code == kube.Crashing }) {
		next = k.podLogs(pod, "")
	}
	return &Cause{
		Summary:  fmt.Sprintf("No container of %s runs (%s), so that podpath cannot look from there.", k.Source.Label, pod.Status),
		Evidence: refusals(f), Next: next,
	}
}

// execFailed is a source where commands do not run, or end too late.
func (k kase) execFailed() *Cause {
	f := k.failure()
	if f == nil || f.Code != launch.ExecFailed {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Commands do not run in %s, so that podpath cannot look from there.", k.Source.Label),
		Evidence: refusals(f), Next: run("", "kubectl", "describe", "node", k.Source.Node),
	}
	if n := k.Node(k.Source.Node); n != nil && !n.Ready {
		c.Summary = fmt.Sprintf("Commands do not run in %s: its Node %s is not ready.", k.Source.Label, n.Name)
	}
	return c
}

func (k kase) kubeletAway() *Cause {
	f := k.failure()
	var exec *kube.ExecError
	if f == nil {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("The API server does not reach the kubelet of Node %s.", k.Source.Node),
		Evidence: refusals(f), Next: run("", "kubectl", "describe", "node", k.Source.Node),
	}
	if errors.As(f, &exec) && exec.Failure == kube.KubeletAway {
		return c
	}
	if f.Code != launch.ExecFailed {
		return nil
	}
	if silence := k.silentKubelet(k.Node(k.Source.Node)); silence != nil { // the API server still waits for it
		c.Evidence = append(c.Evidence, *silence)
		return c
	}
	return nil
}
