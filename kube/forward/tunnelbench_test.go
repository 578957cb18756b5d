package forward

import (
	"io"
	"log"
	"net"
	"strconv"
	"testing"
	"time"

	"k8s.io/klog/v2"
)

func benchBoth(b *testing.B, handle func(*net.TCPConn), bench func(b *testing.B, tunnel *Tunnel, web Target)) {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	log.SetOutput(io.Discard)
	for name, denied := range map[string]string{"WebSocket": "", "SPDY": noWebSocket} {
		b.Run(name, func(b *testing.B) {
			p := newPractice(b)
			p.deny(denied)
			bench(b, p.tunnel(b), p.serve(b, "web", handle))
		})
	}
}

// BenchmarkTunnelNewConnections opens a connection, sends 64 bytes, reads them
// back, and closes.
func BenchmarkTunnelNewConnections(b *testing.B) {
	for _, clients := range []int{1, 4} {
		b.Run(strconv.Itoa(clients)+" a core", func(b *testing.B) {
			benchBoth(b, echo, func(b *testing.B, tunnel *Tunnel, web Target) {
				text := string(make([]byte, 64))
				b.SetParallelism(clients)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := ask(b.Context(), tunnel, web, text); err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "conns/s")
			})
		})
	}
}

// BenchmarkTunnelDownload reads what a Pod sends without end.
func BenchmarkTunnelDownload(b *testing.B) {
	benchBoth(b, bulk, func(b *testing.B, tunnel *Tunnel, web Target) {
		conn := open(b, tunnel, web)
		defer func() { _ = conn.Close() }()
		must(b, conn.SetDeadline(time.Time{}))
		block := make([]byte, 32<<10)
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			if _, err := io.ReadFull(conn, block); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTunnelUpload sends writes of several sizes.
func BenchmarkTunnelUpload(b *testing.B) {
	swallow := func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }
	for _, size := range []int{512, 32 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			benchBoth(b, swallow, func(b *testing.B, tunnel *Tunnel, web Target) {
				conn := open(b, tunnel, web)
				defer func() { _ = conn.Close() }()
				must(b, conn.SetDeadline(time.Time{}))
				block := make([]byte, size)
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := conn.Write(block); err != nil {
						b.Fatal(err)
					}
				}
				must(b, conn.CloseWrite())
				if _, err := io.ReadAll(conn); err != nil { // at the end all has arrived
					b.Fatal(err)
				}
			})
		})
	}
}
