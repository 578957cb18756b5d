package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"podpath/kube/demo"
)

// cluster is a practice cluster of a test.
type cluster struct{ *demo.Cluster }

// startCluster starts a cluster that has the objects of the manifest, and lasts
// as long as the test. The kubeconfig of the environment leads to its namespace
// shop.
func startCluster(t *testing.T, o demo.Options, manifest string) cluster {
	t.Helper()
	o.Manifests = manifests(manifest)
	o.Still, o.Seed = true, seed
	c, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	kubeconfig(t, c.Config())
	return cluster{c}
}

func manifests(text string) fstest.MapFS { return fstest.MapFS{"test.yaml": {Data: []byte(text)}} }

// kubeconfig lets the environment lead to a server.
func kubeconfig(t *testing.T, c *rest.Config) {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData}
	config.AuthInfos["test"] = &clientcmdapi.AuthInfo{Token: c.BearerToken}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test", Namespace: "shop"}
	config.Contexts["other"] = &clientcmdapi.Context{Cluster: "test"}
	config.CurrentContext = "test"
	path := filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", path)
}

// answer is what podpath prints and ends with.
type answer struct {
	out, err string
	code     int
}

// podpath runs the command line without a terminal, on a machine outside of any
// cluster.
func podpath(t *testing.T, args ...string) answer { return cluster{}.podpath(t, args...) }

// podpath runs the command line without a terminal, on raspi001 of the cluster.
func (c cluster) podpath(t *testing.T, args ...string) answer {
	t.Helper()
	return c.podpathUntil(t.Context(), t, args...)
}

// podpathUntil is the same, interrupted when ctx ends.
func (c cluster) podpathUntil(ctx context.Context, t *testing.T, args ...string) answer {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var out, stderr bytes.Buffer
	root := newRoot(streams{in: os.Stdin, out: &out, err: &stderr}, &clusterOptions{practice: c.Cluster})
	root.SetArgs(append([]string{}, args...)) // not nil, which would be those of the test
	code := exitCode(root.ExecuteContext(ctx), &stderr)
	return answer{out.String(), stderr.String(), code}
}

func TestThePracticeClustersKubeconfigCanBeOfAStillOne(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	var out, stderr screen
	options := &clusterOptions{}
	defer options.close()
	root := newRoot(streams{in: os.Stdin, out: &out, err: &stderr}, options)
	root.SetArgs([]string{"demo", "kubeconfig", "--still"})
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	stderr.until(t, "runs until ctrl-c")
	cancel()
	if err := <-ended; err != nil || !bytes.Contains([]byte(out.String()), []byte("kind: Config")) {
		t.Errorf("got %v, and %q", err, out.String())
	}
}
