package path

import (
	"testing"
	"time"

	"podpath/probes/path/manifest"
)

func TestWhatAnAppSpeaksIsWhyItWasNotUnderstood(t *testing.T) {
	request := func(kind ErrorKind, speaks Protocol) Observation {
		return Observation{Stage: StageRequest, Error: kind, Speaks: speaks, Detail: "the answer is not HTTP"}
	}
	hello := func(kind ErrorKind, speaks Protocol) Observation {
		return Observation{Stage: StageTLS, Error: kind, Speaks: speaks, Detail: "the answer is not TLS"}
	}
	symptoms(t, map[string]symptom{
		"TLS, asked in plain HTTP":             {to: "http://web:8080/", comes: speaks(request(BadReply, SpeakTLS)), want: SpeaksTLS, says: "Port 8080 of Service web speaks TLS"},
		"the same, a port that is called http": {to: "svc/web", comes: speaks(request(BadReply, SpeakTLS)), want: SpeaksTLS},
		"TLS, which closes on plain words":     {to: "pod/web-1:80", comes: speaks(request(Closed, SpeakTLS)), want: SpeaksTLS, says: "Port 80 of Pod web-1"},
		"TLS, asked in TLS":                    {to: "https://web:8080/", comes: speaks(request(BadStatus, SpeakTLS)), want: StatusNotAsExpected},
		"plain HTTP, asked in TLS":             {to: "https://web:8080/", comes: speaks(hello(BadTLS, SpeakWeb)), want: SpeaksPlain, says: "speaks plain HTTP, and was asked in TLS"},
		"neither, asked in TLS":                {to: "https://web:8080/", comes: speaks(hello(BadTLS, Silent)), want: SpeaksOther},
		"HTTP/2 alone":                         {to: "http://web:8080/", comes: speaks(request(BadReply, SpeakH2)), want: SpeaksHTTP2, says: "speaks HTTP/2 only"},
		"HTTP/2 alone, asked in TLS":           {to: "https://web:8080/", comes: speaks(hello(ResetByPeer, SpeakH2)), want: SpeaksHTTP2, says: "was asked in TLS"},
		"HTTP/2, which closes on HTTP/1.1":     {to: "pod/web-1:80", comes: speaks(request(Closed, SpeakH2)), want: SpeaksHTTP2},
		"something else":                       {to: "http://web:8080/", comes: speaks(request(BadReply, Silent)), want: SpeaksOther, says: "it speaks another one"},
		"something else, in its own port":      {to: "svc/web", comes: speaks(request(BadReply, Silent)), want: SpeaksOther},
		"it closes":                            {to: "http://web:8080/", comes: speaks(request(Closed, Silent)), want: AppCloses, says: "closes the connection without an answer"},
		"it resets":                            {to: "pod/web-1:80", comes: speaks(request(ResetByPeer, Silent)), want: AppCloses, says: "The app in Pod web-1 was reached and resets the connection"},
		"it says nothing":                      {to: "http://web:8080/", comes: speaks(request(TimedOut, Silent)), want: AppHangs, says: "opens, and nothing answers"},
		"it says nothing to a hello":           {to: "https://web:8080/", comes: speaks(hello(TimedOut, Silent)), want: AppHangs},
		"it answers":                           {to: "http://web:8080/", comes: nil, want: ""},
		"the connection is reset at once":      {to: "pod/web-1:80", comes: speaks(Observation{Stage: StageConnect, Error: ResetByPeer}), want: ""},
	})
}

