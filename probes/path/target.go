package path

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// TargetKind is what a probe goes to.
type TargetKind string

// The kinds of target.
const (
	ToPod     TargetKind = "pod"
	ToService TargetKind = "svc"
	ToNode    TargetKind = "node"
	ToIngress TargetKind = "ingress"
	ToHost    TargetKind = "host"
	ToURL     TargetKind = "url"
	ToDNS     TargetKind = "dns"
)

// Target is what a user writes to say where a probe goes.
type Target struct {
	Kind TargetKind
	// Name is what stands after the kind, NAMESPACE/ included; for ToHost the
	// host, for ToDNS the name to look up.
	Name string
	// Port is a number, or for Pods and Services a name; "" for all ports.
	Port string
	// URL is set for ToURL.
	URL *url.URL
	// Type is the type of DNS record for ToDNS.
	Type string
	// Label is the target as the user wrote it.
	Label string
}

const targetWords = "a target is pod/NAME:PORT, svc/NAME[:PORT], node/NAME:PORT, ingress/NAME, HOST:PORT, http(s)://HOST/PATH or dns:NAME[/TYPE]; NAMESPACE/ may precede NAME"

// targetKinds are the words before the slash.
var targetKinds = map[string]TargetKind{
	"pod": ToPod, "po": ToPod, "pods": ToPod,
	"svc": ToService, "service": ToService, "services": ToService,
	"node": ToNode, "no": ToNode, "nodes": ToNode,
	"ingress": ToIngress, "ing": ToIngress, "ingresses": ToIngress,
}

// recordTypes are the types of DNS record that can be asked for.
var recordTypes = []string{"A", "AAAA", "CNAME", "SRV", "PTR"}

// ParseTarget reads one target. Whether it exists is not looked at.
func ParseTarget(word string) (Target, error) {
	t := Target{Label: word}
	var err error
	kind, rest, slash := strings.Cut(word, "/")
	switch {
	case strings.HasPrefix(word, "dns:"):
		err = t.parseDNS(strings.TrimPrefix(word, "dns:"))
	case strings.HasPrefix(word, "http://"), strings.HasPrefix(word, "https://"):
		err = t.parseURL(word)
	case slash && targetKinds[kind] != "":
		t.Kind = targetKinds[kind]
		err = t.parseObject(rest)
	default:
		err = t.parseHost(word)
	}
	if err != nil {
		return Target{}, fmt.Errorf("%s is no target: %w: %s", begun(word), err, targetWords)
	}
	return t, nil
}

func (t *Target) parseDNS(rest string) error {
	name, kind, _ := strings.Cut(rest, "/")
	t.Kind, t.Name, t.Type = ToDNS, name, strings.ToUpper(kind)
	if t.Type == "" {
		switch t.Type = "A"; {
		case net.ParseIP(name) != nil:
			t.Type = "PTR"
		case strings.HasPrefix(name, "_"): // _PORT._PROTOCOL.SERVICE (RFC 2782)
			t.Type = "SRV"
		}
	}
	switch {
	case name == "":
		return fmt.Errorf("it has no name to look up")
	case !slices.Contains(recordTypes, t.Type):
		return fmt.Errorf("podpath cannot ask for records of type %s, only for %s", t.Type, strings.Join(recordTypes, ", "))
	}
	return checkHost(name)
}

// The longest name and the longest part of one between dots, in bytes, as
// written (RFC 1035, section 2.3.4).
const (
	nameMost  = 253
	labelMost = 63
)

// checkHost reports what is too long for the name of a host. The error does not
// repeat it.
func checkHost(name string) error {
	name = strings.TrimSuffix(name, ".")
	if len(name) > nameMost {
		return fmt.Errorf("its host has %d letters, and a name in DNS has at most %d", len(name), nameMost)
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) > labelMost {
			return fmt.Errorf("its host has %d letters without a dot, and a name in DNS has at most %d", len(label), labelMost)
		}
	}
	return nil
}

// begun is a word in quotes, of a long one the beginning.
func begun(word string) string {
	const most = 80 // letters: as much as a terminal shows in a line
	if letters := []rune(word); len(letters) > most {
		return strconv.Quote(string(letters[:most])) + " and so on"
	}
	return strconv.Quote(word)
}

func (t *Target) parseURL(word string) error {
	u, err := url.Parse(word)
	switch {
	case err != nil:
		return err
	case u.Hostname() == "":
		return fmt.Errorf("the URL has no host")
	case u.User != nil:
		return fmt.Errorf("a user name in a URL is not sent")
	}
	t.Kind, t.URL, t.Name, t.Port = ToURL, u, u.Hostname(), u.Port()
	if t.Port == "" {
		t.Port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if err := checkHost(t.Name); err != nil {
		return err
	}
	return checkPort(t.Port)
}

func (t *Target) parseObject(rest string) error {
	t.Name = rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		t.Name, t.Port = rest[:i], rest[i+1:]
		if t.Port == "" {
			return fmt.Errorf("there is no port after the colon")
		}
	}
	_, notNumber := strconv.Atoi(t.Port)
	switch {
	case strings.Trim(t.Name, "/") != t.Name || t.Name == "" || strings.Count(t.Name, "/") > 1:
		return fmt.Errorf("it names no object")
	case t.Kind == ToNode && t.Port == "":
		return fmt.Errorf("a Node needs a port")
	case t.Kind == ToIngress && t.Port != "":
		return fmt.Errorf("an Ingress has no port of its own")
	case t.Kind == ToNode || notNumber == nil:
		return checkPort(t.Port)
	}
	return nil
}

// checkPort reports what is no number of a port.
func checkPort(port string) error {
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q is no port number", port)
	}
	return nil
}

func (t *Target) parseHost(word string) error {
	host, port, err := net.SplitHostPort(word)
	if err != nil {
		return fmt.Errorf("it has no port")
	}
	switch {
	case host == "":
		return fmt.Errorf("it has no host")
	case strings.ContainsAny(host, "/ "):
		return fmt.Errorf("%q is no host", host)
	}
	t.Kind, t.Name, t.Port = ToHost, host, port
	if err := checkHost(host); err != nil {
		return err
	}
	return checkPort(port)
}
