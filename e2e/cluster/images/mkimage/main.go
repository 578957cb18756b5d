// Command mkimage packs a folder into a container image of one layer, in the docker-archive format that
// `ctr images import` reads. The same folder always gives the same image.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const usage = "usage: mkimage OUT.tar NAME:TAG FOLDER COMMAND [ARG...]"

// searchPath is where a container looks for programs.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

// pack writes the image NAME:TAG to the file out.
func pack(out, name, folder string, command []string) error {
	layer, err := layerOf(folder)
	if err != nil {
		return fmt.Errorf("pack %s: %w", folder, err)
	}
	layerID := digest(layer)
	config, err := json.Marshal(imageConfig(layerID, command))
	if err != nil {
		return fmt.Errorf("encode the configuration of %s: %w", name, err)
	}
	configFile, layerFile := digest(config)+".json", layerID+"/layer.tar"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configFile, "RepoTags": []string{name}, "Layers": []string{layerFile},
	}})
	if err != nil {
		return fmt.Errorf("encode the manifest of %s: %w", name, err)
	}

	var image bytes.Buffer
	archive := tar.NewWriter(&image)
	for _, file := range []struct {
		name string
		data []byte
	}{{configFile, config}, {layerFile, layer}, {"manifest.json", manifest}} {
		header := &tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.data))}
		if err := archive.WriteHeader(header); err != nil {
			return fmt.Errorf("write %s: %w", file.name, err)
		}
		if _, err := archive.Write(file.data); err != nil {
			return fmt.Errorf("write %s: %w", file.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	return os.WriteFile(out, image.Bytes(), 0o644)
}

// imageConfig is the part of the image specification that a runtime needs.
func imageConfig(layerID string, command []string) map[string]any {
	return map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Env": []string{searchPath}, "Cmd": command},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + layerID}},
	}
}

// layerOf is the folder as a tar archive in which everything belongs to root and has no time.
func layerOf(folder string) ([]byte, error) {
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return add(archive, folder, path, entry)
	})
	if err != nil {
		return nil, err
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return layer.Bytes(), nil
}

func add(archive *tar.Writer, folder, path string, entry fs.DirEntry) error {
	name, err := filepath.Rel(folder, path)
	if err != nil {
		return err
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	var target string
	if info.Mode()&fs.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	found, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: found.Typeflag, Name: name, Linkname: target, Mode: found.Mode, Size: found.Size}
	if err := archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}

func digest(data []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(data))
}
