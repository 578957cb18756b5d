package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"podpath/kube"
)

// completeForward completes the targets of podpath forward with what there is
// in the namespace.
func completeForward(o *kube.Options) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		config, client, err := connect(*o)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, kube.Pods, kube.Services), kube.Services)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, w := range forwardWords(snapshot) {
			if strings.HasPrefix(w, typed) {
				out = append(out, w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// forwardWords are the targets of probes, and the workloads.
func forwardWords(s *kube.Snapshot) []string {
	words := targetWords(s)
	for _, w := range sourceWords(s) {
		if kind, _, _ := strings.Cut(w, "/"); kind == "deploy" || kind == "sts" || kind == "ds" {
			words = append(words, w)
		}
	}
	return words
}
