package kube_test

import (
	"testing"
	"testing/synctest"
	"time"

	"podpath/kube"
	"podpath/kube/demo/api"
	"podpath/kube/demo/fixture"
)

// In a bubble no time passes but what somebody waits for.
func TestTheFirstCompleteSnapshotComesWithoutWaiting(t *testing.T) {
	for name, denied := range map[string]string{"all is listed": "", "a list is forbidden": "nodes"} {
		synctest.Test(t, func(t *testing.T) {
			s := fixture.Serve(t, api.Options{Denies: func(_, resource, _ string) bool { return resource == denied }}, "{apiVersion: v1, kind: Pod, metadata: {name: web}}")
			begin := time.Now()
			snapshot := s.Snapshot(kube.Scope{})
			if waited := time.Since(begin); waited > 0 || len(snapshot.Pods) != 1 {
				t.Errorf("%s: got %d Pods after %s, want one at once", name, len(snapshot.Pods), waited)
			}
		})
	}
}
