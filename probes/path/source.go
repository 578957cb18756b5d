package path

import (
	"fmt"
	"slices"
	"strings"

	"podpath/kube"
)

// SourceKind is what a probe starts from.
type SourceKind string

// The kinds of source.
const (
	FromPod   SourceKind = "pod"
	FromNode  SourceKind = "node"
	FromLocal SourceKind = "local" // podpath's own process
)

// Source is where a probe starts.
type Source struct {
	Kind SourceKind
	// Pod is the Pod to start in; its Name is empty for other kinds.
	Pod kube.Key
	// Container is the one to start in, or "" for the best equipped: all
	// containers of a Pod share its network.
	Container string
	// Node is where it runs; "" for local outside of the cluster.
	Node string
	// Label is the source as the user writes it.
	Label string
}

// workloads are the words for what makes Pods, with the kind that owns them.
// The ReplicaSets of a Deployment and the Jobs of a CronJob have its name and
// a suffix.
var workloads = map[string]struct {
	owner    string
	suffixed bool
}{
	"deploy": {"ReplicaSet", true}, "deployment": {"ReplicaSet", true}, "deployments": {"ReplicaSet", true},
	"rs": {"ReplicaSet", false}, "replicaset": {"ReplicaSet", false},
	"sts": {"StatefulSet", false}, "statefulset": {"StatefulSet", false},
	"ds": {"DaemonSet", false}, "daemonset": {"DaemonSet", false},
	"job": {"Job", false}, "cronjob": {"Job", true}, "cj": {"Job", true},
}

// sourceWords says what a source looks like.
const sourceWords = "a source is pod/NAME[/CONTAINER], deploy/NAME (or sts, ds, rs, job, cronjob), node/NAME or local; NAMESPACE/ may precede NAME, as in pod/shop/web"

// FindSources returns what a word such as pod/web-1 or deploy/web names. A
// workload is all its running Pods.
func (w *World) FindSources(word string) ([]Source, error) {
	kind, rest, _ := strings.Cut(word, "/")
	_, isWorkload := workloads[kind]
	switch {
	case kind == "local" && rest == "":
		return []Source{w.local()}, nil
	case rest == "" || strings.HasSuffix(rest, "/"):
		return nil, fmt.Errorf("%q names no source: %s", word, sourceWords)
	case kind == "pod" || kind == "po" || kind == "pods":
		s, err := w.findPod(rest)
		return []Source{s}, err
	case kind == "node" || kind == "no" || kind == "nodes":
		n := w.Node(rest)
		if n == nil {
			return nil, fmt.Errorf("there is no Node %q%s", rest, kube.Among(names(w.Nodes, func(n *kube.Node) string { return n.Name })))
		}
		return []Source{{Kind: FromNode, Node: n.Name, Label: "node/" + n.Name}}, nil
	case isWorkload:
		return w.workload(kind, rest)
	}
	return nil, fmt.Errorf("%q names no source: %s", word, sourceWords)
}

func (w *World) local() Source { return Source{Kind: FromLocal, Node: w.LocalNode, Label: "local"} }

// findPod reads NAME, NAME/CONTAINER, NAMESPACE/NAME or
// NAMESPACE/NAME/CONTAINER: of the two that look alike, the Pod of that name
// counts first.
func (w *World) findPod(rest string) (Source, error) {
	parts := strings.Split(rest, "/")
	if len(parts) > 3 {
		return Source{}, fmt.Errorf("pod/%s names no Pod: %s", rest, sourceWords)
	}
	own := kube.Key{Namespace: w.Home, Name: parts[0]}
	var key kube.Key
	container := ""
	switch {
	case len(parts) == 1:
		key = own
	case len(parts) == 2 && w.Pod(own) != nil:
		key, container = own, parts[1]
	case len(parts) == 2:
		key = kube.Key{Namespace: parts[0], Name: parts[1]}
	default:
		key, container = kube.Key{Namespace: parts[0], Name: parts[1]}, parts[2]
	}
	pod := w.Pod(key)
	if pod == nil && len(parts) == 1 && w.Home == "" {
		pod = w.onlyPodNamed(parts[0])
	}
	if pod == nil {
		return Source{}, w.noPod(key)
	}
	s := w.podSource(pod)
	if container != "" {
		if !slices.ContainsFunc(pod.Containers, func(c kube.Container) bool { return c.Name == container }) {
			return Source{}, fmt.Errorf("there is no container %q in Pod %s%s", container, pod.Key(), kube.Among(names(pod.Containers, func(c kube.Container) string { return c.Name })))
		}
		s.Container, s.Label = container, s.Label+"/"+container
	}
	return s, nil
}

