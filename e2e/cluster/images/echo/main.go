// Command echo is an HTTP server that answers every request with the name of its host, which in a Pod is the name of the
// Pod: it tells who answered. Flags make it answer elsewhere, with HTTPS, or badly.
package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"podpath/e2e/cluster/images/selfsigned"
)

func main() {
	var o options
	flag.StringVar(&o.http, "http", ":"+cmp.Or(os.Getenv("PORT"), "8080"), "where to serve HTTP, or nothing")
	flag.StringVar(&o.https, "https", "", "where to serve HTTPS")
	flag.StringVar(&o.names, "names", "localhost", "the names in the certificate, with commas")
	flag.DurationVar(&o.validFrom, "valid-from", -time.Hour, "when the certificate begins, counted from now")
	flag.DurationVar(&o.validFor, "valid-for", 24*time.Hour, "how long the certificate is valid")
	flag.StringVar(&o.reset, "reset", "", "where to accept connections and reset them")
	flag.BoolVar(&o.ready, "ready", true, "whether /readyz says yes, until a POST to /readyz/yes or /readyz/no changes it")
	flag.Parse()
	log.Fatal(run(context.Background(), o))
}

type options struct {
	http, https, reset  string // addresses to listen on; none when empty
	names               string
	validFrom, validFor time.Duration
	ready               bool
}

// run serves until something fails.
func run(ctx context.Context, o options) error {
	name, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("ask for the host name: %w", err)
	}
	from := time.Now().Add(o.validFrom)
	certificate, err := selfsigned.New(strings.Split(o.names, ","), from, from.Add(o.validFor))
	if err != nil {
		return err
	}
	handler := newHandler(name, o.ready)
	plain := newServer(handler, nil)
	secure := newServer(handler, &tls.Config{Certificates: []tls.Certificate{certificate}}) // one server for both breaks HTTP/2
	failed := make(chan error)
	for address, serve := range map[string]func(net.Listener) error{
		o.http:  plain.Serve,
		o.https: func(l net.Listener) error { return secure.ServeTLS(l, "", "") },
		o.reset: resetAll,
	} {
		if address == "" {
			continue
		}
		var network net.ListenConfig
		listener, err := network.Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		go func() { failed <- serve(listener) }()
	}
	return <-failed
}
