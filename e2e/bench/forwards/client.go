package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// patience is how long one exchange may take.
const patience = 30 * time.Second

// dial connects. The end of ctx breaks the connection.
func dial(ctx context.Context, address string) (conn *net.TCPConn, done func(), err error) {
	dialer := net.Dialer{Timeout: patience}
	opened, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	conn = opened.(*net.TCPConn)
	_ = conn.SetDeadline(time.Now().Add(patience))
	forget := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return conn, func() { forget(); _ = conn.Close() }, nil
}

// get asks nginx over a new connection, reads the answer into the buffer, again and again, and closes. It does not wait until nginx
// closes: through pods/portforward, the end takes a second to arrive. It returns how many bytes the body had.
func get(ctx context.Context, address, request string, buffer []byte) (received int, err error) {
	conn, done, err := dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer done()
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return 0, fmt.Errorf("nginx answered %s", answer.Status)
	}
	for {
		n, err := answer.Body.Read(buffer)
		received += n
		switch {
		case errors.Is(err, io.EOF):
			return received, nil
		case err != nil:
			return received, err
		}
	}
}

// Requests for the page, and for so many bytes of the big file.
const page = "GET / HTTP/1.1\r\nHost: far\r\n\r\n"

func zeros(size int) string {
	return fmt.Sprintf("GET /zeros HTTP/1.1\r\nHost: far\r\nRange: bytes=0-%d\r\n\r\n", size-1)
}
