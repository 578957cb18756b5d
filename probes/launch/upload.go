package launch

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"podpath/kube"
)

//go:embed upload.sh
var uploadScript string

// guardScript deletes an upload at the end of its input.
var guardScript = "read -r _\n" + uploadScript

const (
	// uploadTimeout is for about 2.5 MB over a slow line.
	uploadTimeout = time.Minute
	// removeTimeout is for one rm, or for deleting one Pod.
	removeTimeout = 5 * time.Second
	// runUploaded opens the program, deletes it and then runs it, so that
	// nothing stays behind whatever happens to podpath. $1 is the file.
	runUploaded = `exec 7<"$1" && rm -f "$1" && exec /proc/self/fd/7`
)

// upload is rung 4: podpath's own prober, in a container that has a shell to
// write it with. All containers of a Pod share its network, so it need not be
// the one that was asked for. Where none has a shell, an ephemeral container
// may bring one.
func (t *attempt) upload(ctx context.Context, s *kube.Snapshot, p *kube.Pod) Link {
	if !t.ladder.options.AllowUpload {
		t.refuse(Upload, errors.New("not allowed; --allow-upload writes podpath's prober into a container and deletes it"))
		return nil
	}
	places := candidates(p, "")
	if guest, ok := t.ladder.guests.known(p.UID); ok {
		places = append(places, guest)
	}
	for _, place := range places {
		if found, ok := t.ladder.surveys.known(place.image); !ok || !found.has(shell) {
			continue
		}
		link, err := t.ladder.upload(ctx, place, arch(s, p.Node))
		if err == nil {
			return link
		}
		t.refuse(Upload, err)
	}
	if len(t.refusals) == 0 || t.refusals[len(t.refusals)-1].Rung != Upload {
		t.refuse(Upload, errors.New("no container of it has a shell to write with; --allow-ephemeral=IMAGE would add one that has"))
	}
	return nil
}

// arch returns the architecture of the Node, in Go's words.
func arch(s *kube.Snapshot, node string) string {
	if n := s.Node(node); n != nil {
		return n.Arch
	}
	return ""
}

// upload writes the prober into a container and runs it. The file is gone when
// the prober has said its first line, and when upload has failed.
func (l *Ladder) upload(ctx context.Context, p place, arch string) (Link, error) {
	if arch == "" {
		return nil, errors.New("the architecture of its Node is not known: you may have to be allowed to list nodes")
	}
	program, err := l.prober(arch)
	if err != nil {
		return nil, err
	}
	written := l.uploads.begin(p, l.options.RunID)
	guard := l.guard(ctx, written)
	link, err := l.runUpload(ctx, written, program)
	unguarded := guard.release()
	if err == nil || unguarded == nil {
		l.uploads.gone(written) // deleted by the program when it started, or by the guard
		return link, err
	}
	return nil, both(err, l.removeUpload(ctx, written))
}

func (l *Ladder) runUpload(ctx context.Context, u uploaded, program []byte) (Link, error) {
	file, err := l.write(ctx, u, program)
	if err != nil {
		return nil, err
	}
	p := u.place
	p.rung = Upload
	return l.startProgram(ctx, p, toolPodpath, []string{shell, "-c", runUploaded, "sh", file}, "")
}

// write writes the program into a directory of the container, checks as much
// as the container has tools for, and returns the path.
func (l *Ladder) write(ctx context.Context, u uploaded, program []byte) (string, error) {
	output := &bounded{limit: maxSurvey}
	var complaint excerpt
	err := l.brief(ctx, uploadTimeout, kube.Exec{
		Pod: u.pod, Container: u.container, Command: u.command(program),
		Stdin: bytes.NewReader(program), Stdout: output, Stderr: &complaint,
	})
	if err != nil {
		return "", complained(err, &complaint)
	}
	return checkUpload(output.Bytes(), program)
}

// checkUpload compares what the container says about the file with what was
// sent, and returns its path.
func checkUpload(output, program []byte) (file string, err error) {
	facts, err := parseSurvey(output)
	if err != nil {
		return "", err
	}
	switch size, sha := facts["size"], facts["sha256"]; {
	case facts["file"] == "":
		return "", errors.New("it has no directory that is writable and where programs may run")
	case size != "" && size != strconv.Itoa(len(program)), sha != "" && sha != sumOf(program):
		return "", fmt.Errorf("%w: what arrived in %s is not what was sent", ErrCut, facts["file"])
	}
	return facts["file"], nil
}

// removeUpload deletes what an upload may have left. What it cannot delete is
// left to Close.
func (l *Ladder) removeUpload(ctx context.Context, u uploaded) error {
	if _, err := l.run(ctx, u.place, removeTimeout, u.command(nil)...); err != nil {
		return fmt.Errorf("delete %s from container %s of %s: %w; it may be in /tmp, or in a volume", u.name, u.container, u.pod, err)
	}
	l.uploads.gone(u)
	return nil
}

// guard is a command in the container that waits for the end of its input and
// deletes an upload then. When podpath is killed its system ends the input at
// once, though it may go on to deliver the whole program.
type guard struct {
	input  io.Closer
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // valid once ended
}

// guard starts the guard of an upload. It lives until release, though ctx may
// end before.
func (l *Ladder) guard(ctx context.Context, u uploaded) *guard {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	input, writer := io.Pipe()
	g := &guard{input: writer, cancel: cancel, ended: make(chan struct{})}
	command := u.command(nil)
	command[2] = guardScript
	go func() {
		defer close(g.ended)
		g.err = l.exec(ctx, kube.Exec{Pod: u.pod, Container: u.container, Command: command, Stdin: input})
	}()
	return g
}

// release lets the guard delete what there still is, and waits until it has.
func (g *guard) release() error {
	_ = g.input.Close()
	late := time.AfterFunc(removeTimeout, g.cancel)
	defer late.Stop()
	<-g.ended
	g.cancel()
	return g.err
}

// uploaded is a file that may lie in a container.
type uploaded struct {
	place
	name string
}

// command writes the program, or deletes it when there is none. Not into
// /dev/shm, where containerd and CRI-O let no program run.
func (u uploaded) command(program []byte) []string {
	size := strconv.Itoa(len(program))
	return []string{shell, "-c", uploadScript, "sh", size, sumOf(program), u.name, "/tmp", "/var/tmp", "/run"}
}

// sumOf is the SHA-256 of a program as sha256sum writes it.
func sumOf(program []byte) string {
	sum := sha256.Sum256(program)
	return hex.EncodeToString(sum[:])
}

// uploads are the files that may lie in containers.
type uploads struct {
	mu    sync.Mutex
	count int
	files map[uploaded]bool
}

func (s *uploads) begin(p place, run string) uploaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[uploaded]bool{}
	}
	s.count++
	u := uploaded{p, fmt.Sprintf(".podpath-%s-%d", run, s.count)}
	s.files[u] = true
	return u
}

func (s *uploads) gone(u uploaded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, u)
}

// left returns the files whose deletion failed.
func (s *uploads) left() []uploaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.files))
}
