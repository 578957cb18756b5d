package probes

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"podpath/probes/path"
	"podpath/probes/path/manifest"
	"podpath/probes/wire"
)

// Frames of HTTP/2: SETTINGS, and GOAWAY with its code.
const (
	settingsFrame = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	goAwayFrame   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
)

// speaksHTTP2 is a server of HTTP/2 alone, which says something to whoever
// begins otherwise.
func speaksHTTP2(otherwise string) func(net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		says := otherwise
		if strings.HasPrefix(string(b[:n]), "PRI * HTTP/2.0") {
			says = settingsFrame
		}
		go silent(c)
		_, _ = io.WriteString(c, says)
	}
}

// speaksTLS is a server of TLS as those of Go and nginx are: it tells whoever
// speaks plain HTTP so.
func speaksTLS(certificate tls.Certificate, otherwise string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		if first, err := in.Peek(1); err != nil || first[0] != 0x16 {
			go silent(c)
			_, _ = io.WriteString(c, otherwise)
			return
		}
		overTLS(certificate, "HTTP/1.1 200 OK\r\n\r\nweb-1")(peeked{c, in})
	}
}

// peeked is a connection of which a byte was looked at.
type peeked struct {
	net.Conn
	in io.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

// wantsName serves no certificate for the names of tests.
func wantsName(c net.Conn) {
	_ = tls.Server(c, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, nil
	}}).HandshakeContext(context.Background())
}

// banner is a server that speaks first.
func banner(text string) func(net.Conn) {
	return func(c net.Conn) {
		go silent(c)
		_, _ = io.WriteString(c, text)
	}
}

