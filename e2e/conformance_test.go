package e2e_test

import (
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"podpath/e2e/cluster"
	"podpath/kube/demo/conformance"
)

// The practice cluster is held against the same suite by the tests of its own package.
func TestRealAPIServerIsAsTheSuiteOfThePracticeClusterExpects(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyText(namespace, conformance.Manifest)
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "--timeout=85s", "pod/web")
	c.Kubectl("--namespace", namespace, "wait", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=85s", "pod/over")
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	first := c.Kubectl("get", "--raw", "/apis/discovery.k8s.io/v1/endpointslices?watch=1&resourceVersion=1&timeoutSeconds=1")
	conformance.Run(t, conformance.Subject{
		Config: config, Powerless: config, Namespace: namespace, Young: !strings.Contains(first, "too old resource version"),
	})
}
