// Command prober is what podpath runs in a Pod whose containers bring no tool
// of their own: package wire on the standard streams.
package main

import (
	"context"
	"os"
	"time"

	"podpath/probes/wire"
)

// lifetime ends a prober that was forgotten, as when the connection to the
// Node broke and nothing closes its input. No row of probes takes as long.
const lifetime = 10 * time.Minute

func main() {
	time.AfterFunc(lifetime, func() { os.Exit(1) })
	if err := wire.Serve(context.Background(), os.Stdin, os.Stdout, "podpath", wire.Host{}); err != nil {
		_, _ = os.Stderr.WriteString("prober: " + err.Error() + "\n")
		os.Exit(1)
	}
}
