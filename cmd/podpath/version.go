package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

// versionDoc is what -o json and -o yaml print.
type versionDoc struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Version    string `json:"version"`
	Commit     string `json:"commit"`
	Go         string `json:"go"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
}

func thisVersion() versionDoc {
	return versionDoc{apiVersion, "Version", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH}
}

func newVersion(s streams) *cobra.Command {
	formats := []string{"text", "json", "yaml"}
	output := formats[0]
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print the version",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return printVersion(s.out, output) },
	}
	cmd.Flags().StringVarP(&output, "output", "o", output, "how to print: text, json or yaml")
	completeFlags(cmd, map[string][]string{"output": formats})
	return cmd
}

// printVersion prints the version in a format.
func printVersion(w io.Writer, format string) error {
	v := thisVersion()
	var err error
	switch format {
	case "text":
		_, err = fmt.Fprintf(w, "podpath %s (commit %s, %s, %s/%s)\n", v.Version, v.Commit, v.Go, v.OS, v.Arch)
	case "json":
		err = printJSON(w, v)
	case "yaml":
		err = printYAML(w, v)
	default:
		return fmt.Errorf("there is no output format %q: use one of text, json, yaml", format)
	}
	if err != nil {
		return brokeError{err}
	}
	return nil
}
