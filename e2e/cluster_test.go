package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
)

// curl is a try that nothing but a lost packet makes slow.
var curl = []string{"curl", "--silent", "--show-error", "--max-time", "2"}

func TestClusterHasThreeReadyNodes(t *testing.T) {
	c := cluster.Use(t)
	nodes := c.Kubectl("get", "nodes", "--no-headers")
	for _, name := range []string{cluster.Master, cluster.Worker, cluster.Worker2} {
		if !strings.Contains(nodes, name+"   Ready ") {
			t.Errorf("%s is not Ready:\n%s", name, nodes)
		}
	}
}

func TestClusterIPAnswersTheMasterButNotAMachineOutside(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	address := c.Kubectl("--namespace", namespace, "get", "service", "sample-clusterip", "--output=jsonpath={.spec.clusterIP}")
	url := "http://" + address + ":8080"

	c.Eventually("an answer from "+url, 10*time.Second, func() error {
		out, err := try(t, c.On(t.Context(), cluster.Master, append(curl, url)...))
		if err == nil && !strings.Contains(out, "Welcome to nginx!") {
			err = fmt.Errorf("got %q, want nginx's page", out)
		}
		return err
	})
	if out, err := try(t, c.On(t.Context(), cluster.Outside, append(curl, url)...)); err == nil {
		t.Errorf("%s reached the ClusterIP and got %q, want no way there", cluster.Outside, out)
	}
}

func TestKindsGetTheStatesThatTheyAreMeantToHave(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)

	for pod, want := range map[string]string{
		"completed":        "Completed",
		"crash-loop":       "CrashLoopBackOff",
		"unschedulable":    "Pending",
		"image-missing":    "ErrImageNeverPull",
		"host-network":     "1/1",
		"many-containers":  "3/3",
		"init-and-sidecar": "2/2",
		"hostile":          "Running",
	} {
		c.Eventually(fmt.Sprintf("Pod %s to be %s", pod, want), 30*time.Second, func() error {
			return contains(c.Kubectl("--namespace", namespace, "get", "pod", pod, "--no-headers"), want)
		})
	}
	for service, want := range map[string]string{
		"kind-loadbalancer":         cluster.BalancerAddress,
		"kind-loadbalancer-pending": "<pending>",
		"kind-externalname":         "outside.example.test",
		"kind-externalips":          "198.51.100.200",
		"kind-headless":             "None",
	} {
		if err := contains(c.Kubectl("--namespace", namespace, "get", "service", service, "--no-headers"), want); err != nil {
			t.Errorf("Service %s: %v", service, err)
		}
	}
}

func TestUserMaySeeOnlyTheNamespaceGranted(t *testing.T) {
	c := cluster.Use(t)
	namespace := c.Namespace()
	user := c.User(namespace, cluster.View...)
	as := "--kubeconfig=" + user.Kubeconfig

	c.Kubectl(as, "get", "pods")
	rights := c.Kubectl(as, "auth", "can-i", "--list")
	if !strings.Contains(rights, "endpointslices.discovery.k8s.io") || strings.Contains(rights, "nodes") {
		t.Errorf("want rights on EndpointSlices but not on Nodes; got:\n%s", rights)
	}
}

func TestAPIServerGoesAndComesBack(t *testing.T) {
	c := cluster.Use(t)
	c.Kill(cluster.Master, "kube-apiserver")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.API.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx); err == nil {
		t.Error("the API server answers although it was killed")
	}
	c.Start(cluster.Master, "kube-apiserver")
	c.Eventually("the API server", 30*time.Second, func() error {
		_, err := c.API.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(t.Context())
		return err
	})
}

// try runs a command that may fail.
func try(t *testing.T, command *exec.Cmd) (string, error) {
	t.Helper()
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func contains(text, want string) error {
	if !strings.Contains(text, want) {
		return fmt.Errorf("got %q, want %q in it", text, want)
	}
	return nil
}
