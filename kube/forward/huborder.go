package forward

import (
	"fmt"
	"strings"

	"podpath/kube"
)

// Via says how to get to endpoints.
type Via string

// The ways. Auto measures which of the others to take, and takes the direct one
// only for users who could have a tunnel: the network's leave is not the
// cluster's.
const (
	ViaAuto   Via = "auto"
	ViaDirect Via = "direct"
	ViaTunnel Via = "tunnel"
)

// Vias are all ways, the default first.
var Vias = []Via{ViaAuto, ViaDirect, ViaTunnel}

// ParseVia reads the name of a way.
func ParseVia(name string) (Via, error) {
	var names []string
	for _, v := range Vias {
		if string(v) == name {
			return v, nil
		}
		names = append(names, string(v))
	}
	return "", fmt.Errorf("there is no way %q: use one of %s", name, strings.Join(names, ", "))
}

// OwnPort as the local port is that of the destination.
const OwnPort = -1

// Order is one thing to forward.
type Order struct {
	// Destination has a port.
	Destination
	// Local is the local port; 0 is any free one.
	Local   int
	Address Address
	// Policy is EWMA when it is "", Via is ViaAuto.
	Policy Policy
	Via    Via
}

// Needs are the resources that have to be listed before it can be looked up.
func (d Destination) Needs() []kube.Resource {
	if d.Kind == ToService {
		return []kube.Resource{kube.Services, kube.EndpointSlices}
	}
	return []kube.Resource{kube.Pods}
}
