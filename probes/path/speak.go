package path

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// answerer is who takes the request at the end of a path: the app in a Pod, or
// the controller of an Ingress.
func (k kase) answerer() string {
	switch {
	case k.Path.Ingress.Name != "" && k.Status >= http.StatusBadRequest && k.Status < http.StatusInternalServerError && k.Path.Service.Name != "":
		return "the app behind Ingress " + k.Path.Ingress.Name
	case k.Path.Ingress.Name != "":
		return "the Ingress controller"
	}
	if pod := k.targetPod(); pod != nil {
		return "the app in Pod " + pod.Name
	}
	return "the app behind " + k.label()
}

// logs is the next step where the app itself can say what is wrong.
func (k kase) logs(note string) Next {
	if pod := k.targetPod(); pod != nil {
		return k.podLogs(pod, note)
	}
	if svc := k.service(k.Path); svc != nil && len(svc.Selector) > 0 {
		return run(note, "kubectl", "logs", "-n", svc.Namespace, "-l", svc.Selector.String(), "--prefix")
	}
	return advise("look at the logs of what answers at " + k.Address)
}

// spoke reports a request that was taken, and failed then.
func (k kase) spoke() bool {
	return k.Error != NoError && (k.Stage == StageTLS || k.Stage == StageRequest)
}

