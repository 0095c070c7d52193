package gateway

import (
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// How a large message is read for the wire.
const (
	sourcePiece = 256 << 10 // bytes of a read
	sourceAhead = 2         // pieces read and not sent
)

// source reads a large message ahead of the engine, a piece at a time on a
// goroutine of the spool's.
type source struct {
	c        *conn
	delivery core.DeliveryID
	file     message.File

	mu      sync.Mutex // a leaf under the engine's lock
	off     int64      // of the next read
	crc     uint32     // of all before it
	ready   [][]byte
	reading bool
	closed  bool
	err     error
}

// source makes the source of a message from byte at on; front are its first
// bytes.
func (c *conn) source(out *core.Out, file message.File, front [][]byte, at int) *source {
	s := &source{c: c, delivery: out.Delivery, file: file, off: int64(at)}
	for _, b := range front {
		n := min(at, len(b))
		s.crc = crc32.Update(s.crc, castagnoli, b[:n])
		at -= n
	}
	c.spool.SpoolOpen(file.Number)
	s.mu.Lock()
	s.more()
	s.mu.Unlock()
	return s
}

// Next implements engine.Source.
func (s *source) Next() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ready) > 0 {
		b := s.ready[0]
		s.ready = s.ready[1:]
		s.more()
		return b, nil
	}
	if s.err != nil {
		s.c.out.broken = append(s.c.out.broken, s.delivery)
		s.c.log.Error("a large message cannot be read; its delivery is aborted", "file", fmt.Sprintf("large-%016x", s.file.Number), "err", s.err)
	}
	return nil, s.err
}

// Close implements engine.Source.
func (s *source) Close() {
	s.mu.Lock()
	s.closed, s.ready = true, nil
	s.mu.Unlock()
	s.c.spool.SpoolClose(s.file.Number)
}

// more asks for the next piece, if there is one and room for it. The caller holds
// mu.
func (s *source) more() {
	n := min(sourcePiece, s.file.Size-s.off)
	if s.reading || s.closed || s.err != nil || n <= 0 || len(s.ready) >= sourceAhead {
		return
	}
	s.reading = true
	s.c.spool.SpoolRead(s.file.Number, s.off, int(n), s.came)
}

var errChecksum = errors.New("its checksum is not that of its record: the file is damaged")

// came takes a piece. The last one is given only if the checksum of all is right,
// so that no altered message ever arrives whole.
func (s *source) came(b []byte, err error) {
	s.mu.Lock()
	s.reading = false
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.off += int64(len(b))
	s.crc = crc32.Update(s.crc, castagnoli, b)
	if err == nil && s.off == s.file.Size && s.crc != s.file.CRC {
		err = errChecksum
	}
	if s.err = err; err == nil {
		s.ready = append(s.ready, b)
	}
	s.more()
	s.mu.Unlock()
	s.c.sock.Engine(func(x *engine.Conn) { x.Resume() })
}
