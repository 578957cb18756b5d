package network

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/net/nettest"
)

func TestConnectionsBehaveAsThoseOfTheStandardLibrary(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		near, far := newLink("tcp")
		return near, far, func() { _, _ = near.Close(), far.Close() }, nil
	})
}

func TestConnectionsEndAsOnLinux(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(far *conn)
		want error
	}{
		"closed":                   {func(far *conn) { _ = far.Close() }, nil},
		"half closed":              {func(far *conn) { _ = far.CloseWrite() }, nil},
		"closed without lingering": {func(far *conn) { _, _ = far.SetLinger(0), far.Close() }, syscall.ECONNRESET},
	} {
		near, far := newLink("tcp")
		_, err := far.Write([]byte("bye"))
		test.end(far)
		text, readErr := io.ReadAll(near)
		if err != nil || string(text) != "bye" || !errors.Is(readErr, test.want) {
			t.Errorf("%s: got %q, %v, %v; want all of it, and then %v", name, text, err, readErr, test.want)
		}
	}
	near, far := newLink("tcp")
	_, _ = near.Write([]byte("not read"))
	_ = far.Close()
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v from a side that closed without reading, want a reset", err)
	}
	near, far = newLink("tcp")
	_ = far.Close()
	if _, err := near.Write([]byte("late")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v to a side that was closed, want a broken pipe", err)
	}
}

func TestAnswersComeAfterAHalfClose(t *testing.T) {
	near, far := newLink("tcp")
	_, _ = near.Write([]byte("question"))
	_ = near.CloseWrite()
	asked, _ := io.ReadAll(far)
	_, _ = far.Write(append(asked, '!'))
	_ = far.Close()
	if got, err := io.ReadAll(near); string(got) != "question!" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPacketsKeepTheirBounds(t *testing.T) {
	near, far := newLink("udp")
	_, _ = near.Write([]byte("first"))
	_, _ = near.Write(nil)
	_, _ = near.Write([]byte("third"))
	for _, want := range []string{"fir", "", "thi"} {
		b := make([]byte, 3)
		if n, err := far.Read(b); string(b[:n]) != want || err != nil {
			t.Errorf("got %q, %v, want %q", b[:n], err, want)
		}
	}
}