// streamOfDNS is a DNS server over TCP (RFC 7766).
func streamOfDNS(t testing.TB) func(net.Conn) {
	return func(c net.Conn) {
		length := make([]byte, 2)
		if _, err := io.ReadFull(c, length); err != nil {
			return // it was only looked whether it listens
		}
		question := make([]byte, binary.BigEndian.Uint16(length))
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		answer := reply(t, binary.BigEndian.Uint16(question), dnsmessage.RCodeNameError)
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

func TestWhatAnAppSpeaksIsFoundOut(t *testing.T) {
	const page, bad = "HTTP/1.1 200 OK\r\n\r\nweb-1", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
	good := signed(t, manifest.Noon.AddDate(20, 0, 0))
	for name, test := range map[string]struct {
		server  func(net.Conn)
		asked   path.Protocol
		written bool
		stage   path.Stage
		err     path.ErrorKind
		speaks  path.Protocol
		detail  string
	}{
		"a page":                                {answers(page), path.SpeakWeb, true, path.StageRequest, path.NoError, path.Silent, "HTTP/1.1 200 OK"},
		"TLS that says so":                      {speaksTLS(good, bad), path.SpeakWeb, false, path.StageRequest, path.BadReply, path.SpeakTLS, "400"},
		"TLS that says so, of a URL":            {speaksTLS(good, bad), path.SpeakWeb, true, path.StageRequest, path.BadStatus, path.SpeakTLS, "400"},
		"TLS that sends an alert":               {speaksTLS(good, "\x15\x03\x01\x00\x02\x02\x16"), path.SpeakWeb, false, path.StageRequest, path.BadReply, path.SpeakTLS, "the answer is not HTTP"},
		"TLS that closes":                       {speaksTLS(good, ""), path.SpeakWeb, false, path.StageRequest, path.Closed, path.SpeakTLS, "closed without an answer"},
		"a request that is bad itself":          {answers("HTTP/1.1 400 Bad Request\r\n\r\n"), path.SpeakWeb, false, path.StageRequest, path.NoError, path.Silent, "400"},
		"HTTP/2 only":                           {speaksHTTP2(goAwayFrame), path.SpeakWeb, false, path.StageRequest, path.BadReply, path.SpeakH2, "the answer is not HTTP"},
		"HTTP/2 only, in silence":               {speaksHTTP2(""), path.SpeakWeb, true, path.StageRequest, path.Closed, path.SpeakH2, "closed without an answer"},
		"plain HTTP asked in TLS":               {answers("HTTP/1.1 400 Bad Request\r\n\r\n"), path.SpeakTLS, true, path.StageTLS, path.BadTLS, path.SpeakWeb, `the answer is not TLS: "HTTP/"`},
		"plain HTTP that closes when not asked": {onlyHTTP(page), path.SpeakTLS, true, path.StageTLS, path.Closed, path.SpeakWeb, "closed in the handshake"},
		"TLS asked in TLS":                      {speaksTLS(good, bad), path.SpeakTLS, false, path.StageTLS, path.NoError, path.Silent, "TLS 1.3"},
		"TLS for other names only":              {wantsName, path.SpeakTLS, false, path.StageTLS, path.BadTLS, path.Silent, "unrecognized name"},
		"another protocol":                      {banner("SSH-2.0-OpenSSH\r\n"), path.SpeakWeb, false, path.StageRequest, path.BadReply, path.Silent, "SSH-2.0-OpenSSH"},
		"it resets what it has taken":           {nil, path.SpeakWeb, true, path.StageRequest, path.ResetByPeer, path.Silent, ""},
		"it closes when it has heard":           {answers(""), path.SpeakWeb, true, path.StageRequest, path.Closed, path.Silent, "closed without an answer"},
		"it hangs":                              {silent, path.SpeakWeb, true, path.StageRequest, path.TimedOut, path.Silent, ""},
		"HTTP/2 asked in HTTP/2":                {speaksHTTP2(""), path.SpeakH2, false, path.StageRequest, path.NoError, path.Silent, "HTTP/2"},
		"HTTP/1 asked in HTTP/2":                {answers("HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n"), path.SpeakH2, false, path.StageRequest, path.BadReply, path.SpeakWeb, "the answer is not HTTP/2"},
		"HTTP/2 that closes":                    {answers(""), path.SpeakH2, false, path.StageRequest, path.Closed, path.Silent, "closed without an answer"},
		"HTTP/2 that hangs":                     {silent, path.SpeakH2, false, path.StageRequest, path.TimedOut, path.Silent, ""},
		"DNS":                                   {streamOfDNS(t), path.SpeakDNS, false, path.StageRequest, path.NoError, path.Silent, "DNS"},
		"DNS that hangs":                        {silent, path.SpeakDNS, false, path.StageRequest, path.TimedOut, path.Silent, "no answer"},
		"a web server asked in DNS":             {answers(page), path.SpeakDNS, false, path.StageRequest, path.Closed, path.Silent, ""},
		"nobody knows what it speaks":           {banner("+PONG\r\n"), path.Silent, false, path.StageConnect, path.NoError, path.Silent, ""},
	} {
		inBubble(t, func(t *testing.T) {
			server := serves(test.server)
			if test.server == nil {
				server = func(context.Context) (net.Conn, error) { return resetting{}, nil }
			}
			o := observing(t, network{routes: map[string]route{"tcp 10.0.0.1:80": server}})
			c := path.Check{Kind: path.TCP, Ask: path.Ask{Host: "10.0.0.1", Port: 80, Speak: test.asked}}
			if test.asked == path.SpeakWeb || test.asked == path.SpeakTLS {
				c.Ask.HTTP = &path.HTTPAsk{Host: "web", Path: "/", TLS: test.asked == path.SpeakTLS, Written: test.written}
			}
			got := o.observe(t.Context(), c)
			if got.Stage != test.stage || got.Error != test.err || got.Speaks != test.speaks || !strings.Contains(got.Detail, test.detail) || got.Blind != nil {
				t.Errorf("%s: got %+v\nwant %s %q, speaking %q: %s", name, got, test.stage, test.err, test.speaks, test.detail)
			}
		})
	}
}

// resetting is a connection that the other side resets.
type resetting struct{ net.Conn }

func (resetting) Read([]byte) (int, error)    { return 0, syscall.ECONNRESET }
func (resetting) Write(b []byte) (int, error) { return len(b), nil }
func (resetting) Close() error                { return nil }
func (resetting) SetDeadline(time.Time) error { return nil }
func (resetting) LocalAddr() net.Addr         { return &net.TCPAddr{} }

// onlyHTTP answers whoever asks for a page, and nobody else.
func onlyHTTP(page string) func(net.Conn) {
	return func(c net.Conn) {
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		says := page
		if !strings.HasPrefix(string(b[:n]), "GET ") {
			says = ""
		}
		go silent(c)
		_, _ = io.WriteString(c, says)
	}
}

func TestPacketsOfUDPAreObserved(t *testing.T) {
	nobody := nameServer(t, func(dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource) {
		return dnsmessage.RCodeNameError, nil
	})
	echo := serves(func(c net.Conn) {
		b := make([]byte, maxDNS)
		n, _ := c.Read(b)
		_, _ = c.Write(b[:n])
	})
	inPod(t, func(t *testing.T, place wire.Network) {
		for name, test := range map[string]struct {
			route  route
			speaks path.Protocol
			stage  path.Stage
			err    path.ErrorKind
			detail string
		}{
			"a DNS server":                {nobody, path.SpeakDNS, path.StageRequest, path.NoError, "bytes came back"},
			"it sends back what it hears": {echo, path.Silent, path.StageRequest, path.NoError, "1 bytes came back"},
			"nobody says a word":          {unanswered, path.Silent, path.StageConnect, path.Silence, "nobody answered a packet"},
			"a DNS server that is silent": {unanswered, path.SpeakDNS, path.StageConnect, path.TimedOut, ""},
			"it is refused":               {fails(syscall.ECONNREFUSED), path.Silent, path.StageConnect, path.Refused, ""},
			"the tool has no UDP":         {noTool, path.Silent, path.StageConnect, path.NotSent, "this shell cannot do that"},
		} {
			routes := map[string]route{"udp 10.96.9.8:8125": test.route}
			got := observing(t, network{Network: place, routes: routes}).observe(t.Context(), path.Check{Kind: path.UDP, Ask: path.Ask{Host: "10.96.9.8", Port: 8125, Speak: test.speaks}})
			if got.Stage != test.stage || got.Error != test.err || !strings.Contains(got.Detail, test.detail) || got.Address != "10.96.9.8:8125" || got.Blind != nil {
				t.Errorf("%s: got %+v, want %s %q: %s", name, got, test.stage, test.err, test.detail)
			}
		}
	})
}
