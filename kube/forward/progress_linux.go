package forward

import (
	"net"

	"golang.org/x/sys/unix"
)

// progress is how far a connection is.
type progress struct {
	sent, received int64 // bytes that the other side has acknowledged, and that came from it
}

// The states of TCP that matter here (include/net/tcp_states.h).
const (
	tcpTimeWait  = 6
	tcpClose     = 7
	tcpCloseWait = 8
	tcpLastAck   = 9
	tcpClosing   = 11
)

// progressOf asks the kernel. Nothing else knows while it splices.
func progressOf(c *net.TCPConn) (p progress, ok bool) {
	info, err := tcpInfo(c)
	if err != nil {
		return p, false
	}
	// The SYN counts as an acknowledged byte, and the other side's FIN as one
	// that came.
	p.sent, p.received = max(int64(info.Bytes_acked)-1, 0), int64(info.Bytes_received)
	switch info.State {
	case tcpTimeWait, tcpCloseWait, tcpLastAck, tcpClosing, tcpClose:
		p.received = max(p.received-1, 0)
	}
	return p, true
}

func tcpInfo(c *net.TCPConn) (info *unix.TCPInfo, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	if controlErr := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); controlErr != nil {
		return nil, controlErr
	}
	return info, err
}

// finReceived reports whether the other side has ended what it sends, which was
// n bytes. The kernel counts a FIN as one byte more.
func finReceived(c *net.TCPConn, n int64) bool {
	info, err := tcpInfo(c)
	return err == nil && (info.State != tcpClose || int64(info.Bytes_received) > n)
}

// brokenBy reports whether an error of copying to or from an endpoint is of the
// endpoint's side. An error of splice does not say: the socket does.
func brokenBy(far *net.TCPConn, _ error) bool {
	info, err := tcpInfo(far)
	return err == nil && info.State == tcpClose
}
