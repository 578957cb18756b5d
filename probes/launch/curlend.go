package launch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"podpath/probes/wire"
)

// curlEnd is what curl says at the end of a transfer.
type curlEnd struct {
	connect, total time.Duration // connect is 0 when there was no connection
	localPort      int
	code           int    // its exit code for this transfer, -1 when it is too old to tell
	message        string // likewise
}

// The exit codes of curl that mean something about the network; see "EXIT
// CODES" in its manual.
const (
	curlOld          = -1
	curlOK           = 0
	curlNoConnection = 7
	curlPartial      = 18
	curlTimeout      = 28
	curlOptionWrong  = 48 // and 49: what curlOptions provokes
	curlOptionSyntax = 49
	curlEmpty        = 52
	curlSendFailed   = 55
	curlRecvFailed   = 56
	curlTooLarge     = 63
)

// parseCurlEnd reads the line that write-out makes, after boundary and ID.
func parseCurlEnd(line string) (curlEnd, error) {
	fields := strings.SplitN(line, " ", 5)
	if len(fields) < 4 {
		return curlEnd{}, fmt.Errorf("%w: curl ended a transfer with %q", ErrCut, line)
	}
	end := curlEnd{connect: curlSeconds(fields[0]), total: curlSeconds(fields[1]), code: curlOld}
	if port, err := strconv.ParseUint(fields[2], 10, 16); err == nil {
		end.localPort = int(port)
	}
	if code, err := strconv.Atoi(strings.Trim(fields[3], "[]")); err == nil {
		end.code = code
	}
	if len(fields) == 5 {
		end.message = fields[4]
	}
	return end, nil
}

// curlSeconds reads a time such as 0.001937; some languages have a comma.
func curlSeconds(field string) time.Duration {
	seconds, err := strconv.ParseFloat(strings.Replace(field, ",", ".", 1), 64)
	if err != nil || !(seconds > 0 && seconds < 1e6) {
		return 0
	}
	return time.Duration(seconds * float64(time.Second))
}

// answer is what the end of a transfer, and its output, say about a request.
func (e curlEnd) answer(r wire.Request, data []byte, told *curlMessages) wire.Answer {
	a := wire.Answer{ID: r.ID, Connected: e.connect > 0, Connect: e.connect, Total: e.total, LocalPort: e.localPort}
	a.Result = e.result(r, len(data), told)
	if a.Result == wire.Failed {
		a.Data = []byte("curl: " + e.why(r, told))
		return a
	}
	if r.Op == wire.File || a.Connected {
		a.Data = data[:min(len(data), r.Count)]
	}
	return a
}

func (e curlEnd) result(r wire.Request, received int, told *curlMessages) wire.Result {
	late := e.code == curlTimeout || e.code == curlOld && e.total >= r.Timeout
	switch {
	case r.Op == wire.File && (e.code == curlOK || e.code == curlOld && told.missing[r.Address] == ""):
		return wire.OK
	case r.Op == wire.File:
		return wire.Failed
	case e.connect == 0:
		if result := told.failure(r); result != wire.Failed || !late {
			return result
		}
		return wire.Timeout
	case r.Count == 0 || received >= r.Count: // all that was asked for
		return wire.OK
	case late:
		return wire.Timeout
	}
	switch e.code {
	case curlOld, curlOK, curlPartial, curlEmpty, curlTooLarge, curlOptionWrong, curlOptionSyntax:
		return wire.OK
	case curlSendFailed, curlRecvFailed:
		return wire.Reset
	default:
		return wire.Failed
	}
}

// why says what failed in curl's words, or in ours where it has none.
func (e curlEnd) why(r wire.Request, told *curlMessages) string {
	switch {
	case told.missing[r.Address] != "":
		return told.missing[r.Address]
	case e.message != "":
		return e.message
	case e.code > curlOK:
		return fmt.Sprintf("exit code %d", e.code)
	default:
		return "it does not say what went wrong"
	}
}

// curlMessages are the verbose messages that tell transfers that failed
// apart: curl has one exit code for all that can happen to a connection.
type curlMessages struct {
	// failures are the connections that failed, by address and port, in the
	// order of the transfers.
	failures map[string][]wire.Result
	missing  map[string]string // files that could not be read, and the message
}

// In versions 7.58 to 8; without a port when the system refuses to try.
var (
	curlConnectMessage = regexp.MustCompile(`^\* +connect to (\S+) port (\d+) (?:from \S+ port \d+ )?failed: (.*)`)
	curlNoRouteMessage = regexp.MustCompile(`^\* +Immediate connect fail for (\S+): (.*)`)
	curlFileMessage    = regexp.MustCompile(`^\* +(Couldn't open file (.*))`)
)

func readCurlMessages(stderr []byte) *curlMessages {
	told := &curlMessages{failures: map[string][]wire.Result{}, missing: map[string]string{}}
	for line := range strings.Lines(string(stderr)) {
		line = strings.TrimRight(line, "\r\n")
		if m := curlConnectMessage.FindStringSubmatch(line); m != nil {
			key := m[1] + " " + m[2]
			told.failures[key] = append(told.failures[key], curlResult(m[3]))
		} else if m := curlNoRouteMessage.FindStringSubmatch(line); m != nil {
			told.failures[m[1]] = append(told.failures[m[1]], curlResult(m[2]))
		} else if m := curlFileMessage.FindStringSubmatch(line); m != nil {
			told.missing[m[2]] = m[1]
		}
	}
	return told
}

// failure returns how the next connection to the request's target failed.
func (m *curlMessages) failure(r wire.Request) wire.Result {
	for _, key := range []string{fmt.Sprintf("%s %d", r.Address, r.Port), r.Address} {
		if results := m.failures[key]; len(results) > 0 {
			m.failures[key] = results[1:]
			return results[0]
		}
	}
	return wire.Failed
}

// curlResult maps the text of an error number, in the words of glibc or musl.
func curlResult(text string) wire.Result {
	for _, known := range []struct {
		text   string
		result wire.Result
	}{
		{"refused", wire.Refused},
		{"timed out", wire.Timeout},
		{"No route to host", wire.Unreachable},
		{"nreachable", wire.Unreachable},
		{"is down", wire.Unreachable},
		{"reset by peer", wire.Reset},
		{"ermission denied", wire.Denied},
		{"not permitted", wire.Denied},
	} {
		if strings.Contains(text, known.text) {
			return known.result
		}
	}
	return wire.Failed
}
