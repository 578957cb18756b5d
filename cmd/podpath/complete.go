package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"podpath/kube"
)

// completeTimeout bounds a completion: a shell waits for it.
const completeTimeout = 2 * time.Second

func completeContexts(o *kube.Options) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		config, err := kube.Load(kube.Options{Kubeconfig: o.Kubeconfig})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return config.Contexts, cobra.ShellCompDirectiveNoFileComp
	}
}

func completeNamespaces(o *kube.Options) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		options := *o
		options.AllNamespaces = true
		config, client, err := connect(options)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, kube.Namespaces), kube.Namespaces)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return snapshot.Namespaces, cobra.ShellCompDirectiveNoFileComp
	}
}
