package launch

import (
	"context"

	"podpath/kube"
)

// mayExec asks before the first exec in a namespace. To create pods/exec is
// enough in every version: over SPDY. To get it is enough for a WebSocket
// before Kubernetes 1.35; from then on the exec itself is refused.
func (t *attempt) mayExec(ctx context.Context, namespace string) bool {
	exec := kube.Access{Verb: "create", Resource: "pods", Subresource: "exec", Namespace: namespace}
	get := exec
	get.Verb = "get"
	if t.ladder.allowed(ctx, exec) || t.ladder.allowed(ctx, get) {
		return true
	}
	t.refuse(Tools, &kube.AccessError{Access: exec})
	return false
}

// may asks before a rung is tried.
func (t *attempt) may(ctx context.Context, rung Rung, access kube.Access) bool {
	if t.ladder.allowed(ctx, access) {
		return true
	}
	t.refuse(rung, &kube.AccessError{Access: access})
	return false
}

// allowed asks once for each permission. When the API server does not say,
// trying is the way to find out.
func (l *Ladder) allowed(ctx context.Context, access kube.Access) bool {
	allowed, err := l.access.get(ctx, access, func() (bool, error) { return l.cluster.Allowed(ctx, access) })
	return allowed || err != nil
}
