package e2e_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

const (
	// nowhere swallows packets: what is sent there ends with its timeout.
	nowhere = "192.0.2.1:80"
	// absent is an image that cannot be had, which is known at once.
	absent = "127.0.0.1:1/absent:1"
)

// rungs is a namespace with the Pods of rungs.yaml.
func rungs(t *testing.T) place {
	t.Helper()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.ApplyRungs(p.namespace)
	return p
}

// guests are the ephemeral containers of a Pod.
func (p place) guests(pod string) []string {
	return strings.Fields(p.get("pod/"+pod, "{.spec.ephemeralContainers[*].name}"))
}

// uploads are the files of podpath in a container that has a shell.
func (p place) uploads(pod, container string) string {
	const look = `for file in /tmp/.podpath-* /var/tmp/.podpath-* /run/.podpath-* /home/.podpath-* /var/cache/shop/.podpath-*; do [ ! -e "$file" ] || echo "$file"; done`
	return p.c.Kubectl("--namespace", p.namespace, "exec", pod, "--container="+container, "--", "sh", "-c", look)
}

// by checks that all was reached on this way.
func (r report) by(t *testing.T, way string) {
	t.Helper()
	r.want(t, 0)
	for _, p := range r.Results {
		if !strings.HasPrefix(p.Via, way) || p.Verdict != "pass" {
			t.Errorf("got %s, want it reached by %q", p, way)
		}
	}
}

// blind checks that podpath could not look, and says why.
func (r report) blind(t *testing.T, why ...string) {
	t.Helper()
	r.want(t, 3)
	for _, p := range r.Results {
		for _, text := range why {
			if p.Verdict != "inconclusive" || !strings.Contains(p.Detail, text) {
				t.Errorf("got %s, want it inconclusive because of %q", p, text)
			}
		}
	}
}

func TestEphemeralContainerIsMadeOfAnImageOfTheNodeAndUsedAgain(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	words := []string{"pod/scratch", "pod/target:8080"}
	probe(t, p.c.Kubeconfig, p.namespace, append(words, "--allow-ephemeral")...).by(t, "ephemeral: nc in podpath-")
	guests := p.guests("scratch")
	if image := p.get("pod/scratch", "{.spec.ephemeralContainers[*].image}"); len(guests) != 1 || image != "busybox:1.35" {
		t.Errorf("got ephemeral containers %v of %q, want one of the image of its neighbour", guests, image)
	}
	probe(t, p.c.Kubeconfig, p.namespace, append(words, "--allow-ephemeral")...).by(t, "ephemeral: nc in "+guests[0])
	probe(t, p.c.Kubeconfig, p.namespace, words...).by(t, "ephemeral: nc in "+guests[0]) // it is there: nothing has to be allowed
	if again := p.guests("scratch"); len(again) != 1 {
		t.Errorf("got ephemeral containers %v, want the first one used again", again)
	}
}

func TestEphemeralContainerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	began := time.Now()
	probe(t, p.c.Kubeconfig, p.namespace, "pod/lonely-scratch", "pod/target:8080", "--allow-ephemeral="+absent).
		blind(t, "ephemeral: ", "it does not start: ErrImagePull: ", absent, "connection refused")
	if took := time.Since(began); took > 30*time.Second { // the kubelet itself says it only after 10 s
		t.Errorf("it took %v, want podpath not to wait for an image that cannot be had", took)
	}
	probe(t, p.c.Kubeconfig, p.namespace, "pod/lonely-scratch", "pod/target:8080", "--allow-ephemeral=example.test/shell:1").
		blind(t, "container podpath-", "has no python3, perl, bash or nc")
}

func TestRestrictedNamespaceTakesEphemeralContainersAndNoHelperPods(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	p := place{c, c.Namespace()}
	c.Kubectl("label", "namespace", p.namespace, "pod-security.kubernetes.io/enforce=restricted")
	c.ApplyRungs(p.namespace)
	probe(t, c.Kubeconfig, p.namespace, "pod/scratch", "pod/target:8080", "--allow-ephemeral").by(t, "ephemeral: nc in ")
	probe(t, c.Kubeconfig, p.namespace, "node/"+cluster.Worker, "pod/target:8080", "--allow-helper-pods").
		blind(t, "helper: ", `violates PodSecurity "restricted`, "hostNetwork=true")
}

func TestUploadedProberAnswersAndLeavesNoFile(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	for _, pod := range []string{"shell", "readonly-shell"} {
		probe(t, p.c.Kubeconfig, p.namespace, "pod/"+pod, "pod/target:8080", "https://kubernetes.default/readyz", "dns:kubernetes.default", "--allow-upload").
			by(t, "upload: podpath in shell of ")
		if left := p.uploads(pod, "shell"); left != "" {
			t.Errorf("got %s left in %s", left, pod)
		}
	}
	probe(t, p.c.Kubeconfig, p.namespace, "pod/scratch", "pod/target:8080", "--allow-upload").blind(t, "no container of it has a shell to write with")
	probe(t, p.c.Kubeconfig, p.namespace, "pod/lonely-scratch", "pod/target:8080", "--allow-ephemeral=example.test/shell:1", "--allow-upload").
		by(t, "upload: podpath in podpath-")
	if left := p.uploads("lonely-scratch", p.guests("lonely-scratch")[0]); left != "" {
		t.Errorf("got %s left in the ephemeral container", left)
	}
}

func TestUploadLeavesNoFileWhateverHappensToPodpath(t *testing.T) {
	t.Parallel()
	p := rungs(t)
	slow := slowly(t, p.c.Kubeconfig, 500_000)
	for _, pod := range []string{"shell", "readonly-shell"} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
			t.Run(fmt.Sprintf("%s while it writes to %s", signal, pod), func(t *testing.T) {
				p := p.now(t)
				run := start(t, command(t, slow, "probe", "-n", p.namespace, "pod/"+pod, "pod/target:8080", "--allow-upload"))
				p.c.Eventually("a file", soon, func() error { return contains(p.uploads(pod, "shell"), ".podpath-") })
				run.signal(signal, 5*time.Second)
				p.c.Eventually("no file", soon, func() error { return empty(p.uploads(pod, "shell")) })
			})
		}
	}
	t.Run("killed while it probes", func(t *testing.T) {
		p := p.now(t)
		run := start(t, command(t, p.c.Kubeconfig, "probe", "-n", p.namespace, "pod/shell", nowhere, "--allow-upload", "--timeout=5s"))
		p.c.Eventually("the prober", soon, func() error { return contains(p.processes("shell"), prober) })
		if left := p.uploads("shell", "shell"); left != "" {
			t.Errorf("got %s while it runs, want it deleted before", left)
		}
		run.signal(syscall.SIGKILL, time.Second)
		p.c.Eventually("its end", soon, func() error {
			if running := p.processes("shell"); strings.Contains(running, prober) {
				return fmt.Errorf("got the processes %q", running)
			}
			return nil
		})
	})
}

// processes are the names of what runs in a container that has a shell, each in a line of its own.
func (p place) processes(pod string) string {
	return "\n" + p.c.Kubectl("--namespace", p.namespace, "exec", pod, "--", "sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null || true") + "\n"
}

// prober is the name of the process that the uploaded prober is: it was started from file descriptor 7.
const prober = "\n7\n"

// empty is nil if there is no text.
func empty(text string) error {
	if text != "" {
		return fmt.Errorf("got %q, want nothing", text)
	}
	return nil
}
