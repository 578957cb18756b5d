package wire

import (
	"context"
	"net"
	"time"
)

// held is a connection that a Hold opened.
type held struct {
	requests chan Request // its More and Drop; closed at the end
}

// newHeld makes room for the requests of a connection, and forgets another
// one of that ID.
func (s *server) newHeld(id int) *held {
	if h := s.holds[id]; h != nil {
		close(h.requests)
	}
	h := &held{requests: make(chan Request, 8)} // those who ask wait for the answer, so this is plenty
	s.holds[id] = h
	return h
}

// pass hands a More or Drop to the connection. It reports false when ctx has
// ended.
func (s *server) pass(ctx context.Context, r Request) bool {
	h := s.holds[r.ID]
	if h == nil {
		s.answer(r, notHeld())
		return true
	}
	select {
	case h.requests <- r:
	case <-ctx.Done():
		return false
	}
	if r.Op == Drop {
		close(h.requests)
		delete(s.holds, r.ID)
	}
	return true
}

// hold does a Hold and all that follows for its connection.
func (s *server) hold(ctx context.Context, h *held, r Request) {
	conn, a, hangUp := s.connect(ctx, r, "tcp")
	defer hangUp()
	<-s.slots
	s.answer(r, a)
	for next := range h.requests {
		switch {
		case conn == nil:
			s.answer(next, notHeld())
		case next.Op == Drop:
			hangUp()
			s.answer(next, Answer{Result: OK})
		default:
			s.answer(next, more(conn, next))
		}
	}
}

// more does one More.
func more(conn net.Conn, r Request) Answer {
	began := time.Now()
	_ = conn.SetDeadline(began.Add(r.Timeout))
	return converse(conn, r, began, func() ([]byte, error) { return readOnce(conn, r.Count) })
}

func notHeld() Answer {
	return Answer{Result: Failed, Data: []byte("nothing is held under this ID")}
}
