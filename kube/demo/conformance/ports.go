package conformance

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// portsArePatched checks strategic merges of a list in which two elements have
// the same key. Each patch is made on what the one before has left.
func portsArePatched(t *testing.T, s Subject) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "ports"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Name: "udp", Protocol: corev1.ProtocolUDP, Port: 53, TargetPort: intstr.FromInt32(53)},
		{Name: "tcp", Protocol: corev1.ProtocolTCP, Port: 53, TargetPort: intstr.FromInt32(53)},
	}}}
	must(t, core(t, s).Post().Namespace(s.Namespace).Resource("services").Body(service).Do(within(t)).Error())
	for _, test := range []struct{ about, patch, want string }{
		{"the first is meant", `{"spec":{"ports":[{"port":53,"targetPort":1}]}}`, "udp:1 tcp:53 "},
		{"in their order", `{"spec":{"$setElementOrder/ports":[{"port":53},{"port":53}],"ports":[{"port":53,"targetPort":2}]}}`, "udp:2 tcp:53 "},
		{"a new one comes first", `{"spec":{"ports":[{"name":"web","protocol":"TCP","port":80,"targetPort":80}]}}`, "web:80 udp:2 tcp:53 "},
		{"both change places with another", `{"spec":{"$setElementOrder/ports":[{"port":53},{"port":53},{"port":80}],"ports":[{"port":80,"targetPort":3}]}}`, "udp:2 tcp:53 web:3 "},
		{"both are deleted", `{"spec":{"ports":[{"port":53,"$patch":"delete"}]}}`, "web:3 "},
	} {
		var got string
		var patched corev1.Service
		must(t, core(t, s).Patch(types.StrategicMergePatchType).Namespace(s.Namespace).Resource("services").Name("ports").Body([]byte(test.patch)).Do(within(t)).Into(&patched))
		for _, p := range patched.Spec.Ports {
			got += fmt.Sprintf("%s:%s ", p.Name, p.TargetPort.String())
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.about, got, test.want)
		}
	}
	must(t, core(t, s).Delete().Namespace(s.Namespace).Resource("services").Name("ports").Do(within(t)).Error())
}
