package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"podpath/probes/wire"
)

// process is a command that runs in a container. Nothing of the host is
// executed: a few programs are written here, and the interpreters understand
// podpath's own prober alone.
type process struct {
	*Place
	image       image
	in          io.Reader
	out, errors io.Writer
}

// Exec runs a command in a container of the image, with the streams, of which
// in may be nil, and returns its exit code. The error is in the words of the
// runtime when the image has no such program.
func (p *Place) Exec(ctx context.Context, imageName string, command []string, in io.Reader, out, stderr io.Writer) (exit int, err error) {
	if in == nil {
		in = strings.NewReader("")
	}
	run := &process{p, imageOf(imageName), in, out, stderr}
	if len(command) == 0 || !run.image.has(path.Base(command[0])) {
		return 0, fmt.Errorf("OCI runtime exec failed: exec failed: unable to start container process: exec: %q: executable file not found in $PATH: unknown", strings.Join(command[:min(1, len(command))], ""))
	}
	return run.program(ctx, command), ctx.Err()
}

func (p *process) program(ctx context.Context, argv []string) int {
	name, args := path.Base(argv[0]), argv[1:]
	switch name {
	case "sh", "bash", "python3", "perl":
		return p.interpreter(ctx, name, args)
	case "env":
		return p.print(strings.Join(p.environ(p.network.view()), "\n") + "\n")
	case "hostname":
		return p.cat("/etc/hostname")
	case "ls":
		return p.print("bin dev etc home lib proc root sys tmp usr var\n")
	case "cat":
		return p.cat(args...)
	}
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	// What is in the way of an argument, such as the value of an option, is before
	// it. Behind it may be files, and seconds where there is no port.
	words := slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		_, err := strconv.ParseFloat(arg, 64)
		return strings.HasPrefix(arg, "-") || strings.HasPrefix(arg, "/") || err == nil && name != "nc"
	})
	scans := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") && strings.Contains(arg, "z") })
	last := len(words) - 1
	switch {
	case last >= 0 && (name == "curl" || name == "wget"):
		return p.fetch(ctx, name, words[last])
	case last >= 0 && (name == "getent" || name == "nslookup"):
		return p.find(ctx, name, words[last])
	case last >= 1 && name == "nc" && scans:
		return p.knock(ctx, words[last-1], words[last])
	}
	return p.complain(1, "%s: the practice cluster does not know how to do this\n", name)
}

func (p *process) print(text string) int {
	_, _ = io.WriteString(p.out, text)
	return 0
}

func (p *process) complain(exit int, format string, args ...any) int {
	fmt.Fprintf(p.errors, format, args...)
	return exit
}

// cat prints files, or what comes in.
func (p *process) cat(files ...string) int {
	if len(files) == 0 {
		_, _ = io.Copy(p.out, p.in)
	}
	exit := 0
	for _, file := range files {
		f, err := p.Open(file)
		if err != nil {
			exit = p.complain(1, "cat: %s: No such file or directory\n", file)
			continue
		}
		_, _ = io.Copy(p.out, f)
	}
	return exit
}

// interpreter runs what podpath asks of one, or a single command of a shell.
// The arguments of a prober are an option, what reads the script, and the
// length of that, which is ahead of the requests.
func (p *process) interpreter(ctx context.Context, name string, args []string) int {
	if len(args) < 2 || args[0] != "-c" && args[0] != "-e" {
		return p.complain(2, "%s: it is not interactive in the practice cluster; give it one command: %s -c 'cat /etc/resolv.conf'\n", name, name)
	}
	if length, err := strconv.ParseInt(args[len(args)-1], 10, 32); err == nil && len(args) == 3 {
		return p.prober(ctx, name, length)
	}
	words := strings.Fields(strings.NewReplacer("'", "", `"`, "").Replace(args[1]))
	switch {
	case strings.Contains(args[1], "podpath-survey 1"):
		return p.survey()
	case len(words) == 0, words[0] == ":":
		return 0
	case name != "sh" && name != "bash", strings.ContainsAny(args[1], ";|&$<>`(){}\n"):
		return p.complain(2, "%s: the shells of the practice cluster run one plain command\n", name)
	case words[0] == "exit" && len(words) == 2:
		code, _ := strconv.Atoi(words[1])
		return code
	case words[0] == "echo":
		return p.print(strings.Join(words[1:], " ") + "\n")
	case !p.image.has(path.Base(words[0])):
		return p.complain(127, "%s: 1: %s: not found\n", name, words[0])
	}
	return p.program(ctx, words)
}

