package main

import (
	"context"
	"fmt"
	"io"
	"net"
)

// serveProxy is the bare proxy, for both ports, until ctx ends: the floor of any proxy that is a program.
func serveProxy(ctx context.Context, pods []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for _, port := range []string{httpPort, sinkPort} {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(listener.Addr(), port)
		go bareProxy(ctx, listener, pods, port)
	}
	<-ctx.Done()
	return nil // the process ends, and with it what is open
}

// bareProxy accepts, dials, and copies both ways.
func bareProxy(ctx context.Context, listener net.Listener, pods []string, port string) {
	var dialer net.Dialer
	for turn := 0; ; turn++ {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(pods[turn%len(pods)], port))
			if err != nil {
				return
			}
			defer far.Close()
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(near, far)
		}()
	}
}
