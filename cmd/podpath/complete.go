package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"podpath/kube"
)

// completeTimeout bounds a completion: a shell waits for it.
const completeTimeout = 2 * time.Second

func completeContexts(o *clusterOptions) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := kube.Load(kube.Options{Kubeconfig: o.Kubeconfig})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		hidden := func(name string) bool { return kube.Clean(name) != name } // it would be completed to another one
		return slices.DeleteFunc(config.Contexts, hidden), cobra.ShellCompDirectiveNoFileComp
	}
}

func completeNamespaces(o *clusterOptions) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		_, client, err := o.connectSilently()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snapshot, err := settle(ctx, kube.NewStore(client, kube.Scope{}, kube.Namespaces), kube.Namespaces)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return snapshot.Namespaces, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeWords completes words with what there is in the namespace: words picks
// them from a snapshot, given the words that stand before.
func completeWords(o *clusterOptions, needed kube.Resource, words func(*kube.Snapshot, []string) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		config, client, err := o.connectSilently()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, kube.Pods, kube.Services, kube.Nodes), needed)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, w := range words(snapshot, args) {
			if strings.HasPrefix(w, typed) {
				out = append(out, w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlags completes flags that take one of a few values.
func completeFlags(cmd *cobra.Command, values map[string][]string) {
	for name, v := range values {
		if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(v, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flag was added before
		}
	}
}
