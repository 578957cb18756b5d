package main

import (
	"fmt"
	"strings"

	"podpath/kube"
)

// probeWords are the sources for the first word, and targets for the others.
func probeWords(s *kube.Snapshot, args []string) []string {
	if len(args) == 0 {
		return sourceWords(s)
	}
	return targetWords(s)
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
