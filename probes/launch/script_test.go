package launch

import (
	"context"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"podpath/assets"
)

func TestReadersTakeTheScriptAndNotAByteMore(t *testing.T) {
	const inShell = "printf 'runs \\\\ \"%s\"\\n' ok\n\n  read -r x\necho \"got $x\"\ncat\n"
	for name, test := range map[string]struct {
		argv   []string
		script string
	}{
		"bash":    {[]string{"bash", "-c", shellReader}, inShell},
		"dash":    {[]string{"dash", "-c", shellReader}, inShell},
		"busybox": {[]string{"busybox", "sh", "-c", shellReader}, inShell},
		"python3": {[]string{"python3", "-c", pythonReader}, "import sys\nprint('runs \\\\ \"ok\"')\nprint('got', sys.stdin.readline(), end='')\nprint(sys.stdin.read(), end='')\n"},
		"perl":    {[]string{"perl", "-e", perlReader}, "print 'runs \\\\ \"ok\"', \"\\n\", 'got ', scalar <STDIN>;\nprint <STDIN>;\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(test.argv[0]); err != nil {
				t.Skipf("this machine has no %s", test.argv[0])
			}
			const requests = "request 1\nrequest 2\n  no line feed at the end"
			out, err := readBy(t, withLength(test.argv, test.script), test.script+requests)
			if want := "runs \\ \"ok\"\ngot " + requests; err != nil || out != want {
				t.Errorf("got %q, %v, want %q", out, err, want)
			}
			for _, length := range []int{0, 1, len(test.script) / 2, len(test.script) - 1} { // it was cut
				if out, err := readBy(t, withLength(test.argv, test.script), test.script[:length]); err == nil || out != "" {
					t.Fatalf("got %q, %v from %d bytes of %d, want nothing run", out, err, length, len(test.script))
				}
			}
		})
	}
}

// readBy runs a command with an input that is there at once, through a pipe.
func readBy(t *testing.T, argv []string, input string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = []string{"LANG=de_DE.UTF-8", "script=inherited", "PATH=/usr/bin:/bin"}
	c.Stdin = strings.NewReader(input)
	out, err := c.Output()
	return string(out), err
}

func TestScriptsAreWhatShellsCanCount(t *testing.T) {
	for _, tool := range tools {
		if tool.script == "" {
			continue
		}
		script, err := assets.Script(tool.script)
		must(t, err)
		if strings.ContainsFunc(script, func(r rune) bool { return r > '~' }) || !strings.HasSuffix(script, "\n") {
			t.Errorf("%s is not ASCII that ends with a line feed", tool.script)
		}
	}
}

func TestURLsOfExecsStayWithinWhatProxiesTake(t *testing.T) {
	l := New(nil, Options{})
	survey, err := l.script("survey.sh")
	must(t, err)
	commands := [][]string{{shell, "-c", survey}, uploaded{name: strings.Repeat("x", 100)}.command(make([]byte, 1e7)), {shell, "-c", guardScript}}
	for _, tool := range tools {
		commands = append(commands, withLength(tool.argv, strings.Repeat("x", 1e4)))
	}
	for _, argv := range commands {
		if got := len(url.Values{"command": argv}.Encode()); got > 6<<10 { // and names take up to 1 KiB
			t.Errorf("got %d bytes of %.60q, want at most 6 KiB", got, argv)
		}
	}
}
