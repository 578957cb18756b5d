package launch

import (
	"io"
	"strconv"
	"strings"
)

// Scripts of probers come over standard input: in the arguments they would make
// the URL of the exec longer than the 8 KiB that proxies before an API server
// take for a request line (nginx: large_client_header_buffers). So what is in
// the arguments reads a script of so many bytes, not one byte more, for the
// requests follow it, and runs it. POSIX has read of a shell read from a pipe
// byte by byte.
const (
	// shellReader has the length in $0. It counts characters: scripts are
	// ASCII, and end with a line feed. sh.sh uses the variable.
	shellReader = `script=
while [ ${#script} -lt "$0" ] && IFS= read -r line; do script="$script$line
"; done
[ ${#script} -eq "$0" ] && eval "$script"`

	pythonReader = `import os, sys
n, s = int(sys.argv[1]), b""
while len(s) < n:
    b = os.read(0, n - len(s))
    if not b: sys.exit(1)
    s += b
exec(s)`

	perlReader = `$n = shift; $s = "";
while (length $s < $n) { sysread STDIN, $s, $n - length $s, length $s or exit 1 }
eval $s; die $@ if $@`
)

// withLength adds what a reader has to know about the script.
func withLength(argv []string, script string) []string {
	return append(argv[:len(argv):len(argv)], strconv.Itoa(len(script)))
}

// preceded is an input with a script before the requests.
type preceded struct {
	io.Reader
	io.Closer
}

func precede(script string, in io.ReadCloser) io.ReadCloser {
	return preceded{io.MultiReader(strings.NewReader(script), in), in}
}
