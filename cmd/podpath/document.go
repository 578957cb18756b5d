package main

import (
	"time"

	"podpath/kube"
)

// The documents of -o json and -o yaml, as docs/json.md describes them. Fields
// are added, never renamed or removed, while apiVersion stays podpath/v1.
const apiVersion = "podpath/v1"

type podList struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Namespace  string    `json:"namespace"` // empty for all
	Nodes      []nodeDoc `json:"nodes"`
	Pods       []podDoc  `json:"pods"`
}

type nodeDoc struct {
	Name       string      `json:"name"`
	Roles      []string    `json:"roles"`
	Ready      bool        `json:"ready"`
	Status     string      `json:"status"`
	InternalIP string      `json:"internalIP"`
	PodCIDRs   []string    `json:"podCIDRs"`
	Version    string      `json:"version"`
	Arch       string      `json:"arch"`
	Flags      []kube.Flag `json:"flags"`
}

type podDoc struct {
	Namespace   string      `json:"namespace"`
	Name        string      `json:"name"`
	Node        string      `json:"node"`
	Status      string      `json:"status"`
	Ready       bool        `json:"ready"`
	Containers  readyDoc    `json:"containers"`
	Restarts    int         `json:"restarts"`
	IPs         []string    `json:"ips"`
	HostNetwork bool        `json:"hostNetwork"`
	Ports       []portDoc   `json:"ports"`
	Services    []string    `json:"services"`
	Labels      kube.Labels `json:"labels"`
	Created     time.Time   `json:"created"`
}

type readyDoc struct {
	Ready int `json:"ready"`
	Total int `json:"total"`
}

type portDoc struct {
	Name        string `json:"name"`
	Protocol    string `json:"protocol"`
	Port        int    `json:"port"`
	TargetPort  string `json:"targetPort,omitempty"`
	NodePort    int    `json:"nodePort,omitempty"`
	AppProtocol string `json:"appProtocol,omitempty"`
}

type serviceList struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Namespace  string       `json:"namespace"` // empty for all
	Services   []serviceDoc `json:"services"`
}

type serviceDoc struct {
	Namespace  string              `json:"namespace"`
	Name       string              `json:"name"`
	Kind       kube.ServiceKind    `json:"kind"`
	ClusterIPs []string            `json:"clusterIPs"`
	External   []string            `json:"external"`
	Ports      []portDoc           `json:"ports"`
	Selector   kube.Labels         `json:"selector"`
	Counts     kube.EndpointCounts `json:"counts"`
	Endpoints  []kube.Endpoint     `json:"endpoints"`
	Flags      []kube.Flag         `json:"flags"`
	Created    time.Time           `json:"created"`
}

func podDocument(s *kube.Snapshot) podList {
	list := podList{APIVersion: apiVersion, Kind: "PodList", Namespace: s.Scope.Namespace, Nodes: []nodeDoc{}, Pods: []podDoc{}}
	for _, n := range s.Nodes {
		list.Nodes = append(list.Nodes, nodeDoc{n.Name, some(n.Roles), n.Ready, n.Status, n.InternalIP(), some(n.PodCIDRs), n.Version, n.Arch, some(n.Flags)})
	}
	for _, p := range s.Pods {
		doc := podDoc{
			Namespace: p.Namespace, Name: p.Name, Node: p.Node, Status: p.Status, Ready: p.IsReady,
			Containers: readyDoc{p.Ready, p.Total}, Restarts: p.Restarts, IPs: some(p.IPs), HostNetwork: p.HostNetwork,
			Ports: []portDoc{}, Services: []string{}, Labels: some(p.Labels), Created: p.Created.UTC(),
		}
		for _, port := range p.Ports() {
			doc.Ports = append(doc.Ports, portDoc{Name: port.Name, Protocol: port.Protocol, Port: port.Port})
		}
		for _, svc := range s.ServicesOf(p) {
			doc.Services = append(doc.Services, svc.Name)
		}
		list.Pods = append(list.Pods, doc)
	}
	return list
}

func serviceDocument(s *kube.Snapshot) serviceList {
	list := serviceList{APIVersion: apiVersion, Kind: "ServiceList", Namespace: s.Scope.Namespace, Services: []serviceDoc{}}
	for _, svc := range s.Services {
		doc := serviceDoc{
			Namespace: svc.Namespace, Name: svc.Name, Kind: svc.Kind, ClusterIPs: some(svc.ClusterIPs), External: some(svc.External()),
			Ports: []portDoc{}, Selector: some(svc.Selector), Counts: svc.Counts, Endpoints: some(svc.Endpoints), Flags: some(svc.Flags), Created: svc.Created.UTC(),
		}
		for _, port := range svc.Ports {
			doc.Ports = append(doc.Ports, portDoc(port))
		}
		list.Services = append(list.Services, doc)
	}
	return list
}

// some makes an empty list print as [] and not as null.
func some[S ~[]E, E any](list S) S {
	if list == nil {
		return S{}
	}
	return list
}
