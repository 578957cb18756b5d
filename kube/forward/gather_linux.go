package forward

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// gather lets bytes add up in a socket for a while. Before there are enough of
// them, the kernel does not wake us for each packet: that would cost most of
// what is saved.
func gather(c net.Conn, while time.Duration, enough int) {
	wakeFrom(c, enough)
	time.Sleep(while)
	wakeFrom(c, 1)
}

// wakeFrom sets SO_RCVLOWAT (man 7 socket). Where that has no effect, as with a
// Unix socket, we are woken in vain.
func wakeFrom(c net.Conn, bytes int) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes) })
	}
}
