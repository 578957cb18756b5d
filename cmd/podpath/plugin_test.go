package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAPluginOfKubectlIsKnownByItsFileName(t *testing.T) {
	for program, want := range map[string]bool{
		"podpath": false, "/usr/bin/podpath": false, "kubectl-podpath": true, "/home/me/.krew/bin/kubectl-podpath": true,
		"kubectl-podpath.exe": true, "/kubectl-podpath/podpath": false,
	} {
		if got := isPlugin(program); got != want {
			t.Errorf("%s: got %t, want %t", program, got, want)
		}
	}
}

func TestTextsOfThePluginNameWhatItsUsersType(t *testing.T) {
	for text, want := range map[string]string{
		"podpath: no such file":                    "kubectl podpath: no such file",
		"use podpath pods and podpath services":    "use kubectl podpath pods and kubectl podpath services",
		"podpath --demo needs none":                "kubectl podpath --demo needs none",
		"podpath probes endpoints over TCP":        "podpath probes endpoints over TCP",
		"local, which is podpath itself":           "local, which is podpath itself",
		"pull example.test/podpath:1: not found":   "pull example.test/podpath:1: not found",
		"app.kubernetes.io/managed-by=podpath":     "app.kubernetes.io/managed-by=podpath",
		"as kubectl-podpath: the name of a file":   "as kubectl-podpath: the name of a file",
		"first a line\n  podpath trace pod/a b:80": "first a line\n  kubectl podpath trace pod/a b:80",
	} {
		if got := asTyped(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	root := newRoot(streams{}, &clusterOptions{})
	for _, cmd := range root.Commands() {
		if got, want := asTyped("podpath "+cmd.Name()), "kubectl podpath "+cmd.Name(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHelpOfThePluginNamesWhatItsUsersType(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--help"}, "\n  kubectl podpath [command]\n"},
		{[]string{"--help"}, "by name or number; kubectl podpath demo lessons lists them"},
		{[]string{"probe", "--help"}, "\n  kubectl podpath probe deploy/web svc/db:5432\n"},
		{[]string{"demo", "lessons", "--help"}, "\n  kubectl podpath demo lessons "},
	} {
		var out bytes.Buffer
		root := newRoot(streams{out: &out, err: &out}, &clusterOptions{})
		helpAsPlugin(root)
		root.SetArgs(c.args)
		if err := root.ExecuteContext(t.Context()); err != nil || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: got %v and\n%s\nwant %q in it", c.args, err, &out, c.want)
		}
	}
}
