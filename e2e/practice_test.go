package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"podpath/e2e/cluster"
	"podpath/kube/demo"
)

// practice is a practice cluster, and the real kubectl to use it with.
type practice struct {
	t          *testing.T
	kubeconfig string
}

func newPractice(t *testing.T) practice {
	t.Helper()
	cluster.Use(t) // it has kubectl
	c, err := demo.Start(t.Context(), demo.Options{Still: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	config, err := c.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	p := practice{t, filepath.Join(t.TempDir(), "config")}
	if err := os.WriteFile(p.kubeconfig, config, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// kubectl is the command with these arguments.
func (p practice) kubectl(args ...string) *exec.Cmd {
	return exec.CommandContext(p.t.Context(), os.Getenv("CLUSTER"), append([]string{"kubectl", "--kubeconfig", p.kubeconfig}, args...)...)
}

// says runs kubectl and checks that its output, good or bad, has all the texts.
func (p practice) says(texts []string, args ...string) string {
	p.t.Helper()
	out, _ := try(p.t, p.kubectl(args...))
	for _, text := range texts {
		if !strings.Contains(out, text) {
			p.t.Errorf("kubectl %s: got\n%s\nwant %q in it", strings.Join(args, " "), out, text)
		}
	}
	return out
}

func TestKubectlReadsThePracticeCluster(t *testing.T) {
	t.Parallel()
	p := newPractice(t)
	p.says([]string{"Server Version: v1.34"}, "version")
	p.says([]string{"raspi001", "raspi002", "raspi003"}, "get", "nodes")
	p.says([]string{"pod/sample-deployment-", "service/sample-clusterip", "deployment.apps/sample-deployment"}, "get", "all")
	p.says([]string{"kind: Deployment", "replicas: 3", "image: nginx:1.12"}, "get", "deployment", "sample-deployment", "-o", "yaml")
	p.says([]string{"kind: List", "kind: Pod", "namespace: kube-system"}, "get", "pods", "-A", "-o", "yaml", "--chunk-size=2")
	p.says([]string{"3 sample-deployment"}, "get", "replicasets", "-o", "jsonpath={range .items[*]}{.status.readyReplicas} {.metadata.ownerReferences[0].name}{end}")
	p.says([]string{"Selector:", "app=sample-app", "Endpoints:"}, "describe", "service", "sample-clusterip")
	p.says([]string{"condition met"}, "wait", "--for=condition=Ready", "pod", "--selector=app=sample-app", "--timeout=20s")
	p.says([]string{`Error from server (NotFound): pods "absent" not found`}, "get", "pod", "absent")
	p.says([]string{"yes"}, "auth", "can-i", "create", "pods/exec")
}

func TestKubectlExecsInThePracticeCluster(t *testing.T) {
	t.Parallel()
	p := newPractice(t)
	pod := p.says(nil, "get", "pods", "--selector=app=sample-app", "-o", "jsonpath={.items[0].metadata.name}")
	if got := p.says(nil, "exec", pod, "-c", "nginx-container", "--", "hostname"); got != pod {
		t.Errorf("hostname says %q, want %s", got, pod)
	}
	cat := p.kubectl("exec", "--stdin", pod, "-c", "nginx-container", "--", "cat")
	cat.Stdin = strings.NewReader("through and back\n")
	if got, err := try(t, cat); err != nil || got != "through and back" {
		t.Errorf("cat says %q (%v), want its input", got, err)
	}
	p.says([]string{`exec: "nope": executable file not found in $PATH`}, "exec", pod, "-c", "nginx-container", "--", "nope")
	p.says([]string{"container absent is not valid for pod " + pod}, "exec", pod, "-c", "absent", "--", "true")
}

func TestKubectlForwardsToThePracticeCluster(t *testing.T) {
	t.Parallel()
	p := newPractice(t)
	forward := p.kubectl("port-forward", "service/web", ":80", "--address=127.0.0.1")
	stdout, err := forward.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	forward.Cancel = func() error { return forward.Process.Signal(os.Interrupt) }
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = forward.Process.Kill(); _ = forward.Wait() })
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadString('\n')
	match := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("kubectl port-forward says %q (%v)", line, err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	for range 3 {
		response, err := client.Get("http://127.0.0.1:" + match[1]) //nolint:noctx // it has a timeout
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(body), "Hostname: web-") {
			t.Errorf("got %q (%v), want the name of a Pod", body, err)
		}
	}
}

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: mine}
spec:
  replicas: 1
  selector: {matchLabels: {app: mine}}
  template:
    metadata: {labels: {app: mine}}
    spec: {containers: [{name: web, image: "nginx:%s"}]}
`

func TestKubectlChangesThePracticeCluster(t *testing.T) {
	t.Parallel()
	p := newPractice(t)
	file := filepath.Join(t.TempDir(), "mine.yaml")
	write(t, file, fmt.Sprintf(manifest, "1.12"))
	p.says([]string{"deployment.apps/mine created"}, "apply", "-f", file)
	write(t, file, fmt.Sprintf(manifest, "1.13"))
	p.says([]string{"deployment.apps/mine configured"}, "apply", "-f", file)
	p.says([]string{"deployment.apps/mine unchanged"}, "apply", "-f", file)
	p.says([]string{"serverside-applied"}, "apply", "--server-side", "-f", file)
	p.says([]string{"scaled"}, "scale", "deployment", "mine", "--replicas=2")
	p.says([]string{"restarted"}, "rollout", "restart", "deployment", "mine")
	p.says([]string{"successfully rolled out"}, "rollout", "status", "deployment", "mine", "--timeout=30s")
	p.says([]string{"2 nginx:1.13"}, "get", "deployment", "mine", "-o", "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}")
	p.says([]string{"deleted"}, "delete", "deployment", "mine", "--wait=false")
	p.says([]string{"deployment.apps/made created"}, "create", "deployment", "made", "--image=nginx:1.12", "--replicas=2") // which is sent as protobuf
	p.says([]string{"successfully rolled out"}, "rollout", "status", "deployment", "made", "--timeout=30s")
	write(t, file, strings.Replace(manifest, "replicas", "replica", 1))
	p.says([]string{`strict decoding error: unknown field "spec.replica"`}, "apply", "-f", file)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