func TestWhoIsAskedInHTTP2IsNotToldToSpeakIt(t *testing.T) {
	docs := []string{manifest.Service("x", clusterIP+`selector: {app: web}, ports: [{name: grpc, port: 80, targetPort: 80, protocol: TCP}]`, ""), manifest.Slice("x", "grpc", 80, manifest.Endpoint("web-1", "10.244.1.5", "raspi002"))}
	symptoms(t, map[string]symptom{
		"it speaks HTTP/1.1":   {docs: docs, to: "svc/x", comes: speaks(Observation{Stage: StageRequest, Error: BadReply, Speaks: SpeakWeb, Detail: "the answer is not HTTP/2"}), want: SpeaksOther},
		"it closes":            {docs: docs, to: "svc/x", comes: speaks(Observation{Stage: StageRequest, Error: Closed}), want: AppCloses},
		"it is HTTP/2 after a": {docs: docs, to: "svc/x", comes: speaks(Observation{Stage: StageRequest, Error: Closed, Speaks: SpeakH2}), want: AppCloses},
	})
}

func TestCertificatesThatDoNotFit(t *testing.T) {
	certificate := func(misfit CertMisfit, names ...string) Observation {
		return Observation{Stage: StageTLS, Error: BadCert, Certificate: &Certificate{
			Subject: "CN=shop", Names: names, Issuer: "CN=ca", NotBefore: manifest.Noon, NotAfter: manifest.Noon.Add(time.Hour), Problem: "unknown authority", Misfit: misfit,
		}}
	}
	trusted := certificate(CertFits, "web")
	trusted.Error = NoError
	const to = "https://web:8080/"
	symptoms(t, map[string]symptom{
		"it has expired":                {to: to, comes: speaks(certificate(CertExpired, "web")), want: CertificateExpired, says: "has expired on 2026-03-14"},
		"it is not valid yet":           {to: to, comes: speaks(certificate(CertEarly, "web")), want: CertificateExpired, says: "is valid only from 2026-03-14 on"},
		"it is for another name":        {to: to, comes: speaks(certificate(CertName, "shop.example.test", "www.example.test")), want: CertificateName, says: "it has shop.example.test, www.example.test, and the client asked for web."},
		"it is for no name":             {to: to, comes: speaks(certificate(CertName)), want: CertificateName, says: "it has none, and"},
		"it is from another issuer":     {to: to, comes: speaks(certificate(CertIssuer, "web")), want: CertificateUnknown, says: "not issued by the authority of --ca: unknown authority"},
		"its issuer is unknown to this": {to: to, comes: speaks(trusted), want: ""},
		"there is none":                 {to: to, comes: speaks(Observation{Stage: StageTLS, Error: BadCert}), want: ""},
	})
}

func TestServersThatGiveUpTheHandshake(t *testing.T) {
	alert := func(says string) Observation {
		return Observation{Stage: StageTLS, Error: BadTLS, Detail: "remote error: tls: " + says, Alert: says}
	}
	const to = "https://web:8080/"
	symptoms(t, map[string]symptom{
		"it does not know the name":     {to: to, comes: speaks(alert("unrecognized name")), want: TLSRefused, says: "It serves no certificate for the name web"},
		"it wants a certificate":        {to: to, comes: speaks(alert("certificate required")), want: TLSRefused, says: "mutual TLS"},
		"it has its own reason":         {to: to, comes: speaks(alert("handshake failure")), want: TLSRefused, says: "ends the TLS handshake: handshake failure."},
		"it gives none":                 {to: to, comes: speaks(alert("")), want: SpeaksOther},
		"it speaks TLS to plain words":  {to: "http://web:8080/", comes: speaks(Observation{Stage: StageRequest, Error: BadReply, Speaks: SpeakTLS, Alert: ""}), want: SpeaksTLS},
		"it closes in the handshake":    {to: to, comes: speaks(Observation{Stage: StageTLS, Error: Closed}), want: AppCloses},
		"it answers in plain words, it": {to: to, comes: speaks(Observation{Stage: StageTLS, Error: BadTLS, Speaks: SpeakWeb}), want: SpeaksPlain},
	})
}

