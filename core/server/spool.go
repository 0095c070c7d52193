package server

import (
	"errors"
	"syscall"

	"github.com/tidegate/tidegate/core"
)

// Spool keeps messages that are larger than message.LargeAbove, each in a file
// that holds all of it. A file has a number, which is never used again while
// anything knows it. The methods may be called from any goroutine and never wait
// for the disk; done is called on a goroutine of the spool's, with no lock held.
// What is asked for one file is done in the order in which it was asked.
type Spool interface {
	// SpoolBegin begins a file. With sync it is for a message that may be stored:
	// SpoolEnd makes it durable. An error: too many are begun.
	SpoolBegin(sync bool) (number uint64, err error)
	// SpoolWrite appends pieces, which must not change before done.
	SpoolWrite(number uint64, pieces [][]byte, done func(err error))
	// SpoolEnd says that the file is complete, and synced with its directory's
	// entry if that was asked for; or which write failed. crc is CRC-32C of all.
	SpoolEnd(number uint64, done func(size int64, crc uint32, err error))
	// SpoolBind gives a file to a message: it goes when the journal's Release
	// of the id counts. The server calls it before the record, or the Hold, that
	// needs the file.
	SpoolBind(number, id uint64)
	// SpoolForget ends what SpoolBegin began, always: a file that no message was
	// given goes.
	SpoolForget(number uint64)
	// SpoolOpen announces reads, until SpoolClose. A file that is announced when its
	// message goes can be read to its end.
	SpoolOpen(number uint64)
	// SpoolRead gives n bytes from off; fewer are an error.
	SpoolRead(number uint64, off int64, n int, done func(b []byte, err error))
	SpoolClose(number uint64)
}

// SpoolError is why a large message to name cannot be taken: for want of room
// (Limit), or because the disk fails.
func SpoolError(name string, err error) error {
	kind := core.Limit
	var system syscall.Errno
	if errors.As(err, &system) && system != syscall.ENOSPC && system != syscall.EDQUOT {
		kind = core.Internal
	}
	return &core.Error{Op: "send to", Kind: kind, Name: name, Err: err}
}
