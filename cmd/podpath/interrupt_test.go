package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"podpath/kube/demo"
)

const silent = shop + `
---
apiVersion: v1
kind: Pod
metadata: {namespace: shop, name: silent, annotations: {demo.podpath/fault: drop}}
spec: {nodeName: raspi001, containers: [{name: echo, image: busybox, ports: [{containerPort: 7}]}]}
`

func TestAnInterruptedProbePrintsWhatWasSeen(t *testing.T) {
	c := startCluster(t, demo.Options{}, silent)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	got := c.podpathUntil(ctx, t, "probe", "local", "pod/web-1", "pod/silent", "--timeout", "1m")
	if got.code != exitInconclusive || !strings.Contains(got.out, "1 check: 1 pass") || strings.Contains(got.out, "silent") {
		t.Errorf("got %d, and\n%s\nwant %d, and only what was seen", got.code, got.out, exitInconclusive)
	}
	if want := "interrupted: 1 of 2 checks are made"; !strings.Contains(got.err, want) {
		t.Errorf("got %q, want %q", got.err, want)
	}
}