func TestAnswersThatSayThemselvesThatSomethingIsWrong(t *testing.T) {
	status := func(code int) Observation {
		return Observation{Stage: StageRequest, Error: BadStatus, Status: code, Detail: "HTTP/1.1", Server: "nginx"}
	}
	symptoms(t, map[string]symptom{
		"an error of the app":       {to: "http://web:8080/", comes: speaks(status(500)), want: StatusNotAsExpected, says: "The app behind Service web was reached, and answers 500 Internal Server Error."},
		"an error of one Pod's app": {to: "http://10.244.1.5/", comes: speaks(status(503)), want: StatusNotAsExpected, says: "The app in Pod web-1 was reached, and answers 503"},
		"the path is not there":     {to: "http://web:8080/x", comes: speaks(status(404)), want: StatusNotAsExpected, says: "answers 404 Not Found."},
		"the name is not there":     {to: "http://web:8080/x", comes: speaks(status(421)), want: StatusNotAsExpected, says: "421 Misdirected Request"},
		"it leads to itself":        {to: "http://web:8080/", comes: speaks(Observation{Stage: StageRequest, Error: Redirected, Status: 301, Detail: "HTTP/1.1 301 → http://web:8080/"}), want: RedirectLoop, says: "back to the same URL"},
		"it leads elsewhere":        {to: "http://web:8080/", comes: speaks(Observation{Stage: StageRequest, Status: 301, Location: "https://web/"}), want: ""},
		"one that is no error":      {to: "http://web:8080/", comes: speaks(Observation{Stage: StageRequest, Status: 401}), want: ""},
	})
	w := onMaster(t, clientPod)
	checks := planWith(t, w, PlanOptions{Status: 204}, "pod/client", "http://web:8080/")
	r := diagnose(w, checks, speaks(status(200)), Looks{})[0]
	explained(t, "another status is expected", w, r, StatusNotAsExpected, "answers 200 OK; expected is 204")
	if checks[0].Ask.HTTP.Status != 204 {
		t.Errorf("got %+v, want the status that is expected", checks[0].Ask.HTTP)
	}
}

