package kube

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// access is a kubeconfig in the making: the fields of its cluster and its user
// as YAML.
type access struct{ cluster, user string }

// write writes it to a file of a folder.
func (a access) write(t *testing.T, folder, name string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	must(t, os.WriteFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: home
clusters: [{name: pis, cluster: {%s}}]
users: [{name: admin, user: {%s}}]
contexts: [{name: home, context: {cluster: pis, user: admin}}]
`, a.cluster, a.user), 0o600))
	return path
}

// client returns one that the kubeconfig leads to.
func (a access) client(t *testing.T, o Options) (*Client, error) {
	t.Helper()
	noConfig(t)
	if o.Kubeconfig == "" && o.Inline == nil {
		t.Setenv("KUBECONFIG", a.write(t, t.TempDir(), "config"))
	}
	config, err := Load(o)
	if err != nil {
		return nil, err
	}
	return NewClient(config)
}

// ask sends one request.
func (a access) ask(t *testing.T, o Options) error {
	t.Helper()
	client, err := a.client(t, o)
	if err == nil {
		_, err = client.NamespaceExists(t.Context(), "default")
	}
	return err
}

// quiet serves with TLS, and does not complain of clients that hang up.
func quiet(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func ok(http.ResponseWriter, *http.Request) {}

func refuses(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }

// trusting is the part of a cluster that trusts a server.
func trusting(s *httptest.Server) string {
	return at(s.URL) + ", certificate-authority-data: " + inBase64(pemOf("CERTIFICATE", s.Certificate().Raw))
}

func at(url string) string { return fmt.Sprintf("server: %q", url) }

func inBase64(text []byte) string { return base64.StdEncoding.EncodeToString(text) }

func pemOf(kind string, bytes []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
}

// certificate makes one that is its own authority, and its key, as PEM.
func certificate(t *testing.T, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-time.Hour), NotAfter: until, DNSNames: []string{"raspi001"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return pemOf("CERTIFICATE", der), pemOf("PRIVATE KEY", secret)
}

func TestWhatKeepsPodpathFromTheAPIServerIsSaidWithOneStep(t *testing.T) {
	secure, plain, refusing := quiet(t, ok), httptest.NewServer(http.HandlerFunc(ok)), quiet(t, refuses)
	defer plain.Close()
	strict := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	defer strict.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	foreign, _ := certificate(t, time.Now().Add(time.Hour))
	old, oldKey := certificate(t, time.Date(2020, 2, 3, 4, 5, 0, 0, time.UTC))
	expired := httptest.NewUnstartedServer(http.HandlerFunc(ok))
	pair, err := tls.X509KeyPair(old, oldKey)
	must(t, err)
	expired.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	expired.Config.ErrorLog = log.New(io.Discard, "", 0)
	expired.StartTLS()
	defer expired.Close()
	empty := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(empty, []byte("\n"), 0o600))
	const token = "token: t"
	through := func(proxy string) string { return trusting(secure) + fmt.Sprintf(", proxy-url: %q", proxy) }
	exec := func(fields string) string {
		return "exec: {apiVersion: client.authentication.k8s.io/v1, " + fields + "}"
	}
	for name, test := range map[string]struct {
		access
		problem Problem
		said    []string
	}{
		"a proxy that is away": {
			access{through(strings.Replace(gone.URL, "//", "//me:secret@", 1)), token},
			ProxyAway,
			[]string{"the proxy http://me:xxxxx@127.0.0.1:", "connection refused", `proxy-url of cluster "pis"`},
		},
		"a proxy that forbids it": {
			access{through(strict.URL), token}, ProxyAway, []string{"answers 403 Forbidden", "proxy-url"},
		},
		"a proxy in the way": {
			access{through(strings.Replace(gone.URL, "http", "socks5", 1)), token},
			ProxyAway,
			[]string{"the proxy socks5://127.0.0.1:"},
		},
		"a name without an address": {
			access{"server: https://no-such-host.invalid:6443", token},
			UnknownHost,
			[]string{"no-such-host.invalid", `server of cluster "pis"`},
		},
		"a name that is not in the certificate": {
			access{trusting(secure) + ", tls-server-name: raspi009", token},
			WrongName,
			[]string{"is not for raspi009, but for", "example.com", "127.0.0.1", "tls-server-name of cluster"},
		},
		"an unknown authority": {
			access{at(secure.URL) + ", certificate-authority-data: " + inBase64(foreign), token},
			UnknownAuthority,
			[]string{"authority that the kubeconfig does not name", "take the kubeconfig of this cluster anew"},
		},
		"an expired certificate of the server": {
			access{at(expired.URL) + ", tls-server-name: raspi001, certificate-authority-data: " + inBase64(old), token},
			ServerExpired,
			[]string{"to 2020-02-03 04:05 UTC only", "kubeadm certs renew"},
		},
		"TLS to a server without": {
			access{at(strings.Replace(plain.URL, "http", "https", 1)), token},
			WrongScheme,
			[]string{"does not speak TLS", `server of cluster "pis"`},
		},
		"no TLS to a server with it": {
			access{at(strings.Replace(secure.URL, "https", "http", 1)), token},
			WrongScheme,
			[]string{"does not take requests without TLS", "write https://"},
		},
		"an expired client certificate": {
			access{trusting(refusing), "client-certificate-data: " + inBase64(old) + ", client-key-data: " + inBase64(oldKey)},
			Refused,
			[]string{`client certificate of user "admin" in the kubeconfig expired on 2020-02-03 04:05 UTC`, "take the kubeconfig"},
		},
		"an empty token file": {
			access{trusting(secure), "tokenFile: " + empty}, NoCredentials, []string{empty, `user "admin"`, "is empty"},
		},
		"a plugin that is missing": {
			access{trusting(secure), exec(`command: no-such-plugin, interactiveMode: Never, installHint: "get it\n  here"`)},
			PluginMissing,
			[]string{"no-such-plugin", "is not installed; the kubeconfig says: get it here"},
		},
		"a plugin that fails": {
			access{trusting(secure), exec("command: sh, args: [-c, exit 3], interactiveMode: Never")},
			LoginFailed,
			[]string{`the credential plugin sh of user "admin"`, "exit code 3", "log in first"},
		},
		"a plugin that asks in the UI": {
			access{trusting(secure), exec("command: sh, args: [-c, 'exit 0 # asks'], interactiveMode: Always")},
			PluginAsks,
			[]string{"has questions", "log in first"},
		},
		"an auth-provider of old": {
			access{trusting(secure), "auth-provider: {name: gcp}"}, NoCredentials, []string{"gcp", "gke-gcloud-auth-plugin"},
		},
		"an identity provider's token that is over": {
			access{trusting(secure), "auth-provider: {name: oidc, config: {idp-issuer-url: https://id, client-id: o}}"},
			LoginFailed,
			[]string{"auth-provider oidc", "refresh-token", "log in again"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.ask(t, Options{})
			var got *ConnectError
			if !errors.As(err, &got) || got.Problem != test.problem {
				t.Fatalf("got %v, want %s", err, test.problem)
			}
			for _, want := range test.said {
				if !strings.Contains(got.Error(), want) {
					t.Errorf("got %q, want %q in it", got, want)
				}
			}
			if refused := apierrors.IsUnauthorized(err); refused != (test.problem == Refused) {
				t.Errorf("got a refusal: %t", refused)
			}
			state := State{}.failed(err, Denied{}, time.Now())
			if state.Advice() != Clean(got.Step) || state.Err != Clean(got.What) {
				t.Errorf("got %q and %q as the state of a list", state.Err, state.Advice())
			}
		})
	}
}

func TestTheSameNameInSeveralFilesIsSaidWhenTheServerRefuses(t *testing.T) {
	noConfig(t)
	refusing, folder := quiet(t, refuses), t.TempDir()
	first := access{trusting(refusing), "token: of another cluster"}.write(t, folder, "first")
	second := access{trusting(refusing), "token: right"}.write(t, folder, "second")
	t.Setenv("KUBECONFIG", first+string(os.PathListSeparator)+second)
	config, err := Load(Options{})
	must(t, err)
	client, err := NewClient(config)
	must(t, err)
	_, err = client.NamespaceExists(t.Context(), "default")
	want := fmt.Sprintf(`user "admin" is in several files of KUBECONFIG: that in %s counts, not that in %s; give them`,
		first, second)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "context \"home\"") {
		t.Errorf("got %v, want %s, and nothing of what is the same in both", err, want)
	}
}
