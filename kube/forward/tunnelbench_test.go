package forward

import (
	"io"
	"log"
	"strconv"
	"testing"
	"time"

	"k8s.io/klog/v2"
)

func benchBoth(b *testing.B, far func() *farEnd, bench func(b *testing.B, tunnel *Tunnel)) {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	log.SetOutput(io.Discard)
	for name, noWebSocket := range tunnelTransports {
		b.Run(name, func(b *testing.B) {
			f := far()
			f.noWebSocket = noWebSocket
			bench(b, f.tunnel(b))
		})
	}
}

// BenchmarkTunnelNewConnections opens a connection, sends 64 bytes, reads them
// back, and closes.
func BenchmarkTunnelNewConnections(b *testing.B) {
	for _, clients := range []int{1, 4} {
		b.Run(strconv.Itoa(clients)+" a core", func(b *testing.B) {
			benchBoth(b, farEcho, func(b *testing.B, tunnel *Tunnel) {
				text := string(make([]byte, 64))
				b.SetParallelism(clients)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := ask(b.Context(), tunnel, text); err != nil {
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

// BenchmarkTunnelDownload reads what the far side sends in frames of 32 KiB.
func BenchmarkTunnelDownload(b *testing.B) {
	benchBoth(b, func() *farEnd {
		return &farEnd{forward: func(_ int32, stream io.ReadWriteCloser) error {
			block := make([]byte, 32<<10)
			for {
				if _, err := stream.Write(block); err != nil {
					return err
				}
			}
		}}
	}, func(b *testing.B, tunnel *Tunnel) {
		conn := open(b, tunnel, 80)
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
	for _, size := range []int{512, 32 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			benchBoth(b, func() *farEnd {
				return &farEnd{forward: func(_ int32, stream io.ReadWriteCloser) error {
					_, err := io.Copy(io.Discard, stream)
					return err
				}}
			}, func(b *testing.B, tunnel *Tunnel) {
				conn := open(b, tunnel, 80)
				defer func() { _ = conn.Close() }()
				must(b, conn.SetDeadline(time.Time{}))
				block := make([]byte, size)
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := conn.Write(block); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