// onlyPodNamed finds a Pod by its name alone, if just one namespace has it.
func (w *World) onlyPodNamed(name string) *kube.Pod {
	var found *kube.Pod
	for _, p := range w.Pods {
		if p.Name == name && found != nil {
			return nil
		}
		if p.Name == name {
			found = p
		}
	}
	return found
}

func (w *World) noPod(key kube.Key) error {
	if key.Namespace == "" {
		return fmt.Errorf("there is no Pod %q, or several namespaces have it: write NAMESPACE/ before its name", key.Name)
	}
	near := slices.DeleteFunc(slices.Clone(w.Pods), func(p *kube.Pod) bool { return p.Namespace != key.Namespace || !strings.HasPrefix(p.Name, key.Name) })
	return fmt.Errorf("there is no Pod %q in namespace %s%s", key.Name, key.Namespace, kube.Among(names(near, func(p *kube.Pod) string { return p.Name })))
}

// PodSource is the source in a Pod.
func (w *World) PodSource(pod kube.Key) Source {
	if p := w.Pod(pod); p != nil {
		return w.podSource(p)
	}
	return Source{Kind: FromPod, Pod: pod, Label: "pod/" + w.name(pod)}
}

func (w *World) podSource(p *kube.Pod) Source {
	return Source{Kind: FromPod, Pod: p.Key(), Node: p.Node, Label: "pod/" + w.name(p.Key())}
}

// name writes a key without its namespace where that goes without saying.
func (w *World) name(k kube.Key) string {
	if k.Namespace == w.Home {
		return k.Name
	}
	return k.String()
}

func (w *World) workload(kind, rest string) ([]Source, error) {
	key := w.key(rest)
	if key.Namespace == "" {
		return nil, fmt.Errorf("in which namespace is %s/%s? Write NAMESPACE/ before its name", kind, key.Name)
	}
	var out []Source
	var others []string
	for _, p := range w.Pods {
		if p.Namespace != key.Namespace || !Runs(p) {
			continue
		}
		owner := ownerOf(p, kind)
		switch {
		case owner == key.Name:
			out = append(out, w.podSource(p))
		case owner != "" && !slices.Contains(others, owner):
			others = append(others, owner)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s/%s has no running Pod in namespace %s%s", kind, key.Name, key.Namespace, kube.Among(others))
	}
	return out, nil
}

// key reads NAME or NAMESPACE/NAME.
func (w *World) key(rest string) kube.Key {
	if namespace, name, ok := strings.Cut(rest, "/"); ok {
		return kube.Key{Namespace: namespace, Name: name}
	}
	return kube.Key{Namespace: w.Home, Name: rest}
}

// ownerOf is the name of the workload of a kind that a Pod belongs to, or "".
func ownerOf(p *kube.Pod, kind string) string {
	of := workloads[kind]
	owner, ok := strings.CutPrefix(p.Owner, of.owner+"/")
	switch i := strings.LastIndexByte(owner, '-'); {
	case !ok:
		return ""
	case of.suffixed:
		return owner[:max(i, 0)]
	default:
		return owner
	}
}

// Runs reports whether a Pod can be a source or a target: it has an
// address, and something runs in it.
func Runs(p *kube.Pod) bool {
	return p.IP() != "" && !p.Finished && p.Deleted.IsZero() && slices.ContainsFunc(p.Containers, running)
}

func running(c kube.Container) bool {
	return c.State == "running" && (c.Kind == kube.AppContainer || c.Kind == kube.SidecarContainer)
}

func names[T any](list []T, of func(T) string) []string {
	out := make([]string, 0, len(list))
	for _, e := range list {
		out = append(out, of(e))
	}
	return out
}
