package launch

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"podpath/kube"
	"podpath/probes/wire"
)

// disk is what the shells of the practice cluster lack: they write no files,
// and run none. It understands the scripts of uploads.
type disk struct {
	mu    sync.Mutex
	files map[string]bool // NAMESPACE/POD/CONTAINER/PATH
}

// uses reports whether a command is one for the disk.
func uses(e kube.Exec) bool {
	return len(e.Command) > 4 && slices.Contains([]string{uploadScript, guardScript, runUploaded}, e.Command[2])
}

// exec does what a script of an upload would. The argument that says how much
// to write is 0 for a deletion.
func (d *disk) exec(ctx context.Context, e kube.Exec, place wire.Network) error {
	folder := e.Pod.String() + "/" + e.Container
	switch script, size := e.Command[2], e.Command[4]; {
	case script == runUploaded:
		if !d.remove(folder + size) { // which is the file here
			return &kube.ExitError{Code: 2}
		}
		return wire.Serve(ctx, e.Stdin.(io.ReadCloser), e.Stdout.(io.WriteCloser), "podpath", place)
	case script == guardScript:
		_, err := io.Copy(io.Discard, e.Stdin)
		d.remove(folder + "/tmp/" + e.Command[6])
		return err
	case size == "0":
		d.remove(folder + "/tmp/" + e.Command[6])
		_, err := io.WriteString(e.Stdout, "END\n")
		return err
	}
	file := "/tmp/" + e.Command[6]
	d.write(folder + file)
	got, err := io.ReadAll(e.Stdin)
	fmt.Fprintf(e.Stdout, "file %s\nsize %d\nEND\n", file, len(got))
	return err
}

func (d *disk) write(file string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[file] = true
}

// remove reports whether there was such a file.
func (d *disk) remove(file string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	there := d.files[file]
	delete(d.files, file)
	return there
}
