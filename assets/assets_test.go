package assets

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestScriptsComeWithoutComments(t *testing.T) {
	for _, name := range []string{"bash.sh", "sh.sh", "python.py", "perl.pl", "survey.sh"} {
		text, err := Script(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "\n#") || strings.HasPrefix(text, "#") || strings.Contains(text, "\n\n") {
			t.Errorf("%s has comments or empty lines", name)
		}
		// A slow line carries it for each exec.
		if got, limit := len(text), 10<<10; got > limit {
			t.Errorf("%s has %d bytes, want at most %d", name, got, limit)
		}
	}
	if _, err := Script("none.sh"); err == nil || !strings.Contains(err.Error(), "none.sh") {
		t.Errorf("got %v, want an error that names the script", err)
	}
}

func TestSurveyPrintsItsFormat(t *testing.T) {
	script, err := Script("survey.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"sh", "bash", "dash", "busybox sh"} {
		words := append(strings.Fields(shell), "-c", script)
		if _, err := exec.LookPath(words[0]); err != nil {
			t.Logf("skipped: no %s here", words[0])
			continue
		}
		out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).Output()
		if err != nil {
			t.Fatalf("%s: %v", shell, err)
		}
		got := string(out)
		for _, want := range []string{"podpath-survey 1\n", "\nmachine ", "\nEND\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in %q", shell, want, got)
			}
		}
		if !strings.HasPrefix(got, "podpath-survey 1\n") || !strings.HasSuffix(got, "\nEND\n") {
			t.Errorf("%s: got %q, want the first and the last line at their places", shell, got)
		}
	}
}

func TestProberIsSmallAndRuns(t *testing.T) {
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM}
	for _, arch := range Architectures() {
		program, err := Prober(arch)
		if err != nil && strings.Contains(err.Error(), "build it with make") {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, limit := len(program), 2_500_000; got > limit {
			t.Errorf("%s has %d bytes, want at most %d", arch, got, limit)
		}
		file, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatalf("%s: %v", arch, err)
		}
		if file.Machine != machines[arch] || file.Section(".interp") != nil {
			t.Errorf("%s: got a program for %v, want a static one for %v", arch, file.Machine, machines[arch])
		}
		if runtime.GOOS == "linux" && runtime.GOARCH == arch {
			runs(t, program)
		}
	}
}

// runs starts a prober and asks nothing.
func runs(t *testing.T, program []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prober")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path).Output()
	if got, want := string(out), "podpath 1 podpath\nEND 0\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestProberSaysWhatItLacks(t *testing.T) {
	if _, err := Prober("riscv64"); err == nil || !strings.Contains(err.Error(), "riscv64") {
		t.Errorf("got %v, want an error that names the architecture", err)
	}
}
