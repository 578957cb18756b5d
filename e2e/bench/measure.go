package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"podpath/e2e/bench/process"
	"podpath/e2e/bench/table"
	"podpath/e2e/plane"
	"podpath/e2e/screen"
)

// total is how the screen says how many Pods it knows.
var total = regexp.MustCompile(`Pods (\d+)`)

const (
	starts     = 5                // of which the median counts
	settling   = 20 * time.Second // until the memory of the first list is given back
	watching   = 30 * time.Second // idle, and under churn
	churnRate  = 50               // updates a second
	keys       = 200              // each moves the cursor by one row
	keysOneWay = 20               // down, then as many up
)

// subject is the program under measurement.
type subject struct{ binary, kubeconfig, home string }

// open starts it with all namespaces on the screen.
func (s subject) open() (*screen.Screen, error) {
	cmd := exec.CommandContext(context.Background(), s.binary, "--kubeconfig", s.kubeconfig, "--all-namespaces")
	cmd.Env = []string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + s.home}
	return screen.Start(cmd, screen.Options{Cols: 120, Rows: 40})
}

// waitForPods waits until the list is complete.
func waitForPods(s *screen.Screen, pods int) error {
	return s.WaitFor(fmt.Sprintf("%d Pods", pods), func(text string) bool {
		found := total.FindStringSubmatch(text)
		return found != nil && found[1] == strconv.Itoa(pods)
	}, time.Minute)
}

// openSettled starts it and waits until it has nothing more to do.
func (s subject) openSettled(ctx context.Context, pods int) (*screen.Screen, error) {
	shown, err := s.open()
	if err != nil {
		return nil, err
	}
	if err := waitForPods(shown, pods); err != nil {
		shown.Close()
		return nil, err
	}
	if err := rest(ctx, settling); err != nil {
		shown.Close()
		return nil, err
	}
	return shown, nil
}

func measureSmall(ctx context.Context, api kubernetes.Interface, subject subject, figures *table.Table) error {
	if err := plane.Fill(ctx, api, plane.Small); err != nil {
		return err
	}
	shown, err := subject.openSettled(ctx, plane.Small.Pods)
	if err != nil {
		return err
	}
	defer shown.Close()
	return addMemory(figures, shown, plane.Small.Pods, 30, "110 MB")
}

func addMemory(figures *table.Table, shown *screen.Screen, pods int, limit float64, k9s string) error {
	memory, err := process.ResidentMiB(shown.PID())
	if err != nil {
		return err
	}
	figures.AtMost(fmt.Sprintf("RSS at %d Pods", pods), memory, limit, "MiB", k9s)
	return nil
}

func measureStart(ctx context.Context, subject subject, figures *table.Table) error {
	var first, complete []time.Duration
	for range starts {
		if err := rest(ctx, 3*time.Second); err != nil {
			return err
		}
		frame, list, err := start(subject)
		if err != nil {
			return err
		}
		first, complete = append(first, frame), append(complete, list)
	}
	slices.Sort(first)
	slices.Sort(complete)
	figures.AtMost("first frame after start", milliseconds(first[starts/2]), 50, "ms", "–")
	figures.AtMost("first complete list", complete[starts/2].Seconds(), 1.2, "s", "7 s")
	return nil
}

// start measures how long it takes until the screen shows anything, and until it shows everything.
func start(subject subject) (frame, list time.Duration, err error) {
	began := time.Now()
	shown, err := subject.open()
	if err != nil {
		return 0, 0, err
	}
	defer shown.Close()
	err = shown.WaitFor("a first frame", func(text string) bool { return strings.TrimSpace(text) != "" }, 10*time.Second)
	if err != nil {
		return 0, 0, err
	}
	frame = time.Since(began)
	err = waitForPods(shown, plane.Full.Pods)
	return frame, time.Since(began), err
}

