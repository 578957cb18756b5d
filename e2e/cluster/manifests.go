package cluster

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Apply creates the objects of a manifest that is beside this file, such as sample.yaml.
func (c *Cluster) Apply(namespace, manifest string) {
	c.t.Helper()
	c.Kubectl("--namespace", namespace, "apply", "--filename", filepath.Join(filepath.Dir(c.script), manifest))
}

// proxyLag is how long after its Pods are ready a Service may still refuse: kube-proxy writes its rules once a second, and
// nothing tells when it has.
const proxyLag = 3 * time.Second

// ApplySample creates what the person of the tutorial has: three Pods behind a ClusterIP, and waits until they are ready.
func (c *Cluster) ApplySample(namespace string) {
	c.t.Helper()
	c.Apply(namespace, "sample.yaml")
	c.WaitForRollout(namespace, "sample-deployment")
	time.Sleep(proxyLag)
	c.Eventually("the cluster's DNS to know the Service", time.Minute, func() error { // it may follow late after an outage
		_, err := c.output("kubectl", "--namespace", namespace, "exec", "deployment/sample-deployment", "--container=redis-container", "--",
			"getent", "hosts", "sample-clusterip")
		return err
	})
}

// BalancerAddress is what ApplyKinds makes the address of the Service kind-loadbalancer.
const BalancerAddress = "203.0.113.10"

// ApplyKinds creates all kinds of Services and Pods of kinds.yaml, and waits until those Pods are ready that will be.
func (c *Cluster) ApplyKinds(namespace string) {
	c.t.Helper()
	c.Apply(namespace, "kinds.yaml")
	c.Kubectl("--namespace", namespace, "patch", "service", "kind-loadbalancer", "--subresource=status", "--patch",
		`{"status": {"loadBalancer": {"ingress": [{"ip": "`+BalancerAddress+`"}]}}}`)
	c.WaitForRollout(namespace, "web")
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=60s",
		"pod/host-network", "pod/many-containers", "pod/init-and-sidecar", "pod/hostile")
}

// ApplyToolboxes creates one Pod for each kind of image in toolboxes.yaml, and waits until they are ready.
func (c *Cluster) ApplyToolboxes(namespace string) {
	c.t.Helper()
	c.Apply(namespace, "toolboxes.yaml")
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=170s", "pod", "--all")
	time.Sleep(proxyLag)
}

// ApplyRungs creates the Pods of rungs.yaml, which podpath looks out of only where it may add something, and waits until
// they are ready.
func (c *Cluster) ApplyRungs(namespace string) {
	c.t.Helper()
	c.Apply(namespace, "rungs.yaml")
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod", "--all")
}

// Pack makes an image of nothing but one static program, and loads it on every node.
func (c *Cluster) Pack(image, program string) {
	c.t.Helper()
	c.run("pack", image, program)
}

// ApplyBroken creates the Services and Ingresses of broken.yaml, and waits until those Pods are ready that will be. In the
// hosts of the Ingresses the namespace takes the place of "broken": healthy.NAMESPACE.example.test.
func (c *Cluster) ApplyBroken(namespace string) {
	c.t.Helper()
	manifest, err := os.ReadFile(filepath.Join(filepath.Dir(c.script), "broken.yaml"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.ApplyText(namespace, strings.ReplaceAll(string(manifest), ".broken.example.test", "."+namespace+".example.test"))
	for _, deployment := range []string{"web", "loopback", "half-alive", "half-dead", "corner", "guarded", "expired", "misnamed", "resetting"} {
		c.WaitForRollout(namespace, deployment)
	}
	c.Kubectl("--namespace", namespace, "wait", "--for=jsonpath={.status.phase}=Running", "--timeout=170s", "pod", "--selector=app=unready")
	c.Kubectl("--namespace", namespace, "wait", "--for=jsonpath={.status.loadBalancer.ingress}", "--timeout=30s", "ingress/healthy")
}

// ApplyField creates the Pod client, and the objects of a manifest in the folder field beside this one, and waits until all works that will:
// Pods with the label settles=never are not waited for. The namespace takes the place of "NAMESPACE".
func (c *Cluster) ApplyField(namespace, manifest string) {
	c.t.Helper()
	for _, name := range []string{manifest, "client"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(c.script), "..", "field", name+".yaml"))
		if err != nil {
			c.t.Fatal(err)
		}
		c.ApplyText(namespace, strings.ReplaceAll(string(text), "NAMESPACE", namespace))
	}
	for _, workload := range strings.Fields(c.Kubectl("--namespace", namespace, "get", "deployments,statefulsets", "--output=name")) {
		c.Kubectl("--namespace", namespace, "rollout", "status", workload, "--timeout=170s")
	}
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=170s", "pod", "--selector=settles!=never")
	time.Sleep(proxyLag)
}

// ApplyText creates the objects of a manifest's text, with these flags of kubectl apply.
func (c *Cluster) ApplyText(namespace, manifest string, flags ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), long)
	defer cancel()
	args := append([]string{"kubectl", "--namespace", namespace, "apply", "--filename", "-"}, flags...)
	cmd := exec.CommandContext(ctx, c.script, args...)
	cmd.Stdin = strings.NewReader(manifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("apply a manifest: %v\n%s", err, out)
	}
}
