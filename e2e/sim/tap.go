package sim

import (
	"encoding/binary"

	"github.com/tidegate/tidegate/amqp/frame"
)

// tap listens on the wire at the broker, and checks that the broker never sends
// more than the credit it was given.
type tap struct {
	w     *World
	in    frames
	out   frames
	links map[string]*tapped // by name: receivers of the client's
	mine  map[handle]*tapped // by the broker's handle
	their map[handle]*tapped // by the client's
}

// tapped is a link on which the broker sends.
type tapped struct {
	name    string
	count   uint32
	limit   uint32 // in force
	next    uint32 // said since the last write: in force from the one after
	flushes int    // writes until next counts
	more    bool   // in the middle of a delivery
}

// handle is a link's, of one direction: each session has its own.
type handle struct {
	channel uint16
	handle  uint32
}

func newTap(w *World) *tap {
	return &tap{w: w, links: map[string]*tapped{}, mine: map[handle]*tapped{}, their: map[handle]*tapped{}}
}

// frames cuts a stream into frames.
type frames struct {
	b      []byte
	header bool // the protocol header has passed
}

func (f *frames) each(b []byte, visit func(header, body []byte)) {
	f.b = append(f.b, b...)
	if !f.header {
		if len(f.b) < 8 {
			return
		}
		f.b, f.header = f.b[8:], true
	}
	for len(f.b) >= frame.HeaderSize {
		n := int(binary.BigEndian.Uint32(f.b))
		if len(f.b) < n {
			return
		}
		visit(f.b[:frame.HeaderSize], f.b[frame.HeaderSize:n])
		f.b = f.b[n:]
	}
	if len(f.b) == 0 {
		f.b = nil
	}
}

// up sees bytes that the broker has read.
func (t *tap) up(b []byte) {
	t.in.each(b, func(header, body []byte) {
		switch code, _ := frame.Code(body); code { // of a heartbeat: 0
		case frame.CodeAttach, frame.CodeDetach, frame.CodeFlow:
		default:
			return
		}
		p, _, err := frame.Parse(body, nil)
		if err != nil {
			t.w.fail("the client sends what cannot be read: %v", err)
		}
		channel := binary.BigEndian.Uint16(header[6:])
		switch p := p.(type) {
		case *frame.Attach:
			if p.Role == frame.RoleReceiver {
				l := &tapped{name: p.Name}
				t.links[p.Name], t.their[handle{channel, p.Handle}] = l, l
			}
		case *frame.Detach:
			delete(t.their, handle{channel, p.Handle})
		case *frame.Flow:
			if l := t.their[handle{channel, p.Handle.Or(^uint32(0))}]; l != nil && p.LinkCredit.OK {
				l.next, l.flushes = p.DeliveryCount.Or(0)+p.LinkCredit.V, 2
			}
		}
	})
}

// down sees bytes that the broker has written.
func (t *tap) down(b []byte) {
	t.out.each(b, func(header, body []byte) {
		switch code, _ := frame.Code(body); code { // of a heartbeat: 0
		case frame.CodeAttach, frame.CodeDetach, frame.CodeFlow, frame.CodeTransfer:
		default:
			return
		}
		p, _, err := frame.Parse(body, nil)
		if err != nil {
			t.w.fail("the broker sends what cannot be read: %v", err)
		}
		channel := binary.BigEndian.Uint16(header[6:])
		switch p := p.(type) {
		case *frame.Attach:
			if l := t.links[p.Name]; l != nil && p.Role == frame.RoleSender {
				t.mine[handle{channel, p.Handle}] = l
			}
		case *frame.Detach:
			delete(t.mine, handle{channel, p.Handle})
		case *frame.Flow:
			if l := t.mine[handle{channel, p.Handle.Or(^uint32(0))}]; l != nil {
				l.count = p.DeliveryCount.Or(l.count)
			}
		case *frame.Transfer:
			t.transfer(channel, p)
		}
	})
}

func (t *tap) transfer(channel uint16, p *frame.Transfer) {
	l := t.mine[handle{channel, p.Handle}]
	if l == nil {
		return
	}
	if !l.more {
		allowed := int32(l.limit - l.count)
		if l.flushes > 0 {
			allowed = max(allowed, int32(l.next-l.count))
		}
		if allowed <= 0 {
			t.w.fail("credit exceeded: delivery %d on %s, the limit is %d", l.count+1, l.name, l.limit)
		}
		l.count++
	}
	l.more = p.More
}

// flushed: all that was made before the last read is written.
func (t *tap) flushed() {
	for _, l := range t.their { // order: irrelevant
		if l.flushes > 0 {
			if l.flushes--; l.flushes == 0 {
				l.limit = l.next
			}
		}
	}
}
