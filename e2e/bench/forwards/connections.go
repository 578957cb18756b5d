package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/e2e/bench/table"
)

const (
	clients          = 8 // at a time
	connectionRounds = 5
	connectionTime   = 800 * time.Millisecond // of a round, for each way
)

// measureConnections asks for the page over new connections.
func measureConnections(ctx context.Context, all ways, figures *table.Table) error {
	everyone := []*way{all.none, all.bare, all.direct, all.tunnel, all.kubectl}
	latency := taken{}
	rate, err := takeTurns(ctx, connectionRounds, everyone, func(ctx context.Context, w *way) (float64, error) {
		rate, p50, err := connect(ctx, w)
		latency[w] = append(latency[w], p50)
		return rate, err
	})
	if err != nil {
		return err
	}
	for _, w := range everyone {
		latency[w] = latency[w][1:] // the round that warms up
	}
	describe := func(w *way) string {
		return fmt.Sprintf("%s %.0f/s, p50 %.2f ms", w.name, rate.median(w), 1e3*latency.median(w))
	}
	figures.AtLeast("direct: new connections a second, of the bare proxy's ("+describe(all.direct)+")", rate.ratio(all.direct, all.bare), 0.8, "",
		describe(all.bare)+"; "+describe(all.none))
	figures.AtLeast("direct: new connections a second, of kubectl's", rate.ratio(all.direct, all.kubectl), 8, "×", describe(all.kubectl))
	figures.AtMost("direct: p50 of a connection, of kubectl's", latency.ratio(all.direct, all.kubectl), 1.0/6, "×", describe(all.kubectl))
	figures.AtLeast("tunnel: new connections a second, of kubectl's ("+describe(all.tunnel)+")", rate.ratio(all.tunnel, all.kubectl), 1.2, "×",
		describe(all.kubectl))
	return nil
}

// connect returns how many connections came about in a second, and how many seconds one in the middle took.
func connect(ctx context.Context, w *way) (rate, p50 float64, err error) {
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	each := make([][]float64, clients)
	for i := range each {
		group.Go(func() error {
			buffer := make([]byte, 4<<10)
			for time.Since(began) < connectionTime {
				from := time.Now()
				if _, err := get(ctx, w.address(httpPort), page, buffer); err != nil {
					return err
				}
				each[i] = append(each[i], time.Since(from).Seconds())
			}
			return nil
		})
	}
	err = group.Wait()
	took := time.Since(began).Seconds()
	var all []float64
	for _, latencies := range each {
		all = append(all, latencies...)
	}
	if err != nil || len(all) == 0 {
		return 0, 0, err
	}
	return float64(len(all)) / took, median(all), nil
}
