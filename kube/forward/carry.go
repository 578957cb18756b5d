package forward

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// carryChunk is how much is moved at once where the kernel cannot do it alone:
// what a tunnel sends in one turn, or the rest would go in a frame of its own.
const carryChunk = maxTurn / maxFrame * (maxFrame - frameHead)

// carry copies to the end, and returns how much it was. An error comes with
// whether it is of the side of far, which is one of the two.
//
// Between two sockets io.Copy leaves the work to the kernel (splice on Linux),
// for which neither may be wrapped; moved then stays as it is, and the kernel
// knows. Else moved grows with each step, and rest, unless nil, is told its size.
func carry(to, from net.Conn, far Conn, moved *atomic.Int64, rest func(size int)) (n int64, ofFar bool, err error) {
	if tcp, ok := far.(*net.TCPConn); ok {
		n, err = io.Copy(to, from)
		return n, err != nil && brokenBy(tcp, err), err
	}
	chunk := make([]byte, carryChunk)
	for {
		size, readErr := from.Read(chunk)
		if size > 0 {
			written, err := to.Write(chunk[:size])
			n += int64(written)
			moved.Add(int64(written))
			if err != nil {
				return n, to == net.Conn(far), err
			}
			if rest != nil && readErr == nil {
				rest(size)
			}
		}
		switch {
		case errors.Is(readErr, io.EOF):
			return n, false, nil
		case readErr != nil:
			return n, from == net.Conn(far), readErr
		}
	}
}

// endedProperly tells, after all of n bytes that came were read, whether the
// other side has said that this was all. A reset looks the same to whoever
// reads when another one, writing, was told of it.
func endedProperly(c net.Conn, n int64) bool {
	tcp, ok := c.(*net.TCPConn)
	return !ok || finReceived(tcp, n)
}
