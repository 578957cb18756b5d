package path

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const podResolvConf = "search shop.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n"

func TestResolvConfIsReadAsTheCLibraryDoes(t *testing.T) {
	pod := []string{"shop.svc.cluster.local", "svc.cluster.local", "cluster.local", "lan"}
	for name, test := range map[string]struct {
		text string
		want Resolver
	}{
		"of a Pod":                {podResolvConf, Resolver{[]string{"10.96.0.10"}, pod, 5}},
		"comments, tabs, CRs":     {"# nameserver 1.1.1.1\n; x y\nnameserver\t10.96.0.10 \r\n", Resolver{[]string{"10.96.0.10"}, nil, 1}},
		"the last search counts":  {"search a\ndomain b\nnameserver ::1", Resolver{[]string{"::1"}, []string{"b"}, 1}},
		"three servers at most":   {"nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4", Resolver{[]string{"1.1.1.1", "1.1.1.2", "1.1.1.3"}, nil, 1}},
		"ndots has a limit":       {"nameserver 1.1.1.1\noptions rotate ndots:99 timeout:1", Resolver{[]string{"1.1.1.1"}, nil, 15}},
		"ndots that is no number": {"nameserver 1.1.1.1\noptions ndots:x", Resolver{[]string{"1.1.1.1"}, nil, 0}},
		"nothing":                 {"", Resolver{[]string{"127.0.0.1"}, nil, 1}},
		"words without values":    {"nameserver\nsearch\noptions\n", Resolver{[]string{"127.0.0.1"}, nil, 1}},
	} {
		got := ParseResolver([]byte(test.text))
		if !slices.Equal(got.Nameservers, test.want.Nameservers) || !slices.Equal(got.Search, test.want.Search) || got.Ndots != test.want.Ndots {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestNamesAreCompletedInTheOrderOfTheCLibrary(t *testing.T) {
	pod := ParseResolver([]byte(podResolvConf))
	for name, test := range map[string]struct {
		conf Resolver
		name string
		want string
	}{
		"a short name tries the search list first": {pod, "web", "web.shop.svc.cluster.local. web.svc.cluster.local. web.cluster.local. web.lan. web."},
		"four dots are fewer than five":            {pod, "web.shop.svc.cluster.local", "web.shop.svc.cluster.local.shop.svc.cluster.local. web.shop.svc.cluster.local.svc.cluster.local. web.shop.svc.cluster.local.cluster.local. web.shop.svc.cluster.local.lan. web.shop.svc.cluster.local."},
		"a dot at the end is the end":              {pod, "web.shop.", "web.shop."},
		"enough dots try the name first":           {Resolver{Search: []string{"lan"}, Ndots: 1}, "www.example.com", "www.example.com. www.example.com.lan."},
		"ndots 0 tries every name first":           {Resolver{Search: []string{"lan"}}, "web", "web. web.lan."},
		"without a search list":                    {Resolver{Ndots: 5}, "web", "web."},
		"a domain with its dot":                    {Resolver{Search: []string{"lan."}, Ndots: 1}, "web", "web.lan. web."},
		"the root, as systemd-resolved writes it":  {Resolver{Search: []string{"."}, Ndots: 1}, "web", "web."},
		"the root among others":                    {Resolver{Search: []string{"lan", "."}, Ndots: 5}, "a.b", "a.b.lan. a.b."},
	} {
		if got := strings.Join(test.conf.Candidates(test.name), " "); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

func TestHostsFilesAreRead(t *testing.T) {
	hosts := []byte("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n10.244.1.5\tweb-1 # web-2\nx bad\n10.0.0.9\n")
	for name, want := range map[string]string{
		"localhost": "127.0.0.1, ::1", "LOCALHOST.": "127.0.0.1, ::1", "web-1": "10.244.1.5", "web-2": "", "bad": "", "": "",
	} {
		if got := list(HostsAddresses(hosts, name)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestNoFileMakesTheReadersPanic(t *testing.T) {
	line := rapid.SampledFrom([]string{
		"nameserver", "search", ".", "options ndots:", "-1", "99999999999999999999", "\t", " ", "\n", "\x00", "#", "é", "a.b.", "..", strings.Repeat("x", 70000),
		"0: 0100007F:0050 00000000:0000 0A", "1: 0100007F:", "FFFF:FFFF", ":", "0A ", "\xff", "PATH=", "=",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.Join(rapid.SliceOfN(line, 0, 12).Draw(t, "text"), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "between")))
		conf := ParseResolver(text)
		for _, name := range conf.Candidates(rapid.String().Draw(t, "name")) {
			if !strings.HasSuffix(name, ".") {
				t.Errorf("got candidate %q, want whole names", name)
			}
		}
		HostsAddresses(text, "a")
		for _, s := range ParseSockets(text) {
			if !s.Local.IsValid() || !s.Remote.IsValid() {
				t.Errorf("got %+v from %q", s, text)
			}
		}
	})
}
