// Package wire is the line protocol between podpath and what runs inside a
// Pod, and the in-Pod side of it in Go. The same protocol is spoken by the
// scripts in assets/probers, so it is made for a shell: one request a line,
// fields between single blanks, one answer a line, in any order; data that is
// too long for one line comes in parts.
//
// What runs in the Pod only moves bytes: it connects, sends, receives, and
// reads files. What the bytes mean (HTTP, TLS, DNS) podpath decides, in one
// place for all of them.
//
//	ID OP TIMEOUT_MS ADDRESS PORT COUNT DATA          a request
//	ID part - - - DATA                                the first part of long data
//	ID RESULT CONNECT_US TOTAL_US LOCAL_PORT DATA     its answer, with the rest
//	podpath 1 TOOL                                    the first line of a prober
//	END N                                             its last: it has given N answers
//
// An empty field is "-". When its input ends a prober answers what is open,
// closes what is held, says END and ends. A last line without its end may have
// been cut, and is no request.
package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Version is the version of the protocol, which a prober's first line names.
const Version = "1"

// MaxData is how many bytes of data a line carries at most. Escaped they stay
// within the 4,096 bytes that a pipe takes in one piece (POSIX PIPE_BUF on
// Linux), so that probers in several processes do not mix their lines.
const MaxData = 768

// Op is what a request asks for.
type Op string

// The operations.
const (
	// TCP connects, sends Data, receives up to Count bytes or until the other
	// side closes, and closes. With Count 0 it receives nothing. What came
	// before a Timeout or a Reset is in the answer.
	TCP Op = "tcp"
	// UDP sends Data in one datagram and waits for one answer of up to Count
	// bytes, or for none with Count 0.
	UDP Op = "udp"
	// Hold connects and keeps the connection until Drop. More and Drop may
	// follow once it was answered with OK.
	Hold Op = "hold"
	// More sends Data on the connection that the Hold of the same ID opened,
	// and receives what comes next: one byte to Count, or none when the other
	// side has closed. With Count 0 it receives nothing. After a Timeout the
	// connection is still held.
	More Op = "more"
	// Drop closes what is held.
	Drop Op = "drop"
	// File reads up to Count bytes of the file whose path is Address.
	File Op = "file"
)

// Request is one thing for a prober to do. IDs are positive; each request of
// a conversation has its own, but for More.
type Request struct {
	ID      int
	Op      Op
	Timeout time.Duration // of the whole request
	Address string        // an IP address, or a path
	Port    int
	Count   int
	Data    []byte
}

// Result is how a request ended.
type Result string

// The results. Any but OK, Denied and Failed is an observation about the network.
const (
	OK          Result = "ok"
	Refused     Result = "refused"     // RST to a SYN, or ICMP port unreachable
	Timeout     Result = "timeout"     // no answer in time
	Reset       Result = "reset"       // the connection ended with RST
	Unreachable Result = "unreachable" // ICMP, or no route
	Denied      Result = "denied"      // the operating system or a sandbox forbids it
	Failed      Result = "failed"      // anything else; Data says what
	// Part is no end: more lines with the same ID follow.
	Part Result = "part"
)

// Answer is how a request went.
type Answer struct {
	ID     int
	Result Result
	// Connected reports that there was a TCP connection; Connect is how long it
	// took to open, 0 where the prober has no clock. The Hold's answer says so,
	// those of its More and Drop do not.
	Connected      bool
	Connect, Total time.Duration
	// LocalPort is the client's port; 0 where the prober cannot know it.
	LocalPort int
	// Data is what was received, or for Failed a text.
	Data []byte
}

const none = "-"

// String writes the request as one line, without its end.
func (r Request) String() string {
	return fmt.Sprintf("%d %s %d %s %d %d %s", r.ID, r.Op, r.Timeout.Milliseconds(), Escape([]byte(r.Address)), r.Port, r.Count, Escape(r.Data))
}

// ParseRequest reads a request.
func ParseRequest(line string) (Request, error) {
	f := strings.Split(line, " ")
	if len(f) != 7 {
		return Request{}, fmt.Errorf("%q has %d fields, want 7", line, len(f))
	}
	var n numbers
	r := Request{
		ID: n.read(f[0]), Op: Op(f[1]), Timeout: time.Duration(n.read(f[2])) * time.Millisecond,
		Address: string(n.bytes(f[3])), Port: n.read(f[4]), Count: n.read(f[5]), Data: n.bytes(f[6]),
	}
	if n.err == nil && r.ID == 0 {
		n.err = errors.New("an ID is positive")
	}
	if n.err != nil {
		return Request{}, fmt.Errorf("%q: %w", line, n.err)
	}
	return r, nil
}

// String writes the answer as one line, without its end.
func (a Answer) String() string {
	connect, port := none, none
	if a.Connected {
		connect = strconv.FormatInt(a.Connect.Microseconds(), 10)
	}
	if a.LocalPort != 0 {
		port = strconv.Itoa(a.LocalPort)
	}
	total := strconv.FormatInt(a.Total.Microseconds(), 10)
	if a.Result == Part {
		total = none
	}
	return fmt.Sprintf("%d %s %s %s %s %s", a.ID, a.Result, connect, total, port, Escape(a.Data))
}

// ParseAnswer reads an answer.
func ParseAnswer(line string) (Answer, error) {
	f := strings.Split(line, " ")
	if len(f) != 6 {
		return Answer{}, fmt.Errorf("%q has %d fields, want 6", line, len(f))
	}
	var n numbers
	a := Answer{
		ID: n.read(f[0]), Result: Result(f[1]), Connected: f[2] != none, Connect: n.micros(f[2]),
		Total: n.micros(f[3]), LocalPort: n.read(f[4]), Data: n.bytes(f[5]),
	}
	if n.err == nil && a.ID == 0 {
		n.err = errors.New("an ID is positive")
	}
	switch a.Result {
	case OK, Refused, Timeout, Reset, Unreachable, Denied, Failed, Part:
	default:
		n.err = errors.Join(n.err, fmt.Errorf("no result is called %q", f[1]))
	}
	if n.err != nil {
		return Answer{}, fmt.Errorf("%q: %w", line, n.err)
	}
	return a, nil
}

// Hello is the first line of a prober. The tool is what it runs on, such as
// bash.
func Hello(tool string) string { return "podpath " + Version + " " + tool }

// ParseHello returns the tool that a first line names.
func ParseHello(line string) (tool string, ok bool) { return strings.CutPrefix(line, Hello("")) }

// End is the last line of a prober that has given n answers.
func End(n int) string { return "END " + strconv.Itoa(n) }

// ParseEnd returns how many answers a last line counts.
func ParseEnd(line string) (n int, ok bool) {
	count, ok := strings.CutPrefix(line, "END ")
	if !ok {
		return 0, false
	}
	var number numbers
	n = number.read(count)
	return n, count != none && number.err == nil
}

// numbers reads fields and keeps the first error.
type numbers struct{ err error }

// read reads a number from 0 to what an int holds everywhere, also on 32-bit
// ARM; as microseconds and milliseconds that is within a time.Duration.
func (n *numbers) read(field string) int {
	if field == none {
		return 0
	}
	v, err := strconv.ParseUint(field, 10, 31)
	if err != nil && n.err == nil {
		n.err = err
	}
	return int(v)
}

func (n *numbers) micros(field string) time.Duration {
	return time.Duration(n.read(field)) * time.Microsecond
}

func (n *numbers) bytes(field string) []byte {
	b, err := Unescape(field)
	if err != nil && n.err == nil {
		n.err = err
	}
	return b
}
