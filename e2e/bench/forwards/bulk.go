package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"podpath/e2e/bench/table"
)

const (
	mebibyte   = 1 << 20
	bulk       = 256 * mebibyte // of one download
	together   = 4              // downloads at once,
	bulkOfEach = bulk / together
	bulkRounds = 7
)

// measureBulk downloads the big file, once and four times at once.
func measureBulk(ctx context.Context, all ways, figures *table.Table) error {
	one, err := takeTurns(ctx, bulkRounds, []*way{all.none, all.bare, all.direct, all.tunnel, all.kubectl},
		func(ctx context.Context, w *way) (float64, error) { return download(ctx, w, 1, bulk) })
	if err != nil {
		return err
	}
	four, err := takeTurns(ctx, bulkRounds, []*way{all.tunnel, all.kubectl},
		func(ctx context.Context, w *way) (float64, error) { return download(ctx, w, together, bulkOfEach) })
	if err != nil {
		return err
	}
	figures.AtLeast(fmt.Sprintf("direct: bulk, of the bare proxy's (%.0f MiB/s)", one.median(all.direct)), one.ratio(all.direct, all.bare), 0.95, "",
		fmt.Sprintf("bare proxy %.0f, without a proxy %.0f MiB/s", one.median(all.bare), one.median(all.none)))
	figures.AtLeast("direct: bulk, of kubectl's", one.ratio(all.direct, all.kubectl), 3, "×",
		fmt.Sprintf("kubectl %.0f MiB/s", one.median(all.kubectl)))
	figures.AtLeast(fmt.Sprintf("tunnel: bulk, one stream (%.0f MiB/s)", one.median(all.tunnel)), one.ratio(all.tunnel, all.kubectl), 1, "×",
		fmt.Sprintf("kubectl %.0f MiB/s", one.median(all.kubectl)))
	figures.AtLeast(fmt.Sprintf("tunnel: bulk, four at once (%.0f MiB/s)", four.median(all.tunnel)), four.ratio(all.tunnel, all.kubectl), 1.4, "×",
		fmt.Sprintf("kubectl's four %.0f MiB/s", four.median(all.kubectl)))
	return nil
}

// download returns MiB/s of so many downloads of size bytes.
func download(ctx context.Context, w *way, clients, size int) (float64, error) {
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range clients {
		group.Go(func() error {
			received, err := get(ctx, w.address(httpPort), zeros(size), make([]byte, 256<<10))
			if err == nil && received < size {
				err = fmt.Errorf("a download ended after %d of %d bytes", received, size)
			}
			return err
		})
	}
	err := group.Wait()
	return float64(clients*size) / mebibyte / time.Since(began).Seconds(), err
}
