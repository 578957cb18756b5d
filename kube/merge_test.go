package kube

import (
	"reflect"
	"testing"
	"time"
)

func TestMergeOfTwoScopes(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pod := func(namespace, name, status string) *Pod {
		return &Pod{Namespace: namespace, Name: name, Status: status}
	}
	service := func(namespace, name string) *Service { return &Service{Namespace: namespace, Name: name} }
	shop := &Snapshot{
		Number: 7, At: at, Scope: Scope{"shop"}, States: [resourceCount]State{Pods: {Phase: Live, Listed: true}},
		Pods: []*Pod{pod("shop", "web-1", "old"), pod("shop", "web-2", "")}, Services: []*Service{service("shop", "web")},
		Strays: []Stray{{Namespace: "shop", Name: "x"}}, Namespaces: []string{"bank", "shop"}, Nodes: []*Node{{Name: "raspi001"}},
	}
	others := &Snapshot{
		Number: 9, Scope: Scope{"bank"},
		Pods:     []*Pod{pod("bank", "db-1", ""), pod("shop", "web-1", "new"), pod("zoo", "cat-1", "")},
		Services: []*Service{service("bank", "db")}, Strays: []Stray{{Namespace: "bank", Name: "y"}, {Namespace: "shop", Name: "x", Service: "gone"}},
		Namespaces: []string{"shop", "zoo"}, Nodes: []*Node{{Name: "raspi002"}},
	}
	want := *shop
	want.Pods = []*Pod{pod("bank", "db-1", ""), pod("shop", "web-1", "new"), pod("shop", "web-2", ""), pod("zoo", "cat-1", "")}
	want.Services = []*Service{service("bank", "db"), service("shop", "web")}
	want.Strays = []Stray{{Namespace: "bank", Name: "y"}, {Namespace: "shop", Name: "x", Service: "gone"}}
	want.Namespaces = []string{"bank", "shop", "zoo"}
	if got := Merge(shop, others); !reflect.DeepEqual(*got, want) {
		t.Errorf("got  %+v\nwant %+v", *got, want)
	}
	if len(shop.Pods) != 2 || shop.Pods[0].Status != "old" || len(shop.Namespaces) != 2 {
		t.Errorf("the merged snapshot has changed: %+v", shop)
	}
	if got := Merge(&Snapshot{}, others).Nodes; len(got) != 1 || got[0].Name != "raspi002" {
		t.Errorf("got Nodes %v, want those of the only one that has any", got)
	}
}
