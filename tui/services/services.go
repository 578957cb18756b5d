// Package services is the pane of Services with their endpoints counted.
package services

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"podpath/kube"
	"podpath/tui/filter"
	"podpath/tui/style"
	"podpath/tui/table"
	"podpath/tui/words"
)

// Columns returns the columns of Services. The namespace has one only where
// several are shown; snapshot and now are asked when a row is drawn.
func Columns(scope kube.Scope, snapshot func() *kube.Snapshot, now func() time.Time) []table.Column[*kube.Service] {
	endpoints := func(s *kube.Service) table.Cell {
		if s.Kind != kube.ExternalName && !snapshot().State(kube.EndpointSlices).Listed {
			return table.Plain(words.Unknown)
		}
		return endpointsCell(s)
	}
	columns := []table.Column[*kube.Service]{
		{
			Title: "NAME", Min: 19, Middle: true, Key: "N", Compare: by(func(s *kube.Service) string { return s.Name }),
			Cell: text(func(s *kube.Service) string { return s.Name }),
		},
		{
			Title: "KIND", Min: 12, Priority: 4, Key: "K", Compare: by(func(s *kube.Service) string { return string(s.Kind) }),
			Cell: text(func(s *kube.Service) string { return string(s.Kind) }),
		},
		{
			Title: "CLUSTER-IP", Min: 14, Max: 60, Priority: 5, Key: "I", Compare: byClusterIP,
			Cell: text(clusterIP),
		},
		{
			Title: "EXTERNAL", Min: 9, Max: 40, Priority: 7,
			Cell: text(func(s *kube.Service) string { return words.External(s) }),
		},
		{
			Title: "PORTS", Min: 14, Max: 48, Priority: 3,
			Cell: text(func(s *kube.Service) string { return words.ServicePorts(s.Ports) }),
		},
		{
			Title: "ENDPOINTS", Min: 9, Priority: 2, Key: "E", Compare: by(func(s *kube.Service) int { return s.Counts.Ready }),
			Cell: endpoints,
		},
		{
			Title: "FLAGS", Min: 10, Max: 60, Priority: 1, Key: "F", Compare: by(func(s *kube.Service) int { return -len(s.Flags) }),
			Cell: flagsCell,
		},
		{
			Title: "AGE", Priority: 6, Key: "A", Compare: by(func(s *kube.Service) int64 { return -s.Created.Unix() }),
			Cell: text(func(s *kube.Service) string { return words.Age(now(), s.Created) }),
		},
		{
			Title: "SELECTOR", Max: 60, Priority: 8, Wide: true,
			Cell: text(func(s *kube.Service) string { return words.OrNone(s.Selector.String()) }),
		},
	}
	if scope.All() {
		namespace := table.Column[*kube.Service]{
			Title: "NAMESPACE", Min: 9, Max: 24, Priority: 2, Key: "M", Compare: by(func(s *kube.Service) string { return s.Namespace }),
			Cell: text(func(s *kube.Service) string { return s.Namespace }),
		}
		columns = slices.Insert(columns, 0, namespace)
	}
	return columns
}

func clusterIP(s *kube.Service) string {
	if s.Kind == kube.Headless {
		return "None"
	}
	return words.List(s.ClusterIPs)
}

func byClusterIP(a, b *kube.Service) int {
	first := func(s *kube.Service) string { ip, _, _ := strings.Cut(clusterIP(s), ","); return ip }
	return kube.CompareAddresses(first(a), first(b))
}

func endpointsCell(s *kube.Service) table.Cell {
	switch {
	case s.Kind == kube.ExternalName:
		return table.Plain(words.None)
	case s.Counts.Ready == 0:
		return table.Cell{Text: words.Endpoints(s.Counts), Role: style.Bad}
	case s.Counts.Ready < s.Counts.Total:
		return table.Cell{Text: words.Endpoints(s.Counts), Role: style.Warn}
	default:
		return table.Plain(words.Endpoints(s.Counts))
	}
}

func flagsCell(s *kube.Service) table.Cell {
	codes := make([]string, len(s.Flags))
	for i, f := range s.Flags {
		codes[i] = string(f.Code)
	}
	return table.Cell{Text: strings.Join(codes, ","), Role: style.Bad}
}

func text(of func(*kube.Service) string) func(*kube.Service) table.Cell {
	return func(s *kube.Service) table.Cell { return table.Plain(of(s)) }
}

func by[V cmp.Ordered](of func(*kube.Service) V) func(a, b *kube.Service) int {
	return func(a, b *kube.Service) int { return cmp.Compare(of(a), of(b)) }
}

func subject(s *kube.Service) filter.Subject {
	fields := []string{s.Name, s.Namespace, string(s.Kind)}
	fields = append(fields, s.ClusterIPs...)
	fields = append(fields, s.External()...)
	for _, f := range s.Flags {
		fields = append(fields, string(f.Code))
	}
	return filter.Subject{Fields: fields, Labels: s.Labels}
}
