package store

import (
	"time"

	"golang.org/x/sys/unix"
)

// wait blocks this thread, as a slow disk would: Go's timers are too coarse for
// times below a few milliseconds.
func wait(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}
