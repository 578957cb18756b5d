// Package kube reads a cluster: it loads the configuration as kubectl does,
// watches the resources that podpath shows, and joins them into immutable
// snapshots of plain structs. Text in a snapshot comes from the cluster but is
// already free of control characters, so it can be drawn as it is.
package kube
