package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// newCleanup deletes what killed runs left behind.
func newCleanup(s streams, o *clusterOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "cleanup",
		Short: "Delete helper Pods that a killed run left behind",
		Long: `Delete the helper Pods (label app.kubernetes.io/managed-by=podpath) of the
namespace, or of all with -A. They end by themselves after 15 minutes, and are
left behind only when podpath was killed. A run that is going on needs its own:
do not clean up then. Ephemeral containers cannot be deleted; they end by
themselves.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, undo := redirectLogs(false)
			defer undo()
			config, client, err := o.connect()
			if err != nil {
				return err
			}
			helpers, err := client.Helpers(cmd.Context(), config.Scope)
			if err != nil {
				return fmt.Errorf("%s: %w", config.Server, err)
			}
			var failed []error
			for _, h := range helpers {
				if err := client.DeleteHelper(cmd.Context(), h); err != nil {
					failed = append(failed, err)
					continue
				}
				_, _ = fmt.Fprintf(s.out, "deleted Pod %s\n", h.Key)
			}
			if len(helpers) == 0 {
				_, _ = fmt.Fprintf(s.out, "nothing is left behind in %s\n", where(config.Scope))
			}
			return errors.Join(failed...)
		},
	}
}
