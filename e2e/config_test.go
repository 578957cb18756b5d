package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"podpath/e2e/cluster"
	"podpath/e2e/screen"
)

func TestCredentialPluginWorksAndDoesNotDrawOverTheUI(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplySample(namespace)
	few := c.User(namespace, cluster.View...)
	folder := t.TempDir()
	token, err := os.ReadFile(regexpOne(t, few.Kubeconfig, `tokenFile: (\S+)`))
	if err != nil {
		t.Fatal(err)
	}
	plugin := filepath.Join(folder, "plugin")
	script := fmt.Sprintf("#!/bin/sh\necho NOISE of the plugin >&2\necho '"+
		`{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}`+"'\n", token)
	if err := os.WriteFile(plugin, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	kubeconfig := edited(t, few.Kubeconfig, regexp.MustCompile(`tokenFile: \S+`),
		"exec: {apiVersion: client.authentication.k8s.io/v1, command: "+plugin+", interactiveMode: IfAvailable}")

	cmd := command(t, kubeconfig)
	cmd.Env = append(cmd.Env, "XDG_STATE_HOME="+folder)
	u := open(t, cmd, screen.Options{})
	u.sees("1 Pods 3")
	if strings.Contains(string(u.Output()), "NOISE") {
		t.Error("the plugin wrote to the terminal of the UI")
	}
	log, err := os.ReadFile(filepath.Join(folder, "podpath", "podpath.log"))
	if err != nil || !strings.Contains(string(log), "NOISE") {
		t.Errorf("the log holds %q (%v), want what the plugin wrote", log, err)
	}
}

// regexpOne is the first group of the first match in a file.
func regexpOne(t *testing.T, path, expression string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(expression).FindSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in %s", expression, path)
	}
	return string(match[1])
}

func TestPodpathWorksInAPod(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.User(namespace, cluster.View...)
	c.Kubectl("--namespace", namespace, "run", "inside", "--image=busybox:1.35", "--image-pull-policy=Never",
		`--overrides={"spec": {"serviceAccountName": "user", "terminationGracePeriodSeconds": 0}}`)
	c.Kubectl("--namespace", namespace, "wait", "--for=condition=Ready", "pod/inside", "--timeout=60s")
	binary, err := os.Open(os.Getenv("PODPATH"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close() //nolint:errcheck // only read
	got := run(t, c.In(t.Context(), namespace, "inside", binary, "sh", "-c", "cat >/tmp/podpath && chmod +x /tmp/podpath && /tmp/podpath pods"))
	if got.code != 0 || !strings.Contains(got.out, "inside") || !strings.Contains(got.out, "Running") {
		t.Errorf("podpath in a Pod: exit code %d, stdout %q, stderr %q; want the Pod itself", got.code, got.out, got.err)
	}
}

func TestImpersonation(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	few := c.User(namespace, cluster.View...)
	if got := run(t, command(t, c.Kubeconfig, "pods", "-n", namespace, "--as", few.Name)); got.code != 0 {
		t.Errorf("as %s in its namespace: exit code %d, stderr %q; want 0", few.Name, got.code, got.err)
	}
	got := run(t, command(t, c.Kubeconfig, "pods", "-n", "default", "--as", few.Name))
	if got.code != 2 || !strings.Contains(got.err, "you may not list pods in namespace default") {
		t.Errorf("as %s elsewhere: exit code %d, stderr %q; want 2 and what is denied", few.Name, got.code, got.err)
	}
	if got := run(t, command(t, c.Kubeconfig, "pods", "-n", "default", "--as", "nobody", "--as-group", "system:masters")); got.code != 0 {
		t.Errorf("as a member of system:masters: exit code %d, stderr %q; want 0", got.code, got.err)
	}
}

func TestVersionSaysWhatWasBuilt(t *testing.T) {
	commit, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		t.Skip("not in a checkout")
	}
	got := run(t, command(t, "", "version"))
	if got.code != 0 || !strings.Contains(got.out, strings.TrimSpace(string(commit))) || !strings.HasPrefix(got.out, "podpath ") {
		t.Errorf("exit code %d, stdout %q; want the commit %s", got.code, got.out, commit)
	}
}
