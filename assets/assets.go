// Package assets holds the files that podpath carries with it.
package assets

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// files holds the programs of the probers only when make has built them.
//
//go:embed probers
var files embed.FS

// demo holds the objects of the practice cluster, and its lessons.
//
//go:embed demo
var demo embed.FS

// Demo returns the manifests of the practice cluster, and in the folder lessons
// its lessons.
func Demo() fs.FS {
	sub, err := fs.Sub(demo, "demo")
	if err != nil {
		panic(err) // the name is no valid path: a mistake here
	}
	return sub
}

// Architectures are those that Prober has a program for, as Go and the label
// kubernetes.io/arch call them.
func Architectures() []string { return []string{"amd64", "arm64", "arm"} }

// Script returns the text of a script that runs in a container: bash.sh,
// sh.sh, python.py, perl.pl or survey.sh. Its comments are left out, because
// each exec sends it.
func Script(name string) (string, error) {
	text, err := files.ReadFile("probers/" + name)
	if err != nil {
		return "", fmt.Errorf("podpath carries no script called %q", name)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if code := strings.TrimSpace(line); code != "" && code[0] != '#' {
			b.WriteString(line)
		}
	}
	return b.String(), nil
}

// Prober returns the program cmd/prober for Linux on an architecture; on arm it
// runs from ARMv6 on. The error says when there is none.
func Prober(arch string) ([]byte, error) {
	if !slices.Contains(Architectures(), arch) {
		return nil, fmt.Errorf("podpath has no prober for %q, only for %s", arch, strings.Join(Architectures(), ", "))
	}
	packed, err := files.ReadFile("probers/prober_linux_" + arch + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("this podpath was built without the probers: build it with make")
	}
	if err != nil {
		return nil, fmt.Errorf("read the prober for %s: %w", arch, err)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the prober for %s: %w", arch, err)
	}
	program, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, fmt.Errorf("unpack the prober for %s: %w", arch, err)
	}
	return program, nil
}
