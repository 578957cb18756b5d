package probes

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"podpath/kube"
	"podpath/probes/path"
)

// noteProxy tells of a proxy that programs in the source are told to use by
// their environment: podpath, as most probes, does not ask it.
func (o *observer) noteProxy(ctx context.Context, ask path.HTTPAsk, seen *path.Observation) {
	environ, err := o.files.read(ctx, "/proc/self/environ")
	if o.guest || err != nil {
		return
	}
	vars := []string{"http_proxy", "HTTP_PROXY"}
	if ask.TLS {
		vars = []string{"https_proxy", "HTTPS_PROXY"}
	}
	for _, name := range vars {
		proxy, ok := lookupEnv(environ, name)
		if !ok || proxy == "" || direct(environ, serverName(ask.Host)) {
			continue
		}
		if u, err := url.Parse(proxy); err == nil && u.User != nil {
			u.User = nil // it may have a password
			proxy = u.String()
		}
		seen.Detail = strings.TrimPrefix(fmt.Sprintf("%s; %s is %s in the container: programs that heed it ask there, podpath did not", seen.Detail, name, kube.Clean(proxy)), "; ")
		return
	}
}

// direct reports a host that no_proxy excepts: itself, or a domain above it.
func direct(environ []byte, host string) bool {
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		list, _ := lookupEnv(environ, name)
		for _, entry := range strings.Split(list, ",") {
			entry = strings.TrimPrefix(strings.TrimSpace(entry), ".")
			if entry != "" && (entry == "*" || host == entry || strings.HasSuffix(host, "."+entry)) {
				return true
			}
		}
	}
	return false
}
