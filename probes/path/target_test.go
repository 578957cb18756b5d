package path

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseTargetReadsWordsAsDESIGNNamesThem(t *testing.T) {
	for word, want := range map[string]Target{
		"pod/web-1:80":             {Kind: ToPod, Name: "web-1", Port: "80"},
		"pod/web-1:http":           {Kind: ToPod, Name: "web-1", Port: "http"},
		"po/shop/web-1":            {Kind: ToPod, Name: "shop/web-1"},
		"svc/web":                  {Kind: ToService, Name: "web"},
		"service/shop/web:8080":    {Kind: ToService, Name: "shop/web", Port: "8080"},
		"node/raspi001:22":         {Kind: ToNode, Name: "raspi001", Port: "22"},
		"ingress/shop":             {Kind: ToIngress, Name: "shop"},
		"web.shop:80":              {Kind: ToHost, Name: "web.shop", Port: "80"},
		"[fd00::1]:80":             {Kind: ToHost, Name: "fd00::1", Port: "80"},
		"https://web.shop/health":  {Kind: ToURL, Name: "web.shop", Port: "443"},
		"http://[fd00::1]:8080":    {Kind: ToURL, Name: "fd00::1", Port: "8080"},
		"dns:web":                  {Kind: ToDNS, Name: "web", Type: "A"},
		"dns:web.shop/srv":         {Kind: ToDNS, Name: "web.shop", Type: "SRV"},
		"dns:10.96.0.1":            {Kind: ToDNS, Name: "10.96.0.1", Type: "PTR"},
		"dns:fd00::1":              {Kind: ToDNS, Name: "fd00::1", Type: "PTR"},
		"dns:_http._tcp.web.shop.": {Kind: ToDNS, Name: "_http._tcp.web.shop.", Type: "SRV"},
	} {
		got, err := ParseTarget(word)
		got.URL, want.Label = nil, word
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", word, got, err, want)
		}
	}
}

func TestParseTargetSaysWhatIsWrong(t *testing.T) {
	for word, want := range map[string]string{
		"":                        "it has no port",
		"web":                     "it has no port",
		"pod/":                    "names no object",
		"pod/:80":                 "names no object",
		"svc/shop/":               "names no object",
		"svc//web":                "names no object",
		"svc/a/b/c":               "names no object",
		"pod/web-1:":              "no port after the colon",
		"pod/web-1:0":             "no port number",
		"pod/web-1:65536":         "no port number",
		"svc/web:-1":              "no port number",
		"node/raspi001":           "needs a port",
		"node/raspi001:http":      "no port number",
		"ingress/shop:80":         "no port of its own",
		":80":                     "no host",
		"web:99999":               "no port number",
		"web:http":                "no port number",
		"deploy/web:80":           "is no target",
		"a b:80":                  "is no target",
		"http://":                 "no host",
		"http://u:p@web/":         "not sent",
		"http://web:99999/":       "no port number",
		"http://web/%zz":          "invalid URL escape",
		"dns:":                    "no name",
		"dns:web/MX":              "type MX",
		"dns:web.shop/A/AAAA":     "type A/AAAA",
		"https://web/\r\nX: evil": "invalid control character",
	} {
		if got, err := ParseTarget(word); !has(err, want) {
			t.Errorf("%q: got %+v, %v, want an error with %q", word, got, err, want)
		}
	}
}

func TestNoWordMakesParseTargetPanic(t *testing.T) {
	w := storyWorld(t)
	piece := rapid.SampledFrom([]string{"pod", "svc", "node", "ingress", "dns:", "http://", "https://", "/", ":", "web", "web-1", "80", "http", "SRV", "[", "]", "::1", "10.96.0.7", "", "é", "\x00", "%"})
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(piece, 0, 7).Draw(t, "pieces"), "")
		})).Draw(rt, "word")
		i := Intent{Sources: []string{"pod/web-1", "local"}, Targets: []string{word}}
		i.Options.Count = rapid.SampledFrom([]int{0, 0, 5}).Draw(rt, "count")
		i.Namespaces(w)
		i.HasHosts(w)
		checks, err := w.PlanFor(i)
		for _, c := range checks {
			if err == nil && c.Kind == TCP && (c.Ask.Port < 1 || c.Ask.Port > 65535) {
				rt.Errorf("%q: plans port %d", word, c.Ask.Port)
			}
		}
	})
}
