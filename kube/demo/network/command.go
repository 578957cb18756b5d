package network

import (
	"cmp"
	"net/netip"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// start is what is understood of a container's command: a few words that make
// it listen elsewhere, later, or never. Without them the image decides.
type start struct {
	sleep   time.Duration // before anything listens
	forever bool          // it does nothing but sleep
	stopped bool          // its program gets a SIGSTOP: the kernel takes connections for it, and nobody answers
	httpd   string        // where busybox's httpd listens, as [ADDRESS:]PORT
}

var (
	// steps are those of a script, one after the other.
	steps = regexp.MustCompile(`\s*(?:;|&&|\n)\s*`)
	// option is that of a shell before a script.
	option = regexp.MustCompile(`^-\w*c$`)
	httpd  = regexp.MustCompile(`(?:^|[\s/])httpd\s(?:.*\s)?-p\s*(\S+)`)
	// reference is how a manifest names a variable: $(NAME).
	reference = regexp.MustCompile(`\$\((\w+)\)`)
)

// startOf reads the command of a container of a Pod.
func startOf(p *corev1.Pod, c *corev1.Container) (s start) {
	command := append(append([]string{}, c.Command...), c.Args...)
	script := strings.Join(command, " ")
	if len(command) > 2 && strings.HasSuffix(path.Base(command[0]), "sh") && option.MatchString(command[1]) {
		script = command[2]
	}
	script = expand(script, variables(p, c))
	all := steps.Split(strings.TrimSpace(script), -1)
	if length, sleeps := strings.CutPrefix(strings.TrimPrefix(all[0], "exec "), "sleep "); sleeps {
		s.sleep, s.forever = seconds(length), len(all) == 1
	}
	s.stopped = strings.Contains(script, "kill -STOP")
	if found := httpd.FindStringSubmatch(script); found != nil {
		s.httpd = found[1]
	}
	return s
}

// seconds is the time that sleep takes for a word: a number without a unit is of
// seconds. What it does not understand it does not wait for.
func seconds(word string) time.Duration {
	if _, err := strconv.ParseFloat(word, 64); err == nil {
		word += "s"
	}
	length, _ := time.ParseDuration(word)
	return length
}

// expand puts the values of variables in their places, as the kubelet does and
// as a shell does after it.
func expand(text string, variables []string) string {
	return os.Expand(reference.ReplaceAllString(text, "$${$1}"), func(name string) string {
		return valueIn(variables, name)
	})
}

// valueIn is the value of a variable among NAME=VALUE. The last one counts.
func valueIn(variables []string, name string) (value string) {
	for _, v := range variables {
		if text, ok := strings.CutPrefix(v, name+"="); ok {
			value = text
		}
	}
	return value
}

// bind reads where a program listens: [ADDRESS:]PORT.
func bind(address string) (at netip.AddrPort, ok bool) {
	if strings.HasPrefix(address, ":") || !strings.Contains(address, ":") {
		address = "0.0.0.0:" + strings.TrimPrefix(address, ":")
	}
	at, err := netip.ParseAddrPort(address)
	return at, err == nil
}

// echoListeners are those of the image echo, which is a server of HTTP for tests:
// its flags say where, or else the variable PORT.
func echoListeners(p *corev1.Pod, c *corev1.Container) (out []listener) {
	flags := map[string]string{"http": ":" + cmp.Or(valueIn(variables(p, c), "PORT"), "8080")}
	for _, word := range append(append([]string{}, c.Command...), c.Args...) {
		if name, address, ok := strings.Cut(strings.TrimLeft(word, "-"), "="); ok {
			flags[name] = address
		}
	}
	for _, kind := range []string{"http", "https", "reset"} {
		if at, ok := bind(flags[kind]); ok {
			out = append(out, listener{kind: kind, proto: "tcp", at: at, pod: p})
		}
	}
	return out
}
