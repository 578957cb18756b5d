package demo_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"podpath/kube/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// start starts a cluster that lasts as long as the test.
func start(t testing.TB, o demo.Options) *demo.Cluster {
	t.Helper()
	o.Seed = 1
	c, err := demo.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("got %v from Close", err)
		}
	})
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
