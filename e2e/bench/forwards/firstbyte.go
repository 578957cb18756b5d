package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"podpath/e2e/bench/table"
)

const (
	roundTrip       = 20 * time.Millisecond
	firstByteRounds = 15
	settled         = 300 * time.Millisecond // until podpath has a connection ready for the next client
)

// measureFirstByte takes the time to the first byte of an answer when the API server is far away. That there is an upgraded connection
// already is not measured: podpath keeps one ahead, and kubectl has but one.
func measureFirstByte(ctx context.Context, o options, figures *table.Table) error {
	folder, err := os.MkdirTemp("", "podpath-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	far, err := putFarAway(ctx, o.kubeconfig, filepath.Join(folder, "kubeconfig"), roundTrip)
	if err != nil {
		return err
	}
	defer far.stop()
	o.kubeconfig = far.kubeconfig
	tunnel, stop, err := startPodpath(ctx, o, "tunnel")
	if err != nil {
		return err
	}
	defer stop()
	kubectl, stop, err := startKubectl(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	if err := warmUp(ctx, tunnel, len(o.pods)); err != nil {
		return err
	}
	trips, err := takeTurns(ctx, firstByteRounds, []*way{tunnel, kubectl}, func(ctx context.Context, w *way) (float64, error) {
		took, err := firstByte(ctx, w)
		if err != nil {
			return 0, err
		}
		return took.Seconds() / roundTrip.Seconds(), rest(ctx, settled)
	})
	if err != nil {
		return err
	}
	figures.AtMost(fmt.Sprintf("tunnel: first byte with %v to the API server", roundTrip), trips.median(tunnel), 2.1, "round trips",
		fmt.Sprintf("kubectl %.2f", trips.median(kubectl)))
	return nil
}

// warmUp holds a connection to each Pod, after which each has another one ready.
func warmUp(ctx context.Context, w *way, pods int) error {
	for range pods {
		conn, done, err := dial(ctx, w.address(httpPort))
		if err != nil {
			return err
		}
		defer done()
		if _, err := io.WriteString(conn, page[:3]); err != nil {
			return err
		}
	}
	return rest(ctx, 2*time.Second)
}

// firstByte is the time from the wish to connect until something of the answer is there.
func firstByte(ctx context.Context, w *way) (time.Duration, error) {
	began := time.Now()
	conn, done, err := dial(ctx, w.address(httpPort))
	if err != nil {
		return 0, err
	}
	defer done()
	if _, err := io.WriteString(conn, page); err != nil {
		return 0, err
	}
	_, err = conn.Read(make([]byte, 4<<10)) // all of the page, or closing would reset the connection
	return time.Since(began), err
}
