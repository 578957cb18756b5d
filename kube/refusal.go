package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// refused says what is known about credentials that the API server does not
// accept; nil when nothing is. It counts as the API server's answer 401. The
// error is of reading them anew.
func (c *Config) refused(config *rest.Config, reading error, now time.Time) error {
	e := &ConnectError{Problem: Refused, Err: errUnauthorized(), What: "the API server does not accept your credentials"}
	certificate := clientCertificate(config)
	twice := c.twice()
	switch {
	case reading != nil:
		e.What += ", and they cannot be read anew: " + reading.Error()
		e.Step = "correct the kubeconfig, or log in again"
	case certificate != nil && now.After(certificate.NotAfter):
		e.What += fmt.Sprintf(": the client certificate of %s expired on %s", c.user(), day(certificate.NotAfter))
		e.Step = "take the kubeconfig of this cluster anew; kubeadm certs renew admin.conf makes one on the control plane"
	case twice != "":
		e.Step = "give them different names, or name the right file with --kubeconfig"
	default:
		return nil
	}
	e.What += twice
	return e
}

func errUnauthorized() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnauthorized, Reason: metav1.StatusReasonUnauthorized,
	}}
}

// twice tells which parts of the chosen context are in several files of
// $KUBECONFIG, and differ: the first one counts, which may be another cluster's.
// It goes on a sentence.
func (c *Config) twice() string {
	if c.options.Inline != nil || c.options.Kubeconfig != "" {
		return ""
	}
	parts := []part{
		{kind: "context", name: c.names.context, of: func(f *configFile, name string) any { return f.Contexts[name] }},
		{kind: "cluster", name: c.names.cluster, of: func(f *configFile, name string) any { return f.Clusters[name] }},
		{kind: "user", name: c.names.user, of: func(f *configFile, name string) any { return f.AuthInfos[name] }},
	}
	for _, path := range clientcmd.NewDefaultClientConfigLoadingRules().GetLoadingPrecedence() {
		if file, err := clientcmd.LoadFromFile(path); err == nil {
			for i := range parts {
				parts[i].look(file, path)
			}
		}
	}
	said := ""
	for _, p := range parts {
		if len(p.files) > 1 {
			said += fmt.Sprintf("; %s %q is in several files of KUBECONFIG: that in %s counts, not that in %s",
				p.kind, p.name, p.files[0], strings.Join(p.files[1:], ", "))
		}
	}
	return said
}

// configFile is a file as it was read.
type configFile = clientcmdapi.Config

// part is one of the parts of a context.
type part struct {
	kind, name string
	of         func(file *configFile, name string) any
	files      []string // that have it, each differently
	texts      []string // as they have it
}

// look notes what a file has. Where a part was read from is not in its JSON.
func (p *part) look(file *configFile, path string) {
	text, err := json.Marshal(p.of(file, p.name))
	if err == nil && string(text) != "null" && !slices.Contains(p.texts, string(text)) {
		p.files, p.texts = append(p.files, path), append(p.texts, string(text))
	}
}

// checkUser finds what cannot work before anything is sent.
func (c *Config) checkUser() error {
	if p := c.rest.AuthProvider; p != nil && p.Name != "oidc" {
		return &ConnectError{
			Problem: NoCredentials, Step: instead(p.Name),
			What: fmt.Sprintf("%s has auth-provider %s, which kubectl has given up as well", c.user(), p.Name),
		}
	}
	file := c.rest.BearerTokenFile
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		return &ConnectError{
			Problem: NoCredentials, What: fmt.Sprintf("the token file %s of %s is empty", file, c.user()),
			Step: "look at what should write it, or log in again",
		}
	}
	return nil // a file that is not there is clientcmd's error
}

// instead says what has taken the place of an auth-provider.
func instead(provider string) string {
	switch provider {
	case "gcp":
		return "install gke-gcloud-auth-plugin, and run gcloud container clusters get-credentials"
	case "azure":
		return "install kubelogin, and run kubelogin convert-kubeconfig"
	default:
		return "use a credential plugin (exec) in its place"
	}
}
