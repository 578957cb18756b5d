package main

import (
	"encoding/json"
	"io"
	"os"

	"sigs.k8s.io/yaml"

	"podpath/tui/style"
)

// inLocale replaces podpath's own signs where the locale does not have them.
func inLocale(text string) string {
	if speaksUTF8(os.Getenv) {
		return text
	}
	return style.ASCII(text)
}

// printJSON writes a document as indented JSON.
func printJSON(w io.Writer, document any) error {
	e := json.NewEncoder(&plain{to: w, escape: inJSON})
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

// printYAML writes a document as YAML.
func printYAML(w io.Writer, document any) error {
	text, err := yaml.Marshal(document)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}
