package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// newHandler answers with a name. On /readyz it says whether it is ready, which a POST to /readyz/yes or /readyz/no changes.
func newHandler(name string, readyAtFirst bool) http.Handler {
	var ready atomic.Bool
	ready.Store(readyAtFirst)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, "ready:", ready.Load())
	})
	mux.HandleFunc("POST /readyz/yes", func(http.ResponseWriter, *http.Request) { ready.Store(true) })
	mux.HandleFunc("POST /readyz/no", func(http.ResponseWriter, *http.Request) { ready.Store(false) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	return mux
}

func newServer(handler http.Handler, config *tls.Config) *http.Server {
	return &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: handler, TLSConfig: config}
}

// resetAll accepts connections and resets each when the first byte arrives; sooner, the client might take it for a refusal.
func resetAll(listener net.Listener) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			_, _ = connection.Read(make([]byte, 1))
			_ = connection.(*net.TCPConn).SetLinger(0) // closing then resets
			_ = connection.Close()
		}()
	}
}
