//go:build linux

package wire_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"
)

const loopback = "127.0.0.1"

// serve runs a TCP server on an address of the loopback device and returns
// its port. The connection is closed when handle returns.
func serve(t *testing.T, address string, handle func(conn *net.TCPConn)) int {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Skipf("no listener on %s here: %v", address, err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				handle(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		work.Wait()
	})
	return portOf(t, listener.Addr())
}

func portOf(t *testing.T, address net.Addr) int {
	t.Helper()
	parsed, err := netip.ParseAddrPort(address.String())
	if err != nil {
		t.Fatal(err)
	}
	return int(parsed.Port())
}

// sends is a server that says something and closes.
func sends(data []byte) func(*net.TCPConn) {
	return func(conn *net.TCPConn) { _, _ = conn.Write(data) }
}

// returns is a server that sends back size bytes, and closes.
func returns(size int) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		data := make([]byte, size)
		if _, err := io.ReadFull(conn, data); err == nil {
			_, _ = conn.Write(data)
		}
	}
}

// echoes is a server that sends back all that comes, as it comes.
func echoes(conn *net.TCPConn) { _, _ = io.Copy(onlyWriter{conn}, conn) }

// onlyWriter hides that a connection could splice.
type onlyWriter struct{ io.Writer }

// stalls is a server that says something and then nothing more, until the
// client closes.
func stalls(data []byte) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		_, _ = conn.Write(data)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// resets is a server that ends with RST once it has received something.
func resets(conn *net.TCPConn) {
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.SetLinger(0)
}

// closedPort is a TCP port that nobody listens on, and nobody else is given
// while the test runs.
func closedPort(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return bound(t, fd)
}

// blackHole is a port that answers no SYN: the queue of its listener is full.
func blackHole(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	port := bound(t, fd)
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		client, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(client) })
		_ = syscall.Connect(client, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	return port
}

func bound(t *testing.T, fd int) int {
	t.Helper()
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return address.(*syscall.SockaddrInet4).Port
}

// datagrams runs a UDP server that answers each datagram with what reply makes of
// it; nil is no answer.
func datagrams(t *testing.T, reply func([]byte) []byte) int {
	t.Helper()
	var config net.ListenConfig
	conn, err := config.ListenPacket(context.Background(), "udp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		buffer := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer := reply(bytes.Clone(buffer[:n])); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		work.Wait()
	})
	return portOf(t, conn.LocalAddr())
}

// closedUDP is a UDP port that nobody listens on, and nobody else is given
// while the test runs: it is bound, and connected to another address, so that
// the system refuses what comes from anywhere else.
func closedUDP(t *testing.T) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	port := bound(t, fd)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: 9, Addr: [4]byte{127, 0, 0, 2}}); err != nil {
		t.Fatal(err)
	}
	return port
}

// allBytes has every value of a byte, in an order that no tool expects.
func allBytes() []byte {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i*7 + 3)
	}
	return data
}
