package forward

import (
	"cmp"
	"errors"
	"net"
	"sync"
	"syscall"
)

// datagramMost is the largest payload of UDP over IPv4.
const datagramMost = 65507

// datagrams lends buffers for one datagram each: sessions wait without one, so
// that a thousand of them do not hold 64 KiB each. The zero value works.
type datagrams struct{ free sync.Pool }

func (d *datagrams) take() *[datagramMost]byte {
	if b, ok := d.free.Get().(*[datagramMost]byte); ok {
		return b
	}
	return new([datagramMost]byte)
}

// reader reads datagrams from a connection.
type reader struct {
	conn    net.Conn
	raw     syscall.RawConn // nil where the connection is no socket
	buffers *datagrams
}

func (d *datagrams) reader(c net.Conn) *reader {
	r := &reader{conn: c, buffers: d}
	if socket, ok := c.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			r.raw = raw
		}
	}
	return r
}

// next waits for a datagram and hands it to use, which must not keep it.
func (r *reader) next(use func(datagram []byte)) error {
	if r.raw == nil {
		buffer := r.buffers.take()
		defer r.buffers.free.Put(buffer)
		n, err := r.conn.Read(buffer[:])
		if err == nil {
			use(buffer[:n])
		}
		return err
	}
	var buffer *[datagramMost]byte
	var size int
	var failed error
	err := r.raw.Read(func(fd uintptr) (done bool) {
		buffer = r.buffers.take()
		if size, failed = receive(int(fd), buffer[:]); !errors.Is(failed, syscall.EAGAIN) {
			return true
		}
		r.buffers.free.Put(buffer) // to wait without it
		buffer = nil
		return false
	})
	if buffer == nil {
		return err
	}
	defer r.buffers.free.Put(buffer)
	if err = cmp.Or(err, failed); err == nil {
		use(buffer[:size])
	}
	return err
}

// receive receives a datagram, without waiting for one.
func receive(fd int, buffer []byte) (int, error) {
	for {
		n, err := syscall.Read(fd, buffer)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