// prober skips a script of some length and does in its place what it would.
func (p *process) prober(ctx context.Context, tool string, length int64) int {
	if _, err := io.CopyN(io.Discard, p.in, length); err != nil {
		return 1
	}
	if err := wire.Serve(ctx, closing{p.in}, closing{p.out}, tool, p.Place); err != nil {
		return 1
	}
	return 0
}

// survey answers as assets/probers/survey.sh does.
func (p *process) survey() int {
	text := "podpath-survey 1\n"
	for _, tool := range strings.Fields("bash python3 perl nc od hexdump") {
		if p.image.has(tool) {
			text += tool + " /usr/bin/" + tool + "\n"
		}
	}
	if p.image.has("bash") {
		text += "bash-version 5.2.15(1)-release\n"
	}
	return p.print(text + "machine aarch64\nEND\n")
}

// closing makes a stream one that can be closed, if it can.
type closing struct{ stream any }

func (c closing) Read(b []byte) (int, error)  { return c.stream.(io.Reader).Read(b) }
func (c closing) Write(b []byte) (int, error) { return c.stream.(io.Writer).Write(b) }
func (c closing) Close() error {
	if closer, ok := c.stream.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// fetch is curl and wget.
func (p *process) fetch(ctx context.Context, name, url string) int {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return p.complain(3, "%s: (3) URL rejected\n", name)
	}
	reply, err := p.client().Do(request)
	var missing *net.DNSError
	switch {
	case errors.As(err, &missing):
		return p.complain(6, "%s: (6) Could not resolve host: %s\n", name, request.URL.Hostname())
	case errors.Is(err, syscall.ECONNREFUSED):
		return p.complain(7, "%s: (7) Failed to connect to %s: Connection refused\n", name, request.URL.Host)
	case os.IsTimeout(err):
		return p.complain(28, "%s: (28) Connection timed out after %d milliseconds\n", name, programTimeout.Milliseconds())
	case err != nil:
		return p.complain(56, "%s: (56) %v\n", name, err)
	}
	defer func() { _ = reply.Body.Close() }()
	if _, err := io.Copy(p.out, reply.Body); err != nil {
		return 18
	}
	return 0
}

// knock is nc -z.
func (p *process) knock(ctx context.Context, host, port string) int {
	c, err := p.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return p.complain(1, "nc: %s (%s): %v\n", host, port, errors.Unwrap(err))
	}
	defer func() { _ = c.Close() }()
	return p.complain(0, "%s (%s) open\n", host, c.RemoteAddr())
}

// find is getent hosts and nslookup.
func (p *process) find(ctx context.Context, name, host string) int {
	address, err := p.lookup(ctx, host)
	server, _, _ := p.resolver(p.network.view())
	var missing *net.DNSError
	switch {
	case err != nil && name == "getent":
		return 2
	case errors.As(err, &missing) && missing.IsNotFound:
		return p.complain(1, "Server:\t%s\n\n** server can't find %s: NXDOMAIN\n", server, host)
	case err != nil:
		return p.complain(1, ";; connection timed out; no servers could be reached\n")
	case name == "getent":
		return p.print(fmt.Sprintf("%-16s%s\n", address, host))
	}
	return p.print(fmt.Sprintf("Server:\t%s\nAddress:\t%s:53\n\nName:\t%s\nAddress: %s\n", server, server, host, address))
}
