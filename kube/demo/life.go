package demo

import (
	"fmt"
	"strings"
	"time"

	"podpath/kube/demo/api"
)

// lifeAnnotation of a Deployment says what happens to it now and then: rollout
// or scale=FROM-TO, and about how often: "scale=2-4 every=1m".
const lifeAnnotation = "demo.podpath/life"

// live does what is due.
func (c *Cluster) live() {
	for _, d := range api.ListOf[*api.Deployment](c.store, "deployments") {
		life := d.Annotations[lifeAnnotation]
		what, often, ok := strings.Cut(life, " every=")
		every, err := time.ParseDuration(often)
		if !ok || err != nil || every <= 0 {
			continue
		}
		key, now := d.Namespace+"/"+d.Name, c.now().Time
		due, known := c.upcoming[key]
		if known && now.Before(due) {
			continue
		}
		c.upcoming[key] = now.Add(every/2 + time.Duration(c.random.Int64N(int64(every))))
		if known {
			c.put(c.happen(d.DeepCopy(), what, now))
		}
	}
}

func (c *Cluster) happen(d *api.Deployment, what string, now time.Time) *api.Deployment {
	var from, to int32
	switch _, err := fmt.Sscanf(what, "scale=%d-%d", &from, &to); {
	case err == nil && to > from && from >= 0:
		next := from + c.random.Int32N(to-from)
		if d.Spec.Replicas != nil && next >= *d.Spec.Replicas { // always another number
			next++
		}
		d.Spec.Replicas = &next
	case what == "rollout":
		if d.Spec.Template.Annotations == nil {
			d.Spec.Template.Annotations = map[string]string{}
		}
		d.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] = now.Format(time.RFC3339)
	}
	return d
}
