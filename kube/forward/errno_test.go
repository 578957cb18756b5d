package forward

import "syscall"

// Errors as the kernel and tunnels give them.
const (
	errRefused     = syscall.ECONNREFUSED
	errReset       = syscall.ECONNRESET
	errUnreachable = syscall.EHOSTUNREACH
	errTooMany     = syscall.EMFILE
)
