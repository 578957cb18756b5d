package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"podpath/kube"
	"podpath/kube/forward"
	"podpath/tui/detail"
	"podpath/tui/probes"
)

// Source follows a cluster. *kube.Store is one.
type Source interface {
	Run(ctx context.Context) error
	Next(ctx context.Context) (*kube.Snapshot, error)
}

// Cluster is a connection to one scope of one cluster.
type Cluster struct {
	Context  string   // of the kubeconfig; empty in a Pod
	Contexts []string // that can be switched to
	Server   string
	Scope    kube.Scope
	Source   Source
	Reader   detail.Reader
	Prober   Prober // nil where nothing can be probed
	Forwards *forward.Cluster
}

// Choice is what the user may change about the cluster while podpath runs.
type Choice struct {
	Context   string // empty for the current one
	Namespace string // empty for the context's own
	All       bool   // namespaces
}

// session is a cluster that is followed now. Messages carry their session, so
// that those of an earlier one are recognized and dropped.
type session struct {
	Cluster
	ctx    context.Context // it is the session's life, which its commands share
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // valid once ended

	runs    chan *probing  // to the prober
	probing *probing       // the run that goes on, or nil
	request probes.Request // that the checks in the pane come from

	knowsPods bool // a snapshot with Pods has come
}

// snapshotArrived is the newest state of the cluster.
type snapshotArrived struct {
	from     *session
	snapshot *kube.Snapshot
}

// sessionEnded says that a session stopped by itself.
type sessionEnded struct{ from *session }

// connected is the answer to a change of context or namespace.
type connected struct {
	choice  int // which of the user's choices it answers
	cluster Cluster
	err     error
}

// follow starts following the cluster, in place of the one before.
func (m *Model) follow(c Cluster) tea.Cmd {
	if m.session != nil {
		m.session.cancel()
	}
	s := &session{Cluster: c, ended: make(chan struct{}), runs: make(chan *probing, 1)}
	s.ctx, s.cancel = context.WithCancel(m.ctx)
	m.session = s
	m.running.Go(s.run)
	if c.Prober != nil {
		m.probing.Go(s.probe)
	}
	return tea.Batch(waitForSnapshot(s), waitForEnd(s))
}

// run follows the cluster until the session is over. A panic becomes the
// session's error, so that the program can restore the terminal and say it.
func (s *session) run() {
	defer close(s.ended)
	defer func() {
		if p := recover(); p != nil {
			s.err = kube.Panicked("following the cluster", p)
		}
	}()
	s.err = s.Source.Run(s.ctx)
}

func waitForSnapshot(s *session) tea.Cmd {
	return func() tea.Msg {
		snapshot, err := s.Source.Next(s.ctx)
		if err != nil {
			return nil // the session is over
		}
		return snapshotArrived{s, snapshot}
	}
}

func waitForEnd(s *session) tea.Cmd {
	return func() tea.Msg {
		<-s.ended
		return sessionEnded{s}
	}
}

// reconnect connects as chosen. Until that succeeds the old session goes on.
func (m *Model) reconnect(c Choice) tea.Cmd {
	m.choices++
	connect, choice := m.options.Connect, m.choices
	return func() tea.Msg {
		cluster, err := connect(c)
		return connected{choice, cluster, err}
	}
}

// waitForSessions ends the forwards, and waits until they and all sessions have
// ended and their probers have cleaned up, but not for ever. The error says what may be left in the cluster.
func (m *Model) waitForSessions() error {
	ended, cleaned := make(chan struct{}), make(chan error, 1)
	go func() {
		m.closeForwards()
		m.running.Wait()
		close(ended)
	}()
	go func() { cleaned <- m.probing.Wait() }()
	select {
	case <-ended:
	case <-time.After(sessionGrace):
	}
	select {
	case err := <-cleaned:
		return err
	case <-time.After(cleanGrace):
		return errUnclean
	}
}
