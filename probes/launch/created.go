package launch

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"podpath/kube"
)

// created are the helper Pods of this run that there may be.
type created struct {
	mu    sync.Mutex
	count int
	pods  map[kube.Key]kube.HelperPod
}

// begin names a helper Pod before it is created: the answer may be lost.
func (c *created) begin(namespace, node, run string) kube.HelperPod {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pods == nil {
		c.pods = map[kube.Key]kube.HelperPod{}
	}
	c.count++
	h := kube.HelperPod{Key: kube.Key{Namespace: namespace, Name: fmt.Sprintf("podpath-%s-%d", run, c.count)}, Node: node, Run: run}
	c.pods[h.Key] = h
	return h
}

// made notes the UID that it got.
func (c *created) made(h kube.HelperPod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods[h.Key] = h
}

func (c *created) gone(h kube.HelperPod) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pods, h.Key)
}

// left returns those that were not deleted.
func (c *created) left() []kube.HelperPod {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.pods))
}
