package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// newHandler answers with a name, on /late?after=10s later, and on /endless without an end. On /readyz it says whether it is
// ready, which a POST to /readyz/yes or /readyz/no changes.
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
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(wish(r, "after")) // also when the client has said that it sends no more
		fmt.Fprintln(w, name)
	})
	mux.HandleFunc("GET /endless", func(w http.ResponseWriter, r *http.Request) { endless(w, name, wish(r, "every")) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, name) })
	return mux
}

// wish is a duration that the URL asks for, such as ?after=10s.
func wish(r *http.Request, parameter string) time.Duration {
	d, _ := time.ParseDuration(r.URL.Query().Get(parameter)) // what is none is 0
	return d
}

// endless sends until the client is gone: as fast as it can, or a name every so often.
func endless(w http.ResponseWriter, name string, every time.Duration) {
	data := make([]byte, 32<<10)
	if every > 0 {
		data = []byte(name + "\n")
	}
	for {
		if _, err := w.Write(data); err != nil {
			return
		}
		if every > 0 {
			_ = http.NewResponseController(w).Flush() // the next Write fails as well
			time.Sleep(every)
		}
	}
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
