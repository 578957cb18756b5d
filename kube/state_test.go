package kube

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func TestAFailureMovesTheState(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := start.Add(time.Minute)
	denied := Denied{Verb: "list", Resource: Pods, Namespace: "shop"}
	broken := errors.New("broken\x1b[31m")
	for _, test := range []struct {
		name   string
		before State
		err    error
		denied Denied
		want   State
	}{
		{"while syncing", State{Since: start, Received: 3}, broken, Denied{}, State{Since: start, Received: 3, Err: "broken[31m"}},
		{"while live", State{Phase: Live, Since: start, Listed: true}, broken, Denied{}, State{Phase: Stale, Since: now, Listed: true, Err: "broken[31m"}},
		{"while stale", State{Phase: Stale, Since: start, Listed: true, Err: "old"}, broken, Denied{}, State{Phase: Stale, Since: start, Listed: true, Err: "broken[31m"}},
		{"denied", State{Since: start}, denied, denied, State{Phase: Forbidden, Since: now, Denied: denied, Err: "you may not list pods in namespace shop"}},
		{"not denied any more", State{Phase: Forbidden, Since: start, Denied: denied}, broken, Denied{}, State{Since: now, Err: "broken[31m"}},
		{"token not accepted", State{Phase: Live, Listed: true}, apierrors.NewUnauthorized("Unauthorized"), Denied{}, State{Phase: Stale, Since: now, Listed: true, Err: "Unauthorized", Code: 401}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.before.failed(test.err, test.denied, now); got != test.want {
				t.Errorf("got  %#v\nwant %#v", got, test.want)
			}
		})
	}
}

func TestDeniedNamesTheRuleThatWouldFixIt(t *testing.T) {
	for _, test := range []struct {
		denied           Denied
		what, rule, role string
	}{
		{
			Denied{"list", Pods, "shop"},
			"you may not list pods in namespace shop",
			`{apiGroups: [""], resources: [pods], verbs: [list, watch]}`, "Role in shop",
		},
		{
			Denied{"watch", EndpointSlices, ""},
			"you may not watch endpointslices in the whole cluster",
			`{apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list, watch]}`, "ClusterRole",
		},
	} {
		if got := test.denied; got.Error() != test.what || got.Rule() != test.rule || got.RoleKind() != test.role {
			t.Errorf("got %q, %q, %q; want %q, %q, %q", got.Error(), got.Rule(), got.RoleKind(), test.what, test.rule, test.role)
		}
	}
}

// Errors are shown in one line of a small screen: what is wrong, not which URL
// was asked.
func TestErrorsAreSaidInFewWords(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that hangs up
	secure.StartTLS()
	defer secure.Close()
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hung.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, test := range []struct {
		name   string
		config rest.Config
		want   string
	}{
		{"nothing listens", rest.Config{Host: closed.URL}, "connect: connection refused"},
		{"unknown authority", rest.Config{Host: secure.URL}, "is from an authority that the kubeconfig does not name"},
		{"unknown host", rest.Config{Host: "no-such-host.invalid"}, "the name no-such-host.invalid of the API server has no address"},
		{"no answer", rest.Config{Host: hung.URL}, "no answer within 1s (--request-timeout)"},
		{"exec plugin missing", rest.Config{Host: secure.URL, ExecProvider: &clientcmdapi.ExecConfig{
			Command: "no-such-plugin", APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
		}}, "the credential plugin no-such-plugin of the service account of the Pod is not installed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &Config{rest: &test.config, timeout: time.Second}
			c.tune(Options{})
			client, err := NewClient(c)
			must(t, err)
			ctx, cancel := client.deadline(context.Background())
			defer cancel()
			got := describe(client.core.Get().Resource("pods").Do(ctx).Error())
			if !strings.Contains(got, test.want) || strings.Contains(got, "/api/v1") || len(got) > 160 {
				t.Errorf("got %q, want %q, short and without a URL", got, test.want)
			}
		})
	}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("why"))
	for _, err := range []error{forbidden, apierrors.NewUnauthorized("Unauthorized")} {
		if got := describe(err); got != err.Error() {
			t.Errorf("got %q, want the server's own words %q", got, err)
		}
	}
}
