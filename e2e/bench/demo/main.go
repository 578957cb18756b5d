// Command demo measures podpath on its practice cluster, and prints a table: each figure and the goal that it has to reach. See the
// script run, which also compiles the program without the practice cluster.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"podpath/e2e/bench/process"
	"podpath/e2e/bench/table"
	"podpath/e2e/screen"
)

const (
	starts   = 9           // of which the median counts
	between  = time.Second // from one start to the next
	watching = time.Minute // while the practice cluster lives by itself
	patience = 20 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	podpath := flags.String("podpath", "bin/podpath", "the program to measure")
	without := flags.String("without", "", "the same without the practice cluster; only its size is measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "podpath-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	subject := subject{*podpath, home}

	figures := table.Table{Beside: "how"}
	if err := measureStart(ctx, subject, &figures); err != nil {
		return err
	}
	if err := measureRunning(ctx, subject, &figures); err != nil {
		return err
	}
	if err := measureSize(*podpath, *without, &figures); err != nil {
		return err
	}
	fmt.Print(figures.String())
	return nil
}

// subject is the program under measurement.
type subject struct{ binary, home string }

// open starts it as a newcomer would: without a kubeconfig.
func (s subject) open(ctx context.Context) (*screen.Screen, error) {
	cmd := exec.CommandContext(ctx, s.binary, "--demo")
	cmd.Env = []string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + s.home}
	return screen.Start(cmd, screen.Options{})
}

func measureStart(ctx context.Context, subject subject, figures *table.Table) error {
	var first, ready []time.Duration
	for range starts {
		if err := rest(ctx, between); err != nil {
			return err
		}
		frame, pods, err := start(ctx, subject)
		if err != nil {
			return err
		}
		first, ready = append(first, frame), append(ready, pods)
	}
	slices.Sort(first)
	slices.Sort(ready)
	how := fmt.Sprintf("median of %d; slowest ", starts)
	figures.AtMost("first frame after start", milliseconds(first[starts/2]), 200, "ms", how+table.Number(milliseconds(first[starts-1]))+" ms")
	figures.AtMost("Pods of the practice cluster on the screen", milliseconds(ready[starts/2]), 500, "ms", how+table.Number(milliseconds(ready[starts-1]))+" ms")
	return nil
}

// start measures how long it takes until the screen shows anything, and until it shows the Pods.
func start(ctx context.Context, subject subject) (frame, pods time.Duration, err error) {
	began := time.Now()
	shown, err := subject.open(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer shown.Close()
	err = shown.WaitFor("a first frame", func(text string) bool { return strings.TrimSpace(text) != "" }, patience)
	if err != nil {
		return 0, 0, err
	}
	frame = time.Since(began)
	err = shown.WaitFor("the Pods", func(text string) bool {
		return strings.Contains(text, "sample-deployme") && strings.Contains(text, "Running")
	}, patience)
	return frame, time.Since(began), err
}

// measureRunning measures the memory after some time of rollouts and scaling, and then after everything was probed.
func measureRunning(ctx context.Context, subject subject, figures *table.Table) error {
	shown, err := subject.open(ctx)
	if err != nil {
		return err
	}
	defer shown.Close()
	before, err := process.CPU(shown.PID())
	if err != nil {
		return err
	}
	if err := rest(ctx, watching); err != nil {
		return err
	}
	after, err := process.CPU(shown.PID())
	if err != nil {
		return err
	}
	figures.AtMost("CPU with nobody at the keys", 100*(after-before).Seconds()/watching.Seconds(), 2, "% of a core", "the start included, over "+watching.String())
	if err := addMemory(figures, shown, "RSS after "+watching.String(), "it lives: rollouts and scaling"); err != nil {
		return err
	}
	if err := probeEverything(shown); err != nil {
		return err
	}
	return addMemory(figures, shown, "RSS after probing everything", "`:ns all`, `3`, `a`")
}

// ended is the line of a run that has ended, with how many checks were made.
var ended = regexp.MustCompile(`done +(\d+)/\d+`)

func probeEverything(shown *screen.Screen) error {
	for _, step := range []struct{ keys, text string }{
		{":ns all" + screen.Enter, "coredns"},
		{"3", "Probes"},
		{"a", "done "},
	} {
		if err := shown.Send(step.keys); err != nil {
			return err
		}
		err := shown.WaitFor(step.text, func(text string) bool { return strings.Contains(text, step.text) }, time.Minute)
		if err != nil {
			return err
		}
	}
	checks := ended.FindStringSubmatch(shown.Text())
	if checks == nil {
		return errors.New("the run does not say how many checks it made; the screen:\n" + shown.Text())
	}
	fmt.Fprintln(os.Stderr, checks[1], "checks")
	return nil
}

func addMemory(figures *table.Table, shown *screen.Screen, what, how string) error {
	memory, err := process.ResidentMiB(shown.PID())
	if err != nil {
		return err
	}
	figures.AtMost(what, memory, 70, "MiB", how)
	return nil
}

func measureSize(podpath, without string, figures *table.Table) error {
	var megabytes [2]float64
	for i, path := range []string{podpath, without} {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("measure the size: %w", err)
		}
		megabytes[i] = float64(info.Size()) / 1e6
	}
	figures.AtMost("what the practice cluster adds to the program", megabytes[0]-megabytes[1], 1.5, "MB",
		fmt.Sprintf("%.2f MB with, %.2f MB without `kube/demo` and the text of `assets/demo`", megabytes[0], megabytes[1]))
	return nil
}

func rest(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
