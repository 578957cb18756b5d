//go:build linux

package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the main of an nc of which this machine has none: the test
// program, under that name, on the PATH of a prober.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "nc" {
		if err := netcat(os.Getenv("PODPATH_NC"), os.Args[1:]); err != nil {
			_, _ = fmt.Fprintf(os.Stderr, "nc: %v\n", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// The ncs that netcat can be.
const (
	alpine  = "alpine"  // busybox as Alpine builds it: -e PROG and -u
	openBSD = "openbsd" // -v, -z and -u, and no -e
)

var ncHelp = map[string]string{
	alpine:  "BusyBox v1.36.1 multi-call binary.\n\nUsage: nc [OPTIONS] HOST PORT\n\n\t-e PROG\tRun PROG after connect (must be last)\n\t-u\tUDP mode\n",
	openBSD: "usage: nc [-46CDdFhklNnrStUuvZz] [destination] [port]\n\t\t-u\t\tUDP mode\n\t\t-v\t\tVerbose\n\t\t-z\t\tZero-I/O mode\n",
}

// ncTools are the tools of busybox, and our nc.
func ncTools(t *testing.T) (string, error) {
	folder, err := links(t, "busybox", "hexdump od dd cat sleep tr")
	if err != nil {
		return "", err
	}
	for name, look := range map[string]func() (string, error){
		"nc": os.Executable,
		"sh": func() (string, error) { return exec.LookPath("dash") }, // that of busybox would take its own nc
	} {
		path, err := look()
		if err != nil {
			return "", err
		}
		if err := os.Symlink(path, filepath.Join(folder, name)); err != nil {
			return "", err
		}
	}
	return folder, nil
}

func netcat(kind string, args []string) error {
	if slices.Contains(args, "-h") {
		return errors.New(ncHelp[kind])
	}
	var program []string
	if i := slices.Index(args, "-e"); i >= 0 && kind == alpine {
		args, program = args[:i], args[i+1:]
	}
	options, address := args[:len(args)-2], net.JoinHostPort(args[len(args)-2], args[len(args)-1])
	network := "tcp"
	if slices.Contains(options, "-u") {
		network = "udp"
	}
	var d net.Dialer
	conn, err := d.DialContext(context.Background(), network, address)
	if err != nil {
		return fmt.Errorf("connect to %s failed: %w", address, err)
	}
	if slices.Contains(options, "-v") {
		_, _ = fmt.Fprintf(os.Stderr, "Connection to %s succeeded!\n", address)
	}
	if slices.Contains(options, "-z") {
		return nil
	}
	if program != nil {
		return become(program, conn.(syscall.Conn))
	}
	go func() { _, _ = io.CopyBuffer(onlyWriter{conn}, onlyReader{os.Stdin}, make([]byte, 16384)) }()
	_, err = io.CopyBuffer(onlyWriter{os.Stdout}, onlyReader{conn}, make([]byte, 16384))
	return err
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }

// become runs a program in the place of this one, on a connection.
func become(program []string, conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	path, err := exec.LookPath(program[0])
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetNonblock(int(fd), false), syscall.Dup3(int(fd), 0, 0), syscall.Dup3(int(fd), 1, 0),
			syscall.Exec(path, program, slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GO") })),
		)
	})
	return errors.Join(err, failed)
}
