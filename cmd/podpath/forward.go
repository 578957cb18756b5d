package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/labels"

	"podpath/kube"
	"podpath/kube/forward"
)

const forwardHelp = `Give local access to Services, Pods and workloads. Each new connection goes to
one of the endpoints; podpath follows them, and does not end with a Pod.

  TARGET  svc/NAME   pod/NAME   deploy/NAME (or sts, ds, rs)
          NAMESPACE/ may precede NAME, and :PORT follow it
  PORT    a number or a name, with /udp behind it where that is meant, and
          LOCAL: before it for another local port; 0: is any free one.
          Without a PORT all those of the Service or of the Pods

With -l or --all-services every Service has a loopback address of its own, with
its own port numbers; --hosts prints lines for /etc/hosts. Services that come
later are forwarded as well, and those that go are not any more.

podpath connects to Pod addresses itself where they answer, as on a Node, and
else goes through the API server (--via). UDP goes directly only.

Ctrl-c ends: no new connections are taken, and open ones may run on for --drain.

Exit code: 0 after ctrl-c, 2 for bad usage, a missing permission or no cluster,
4 when podpath had to stop by itself.`

const forwardExamples = `  podpath forward svc/web 8080:80
  podpath forward svc/web:http svc/db 5432
  podpath forward deploy/web 0:80 --via tunnel
  podpath forward svc/dns:53/udp 5353:53/udp
  podpath forward --all-services --hosts`

// forwardDrain is how long open connections may run on at the end of a forward.
const forwardDrain = 10 * time.Second

var forwardOutputs = []string{"text", "json"}

// eachAddress is the value of --address that gives every target an address of
// its own.
const eachAddress = "each"

// forwarding is the command.
type forwarding struct {
	cluster *clusterOptions
	streams streams

	output, policyName, viaName, addressWord, selectorWord string
	all, hosts                                             bool
	metrics                                                string
	drain                                                  time.Duration

	policy   forward.Policy
	via      forward.Via
	address  forward.Address
	selector labels.Selector // nil unless whole Services are asked for
}

func newForward(s streams, o *clusterOptions) *cobra.Command {
	f := &forwarding{cluster: o, streams: s}
	cmd := &cobra.Command{
		Use:               "forward TARGET [LOCAL:]PORT...",
		Short:             "Give local access to Services, over all their endpoints",
		Long:              forwardHelp,
		Example:           forwardExamples,
		ValidArgsFunction: completeWords(o, kube.Services, forwardWords),
		PreRunE:           func(_ *cobra.Command, args []string) error { return f.validate(args) },
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "text", "how to print: "+strings.Join(forwardOutputs, ", "))
	flags.StringVar(&f.policyName, "policy", string(forward.EWMA), "which endpoint is next: "+strings.Join(names(forward.Policies), ", "))
	flags.StringVar(&f.viaName, "via", string(forward.ViaAuto), "how to get there: "+strings.Join(names(forward.Vias), ", "))
	flags.StringVar(&f.addressWord, "address", "127.0.0.1", "where to listen: an IP address, "+
		"localhost for 127.0.0.1 and ::1, unix:PATH, or each for a loopback address for every target")
	flags.StringVarP(&f.selectorWord, "selector", "l", "", "forward all Services with these labels")
	flags.BoolVar(&f.all, "all-services", false, "forward all Services")
	flags.BoolVar(&f.hosts, "hosts", false, "print lines for /etc/hosts, and the table on stderr")
	flags.DurationVar(&f.drain, "drain", forwardDrain, "how long open connections may run on at the end")
	flags.StringVar(&f.metrics, "metrics", "", "serve counters for Prometheus at this address, such as 127.0.0.1:9100")
	completeFlags(cmd, map[string][]string{"output": forwardOutputs, "policy": names(forward.Policies), "via": names(forward.Vias)})
	return cmd
}

func (f *forwarding) validate(args []string) (err error) {
	whole := f.all || f.selectorWord != ""
	switch {
	case !slices.Contains(forwardOutputs, f.output):
		return fmt.Errorf("there is no output format %q: use one of %s", f.output, strings.Join(forwardOutputs, ", "))
	case f.drain < 0:
		return errors.New("--drain must not be negative")
	case whole && len(args) > 0:
		return errors.New("-l and --all-services choose Services: leave them out, or the targets")
	case !whole && len(args) == 0:
		return errors.New("say what to forward: a target such as svc/web and its port, or --all-services")
	case f.hosts && f.output == "json":
		return errors.New("--hosts prints text: leave it out, or -o json")
	}
	if f.policy, err = forward.ParsePolicy(f.policyName); err != nil {
		return err
	}
	if f.via, err = forward.ParseVia(f.viaName); err != nil {
		return err
	}
	if whole {
		if f.addressWord == "127.0.0.1" {
			f.addressWord = eachAddress
		}
		if f.selector, err = labels.Parse(f.selectorWord); err != nil {
			return fmt.Errorf("-l %s is no label selector: %w", f.selectorWord, err)
		}
	}
	if f.addressWord == eachAddress {
		return nil
	}
	if whole {
		return errors.New("with -l and --all-services each Service has an address of its own: leave --address out")
	}
	if f.hosts {
		return errors.New("--hosts needs an address for each target: add --address each")
	}
	f.address, err = forward.ParseAddress(f.addressWord)
	return err
}

// run forwards until ctx ends.
func (f *forwarding) run(ctx context.Context, args []string) error {
	_, undo := redirectLogs(false)
	defer undo()
	config, client, err := f.cluster.connect()
	if err != nil {
		return err
	}
	orders, err := parseOrders(args, config.Scope.Namespace)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	session := f.newSession(config, client, stop)
	defer session.close()
	if err := session.open(ctx, orders); err != nil {
		return err
	}
	return session.run(ctx)
}
