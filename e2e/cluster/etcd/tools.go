//go:build tools

// Package etcd pins the version of etcd that the cluster is compiled from.
package etcd

import _ "go.etcd.io/etcd/server/v3"
