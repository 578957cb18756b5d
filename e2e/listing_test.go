package e2e_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"podpath/e2e/cluster"
)

func TestListingPrintsTheSameTablesOnce(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)

	pods := run(t, command(t, c.Kubeconfig, "pods", "-n", namespace))
	for _, want := range []string{"NAME ", "STATUS", "▾ raspi001  Ready", "host-network", "▾ no Node yet  1 Pod"} {
		if !strings.Contains(pods.out, want) {
			t.Errorf("podpath pods lacks %q:\n%s", want, pods.out)
		}
	}
	wide := run(t, command(t, c.Kubeconfig, "services", "-n", namespace, "-o", "wide"))
	for _, want := range []string{"SELECTOR", "80→http/TCP", "no-selector-no-slice", "app=wbe"} {
		if !strings.Contains(wide.out, want) {
			t.Errorf("podpath services -o wide lacks %q:\n%s", want, wide.out)
		}
	}
	all := run(t, command(t, c.Kubeconfig, "pods", "-A", "-o", "yaml"))
	if !strings.HasPrefix(all.out, "apiVersion: podpath/v1\n") || !strings.Contains(all.out, "coredns-") {
		t.Errorf("podpath pods -A -o yaml begins with %.80q, want apiVersion: podpath/v1, and CoreDNS in it", all.out)
	}
	for _, r := range []result{pods, wide, all} {
		if r.code != 0 || r.err != "" {
			t.Errorf("exit code %d, stderr %q; want 0 and nothing", r.code, r.err)
		}
	}
}

func TestJSONHasEndpointsAndFlags(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	namespace := c.Namespace()
	c.ApplyKinds(namespace)
	var list struct {
		APIVersion, Kind string
		Services         []struct {
			Name      string
			Endpoints []struct {
				Address, PortName, Pod, Node, Zone string
				Port                               int
				Ready, Serving, Terminating        bool
			}
			Flags []struct{ Code, Message string }
		}
	}
	got := run(t, command(t, c.Kubeconfig, "services", "-n", namespace, "-o", "json"))
	if err := json.Unmarshal([]byte(got.out), &list); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	if list.APIVersion != "podpath/v1" {
		t.Errorf("apiVersion is %q, want podpath/v1", list.APIVersion)
	}
	flags, endpoints := map[string]string{}, 0
	for _, s := range list.Services {
		for _, f := range s.Flags {
			flags[s.Name] = f.Code
		}
		if s.Name == "kind-clusterip" {
			for _, e := range s.Endpoints {
				endpoints++
				if !e.Ready || !e.Serving || e.Terminating || e.Port != 8080 || e.PortName == "" && len(s.Endpoints) != 2 || !strings.HasPrefix(e.Pod, "web-") || !strings.HasPrefix(e.Node, "raspi00") || !strings.HasPrefix(e.Address, "10.244.") {
					t.Errorf("endpoint %+v, want a ready Pod of web", e)
				}
			}
		}
	}
	if endpoints != 2 {
		t.Errorf("kind-clusterip has %d endpoints, want 2", endpoints)
	}
	for service, want := range map[string]string{
		"flag-selects-nothing": "selector-matches-no-pod", "flag-not-ready": "no-ready-endpoint", "flag-port-missing": "target-port-missing",
		"flag-noselector-noslice": "no-selector-no-slice", "kind-loadbalancer-pending": "load-balancer-pending",
		"kind-clusterip": "", "kind-headless": "", "kind-nodeport": "", "kind-externalname": "", "kind-noselector": "", "kind-externalips": "", "kind-loadbalancer": "",
	} {
		if flags[service] != want {
			t.Errorf("%s has the flag %q, want %q", service, flags[service], want)
		}
	}
}

func TestListingErrorsAreOneClearLine(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"namespace that does not exist": {[]string{"pods", "-n", "nowhere"}, `there is no namespace "nowhere"`},
		"time that is none":             {[]string{"pods", "--request-timeout", "soon"}, "request-timeout"},
		"unknown format":                {[]string{"pods", "-o", "xml"}, `no output format "xml"`},
		"unknown context":               {[]string{"services", "--context", "mars"}, `no context "mars"`},
		"unknown flag":                  {[]string{"pods", "--nonsense"}, "unknown flag"},
		"unknown command":               {[]string{"nonsense"}, "unknown command"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, command(t, c.Kubeconfig, test.args...))
			if got.code != 2 || got.out != "" || !strings.Contains(got.err, test.want) || strings.Count(got.err, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q; want 2 and one line with %q", got.code, got.out, got.err, test.want)
			}
		})
	}
}

func TestListingThatCannotBeWrittenFails(t *testing.T) {
	t.Parallel()
	c := cluster.Use(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // nothing was written
	cmd := command(t, c.Kubeconfig, "pods", "-A")
	cmd.Stdout = full
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 4 {
		t.Errorf("writing to a full device: %v, want exit code 4", err)
	}
}
