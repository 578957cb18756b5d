package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/probes"
	"podpath/probes/launch"
	"podpath/tui"
)

const rootHelp = `podpath shows how the Pods, Nodes and Services of a Kubernetes cluster are
connected: which Pods run on which Node, and which endpoints stand behind each
Service; and it tests those paths from inside the Pods. Without a command it
opens the terminal UI; press ? there for help.

It looks at the namespace of the current context, as kubectl does; -A looks at
all of them. It changes nothing in the cluster unless you allow it.

Exit code: 0 when all is well, 1 when a check failed, 2 for bad usage or no
cluster, 3 when podpath could not look everywhere, 4 when podpath itself broke.`

// rootOptions are the flags of the terminal UI.
type rootOptions struct {
	cluster  *clusterOptions
	mouse    bool
	readOnly bool
	version  bool
}

func newRoot(s streams, cluster *clusterOptions) *cobra.Command {
	o := rootOptions{cluster: cluster}
	s = s.plainly()
	cluster.UserAgent, cluster.Interactive = "podpath/"+version, true
	root := &cobra.Command{
		Use:           "podpath",
		Short:         "See how Pods, Nodes and Services are connected",
		Long:          rootHelp,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return o.cluster.check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.version {
				return printVersion(s.out, "text")
			}
			return o.run(cmd.Context(), s)
		},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.Flags().BoolVar(&o.mouse, "mouse", false, "take the mouse: wheel and clicks (the terminal's own selection then needs shift)")
	root.Flags().BoolVar(&o.readOnly, "readonly", false, "run nothing in the cluster and forward nothing: only look at its objects")
	root.Flags().BoolVar(&o.version, "version", false, "print the version")
	addClusterFlags(root, o.cluster)
	root.AddCommand(newPods(s, o.cluster), newServices(s, o.cluster), newProbe(s, o.cluster), newTrace(s, o.cluster), newForward(s, o.cluster), newRBAC(s), newCleanup(s, o.cluster), newDemo(s, o.cluster), newVersion(s))
	return root
}

// addClusterFlags adds the flags that say which cluster to use. They have
// kubectl's names and meaning.
func addClusterFlags(root *cobra.Command, o *clusterOptions) {
	f := root.PersistentFlags()
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "the kubeconfig file (default: $KUBECONFIG, then ~/.kube/config)")
	f.StringVar(&o.Context, "context", "", "the context of the kubeconfig to use")
	f.StringVarP(&o.Namespace, "namespace", "n", "", "the namespace to look at")
	f.BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "look at all namespaces")
	f.StringVar(&o.As, "as", "", "the user to impersonate")
	f.StringArrayVar(&o.AsGroups, "as-group", nil, "a group to impersonate; may be repeated")
	o.RequestTimeout = 30 * time.Second
	f.Var((*timeout)(&o.RequestTimeout), "request-timeout", "how long a request, or a whole listing, may take, such as 5s or 2m; 0 is for ever (watches are never cut)")
	f.BoolVar(&o.demo, "demo", false, "use the practice cluster, which runs in podpath itself")
	f.StringVar(&o.lesson, "lesson", "", "use the practice cluster as this lesson needs it, by name or number; podpath demo lessons lists them")
	f.BoolVar(&o.still, "still", false, "let nothing happen in the practice cluster by itself")
	f.Float32Var(&o.QPS, "qps", kube.DefaultQPS, "requests a second to the API server, on average")
	f.IntVar(&o.Burst, "burst", kube.DefaultBurst, "requests at once to the API server")
	for name, complete := range map[string]cobra.CompletionFunc{"context": completeContexts(o), "namespace": completeNamespaces(o), "lesson": completeLessons} {
		if err := root.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(err) // the flag was added above
		}
	}
}

func validate(o *kube.Options) error {
	switch {
	case o.QPS <= 0:
		return fmt.Errorf("--qps %v must be more than 0", o.QPS)
	case o.Burst <= 0:
		return fmt.Errorf("--burst %d must be more than 0", o.Burst)
	case o.RequestTimeout < 0:
		return fmt.Errorf("--request-timeout %s must not be negative; 0 is for ever", o.RequestTimeout)
	}
	return nil
}

// timeout is a duration as kubectl takes it: a bare number is seconds.
type timeout time.Duration

func (t *timeout) String() string { return time.Duration(*t).String() }
func (t *timeout) Type() string   { return "duration" }
func (t *timeout) Set(text string) error {
	d, err := clientcmd.ParseTimeout(text)
	*t = timeout(d)
	return err
}

// run opens the terminal UI.
func (o *rootOptions) run(ctx context.Context, s streams) error {
	out := terminal(s.out)
	if out == nil || terminal(s.in) == nil {
		return errors.New("the UI needs a terminal: log in with ssh -t, or use podpath pods and podpath services, which print once")
	}
	if kind := os.Getenv("TERM"); kind == "dumb" || kind == "" {
		return fmt.Errorf("the terminal cannot move its cursor (TERM=%s): use podpath pods and podpath services, which print once", kind)
	}
	path, undo := redirectLogs(true)
	defer undo()
	if err := o.cluster.start(); err != nil {
		return err
	}
	connect := connector(o.cluster)
	cluster, err := connect(tui.Choice{Context: o.cluster.Context, Namespace: o.cluster.Namespace, All: o.cluster.AllNamespaces})
	if err != nil {
		return err
	}
	hub := forward.NewHub(forward.HubOptions{Drain: forwardDrain, Patience: o.cluster.RequestTimeout})
	options := tui.Options{
		Cluster: cluster, Connect: connect, Forwards: hub, Practice: o.cluster.lessons(),
		Mouse: o.mouse, ReadOnly: o.readOnly, ASCII: !speaksUTF8(os.Getenv),
	}
	switch err := tui.Run(ctx, options, s.in, out); {
	case errors.Is(err, tea.ErrProgramPanic): // Bubble Tea has written it to stderr, which is the log
		return brokeError{fmt.Errorf("panic in the UI: %w; the trace is in %s", err, path)}
	case errors.Is(err, tui.ErrQuit):
		return brokeError{fmt.Errorf("%w, which is %s", err, path)}
	case err != nil:
		return brokeError{err}
	}
	return nil
}

// connector returns what connects the UI to the chosen cluster.
func connector(base *clusterOptions) func(tui.Choice) (tui.Cluster, error) {
	return func(c tui.Choice) (tui.Cluster, error) {
		o := *base
		o.Interactive = false // the UI has the terminal
		o.Context, o.Namespace, o.AllNamespaces = c.Context, c.Namespace, c.All
		config, client, err := o.connect()
		if err != nil {
			return tui.Cluster{}, err
		}
		return tui.Cluster{
			Context:  config.Context,
			Contexts: config.Contexts,
			Server:   config.Server,
			Scope:    config.Scope,
			Source:   kube.NewStore(client, config.Scope),
			Reader:   client,
			Prober:   probes.NewProber(client, launch.Options{Namespace: config.Scope.Namespace, Machine: o.machine()}),
			Forwards: forward.NewCluster(config.Context, client, o.machine()),
		}, nil
	}
}

// speaksUTF8 reads the locale as POSIX does: the first of these that is set
// counts. Where none is, a terminal of today speaks UTF-8.
func speaksUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return true
}
