package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"podpath/kube"
)

// completeProbe completes the words of podpath probe with what there is in the
// namespace.
func completeProbe(o *kube.Options) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
		defer cancel()
		config, client, err := connect(*o)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		resources := []kube.Resource{kube.Pods, kube.Services, kube.Nodes}
		snapshot, err := settle(ctx, kube.NewStore(client, config.Scope, resources...), kube.Pods)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		words := targetWords(snapshot)
		if len(args) == 0 {
			words = sourceWords(snapshot)
		}
		var out []string
		for _, w := range words {
			if strings.HasPrefix(w, typed) {
				out = append(out, w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func sourceWords(s *kube.Snapshot) []string {
	words := []string{"local"}
	seen := map[string]bool{}
	for _, p := range s.Pods {
		words = append(words, "pod/"+nameIn(s, p.Key()))
		kind, owner, _ := strings.Cut(p.Owner, "/")
		word := map[string]string{"StatefulSet": "sts/", "DaemonSet": "ds/", "ReplicaSet": "deploy/"}[kind]
		if i := strings.LastIndexByte(owner, '-'); kind == "ReplicaSet" && i > 0 {
			owner = owner[:i]
		}
		if word += nameIn(s, kube.Key{Namespace: p.Namespace, Name: owner}); strings.Contains(word, "/") && p.Owner != "" && !seen[word] {
			seen[word] = true
			words = append(words, word)
		}
	}
	for _, n := range s.Nodes {
		words = append(words, "node/"+n.Name)
	}
	return words
}

func targetWords(s *kube.Snapshot) []string {
	var words []string
	for _, svc := range s.Services {
		words = append(words, "svc/"+nameIn(s, svc.Key()))
		for _, p := range svc.Ports {
			words = append(words, fmt.Sprintf("svc/%s:%d", nameIn(s, svc.Key()), p.Port))
		}
	}
	for _, p := range s.Pods {
		for _, port := range p.Ports() {
			words = append(words, fmt.Sprintf("pod/%s:%d", nameIn(s, p.Key()), port.Port))
		}
	}
	return words
}

// nameIn writes a key without the namespace that podpath looks at.
func nameIn(s *kube.Snapshot, k kube.Key) string {
	if k.Namespace == s.Scope.Namespace {
		return k.Name
	}
	return k.String()
}
