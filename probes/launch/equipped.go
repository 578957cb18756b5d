package launch

import (
	"context"
	"sync"

	"podpath/kube"
)

// Equipped finds out which of the Pods have a container with tools. It costs
// the survey of each image, which a prober there needs anyway. A Pod of which
// that cannot be found out is not among them.
func (l *Ladder) Equipped(ctx context.Context, pods []*kube.Pod) map[kube.Key]bool {
	var mu sync.Mutex
	var work sync.WaitGroup
	found := map[kube.Key]bool{}
	for _, p := range pods {
		work.Go(func() {
			t := &attempt{ladder: l}
			if !t.mayExec(ctx, p.Namespace) {
				return
			}
			for _, place := range candidates(p, "") {
				if s, err := l.survey(ctx, place); err == nil && bestTool(s) < len(tools) {
					mu.Lock()
					found[p.Key()] = true
					mu.Unlock()
					return
				}
			}
		})
	}
	work.Wait()
	return found
}
