package launch

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"podpath/kube"
)

// side is a container with a shell and nothing else.
var side = container{"side", withShell}

func TestUploadGoesIntoASiblingWithAShell(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", container{"app", withNothing}, side), func(t *testing.T, c *practice) {
		l := c.ladder(Options{AllowUpload: true})
		asked := ""
		l.prober = func(arch string) ([]byte, error) { asked = arch; return []byte("prober"), nil }
		link, err := l.Pod(t.Context(), c.snapshot, web, "app")
		must(t, err)
		if asked != "arm" {
			t.Errorf("got a prober for %s, want arm", asked)
		}
		checkRemoved(t, c, l) // though it runs
		c.check(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
	})
}

func TestUploadForAScratchPodTakesAnEphemeralShell(t *testing.T) {
	inPractice(t, withOne(withNothing), func(t *testing.T, c *practice) {
		_, err := c.ladder(Options{AllowUpload: true}).Pod(t.Context(), c.snapshot, web, "")
		checkFailure(t, err, NoTools, "no python3", "--allow-ephemeral", "no container of it has a shell to write with; --allow-ephemeral=IMAGE would add one")
		link, err := c.ladder(Options{AllowUpload: true, AllowEphemeral: true, Image: withShell}).Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "podpath-r1"})
	})
}

// writes reports whether a command is the one that writes an upload.
func writes(e kube.Exec) bool { return e.Command[2] == uploadScript && e.Command[4] != "0" }

func TestUploadsAreDeletedOnEveryWayOut(t *testing.T) {
	says := func(output string) func(kube.Exec) error {
		return func(e kube.Exec) error {
			if !writes(e) {
				return nil
			}
			fmt.Fprint(e.Stdout, output)
			return errOver
		}
	}
	fails := func(script string, err error) func(kube.Exec) error {
		return func(e kube.Exec) error {
			if e.Command[2] == script && (script == runUploaded || writes(e)) {
				return err
			}
			return nil
		}
	}
	for name, test := range map[string]struct {
		fails  func(kube.Exec) error
		reason string
		code   Code
	}{
		"the upload fails":  {fails(uploadScript, &kube.ExecError{Failure: kube.Broken, Message: "cut"}), "cut", ExecFailed},
		"noexec after all":  {fails(runUploaded, &kube.ExitError{Code: 126}), "exit code 126", NoTools},
		"not heard of":      {fails(runUploaded, errors.New("lost")), "lost", ExecFailed},
		"output cut":        {says("file /tmp/x\nEN"), "no END line", ExecFailed},
		"other bytes there": {says("file /tmp/x\nsize 3\nEND\n"), "is not what was sent", ExecFailed},
	} {
		t.Run(name, func(t *testing.T) {
			inPractice(t, podYAML("web", "raspi002", side), func(t *testing.T, c *practice) {
				c.fails = func(_ context.Context, e kube.Exec) error { return test.fails(e) }
				l := c.ladder(Options{AllowUpload: true})
				_, err := l.Pod(t.Context(), c.snapshot, web, "")
				checkFailure(t, err, test.code, "no python3", "ephemeral", test.reason)
				checkRemoved(t, c, l)
			})
		})
	}
}

func TestUploadsAreDeletedWhenTheUserLeaves(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", side), func(t *testing.T, c *practice) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c.fails = func(_ context.Context, e kube.Exec) error {
			if writes(e) {
				c.disk.write("shop/web/side/tmp/" + e.Command[6])
				cancel()
				return ctx.Err()
			}
			return nil
		}
		l := c.ladder(Options{AllowUpload: true})
		_, err := l.Pod(ctx, c.snapshot, web, "")
		checkFailure(t, err, ExecFailed, "no python3", "ephemeral", "canceled")
		checkRemoved(t, c, l)
	})
}

func TestUploadsThatCouldNotBeDeletedAreDeletedAtTheEnd(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", side), func(t *testing.T, c *practice) {
		away := true
		c.fails = func(_ context.Context, e kube.Exec) error {
			if e.Command[2] == runUploaded || uses(e) && !writes(e) && away {
				return &kube.ExecError{Failure: kube.KubeletAway}
			}
			return nil
		}
		l := c.ladder(Options{AllowUpload: true})
		_, err := l.Pod(t.Context(), c.snapshot, web, "")
		checkFailure(t, err, ExecFailed, "no python3", "ephemeral", "delete .podpath-r1-1 from container side of shop/web")
		if err := l.Close(t.Context()); err == nil {
			t.Error("got no error from Close, want what is left")
		}
		away = false
		must(t, l.Close(t.Context()))
		checkRemoved(t, c, l)
	})
}

func checkRemoved(t *testing.T, c *practice, l *Ladder) {
	t.Helper()
	if len(c.disk.files) != 0 || len(l.uploads.left()) != 0 {
		t.Errorf("got files %v, and %v to delete; want none", c.disk.files, l.uploads.left())
	}
}

func TestAnUploadNeedsNoMoreThanOnePlace(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", side), func(t *testing.T, c *practice) {
		link, err := c.ladder(Options{AllowUpload: true, Parallel: 1}).Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
	})
}

func TestAnUploadThatRunsNeedsNoGuard(t *testing.T) {
	inPractice(t, podYAML("web", "raspi002", side), func(t *testing.T, c *practice) {
		c.fails = func(_ context.Context, e kube.Exec) error {
			if e.Command[2] == guardScript {
				return errors.New("cut")
			}
			return nil
		}
		l := c.ladder(Options{AllowUpload: true})
		link, err := l.Pod(t.Context(), c.snapshot, web, "")
		c.check(t, link, err, Via{Rung: Upload, Tool: "podpath", Container: "side"})
		checkRemoved(t, c, l)
	})
}
