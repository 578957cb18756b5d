package forward

import (
	"net"
	"testing"
)

func TestSuggestedPortsAreFree(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	taken := l.Addr().(*net.TCPAddr).Port
	if got := Suggest(t.Context(), taken, "TCP"); got <= taken || got > taken+attempts {
		t.Errorf("got %d, want one above %d", got, taken)
	}
	if got := Suggest(t.Context(), taken, "UDP"); got != taken {
		t.Errorf("got %d, want %d, which UDP has free", got, taken)
	}
	if got := Suggest(t.Context(), 80, "TCP"); got < 8080 || got > 8080+attempts {
		t.Errorf("got %d for 80, want 8080 or a little above", got)
	}
}

func TestURLs(t *testing.T) {
	tcp := Order{Address: Loopback}
	for want, c := range map[string]struct {
		view   View
		order  Order
		listen string
	}{
		"http://127.0.0.1:8080":  {View{Port: 80}, tcp, "127.0.0.1:8080"},
		"https://127.0.0.1:8443": {View{Port: 443}, tcp, "127.0.0.1:8443"},
		"https://127.0.0.1:1":    {View{Port: 80, PortName: "https-admin"}, tcp, "127.0.0.1:1"},
		"https://127.0.0.1:2":    {View{Port: 80, PortName: "http", AppProtocol: "HTTPS"}, tcp, "127.0.0.1:2"},
		"http://127.0.0.1:3":     {View{Port: 5432, PortName: "http"}, tcp, "127.0.0.1:3"},
		"http://127.0.0.1:4":     {View{Port: 80, AppProtocol: "kubernetes.io/h2c"}, tcp, "127.0.0.1:4"},
		"127.0.0.1:5":            {View{Port: 80, AppProtocol: "example.com/own"}, tcp, "127.0.0.1:5"},
		"127.0.0.1:6":            {View{Port: 6379}, tcp, "127.0.0.1:6"},
		"127.0.0.1:7":            {View{Port: 80, PortName: "grpc-api"}, tcp, "127.0.0.1:7"},
		"127.0.0.1:8":            {View{Port: 53, Protocol: "UDP", PortName: "http"}, tcp, "127.0.0.1:8"},
		"http://127.0.0.1:9":     {View{Port: 9090, PortName: "metrics"}, tcp, "127.0.0.1:9"},
		"unix:/run/web.sock":     {View{Port: 80}, Order{Address: Address{Unix: "/run/web.sock"}}, "unix:/run/web.sock"},
		"":                       {View{Port: 80}, tcp, ""},
	} {
		if got := url(c.view, c.order, c.listen); got != want {
			t.Errorf("%+v: got %q, want %q", c.view, got, want)
		}
	}
	o := tcp
	o.Address, _ = ParseAddress("0.0.0.0")
	if got := url(View{}, o, "0.0.0.0:80"); got != "http://localhost:80" {
		t.Errorf("got %q for a wildcard", got)
	}
}
