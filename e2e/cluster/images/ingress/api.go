package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// account is where a Pod finds who it is.
const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// api is the API server as the Pod's ServiceAccount reaches it.
type api struct{ client http.Client }

func newAPI() (*api, error) {
	pem, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, fmt.Errorf("read the authority of the API server: %w", err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}
	return &api{http.Client{Timeout: 5 * time.Second, Transport: transport}}, nil
}

// do sends a request, with a merge patch as its body, and decodes the answer.
func (a *api) do(ctx context.Context, method, path, patch string, into any) error {
	token, err := os.ReadFile(account + "token") // it is renewed from time to time
	if err != nil {
		return fmt.Errorf("read the token: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, "https://"+os.Getenv("KUBERNETES_SERVICE_HOST")+path, strings.NewReader(patch))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("Content-Type", "application/merge-patch+json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
