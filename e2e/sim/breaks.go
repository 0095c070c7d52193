package sim

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/core/property"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// breaks are deliberate faults: tests show that the checkers find each. They
// stand where the world wraps the broker anyway, so that production code has no
// switch for them (docs/decisions/0018-simulation.md).
type breaks struct {
	// journal stands between the server and the tape.
	journal func(*watched) server.Journal
	// record changes what the store is given, behind the tape.
	record func(r *record.Record)
	// blind leaves the comparison of broker and tape out, for what others find.
	blind bool
	// up and down change frames at the broker; nil drops one.
	up, down func(channel uint16, body []byte) []byte
	// policy changes a property before the broker is told of it; false: it is not told.
	policy func(v *property.Value) bool
	// fs stands under the store.
	fs func(vfs.FS) vfs.FS
}

// mangler rewrites a stream frame by frame; nil leaves it as it is.
type mangler struct {
	change func(channel uint16, body []byte) []byte
	in     frames
}

func newMangler(change func(uint16, []byte) []byte) *mangler {
	if change == nil {
		return nil
	}
	return &mangler{change: change}
}

func (m *mangler) bytes(b []byte) (out []byte) {
	if m == nil {
		return b
	}
	if !m.in.header && len(m.in.b)+len(b) >= frame.HeaderSize {
		out = append(append(out, m.in.b...), b...)[:frame.HeaderSize]
	}
	m.in.each(b, func(header, body []byte) {
		channel := binary.BigEndian.Uint16(header[6:])
		if len(body) > 0 {
			if body = m.change(channel, body); body == nil {
				return
			}
		}
		out = frame.AppendHeader(out, uint32(frame.HeaderSize+len(body)), frame.TypeAMQP, channel)
		out = append(out, body...)
	})
	return out
}
