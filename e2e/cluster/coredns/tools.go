//go:build tools

// Package coredns pins the version of CoreDNS that the cluster is compiled from.
package coredns

import _ "github.com/coredns/coredns"
