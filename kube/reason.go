package kube

// Reason is one thing that keeps a Pod from being ready.
type Reason struct {
	Code ReasonCode
	// Message is one sentence that goes on after "Pod web-1 is not ready:",
	// such as "container app does not pass its readiness probe".
	Message string
	// Container is the name of the container that it is about; empty for the
	// Pod as a whole.
	Container string
}

// ReasonCode names a kind of reason.
type ReasonCode string

// The reasons why a Pod is not ready.
const (
	// Unscheduled: no Node is chosen for it, or scheduling gates hold it back
	// (KEP-3521).
	Unscheduled ReasonCode = "unscheduled"
	// NodeLost: the control plane has marked it not ready because its Node has
	// stopped reporting (the node lifecycle controller does so).
	NodeLost ReasonCode = "node-lost"
	// InitWaiting: an init container has not ended, or a sidecar before the app
	// containers has not started (KEP-753).
	InitWaiting ReasonCode = "init-waiting"
	// ContainerWaiting: a container cannot start yet, for the reason in the
	// message, such as ImagePullBackOff.
	ContainerWaiting ReasonCode = "container-waiting"
	// Crashing: a container has ended again and again, and the kubelet waits
	// before it starts it once more (CrashLoopBackOff).
	Crashing ReasonCode = "crashing"
	// ContainerEnded: a container has ended and does not run.
	ContainerEnded ReasonCode = "container-ended"
	// ProbeFailing: a container runs, but does not pass its readiness probe.
	ProbeFailing ReasonCode = "probe-failing"
	// StartupProbe: a container runs, but has not passed its startup probe
	// (KEP-950); until then its readiness is not asked for.
	StartupProbe ReasonCode = "startup-probe"
	// GateMissing: the condition of a readiness gate is not True (KEP-580).
	GateMissing ReasonCode = "gate-missing"
	// Terminating: its deletion was asked for.
	Terminating ReasonCode = "terminating"
	// Finished: all its containers have ended for good, or it was evicted.
	Finished ReasonCode = "finished"
	// NoAddress: it is bound to a Node, but has no IP address yet.
	NoAddress ReasonCode = "no-address"
)
