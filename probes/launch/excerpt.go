package launch

import (
	"bytes"
	"sync"

	"podpath/kube"
)

// excerpt keeps the beginning of what a program complains of.
type excerpt struct {
	mu   sync.Mutex
	text []byte
}

// maxExcerpt is how much of a complaint is shown, in bytes.
const maxExcerpt = 300

// Write keeps what fits.
func (e *excerpt) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, p[:min(len(p), maxExcerpt-len(e.text))]...)
	return len(p), nil
}

// Close does nothing.
func (e *excerpt) Close() error { return nil }

// String returns what was kept, fit to be shown.
func (e *excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return kube.Clean(string(e.text))
}

// bounded keeps the beginning of what is written.
type bounded struct {
	bytes.Buffer
	limit int
}

// Write keeps what fits.
func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), b.limit-b.Len())])
	return len(p), nil
}
