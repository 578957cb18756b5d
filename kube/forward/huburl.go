package forward

import (
	"net"
	"slices"
	"strings"
)

// What the names of ports say about what is spoken there. They may have a
// suffix, as in http-metrics, which is a convention that Istio made.
var (
	httpNames  = []string{"http", "http2", "h2c", "web", "www", "ws"}
	httpsNames = []string{"https", "wss"}
	otherNames = []string{
		"tcp", "udp", "tls", "grpc", "redis", "mysql", "mongo", "mongodb", "postgres", "postgresql", "pg", "sql", "db", "amqp", "kafka",
		"mqtt", "ldap", "ldaps", "smtp", "imap", "pop3", "ssh", "sftp", "ftp", "dns", "memcache", "memcached", "nats", "cql", "cassandra", "thrift",
	}
)

// What ports that have no such name are used for.
var (
	httpsPorts = []int{443, 8443, 6443}
	otherPorts = []int{21, 22, 25, 53, 110, 143, 389, 587, 636, 993, 995, 1433, 1521, 1883, 3306, 4222, 5432, 5672, 6379, 9042, 9092, 11211, 27017}
)

// scheme returns http, https, or "" for what is neither.
func (v View) scheme() string {
	if v.Protocol == "UDP" {
		return ""
	}
	application := strings.TrimPrefix(strings.ToLower(v.AppProtocol), "kubernetes.io/")
	prefix, _, _ := strings.Cut(strings.ToLower(v.PortName), "-")
	for _, word := range []string{application, prefix} {
		switch {
		case slices.Contains(httpsNames, word):
			return "https"
		case slices.Contains(httpNames, word):
			return "http"
		case slices.Contains(otherNames, word), word != "" && word == application:
			return ""
		}
	}
	switch {
	case slices.Contains(httpsPorts, v.Port):
		return "https"
	case slices.Contains(otherPorts, v.Port):
		return ""
	default:
		return "http"
	}
}

// url returns what a client opens: a URL where HTTP is spoken, else the address.
func url(v View, o Order, listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || o.Address.Unix != "" {
		return listen
	}
	if o.Address.IP.IsUnspecified() {
		host = "localhost"
	}
	address := net.JoinHostPort(host, port)
	if s := v.scheme(); s != "" {
		return s + "://" + address
	}
	return address
}
