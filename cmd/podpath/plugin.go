package main

import (
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// As a plugin of kubectl podpath is a file of the name pluginFile, and users
// type pluginCommand.
const (
	pluginFile    = "kubectl-podpath"
	pluginCommand = "kubectl podpath"
)

// isPlugin reports whether podpath was called as a plugin of kubectl: by the
// path of the program.
func isPlugin(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == pluginFile
}

// toType finds where a text tells what to type, podpath with a command or a flag
// behind it, and the beginning of an error. Elsewhere podpath is the name of the
// program, which stays what it is.
var toType = regexp.MustCompile(`(^|[^\w/-])podpath( --|:|` +
	` (?:pods|services|probe|trace|forward|rbac|cleanup|demo|completion|version)\b)`)

// asTyped is a text of podpath as a user of the plugin has to read it.
func asTyped(text string) string {
	return toType.ReplaceAllString(text, "${1}"+pluginCommand+"${2}")
}

// pluginWriter writes texts of podpath as a user of the plugin has to read
// them. Each Write is a whole text.
type pluginWriter struct{ to io.Writer }

func (w pluginWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, asTyped(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// helpAsPlugin has the help of a command and of those below it name what a
// user of the plugin types.
func helpAsPlugin(cmd *cobra.Command) {
	if !cmd.HasParent() {
		cmd.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginCommand}
	}
	cmd.Long, cmd.Example = asTyped(cmd.Long), asTyped(cmd.Example)
	flags := func(f *pflag.Flag) { f.Usage = asTyped(f.Usage) }
	cmd.Flags().VisitAll(flags)
	cmd.PersistentFlags().VisitAll(flags)
	for _, sub := range cmd.Commands() {
		helpAsPlugin(sub)
	}
}
