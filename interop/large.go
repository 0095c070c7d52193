package interop

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/tidegate/tidegate/amqp/message"
	coremessage "github.com/tidegate/tidegate/core/message"
)

// MaxMessage is how large a message may be that goes by a transport, in bytes: it is
// whole in memory on its way. What outside systems take is less by default (NATS 1 MiB,
// RabbitMQ 16 MiB).
const MaxMessage = 64 << 20

const largePiece = 1 << 20

// index reads a message's sections.
func index(s stored) (*message.Message, error) {
	if !s.ok {
		return nil, errGone
	}
	if len(s.body) == 0 {
		s.body = [][]byte{nil}
	}
	m, err := message.Index(s.body[0], s.body[1:], nil)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// whole reads a large message from its file.
func (r *Runner) whole(f coremessage.File) ([][]byte, error) {
	if f.Size > MaxMessage {
		return nil, fmt.Errorf("it has %d bytes, and transports take up to %d", f.Size, MaxMessage)
	}
	spool := r.broker.Spool()
	spool.SpoolOpen(f.Number)
	defer spool.SpoolClose(f.Number)
	type piece struct {
		b   []byte
		err error
	}
	all := make([]byte, 0, f.Size)
	came := make(chan piece, 1)
	for int64(len(all)) < f.Size {
		n := min(largePiece, f.Size-int64(len(all)))
		spool.SpoolRead(f.Number, int64(len(all)), int(n), func(b []byte, err error) { came <- piece{b, err} })
		p := <-came
		if p.err != nil {
			return nil, &unreadyError{p.err}
		}
		all = append(all, p.b...)
	}
	if crc32.Checksum(all, castagnoli) != f.CRC {
		return nil, &unreadyError{errors.New("a large message's checksum is not that of its record: its file is damaged")}
	}
	return [][]byte{all}, nil
}

// spooled puts a message that is too large to lie in memory into a file; what is not
// comes back as it is. The file is to be forgotten (SpoolForget) once the message is
// published, or is not to be.
func (r *Runner) spooled(m *message.Message) (content coremessage.Content, file uint64, err error) {
	spool := r.broker.Spool()
	if m.Size() <= coremessage.LargeAbove || spool == nil {
		return m, 0, nil
	}
	number, err := spool.SpoolBegin(true)
	if err != nil {
		return nil, 0, err
	}
	pieces := m.Pieces(nil)
	wrote := make(chan error, 1)
	spool.SpoolWrite(number, pieces, func(err error) { wrote <- err })
	err = <-wrote
	f := coremessage.File{Number: number}
	if err == nil {
		ended := make(chan error, 1)
		spool.SpoolEnd(number, func(size int64, crc uint32, err error) {
			f.Size, f.CRC = size, crc
			ended <- err
		})
		err = <-ended
	}
	var front message.Message
	if err == nil {
		front, _, err = message.Front(pieces[0], pieces[1:], nil)
	}
	if err != nil {
		spool.SpoolForget(number)
		return nil, 0, err
	}
	return &message.Large{Message: front, Spooled: f}, number, nil
}