// speaksTLS is a port for TLS that was asked in plain HTTP.
func (k kase) speaksTLS() *Cause {
	if !k.spoke() || k.Speaks != SpeakTLS || k.Ask.HTTP != nil && k.Ask.HTTP.TLS {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Port %d of %s speaks TLS, and was asked in plain HTTP.", k.Ask.Port, k.label()),
		Evidence: []Evidence{k.seenAs(k.Detail), {What: k.Address, Where: k.Source.Label, Seen: "answers a TLS hello"}},
		Next:     run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("https://%s:%d/", serverName(k.hostAsked()), k.Ask.Port)),
	}
	if svc := k.service(k.Path); svc != nil && k.Ask.HTTP != nil && !k.Ask.HTTP.Written {
		c.Next = run("name the port https, or set its appProtocol", "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return c
}

// says is what was seen of what failed: more of it than its kind, if there is.
func (k kase) says() string { return cmp.Or(k.Detail, string(k.Error)) }

// hostAsked is the host of the request, as a client would write it.
func (k kase) hostAsked() string {
	if k.Ask.HTTP != nil && (k.Ask.HTTP.Written || k.Path.Virtual()) { // that of an endpoint is its Service's
		return k.Ask.HTTP.Host
	}
	return k.Ask.Host
}

// speaksPlain is a port for plain text that was asked in TLS.
func (k kase) speaksPlain() *Cause {
	if !k.spoke() || k.Stage != StageTLS || k.Speaks != SpeakWeb {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("Port %d of %s speaks plain HTTP, and was asked in TLS.", k.Ask.Port, k.label()),
		Evidence: []Evidence{k.seenAs(k.says()), {What: k.Address, Where: k.Source.Label, Seen: "answers in plain HTTP"}},
		Next:     run("", "podpath", "probe", "-n", k.Home, k.Source.Label, fmt.Sprintf("http://%s:%d/", serverName(k.hostAsked()), k.Ask.Port)),
	}
	if svc, port, ok := k.servicePort(); ok {
		c.Evidence = append(c.Evidence, Evidence{What: "svc/" + svc.Name, Where: svc.Namespace, Seen: "port " + port.String()})
	}
	return c
}

// speaksHTTP2 is a port for HTTP/2 alone, as gRPC has it.
func (k kase) speaksHTTP2() *Cause {
	if !k.spoke() || k.Speaks != SpeakH2 || k.Ask.Speak == SpeakH2 {
		return nil
	}
	asked := "HTTP/1.1"
	if k.Stage == StageTLS {
		asked = "TLS"
	}
	c := &Cause{
		Summary: fmt.Sprintf("Port %d of %s speaks HTTP/2 only, as gRPC does, and was asked in %s: %s says so itself.",
			k.Ask.Port, k.label(), asked, k.answerer()),
		Evidence: []Evidence{k.seenAs(k.says()), {What: k.Address, Where: k.Source.Label, Seen: "answers the preface of HTTP/2 without TLS"}},
		Next:     k.logs("clients must use HTTP/2 (h2c, gRPC) there"),
	}
	if svc, port, ok := k.servicePort(); ok && port.AppProtocol == "" {
		c.Next = run("name the port grpc or set appProtocol: kubernetes.io/h2c, so that everybody knows", "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return c
}

// certificateMisfit is what is wrong with the certificate that was shown.
func (k kase) certificateMisfit(misfits ...CertMisfit) bool {
	if k.Error != BadCert || k.Certificate == nil {
		return false
	}
	for _, m := range misfits {
		if k.Certificate.Misfit == m {
			return true
		}
	}
	return false
}

func (k kase) certificateEvidence() []Evidence {
	c := k.Certificate
	day := "2006-01-02 15:04"
	return []Evidence{
		{What: k.Address, Where: k.Source.Label, Seen: "certificate " + c.Subject},
		{What: "names", Seen: list(c.Names)},
		{What: "valid", Seen: c.NotBefore.UTC().Format(day) + " to " + c.NotAfter.UTC().Format(day) + " UTC"},
		{What: "issuer", Seen: c.Issuer},
	}
}

func (k kase) certificateExpired() *Cause {
	if !k.certificateMisfit(CertExpired, CertEarly) {
		return nil
	}
	says := "has expired on " + k.Certificate.NotAfter.UTC().Format("2006-01-02")
	if k.Certificate.Misfit == CertEarly {
		says = "is valid only from " + k.Certificate.NotBefore.UTC().Format("2006-01-02") + " on (is a clock wrong?)"
	}
	return &Cause{Summary: fmt.Sprintf("The certificate of %s %s.", serverName(k.hostAsked()), says), Evidence: k.certificateEvidence(), Next: k.logs("and renew the certificate in the Secret that it reads")}
}

func (k kase) certificateName() *Cause {
	if !k.certificateMisfit(CertName) {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("The certificate is for another name: it has %s, and the client asked for %s.", cmp.Or(list(k.Certificate.Names), "none"), serverName(k.hostAsked())),
		Evidence: k.certificateEvidence(), Next: k.logs("use a name of the certificate, or one with this name"),
	}
}

func (k kase) certificateUnknown() *Cause {
	if !k.certificateMisfit(CertIssuer) {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("The certificate of %s was not issued by the authority of --ca: %s.", serverName(k.hostAsked()), k.Certificate.Problem),
		Evidence: k.certificateEvidence(), Next: advise("is it the right file for --ca?"),
	}
}

// tlsRefused is a server that ended the handshake with a reason.
func (k kase) tlsRefused() *Cause {
	if !k.spoke() || k.Stage != StageTLS || k.Alert == "" {
		return nil
	}
	note := "what does it want of its clients?"
	name := serverName(k.hostAsked())
	says := fmt.Sprintf("The server at %s ends the TLS handshake: %s.", k.Address, k.Alert)
	switch {
	case strings.Contains(k.Alert, "unrecognized name"):
		says = fmt.Sprintf("The server at %s ends the TLS handshake: %s. It serves no certificate for the name %s; clients must ask for a name that it knows.", k.Address, k.Alert, name)
		note = "which names does it serve?"
	case strings.Contains(k.Alert, "certificate"):
		says += " It wants a certificate of its clients (mutual TLS)."
	}
	return &Cause{Summary: says, Evidence: []Evidence{k.seenAs(k.Detail)}, Next: k.logs(note)}
}

func (k kase) redirectLoop() *Cause {
	if k.Error != Redirected {
		return nil
	}
	return &Cause{
		Summary:  fmt.Sprintf("%s sends the client back to the same URL, again and again.", upper(k.answerer())),
		Evidence: []Evidence{{What: k.Target, Where: k.Source.Label, Seen: k.Detail}},
		Next:     k.logs("behind something that ends TLS it must believe X-Forwarded-Proto"),
	}
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// status is an answer that says itself that something is wrong.
func (k kase) status() *Cause {
	if k.Error != BadStatus {
		return nil
	}
	if k.Path.Ingress.Name != "" && (k.Status == http.StatusBadGateway || k.Status == http.StatusServiceUnavailable || k.Status == http.StatusGatewayTimeout) {
		if c := k.throughEndpoints(anyResult); c != nil {
			return c
		}
		if c := k.noReadyEndpoint(); c != nil {
			return c
		}
	}
	c := &Cause{
		Summary:  fmt.Sprintf("%s was reached, and answers %d %s.", upper(k.answerer()), k.Status, http.StatusText(k.Status)),
		Evidence: []Evidence{k.seenAs(k.Detail)}, Next: k.logs(""),
	}
	switch {
	case k.Ask.HTTP != nil && k.Ask.HTTP.Status != 0:
		c.Summary = fmt.Sprintf("%s was reached, and answers %d %s; expected is %d.", upper(k.answerer()), k.Status, http.StatusText(k.Status), k.Ask.HTTP.Status)
	case k.Status == http.StatusNotFound:
		c.Next = k.logs("the path may be another one")
	case k.Status == http.StatusMisdirectedRequest:
		c.Next = k.logs("it serves other names than " + serverName(k.hostAsked()))
	}
	if k.Server != "" {
		c.Evidence = append(c.Evidence, Evidence{What: "Server", Seen: k.Server})
	}
	return c
}

// appHangs is a connection that opened, and no answer to what was asked.
func (k kase) appHangs() *Cause {
	if !k.spoke() || k.Error != TimedOut {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("The connection to %s opens, and nothing answers: the kernel takes connections for an app that hangs, or it waits for something else.", k.label()),
		Evidence: []Evidence{k.seenAs("connected, no answer")}, Next: k.logs("what is the app busy with?"),
	}
	if pod, sockets, at, known := k.listening(); known {
		for _, l := range k.here(sockets, at) {
			if l.Queue > 0 {
				c.Summary = fmt.Sprintf("The app in Pod %s hangs: the kernel takes connections for it, and %d wait that it has not taken.", pod.Name, l.Queue)
				c.Evidence = append(c.Evidence, waiting(pod, l))
			}
		}
	}
	return c
}

// appCloses is a connection that the app ends without an answer.
func (k kase) appCloses() *Cause {
	if !k.spoke() || k.Error != ResetByPeer && k.Error != Closed {
		return nil
	}
	how := "closes the connection without an answer"
	if k.Error == ResetByPeer {
		how = "resets the connection"
	}
	return &Cause{
		Summary:  fmt.Sprintf("%s was reached and %s: it is the app itself that does it.", upper(k.answerer()), how),
		Evidence: []Evidence{k.seenAs("connected, then " + k.says())}, Next: k.logs("it may speak another protocol, or fail on the request"),
	}
}

// speaksOther is an answer that is not in the language of the question.
func (k kase) speaksOther() *Cause {
	if !k.spoke() || k.Error != BadReply && k.Error != BadTLS {
		return nil
	}
	c := &Cause{
		Summary:  fmt.Sprintf("%s answers, but not in the protocol that it was asked in: it speaks another one.", upper(k.answerer())),
		Evidence: []Evidence{k.seenAs(k.Detail)}, Next: k.logs("which protocol does it speak?"),
	}
	if svc, port, ok := k.servicePort(); ok && k.Ask.HTTP != nil && !k.Ask.HTTP.Written {
		c.Next = run(fmt.Sprintf("say with a name or appProtocol what port %d speaks", port.Port), "kubectl", "edit", "service", "-n", svc.Namespace, svc.Name)
	}
	return c
}
