package forward

import "context"

// choose returns the slot that suits a further client best, nil if none does,
// and how many are sound. Those in trouble are not counted against the limit:
// each is left to the clients that it has.
func choose(slots []*slot) (best *slot, sound int) {
	lowest := 0
	for _, s := range slots {
		h := s.health()
		if !h.usable || s.dropped {
			continue
		}
		if !h.troubled {
			sound++
		}
		if r := h.rank(s.users); best == nil || r < lowest {
			best, lowest = s, r
		}
	}
	return best, sound
}

// rank orders connections for a further client: sound before troubled, then by
// users, then those that nothing more is expected on, then by readiness.
func (h health) rank(users int) int {
	rank := users << 2
	if h.troubled {
		rank += 1 << 30
	}
	if h.winding {
		rank += 2
	}
	if h.pending {
		rank++
	}
	return rank
}

// health is that of the link. A dial that goes on is taken for good.
func (s *slot) health() health {
	select {
	case <-s.ready:
		if s.err != nil {
			return health{}
		}
		return s.link.health()
	default:
		return health{usable: true, pending: true}
	}
}

// open opens a stream on the connection as soon as it is there.
func (s *slot) open(ctx context.Context, port int) (*stream, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.link.openStream(ctx, port)
}
