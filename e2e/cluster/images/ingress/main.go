// Command ingress is a small Ingress controller. It asks the API server every second for the Ingresses of its class, writes
// its address into their status, and passes requests on to the ClusterIPs of their Services: 404 when no rule fits, 503
// when the Service of the rule is missing or lacks the port, 502 when the Service does not answer. It takes every path for
// a prefix, and knows Service ports by number only.
package main

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"
	"net/http/httputil"
	"os"
	"sync/atomic"
	"time"

	"podpath/e2e/cluster/images/selfsigned"
)

// class is that of the Ingresses it serves.
const class = "small"

const headerTimeout = 5 * time.Second

func main() {
	api, err := newAPI()
	if err != nil {
		log.Fatal(err)
	}
	var rules atomic.Pointer[[]rule]
	rules.Store(&[]rule{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pass(*rules.Load(), w, r) })
	plain := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	secure := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, TLSConfig: &tls.Config{GetCertificate: certificateOf}}
	go func() { log.Fatal(plain.ListenAndServe()) }()
	go func() { log.Fatal(secure.ListenAndServeTLS("", "")) }() // one server for both breaks HTTP/2
	for ; ; time.Sleep(time.Second) {
		fresh, err := rulesOf(context.Background(), api, os.Getenv("HOST_IP"))
		if err != nil {
			log.Print(err) // the rules of before go on
			continue
		}
		rules.Store(&fresh)
	}
}

// certificateOf makes a certificate for whatever name the client asks for.
func certificateOf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	now := time.Now()
	certificate, err := selfsigned.New([]string{hello.ServerName}, now.Add(-time.Hour), now.Add(24*time.Hour))
	return &certificate, err
}

// pass passes one request on.
func pass(rules []rule, w http.ResponseWriter, request *http.Request) {
	target, status := route(rules, request.Host, request.URL.Path)
	if target == nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	proxy.ServeHTTP(w, request)
}