func measureRunning(ctx context.Context, api kubernetes.Interface, subject subject, figures *table.Table) error {
	shown, err := subject.openSettled(ctx, plane.Full.Pods)
	if err != nil {
		return err
	}
	defer shown.Close()
	if err := addMemory(figures, shown, plane.Full.Pods, 80, "813–844 MiB"); err != nil {
		return err
	}
	idle, err := watch(ctx, shown)
	if err != nil {
		return err
	}
	figures.AtMost("idle CPU", idle.cpu, 0.7, "% of a core", "22 %")
	figures.AtMost("idle bytes", idle.bytes, 0, "B/s", "70–280 B/s")

	if err := measureKeys(shown, figures); err != nil {
		return err
	}
	busy, err := watchChurn(ctx, api, shown)
	if err != nil {
		return err
	}
	figures.AtMost("CPU at 50 updates a second", busy.cpu, 5, "% of a core", "–")
	figures.AtMost("bytes at 50 updates a second", busy.bytes, 2000, "B/s", "–")
	return nil
}

// usage is what the program took, each second on average.
type usage struct{ cpu, bytes float64 }

// watch measures the program while nothing is typed.
func watch(ctx context.Context, shown *screen.Screen) (usage, error) {
	before, err := process.CPU(shown.PID())
	if err != nil {
		return usage{}, err
	}
	received := shown.Received()
	if err := rest(ctx, watching); err != nil {
		return usage{}, err
	}
	after, err := process.CPU(shown.PID())
	if err != nil {
		return usage{}, err
	}
	return usage{
		cpu:   100 * (after - before).Seconds() / watching.Seconds(),
		bytes: float64(shown.Received()-received) / watching.Seconds(),
	}, nil
}

// watchChurn measures the program while Pods change.
func watchChurn(ctx context.Context, api kubernetes.Interface, shown *screen.Screen) (usage, error) {
	pods, err := plane.Pods(ctx, api)
	if err != nil {
		return usage{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	churned := make(chan error, 1)
	go func() {
		_, err := plane.Churn(ctx, api, pods, churnRate)
		churned <- err
	}()
	used, err := watch(ctx, shown)
	stop()
	if churnErr := <-churned; churnErr != nil {
		return usage{}, churnErr
	}
	return used, err
}

// measureKeys moves the cursor, at moments that have nothing to do with the program's own clock, and measures how long it takes
// until the first bytes of the change are there.
func measureKeys(shown *screen.Screen, figures *table.Table) error {
	latencies := make([]time.Duration, 0, keys)
	before := shown.Received()
	for i := range keys {
		key := "j"
		if i/keysOneWay%2 == 1 {
			key = "k"
		}
		latency, err := press(shown, key)
		if err != nil {
			return err
		}
		latencies = append(latencies, latency)
		time.Sleep(50*time.Millisecond + rand.N(50*time.Millisecond))
	}
	slices.Sort(latencies)
	figures.AtMost("key to screen, p50", milliseconds(latencies[keys/2]), 10, "ms", "6–9 ms")
	figures.AtMost("key to screen, p99", milliseconds(latencies[keys*99/100]), 20, "ms", "25 ms")
	figures.AtMost("bytes per cursor move at 120×40", float64(shown.Received()-before)/keys, 400, "B", "1100 B")
	return nil
}

func press(shown *screen.Screen, key string) (time.Duration, error) {
	before, began := shown.Received(), time.Now()
	if err := shown.Send(key); err != nil {
		return 0, err
	}
	came, err := shown.WaitForBytes(before, time.Second)
	if err != nil {
		return 0, fmt.Errorf("nothing followed the key %q: %w", key, err)
	}
	return came.Sub(began), nil
}

func measureSizes(binary, armv7 string, figures *table.Table) error {
	for _, program := range []struct{ what, path string }{{"amd64", binary}, {"armv7", armv7}} {
		info, err := os.Stat(program.path)
		if err != nil {
			return fmt.Errorf("measure the size for %s: %w", program.what, err)
		}
		figures.AtMost("stripped binary, "+program.what, float64(info.Size())/1e6, 20, "MB", "132 MB")
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
