package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// connect dials for a request. The connection has the request's deadline, and
// is broken when ctx ends; hangUp closes it.
func (s *server) connect(ctx context.Context, r Request, network string) (conn net.Conn, a Answer, hangUp func()) {
	began := time.Now()
	timed, cancel := context.WithDeadline(ctx, began.Add(r.Timeout))
	defer cancel()
	conn, err := s.network.DialContext(timed, network, net.JoinHostPort(r.Address, strconv.Itoa(r.Port)))
	if err != nil {
		if timed.Err() != nil {
			err = context.DeadlineExceeded // whatever the network makes of it
		}
		return nil, ended(began, err), func() {}
	}
	_ = conn.SetDeadline(began.Add(r.Timeout))
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	a = Answer{Result: OK, LocalPort: localPort(conn), Total: time.Since(began)}
	if network == "tcp" {
		a.Connected, a.Connect = true, a.Total
	}
	return conn, a, func() { stop(); _ = conn.Close() }
}

// exchange does TCP and UDP.
func (s *server) exchange(ctx context.Context, r Request) Answer {
	if r.Op != TCP && r.Op != UDP {
		return Answer{Result: Failed, Data: []byte("podpath's own prober cannot " + string(r.Op))}
	}
	began := time.Now()
	conn, a, hangUp := s.connect(ctx, r, string(r.Op))
	defer hangUp()
	if a.Result != OK {
		return a
	}
	receive := func() ([]byte, error) { return io.ReadAll(io.LimitReader(conn, int64(r.Count))) }
	if r.Op == UDP {
		receive = func() ([]byte, error) { return readOnce(conn, r.Count) }
	}
	end := converse(conn, r, began, receive)
	end.Connected, end.Connect, end.LocalPort = a.Connected, a.Connect, a.LocalPort
	return end
}

// converse sends the Data of a request, and receives if it asks for that.
func converse(conn io.Writer, r Request, began time.Time, receive func() ([]byte, error)) Answer {
	// Not even an empty Write when there is nothing to send: for UDP it would be a datagram.
	if len(r.Data) > 0 || r.Op == UDP {
		if _, err := conn.Write(r.Data); err != nil {
			return ended(began, err)
		}
	}
	if r.Count == 0 {
		return ended(began, nil)
	}
	data, err := receive()
	a := ended(began, err)
	if a.Result != Failed {
		a.Data = data
	}
	return a
}

// file does File.
func (s *server) file(ctx context.Context, r Request) Answer {
	began := time.Now()
	f, err := s.network.Open(r.Address)
	if err != nil {
		return ended(began, err)
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.Close() })
	defer stop()
	if timed, ok := f.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = timed.SetReadDeadline(began.Add(r.Timeout)) // files that never wait have none
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(r.Count)))
	a := ended(began, err)
	if a.Result != Failed {
		a.Data = data
	}
	return a
}

// readOnce receives what comes next: one datagram, or a piece of a stream.
func readOnce(conn io.Reader, count int) ([]byte, error) {
	data := make([]byte, count)
	n, err := conn.Read(data)
	return data[:n], err
}

// ended is the answer for a request that began then and ends now with err.
func ended(began time.Time, err error) Answer {
	a := Answer{Result: resultOf(err), Total: time.Since(began)}
	if a.Result == Failed {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		a.Data = []byte(err.Error())
	}
	return a
}

// localPort is 0 when the address of the connection has none.
func localPort(conn net.Conn) int {
	address, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return 0
	}
	return int(address.Port())
}
