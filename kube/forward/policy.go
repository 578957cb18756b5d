package forward

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"
)

// Policy says which endpoint gets the next connection.
type Policy string

// The policies.
const (
	// EWMA takes the endpoint with the lowest (active connections + 1) ×
	// latency of opening, ties at random.
	EWMA       Policy = "ewma"
	RoundRobin Policy = "round-robin"
	Random     Policy = "random"
	// Sticky always takes the same endpoint for a client address, as
	// sessionAffinity ClientIP does.
	Sticky Policy = "sticky"
)

// Policies are all policies, the default first.
var Policies = []Policy{EWMA, RoundRobin, Random, Sticky}

// ParsePolicy reads the name of a policy.
func ParsePolicy(name string) (Policy, error) {
	var names []string
	for _, p := range Policies {
		if string(p) == name {
			return p, nil
		}
		names = append(names, string(p))
	}
	return "", fmt.Errorf("there is no policy %q: use one of %s", name, strings.Join(names, ", "))
}

// slowStart is the time in which a new endpoint comes up to its full share: a
// process that has just started is slow, and would get every connection.
// slowStartLeast is the share that it begins with.
const (
	slowStart      = 10 * time.Second
	slowStartLeast = 0.1
)

// candidate is what a policy knows about an endpoint.
type candidate struct {
	id      string
	active  int
	latency time.Duration
	age     time.Duration
}

// cost is what EWMA compares.
func (c candidate) cost() float64 {
	share := min(max(float64(c.age)/float64(slowStart), slowStartLeast), 1)
	return float64(c.active+1) * float64(max(c.latency/latencyStep, 1)) / share
}

// chance draws a number from 0 up to n.
type chance func(n int) int

// pick returns the index of the candidate that gets the next connection. There
// is at least one. Turn is the number of connections before.
func (p Policy) pick(candidates []candidate, client string, turn uint64, draw chance) int {
	switch p {
	case RoundRobin:
		return int(turn % uint64(len(candidates)))
	case Random:
		return draw(len(candidates))
	case Sticky:
		return highest(candidates, client)
	default:
		return cheapest(candidates, draw)
	}
}

// cheapest returns the candidate with the lowest cost; among several, each is
// as likely.
func cheapest(candidates []candidate, draw chance) (best int) {
	least, ties := candidates[0].cost(), 1
	for i, c := range candidates[1:] {
		switch cost := c.cost(); {
		case cost < least:
			best, least, ties = i+1, cost, 1
		case cost == least:
			if ties++; draw(ties) == 0 {
				best = i + 1
			}
		}
	}
	return best
}

// highest returns the candidate with the highest hash of it and the client
// (rendezvous hashing): when one goes, only its clients move.
func highest(candidates []candidate, client string) (best int) {
	var top uint64
	for i, c := range candidates {
		h := fnv.New64a()
		_, _ = h.Write([]byte(c.id + "\x00" + client))
		if score := mix(h.Sum64()); i == 0 || score > top {
			best, top = i, score
		}
	}
	return best
}

// mix spreads a hash over all its bits (the finalizer of MurmurHash3): FNV
// alone leaves the order to the last bytes.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
