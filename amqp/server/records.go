package server

import (
	"bufio"
	"crypto/tls"
	"sync"
)

// recordSize is a full TLS record (rfc 8446, 5.1): each is one system call.
const recordSize = 16 << 10

// records is a TLS connection whose writes of several parts fill its records:
// heads of a few bytes and payloads of some KiB must not have one each.
type records struct{ *tls.Conn }

var gatherers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, recordSize) }}

// WriteParts sends all parts.
func (r records) WriteParts(parts [][]byte) error {
	w := gatherers.Get().(*bufio.Writer)
	w.Reset(r.Conn)
	defer func() {
		w.Reset(nil) // the pool must not keep the connection
		gatherers.Put(w)
	}()
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return w.Flush()
}
