package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"podpath/e2e/bench/process"
	"podpath/e2e/bench/table"
)

const (
	smallWrite = 512
	sinkSize   = 16 * mebibyte // which the sink swallows before it answers

	// As fast as it goes, small writes add up to large reads in any proxy. With a pause, each is on its own way.
	fastSinks   = 6 // connections in a round, one after another
	fastRounds  = 5
	slowSinks   = 1
	slowRounds  = 3
	betweenSlow = 10 * time.Microsecond
)

// measureSmallWrites sends small writes, and takes the processor time of the program that forwards them.
func measureSmallWrites(ctx context.Context, all ways, figures *table.Table) error {
	fast, err := takeTurns(ctx, fastRounds, []*way{all.bare, all.direct, all.tunnel, all.kubectl},
		func(ctx context.Context, w *way) (float64, error) { return costOfWrites(ctx, w, fastSinks, 0) })
	if err != nil {
		return err
	}
	slow, err := takeTurns(ctx, slowRounds, []*way{all.tunnel, all.kubectl},
		func(ctx context.Context, w *way) (float64, error) {
			return costOfWrites(ctx, w, slowSinks, betweenSlow)
		})
	if err != nil {
		return err
	}
	figures.AtMost(fmt.Sprintf("tunnel: CPU for small writes as fast as it goes (%.2f ms/MB)", fast.median(all.tunnel)), fast.ratio(all.tunnel, all.kubectl), 0.65, "×",
		fmt.Sprintf("kubectl %.2f ms/MB; directly: podpath %.2f, bare proxy %.2f", fast.median(all.kubectl), fast.median(all.direct), fast.median(all.bare)))
	figures.AtMost(fmt.Sprintf("tunnel: CPU for small writes one by one (%.2f ms/MB)", slow.median(all.tunnel)), slow.ratio(all.tunnel, all.kubectl), 0.65, "×",
		fmt.Sprintf("kubectl %.2f ms/MB", slow.median(all.kubectl)))
	return nil
}

// costOfWrites is the processor time of a way in ms for each MB.
func costOfWrites(ctx context.Context, w *way, sinks int, pause time.Duration) (float64, error) {
	before, err := process.CPU(w.pid)
	if err != nil {
		return 0, err
	}
	for range sinks {
		if err := writeSmall(ctx, w, pause); err != nil {
			return 0, err
		}
	}
	after, err := process.CPU(w.pid)
	return (after - before).Seconds() * 1e3 / (float64(sinks) * sinkSize / 1e6), err
}

// writeSmall sends what the sink swallows, and waits until it has. A pause is too short to sleep.
func writeSmall(ctx context.Context, w *way, pause time.Duration) error {
	conn, done, err := dial(ctx, w.address(sinkPort))
	if err != nil {
		return err
	}
	defer done()
	chunk := make([]byte, smallWrite)
	for range sinkSize / smallWrite {
		if _, err := conn.Write(chunk); err != nil {
			return err
		}
		for began := time.Now(); time.Since(began) < pause; {
			runtime.Gosched()
		}
	}
	_, err = conn.Read(chunk)
	if errors.Is(err, io.EOF) {
		return errors.New("the sink has not got everything")
	}
	return err
}
