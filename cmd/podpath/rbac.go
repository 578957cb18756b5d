package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"podpath/assets"
)

// newRBAC prints Roles with the rules that features need.
func newRBAC(s streams) *cobra.Command {
	var all []string
	for _, f := range assets.Features {
		all = append(all, f.Name)
	}
	return &cobra.Command{
		Use:       "rbac [FEATURE...]",
		Short:     "Print the RBAC rules that features need",
		Long:      "Print a Role, and a ClusterRole where one is needed, with the rules that the features need:\n" + strings.Join(all, ", ") + ". Without a feature, those of view and probe.",
		Example:   "  podpath rbac view probe | kubectl apply -n shop -f -",
		ValidArgs: all,
		RunE: func(_ *cobra.Command, features []string) error {
			if len(features) == 0 {
				features = []string{"view", "probe"}
			}
			text, err := roles(features)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprint(s.out, text); err != nil {
				return brokeError{err}
			}
			return nil
		},
	}
}

// roles writes the manifests of the roles.
func roles(features []string) (string, error) {
	namespaced, cluster := "", ""
	for _, name := range features {
		rules, err := assets.Rules(name)
		if err != nil {
			return "", err
		}
		for _, f := range assets.Features {
			switch {
			case f.Name != name:
			case f.Cluster:
				cluster += rules
			default:
				namespaced += rules
			}
		}
	}
	var parts []string
	for _, role := range []struct{ kind, rules string }{{"Role", namespaced}, {"ClusterRole", cluster}} {
		if role.rules != "" {
			parts = append(parts, fmt.Sprintf("apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: podpath}\nrules:\n%s", role.kind, role.rules))
		}
	}
	return strings.Join(parts, "---\n"), nil
}
