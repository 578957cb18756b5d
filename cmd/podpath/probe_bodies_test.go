package main

import (
	"strings"
	"testing"

	"podpath/kube/demo"
)

func TestNoBodiesLeavesThemOutOfEveryFormat(t *testing.T) {
	c := startCluster(t, demo.Options{}, strings.Replace(shop, "name: echo, image: busybox, ports: [{containerPort: 7}]",
		"name: page, image: nginx, ports: [{containerPort: 80}]", 1))
	const body = "Welcome to nginx!"
	for _, command := range []string{"probe", "trace"} {
		for _, format := range []string{"text", "wide", "json", "yaml", "junit", "tap"} {
			if command == "trace" && format != "text" && format != "json" && format != "yaml" {
				continue
			}
			args := []string{command, "local", "http://10.244.1.2/", "-o", format, "--expect-status", "404"}
			if got := c.podpath(t, append(args, "--no-bodies")...); got.code != exitUnexpected || strings.Contains(got.out, body) {
				t.Errorf("%s -o %s: got exit code %d and %q, want a failure without its body", command, format, got.code, got.out)
			}
			if got := c.podpath(t, args...); format == "json" && !strings.Contains(got.out, body) {
				t.Errorf("%s: got %q, want the body unless it is forbidden", command, got.out)
			}
		}
	}
}