func TestWhatIsSpokenAtAPort(t *testing.T) {
	for name, test := range map[string]struct {
		appProtocol, name string
		number            int
		want              Protocol
	}{
		"appProtocol first":               {"https", "http-web", 80, SpeakTLS},
		"of Kubernetes":                   {"kubernetes.io/h2c", "", 80, SpeakH2},
		"in capitals":                     {"HTTP", "", 9, SpeakWeb},
		"one that podpath does not know":  {"mysql", "http", 80, Silent},
		"the first word of its name":      {"", "http-metrics", 9090, SpeakWeb},
		"its whole name":                  {"", "grpc", 9090, SpeakH2},
		"dns-tcp":                         {"", "dns-tcp", 53, SpeakDNS},
		"a name that only begins like it": {"", "httpd", 80, Silent},
		"a name says nothing":             {"", "web", 80, Silent},
		"its number, without a name":      {"", "", 443, SpeakTLS},
		"no number that is known":         {"", "", 6379, Silent},
	} {
		if got := Spoken(test.appProtocol, test.name, test.number); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestChecksSpeakTheProtocolOfThePort(t *testing.T) {
	w := onMaster(t, clientPod,
		manifest.Service("dns", `clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], selector: {app: web}, ports: [{name: dns, port: 53, targetPort: 53, protocol: UDP}, {name: dns-tcp, port: 53, targetPort: 53, protocol: TCP}]`, ""),
		manifest.Service("tls", `clusterIP: 10.96.0.12, clusterIPs: [10.96.0.12], selector: {app: web}, ports: [{name: x, port: 9443, targetPort: 80, appProtocol: https, protocol: TCP}]`, ""),
		manifest.Service("sql", `clusterIP: 10.96.0.13, clusterIPs: [10.96.0.13], selector: {app: web}, ports: [{name: sql, port: 5432, targetPort: 80, protocol: TCP}]`, ""))
	for word, want := range map[string]struct {
		speaks Protocol
		host   string
	}{
		"svc/web:8080": {SpeakWeb, "web.shop.svc"}, "web:8080": {SpeakWeb, "web"}, "10.96.0.7:8080": {SpeakWeb, "10.96.0.7"}, "pod/web-1:80": {SpeakWeb, "10.244.1.5"}, "10.244.1.5:80": {SpeakWeb, "10.244.1.5"},
		"svc/dns:dns-tcp": {SpeakDNS, ""}, "svc/dns:dns": {SpeakDNS, ""}, "svc/tls": {SpeakTLS, "tls.shop.svc"}, "tls:9443": {SpeakTLS, "tls"},
		"svc/sql": {Silent, ""}, "sql:5432": {Silent, ""}, "pod/web-1:9999": {Silent, ""}, "example.com:443": {SpeakTLS, "example.com"}, "example.com:22": {Silent, ""}, "node/raspi001:22": {Silent, ""},
	} {
		for connectOnly, speaks := range map[bool]Protocol{false: want.speaks, true: Silent} {
			c := planWith(t, w, PlanOptions{ConnectOnly: connectOnly}, "pod/client", word)[0]
			host := ""
			if c.Ask.HTTP != nil {
				host = c.Ask.HTTP.Host
			}
			if c.Ask.Speak != speaks || !connectOnly && host != want.host || c.Ask.HTTP != nil && c.Ask.HTTP.TLS != (speaks == SpeakTLS) {
				t.Errorf("%s, connect only %t: got %q, %+v, want %q to %q", word, connectOnly, c.Ask.Speak, c.Ask.HTTP, speaks, want.host)
			}
		}
	}
}

// A run over everything asks each address once: an app is not to be flooded.
func TestAPlanAsksEachAppOnce(t *testing.T) {
	w := onMaster(t, clientPod)
	asked := map[string]int{}
	for _, c := range w.Plan(Groups...) {
		if c.Ask.Speak != Silent {
			asked[c.Ask.Host]++
		}
	}
	for _, address := range []string{"10.244.1.5", "10.244.1.6", "10.244.2.5"} {
		if asked[address] != 1 {
			t.Errorf("%s: got %d questions, want one", address, asked[address])
		}
	}
	if asked["10.96.0.7"] != 0 {
		t.Errorf("got %d questions to the Service, want its endpoints asked", asked["10.96.0.7"])
	}
	asked = map[string]int{}
	for _, from := range []string{"pod/client", "pod/web-1"} {
		for _, c := range planFor(t, w, from, "svc/web") {
			if c.Ask.Speak == SpeakWeb {
				asked[c.Ask.Host]++
			}
		}
	}
	if asked["10.96.0.7"] != 2 || asked["10.244.1.5"] != 2 {
		t.Errorf("got %v, want each asked from each source, since somebody asked for it", asked)
	}
}

func TestAServiceIsExplainedByTheOneOfItsEndpointsThatFails(t *testing.T) {
	one := func(seen Observation) outcome {
		return func(c Check, o *Observation) {
			if c.Path.Virtual() || c.Path.Pod.Name == "web-2" {
				address := o.Address
				*o = seen
				o.Address = address
			}
		}
	}
	symptoms(t, map[string]symptom{
		"it hangs":           {to: "svc/web", comes: one(Observation{Stage: StageRequest, Error: TimedOut}), want: AppHangs, says: "to Pod web-2"},
		"the same, by a URL": {to: "http://web:8080/", comes: one(Observation{Stage: StageRequest, Error: TimedOut}), want: AppHangs, says: "to Pod web-2"},
		"it resets":          {to: "web:8080", comes: one(Observation{Stage: StageRequest, Error: ResetByPeer}), want: AppCloses, says: "The app in Pod web-2"},
		"it answers 503":     {to: "http://web:8080/", comes: one(Observation{Stage: StageRequest, Error: BadStatus, Status: 503}), want: StatusNotAsExpected, says: "The app in Pod web-2 was reached, and answers 503"},
		"its words are plain": {to: "https://web:8080/", comes: func(c Check, o *Observation) {
			if c.Path.Virtual() {
				o.Stage, o.Error, o.Speaks = StageTLS, BadTLS, SpeakWeb
			}
		}, want: SpeaksPlain, says: "of Service web"},
	})
}
