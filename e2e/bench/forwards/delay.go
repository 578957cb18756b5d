package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// farAPI is a way to the API server that takes longer.
type farAPI struct {
	kubeconfig string
	stop       func()
}

// putFarAway writes a kubeconfig whose API server answers one round trip later: every byte takes half of it longer, each way.
func putFarAway(ctx context.Context, kubeconfig, copyTo string, roundTrip time.Duration) (*farAPI, error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	server, err := url.Parse(cluster.Server)
	if err != nil {
		return nil, fmt.Errorf("the address of the API server in %s: %w", kubeconfig, err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cluster.Server, cluster.TLSServerName = "https://"+listener.Addr().String(), server.Hostname()
	if err := clientcmd.WriteToFile(*config, copyTo); err != nil {
		_ = listener.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { serveDelayed(ctx, listener, server.Host, roundTrip/2, &all) })
	return &farAPI{kubeconfig: copyTo, stop: func() {
		cancel()
		_ = listener.Close()
		all.Wait()
	}}, nil
}

func serveDelayed(ctx context.Context, listener net.Listener, server string, by time.Duration, all *sync.WaitGroup) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		far, forget, err := dial(ctx, server)
		if err != nil {
			_ = near.Close()
			continue
		}
		_ = far.SetDeadline(time.Time{}) // watches are long
		stop := context.AfterFunc(ctx, func() { _ = near.Close() })
		var both sync.WaitGroup
		both.Go(func() { delay(far, near, by) })
		both.Go(func() { delay(near, far, by) })
		all.Go(func() {
			both.Wait()
			stop()
			forget()
		})
	}
}

// delay copies, and has every byte arrive that much later. It closes to at the end.
func delay(to, from net.Conn, by time.Duration) {
	type parcel struct {
		data []byte
		due  time.Time
	}
	parcels := make(chan parcel, 1000)
	go func() {
		defer close(parcels)
		for {
			data := make([]byte, 32<<10)
			n, err := from.Read(data)
			if err != nil {
				return
			}
			parcels <- parcel{data[:n], time.Now().Add(by)}
		}
	}()
	for p := range parcels {
		time.Sleep(time.Until(p.due))
		_, _ = to.Write(p.data)
	}
	_ = to.Close()
}
