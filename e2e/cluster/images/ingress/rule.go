package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// rule says where requests go whose path is below this one and whose host is this one, if there is one. Without a target
// the Service is missing, or its port.
type rule struct {
	host, path string
	target     *url.URL
}

func (r rule) fits(host, path string) bool {
	return (r.host == "" || r.host == host) && strings.HasPrefix(path+"/", strings.TrimSuffix(r.path, "/")+"/")
}

// before tells which of two rules that fit is taken: one with a host, and then that with the longer path.
func (r rule) before(other rule) bool {
	if r.host != other.host {
		return other.host == ""
	}
	return len(r.path) > len(other.path)
}

// route finds where a request goes, or the status to refuse it with.
func route(rules []rule, host, path string) (*url.URL, int) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	var taken *rule
	for i, r := range rules {
		if r.fits(host, path) && (taken == nil || r.before(*taken)) {
			taken = &rules[i]
		}
	}
	switch {
	case taken == nil:
		return nil, http.StatusNotFound
	case taken.target == nil:
		return nil, http.StatusServiceUnavailable
	default:
		return taken.target, http.StatusOK
	}
}
