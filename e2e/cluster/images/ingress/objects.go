package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// objects are Ingresses or Services as the API server lists them, as far as they matter here.
type objects struct {
	Items []struct {
		Metadata struct{ Namespace, Name string }
		Spec     struct {
			IngressClassName string
			Rules            []struct {
				Host string
				HTTP struct {
					Paths []struct {
						Path    string
						Backend struct{ Service backend }
					}
				}
			}
			ClusterIP string
			Ports     []struct{ Port int }
		}
		Status struct {
			LoadBalancer struct{ Ingress []struct{ IP string } }
		}
	}
}

type backend struct {
	Name string
	Port struct{ Number int }
}

// rulesOf reads the rules, and tells the Ingresses at what address they are served.
func rulesOf(ctx context.Context, a *api, address string) ([]rule, error) {
	var ingresses, services objects
	if err := a.do(ctx, http.MethodGet, "/apis/networking.k8s.io/v1/ingresses", "", &ingresses); err != nil {
		return nil, err
	}
	if err := a.do(ctx, http.MethodGet, "/api/v1/services", "", &services); err != nil {
		return nil, err
	}
	var rules []rule
	for _, ingress := range ingresses.Items {
		at := ingress.Metadata
		if ingress.Spec.IngressClassName != class {
			continue
		}
		for _, r := range ingress.Spec.Rules {
			for _, p := range r.HTTP.Paths {
				rules = append(rules, rule{r.Host, p.Path, services.target(at.Namespace, p.Backend.Service)})
			}
		}
		if told := ingress.Status.LoadBalancer.Ingress; len(told) == 1 && told[0].IP == address {
			continue
		}
		path := fmt.Sprintf("/apis/networking.k8s.io/v1/namespaces/%s/ingresses/%s/status", at.Namespace, at.Name)
		if err := a.do(ctx, http.MethodPatch, path, fmt.Sprintf(`{"status": {"loadBalancer": {"ingress": [{"ip": %q}]}}}`, address), &struct{}{}); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// target is where a Service is, or nil if it is missing or lacks the port.
func (o objects) target(namespace string, b backend) *url.URL {
	for _, service := range o.Items {
		for _, port := range service.Spec.Ports {
			if service.Metadata.Namespace == namespace && service.Metadata.Name == b.Name && port.Port == b.Port.Number {
				return &url.URL{Scheme: "http", Host: fmt.Sprintf("%s:%d", service.Spec.ClusterIP, port.Port)}
			}
		}
	}
	return nil
}
