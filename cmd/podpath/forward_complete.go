package main

import (
	"strings"

	"podpath/kube"
)

// forwardWords are the targets of probes, and the workloads.
func forwardWords(s *kube.Snapshot, _ []string) []string {
	words := targetWords(s)
	for _, w := range sourceWords(s) {
		if kind, _, _ := strings.Cut(w, "/"); kind == "deploy" || kind == "sts" || kind == "ds" {
			words = append(words, w)
		}
	}
	return words
}
