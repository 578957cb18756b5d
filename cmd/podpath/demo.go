package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"podpath/assets"
)

const demoHelp = `The practice cluster is three Raspberry Pis that exist only inside podpath: an API
server on this machine's loopback address, Pods, and a network between them. It
needs nothing, reaches nothing outside, and is gone when podpath ends.

--demo has any command use it:

  podpath --demo
  podpath probe --demo
  podpath forward --demo svc/web 8080:80

--lesson with a name or number does the same, and has the cluster as that lesson needs it.`

func newDemo(s streams, o *clusterOptions) *cobra.Command {
	cmd := &cobra.Command{Use: "demo", Short: "Learn on a practice cluster", Long: demoHelp, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return cmd.Help()
	}}
	answer := false
	lessons := &cobra.Command{
		Use:               "lessons [NAME|NUMBER]",
		Short:             "List the lessons, or print one",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeLessons,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listLessons(s.out)
			}
			return printLesson(s.out, args[0], answer)
		},
	}
	lessons.Flags().BoolVar(&answer, "answer", false, "print the answer of a riddle, too")
	kubeconfig := &cobra.Command{
		Use:   "kubeconfig",
		Short: "Print a kubeconfig of a practice cluster, which runs until ctrl-c, for kubectl",
		Args:  cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			o.demo = true // no other cluster can be meant
			return o.check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, undo := redirectLogs(false)
			defer undo()
			if err := o.start(); err != nil {
				return err
			}
			if _, err := s.out.Write(o.Inline); err != nil {
				return brokeError{fmt.Errorf("print the kubeconfig: %w", err)}
			}
			_, _ = fmt.Fprintln(s.err, "podpath: the practice cluster runs until ctrl-c")
			<-cmd.Context().Done()
			return nil
		},
	}
	cmd.AddCommand(lessons, kubeconfig)
	return cmd
}

func completeLessons(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, l := range assets.Lessons() {
		if len(args) == 0 {
			names = append(names, l.Name+"\t"+l.Title)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func listLessons(w io.Writer) error {
	text := tabulate("#\tNAME\tLESSON", func(row func(format string, values ...any)) {
		for i, l := range assets.Lessons() {
			row("%d\t%s\t%s", i+1, l.Name, l.Title)
		}
	})
	_, err := io.WriteString(w, inLocale(text))
	return err
}

func printLesson(w io.Writer, which string, answer bool) error {
	l, err := assets.FindLesson(which)
	if err != nil {
		return err
	}
	text := l.Title + "\n" + strings.Repeat("=", len([]rune(l.Title))) + "\n\n" + l.Text + "\n"
	switch {
	case l.Answer != "" && answer:
		text += "\nAnswer\n------\n\n" + l.Answer + "\n"
	case l.Answer != "":
		text += "\nTry it first; podpath demo lessons " + l.Name + " --answer tells.\n"
	}
	_, err = io.WriteString(w, inLocale(text))
	return err
}
