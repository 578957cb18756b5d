package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// taken is what was measured of each way, round by round.
type taken map[*way][]float64

// takeTurns measures each way in each round. A round before the first one does not count: it warms up.
func takeTurns(ctx context.Context, rounds int, all []*way, measure func(context.Context, *way) (float64, error)) (taken, error) {
	t := taken{}
	for round := range rounds + 1 {
		for _, w := range all {
			value, err := measure(ctx, w)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			if round > 0 {
				t[w] = append(t[w], value)
			}
			if err := rest(ctx, 50*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// median of a way.
func (t taken) median(w *way) float64 { return median(t[w]) }

// ratio is the median of what a way is of another one in the same round.
func (t taken) ratio(w, of *way) float64 {
	ratios := make([]float64, len(t[w]))
	for i := range ratios {
		ratios[i] = t[w][i] / t[of][i]
	}
	return median(ratios)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// rest lets what was closed be forgotten.
func rest(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
