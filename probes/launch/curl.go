package launch

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"podpath/probes/wire"
)

// curlCommand runs curl with nothing of the container's own configuration and
// the transfers that its standard input describes, one after the other.
func curlCommand() []string { return []string{"curl", "-q", "-K", "-"} }

// maxCurlBody is how large a body may say it is, in bytes; of a larger one only
// the head comes. curl cannot stop after so many bytes.
const maxCurlBody = 1 << 20

// errCurlCannot is why curl cannot do a request.
var errCurlCannot = errors.New("curl cannot")

// curlConfig writes the requests that curl can do (7.58 or later) as a
// configuration for its standard input. The boundary marks where the output
// of a transfer ends. It has to be a word that nobody else can know, or a
// server could answer for another one.
func curlConfig(requests []wire.Request, boundary string) string {
	// What goes wrong with a connection only the verbose messages tell, on stderr.
	config := "silent\nverbose\n"
	between := ""
	for _, r := range requests {
		options, err := curlOptions(r)
		if err != nil {
			continue
		}
		seconds := strconv.FormatFloat(r.Timeout.Seconds(), 'f', 3, 64)
		options = append(
			options, "globoff", curlOption("noproxy", "*"),
			curlOption("connect-timeout", seconds), curlOption("max-time", seconds),
			// exitcode and errormsg are empty before curl 7.75.
			curlOption("write-out", fmt.Sprintf("\n%s %d %%{time_connect} %%{time_total} %%{local_port} [%%{exitcode}] %%{errormsg}\n", boundary, r.ID)),
		)
		config += between + strings.Join(options, "\n") + "\n"
		between = "next\n"
	}
	return config
}

// curlOptions returns the options for what one request asks.
func curlOptions(r wire.Request) ([]string, error) {
	host := net.JoinHostPort(r.Address, strconv.Itoa(r.Port))
	switch {
	case r.Op == wire.File && strings.HasPrefix(r.Address, "/"):
		return []string{curlOption("url", "file://"+(&url.URL{Path: r.Address}).EscapedPath())}, nil
	case net.ParseIP(r.Address) == nil || r.Op != wire.TCP:
		return nil, fmt.Errorf("%w do %s to %q", errCurlCannot, r.Op, r.Address)
	case len(r.Data) > 0:
		options, err := curlHTTP(r.Data)
		return append([]string{curlOption("url", "http://"+host)}, options...), err
	case r.Count > 0:
		return []string{curlOption("url", "telnet://"+host)}, nil
	default:
		// It finds the option wrong once it is connected, and goes away.
		return []string{curlOption("url", "telnet://"+host), curlOption("telnet-option", "podpath")}, nil
	}
}

// curlHTTP returns the options to send data, which has to be a request without
// a body that curl would send in the same words.
func curlHTTP(data []byte) ([]string, error) {
	head, body, whole := strings.Cut(string(data), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	words := strings.Split(lines[0], " ")
	plain := func(b byte) bool { return b >= ' ' && b <= '~' || b >= 0x80 }
	for _, line := range lines {
		whole = whole && !strings.ContainsFunc(line, func(r rune) bool { return r < 0x80 && !plain(byte(r)) })
	}
	if !whole || body != "" || len(words) != 3 || !strings.HasPrefix(words[1], "/") ||
		words[0] != "GET" && words[0] != "HEAD" || words[2] != "HTTP/1.0" && words[2] != "HTTP/1.1" {
		return nil, fmt.Errorf("%w send anything but an HTTP GET or HEAD", errCurlCannot)
	}
	options := []string{
		curlOption("request-target", words[1]), strings.ToLower(strings.Replace(words[2], "/", "", 1)),
		"include", "raw", curlOption("max-filesize", strconv.Itoa(maxCurlBody)),
	}
	if words[0] == "HEAD" {
		options = append(options, "head")
	}
	missing := map[string]string{"host": "Host:", "user-agent": "User-Agent:", "accept": "Accept:", "connection": "Connection: close"}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.Trim(name, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			return nil, fmt.Errorf("%w send the header %q", errCurlCannot, line)
		}
		if strings.TrimSpace(value) == "" {
			line = name + ";" // with a colon curl would leave it out
		}
		delete(missing, strings.ToLower(name))
		options = append(options, curlOption("header", line))
	}
	// A header without a value takes away what curl would add by itself. Each request needs a connection of its own.
	for _, name := range []string{"host", "user-agent", "accept", "connection"} {
		if header, ok := missing[name]; ok {
			options = append(options, curlOption("header", header))
		}
	}
	return options, nil
}

// curlOption writes an option as the manual of curl has it under --config.
func curlOption(name, value string) string {
	return name + ` = "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value) + `"`
}

// curlAnswers reads what curl has said after curlConfig with the same
// requests. When it was cut the error is ErrCut, with the answers before that.
func curlAnswers(requests []wire.Request, boundary string, stdout, stderr []byte) ([]wire.Answer, error) {
	told := readCurlMessages(stderr)
	var answers []wire.Answer
	for _, r := range requests {
		if _, err := curlOptions(r); err != nil {
			answers = append(answers, wire.Answer{ID: r.ID, Result: wire.Failed, Data: []byte(err.Error())})
			continue
		}
		data, rest, found := bytes.Cut(stdout, fmt.Appendf(nil, "\n%s %d ", boundary, r.ID))
		line, rest, ended := bytes.Cut(rest, []byte("\n"))
		if !found || !ended {
			return answers, fmt.Errorf("%w: curl's output ends before the answer to request %d", ErrCut, r.ID)
		}
		stdout = rest
		end, err := parseCurlEnd(string(line))
		if err != nil {
			return answers, err
		}
		answers = append(answers, end.answer(r, data, told))
	}
	return answers, nil
}
