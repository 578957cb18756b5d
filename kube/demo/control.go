package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"

	"podpath/kube/demo/api"
	"podpath/kube/demo/network"
)

// control runs the controllers whenever something has changed or time has
// passed. Each looks at all there is and takes one step towards what should be,
// which is a change again.
func (c *Cluster) control(ctx context.Context) {
	tick := c.options.Tick
	if tick == nil {
		ticker := time.NewTicker(tickEvery)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		changed := c.store.Changed()
		c.reconcile()
		c.network.Refresh()
		for quiet := true; quiet; {
			select {
			case <-changed:
				quiet = false
			case <-tick: // nothing but Pods depends on time
				c.pods()
				if !c.options.Still {
					c.live()
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (c *Cluster) reconcile() {
	c.nodes()
	c.services()
	c.deployments()
	c.statefulSets()
	c.pods()
	c.endpoints()
}

// put stores a new state of an object. When somebody else was faster it is
// worked out anew at the next step, which that change has brought about.
func (c *Cluster) put(o api.Object) { _, _ = c.store.Put(o) }

// has reports whether an object asks for a fault.
func has(annotations map[string]string, fault string) bool {
	_, is := network.Fault(annotations, fault)
	return is
}

// ownedBy says of an object that another one has made it.
func ownedBy(o api.Object) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(o, o.GetObjectKind().GroupVersionKind())}
}

// controllerOf is what made an object; its Name is empty when nothing has.
func controllerOf(o api.Object) metav1.OwnerReference {
	if r := metav1.GetControllerOfNoCopy(o); r != nil {
		return *r
	}
	return metav1.OwnerReference{}
}

// hash is a name for a value, in the letters that Kubernetes uses.
func hash(value any) string {
	text, _ := json.Marshal(value) // values of the API can always be written
	h := fnv.New32a()
	_, _ = h.Write(text)
	return rand.SafeEncodeString(fmt.Sprintf("%010d", h.Sum32()))
}

// letters are a random end of a name.
func (c *Cluster) letters() string {
	return rand.SafeEncodeString(strconv.Itoa(10000 + c.random.IntN(90000)))
}

// nodes says which Nodes are ready.
func (c *Cluster) nodes() {
	for _, n := range api.ListOf[*corev1.Node](c.store, "nodes") {
		ready := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"}
		if has(n.Annotations, "down") {
			ready.Status, ready.Reason, ready.Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
		}
		if len(n.Status.Conditions) == 1 && n.Status.Conditions[0].Status == ready.Status {
			continue
		}
		ready.LastTransitionTime, ready.LastHeartbeatTime = c.now(), c.now()
		n = n.DeepCopy()
		n.Status.Conditions = []corev1.NodeCondition{ready}
		c.put(n)
	}
}

func nodeReady(n *corev1.Node) bool {
	return len(n.Status.Conditions) > 0 && n.Status.Conditions[0].Status == corev1.ConditionTrue
}
