package engine

import (
	"encoding/binary"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
)

// output gathers what is to be written: small things copied into one buffer,
// large payloads as they are.
type output struct {
	cur   []byte   // being filled
	spare []byte   // the buffer of the Output before
	parts [][]byte // closed parts before cur
	size  int
	// budget is how large size may grow before deliveries wait for the socket.
	budget int
	frugal bool // it does not grow

	own  []byte // the connection's own cur, while a lent one is filled
	base []byte // what was lent, nil: nothing
	back []byte // for TakeBack
}

// Frugal says whether little is to be made ahead of the socket, however fast the
// peer has shown to read: others that do not read hold much already.
func (c *Conn) Frugal(yes bool) {
	c.out.frugal = yes
	if yes {
		c.out.budget = leastBudget
	}
}

// Lend gives a buffer to gather in until the next Output: whoever drives many
// connections writes for few of them at a time, and a buffer that went round
// lies in the processor's cache. TakeBack gives it back.
//
//	c.Lend(buf)
//	parts = c.Output(now, parts)
//	buf = c.TakeBack() // not to be touched before parts are written
func (c *Conn) Lend(buf []byte) {
	o := &c.out
	if o.base != nil || cap(buf) <= cap(o.cur) {
		o.back = buf
		return
	}
	o.own, o.base = o.cur[:0], buf
	if len(o.parts) > 0 {
		o.own = nil // parts lie in it
	}
	o.cur = append(buf[:0], o.cur...)
}

// TakeBack ends Lend behind Output: the buffer, or a larger one that it has
// grown to.
func (c *Conn) TakeBack() []byte {
	buf := c.out.back
	c.out.back = nil
	return buf
}

// Output gives the bytes to be written, in order; they are the writer's until
// the next call of Output. Deliveries that waited for the socket go on.
func (c *Conn) Output(now time.Time, to [][]byte) [][]byte {
	c.pump()
	o := &c.out
	if len(o.cur) > 0 {
		o.parts = append(o.parts, o.cur)
	}
	to = append(to, o.parts...)
	if o.size >= o.budget && o.budget < mostBudget && !o.frugal { // it is asked for again once this is written
		o.budget *= 2
	}
	if len(o.parts) > 0 {
		c.lastOut = now
		if c.phase == closing && c.closedAt.IsZero() {
			c.closedAt = now
		}
	}
	switch whole := c.onlyParts(); {
	case o.base != nil:
		o.back = o.base // where payloads stand between, cur is only its end
		if whole {
			o.back = o.cur
		}
		o.cur, o.own, o.base = o.own, nil, nil
	case len(o.parts) > 0:
		if whole {
			o.cur, o.spare = o.spare[:0], o.cur
		} else {
			o.cur = nil // its beginning was handed out before: leave it to the collector
		}
	}
	clear(o.parts)
	o.parts = o.parts[:0]
	o.size = 0
	return to
}

// large says that there are buffers which an idle connection must not keep.
func (o *output) large() bool { return len(o.cur) == 0 && cap(o.cur)+cap(o.spare) > minSpace }

// rest lets go of the buffers; what was handed out stays the writer's.
func (o *output) rest() { o.cur, o.spare, o.budget = nil, nil, leastBudget }

func (c *Conn) onlyParts() bool {
	return len(c.out.parts) == 1 && cap(c.out.cur) > 0 && cap(c.out.cur) <= 2*mostBudget
}

// Pending says whether Output would give anything.
func (c *Conn) Pending() bool {
	return c.out.size > 0 || len(c.out.cur) > 0 || len(c.out.parts) > 0 || (c.pumpable && c.phase == opened)
}

// frame appends one frame without payload.
func (c *Conn) frame(channel uint16, p frame.Performative) {
	at := c.beginFrame(0, channel)
	c.out.cur = p.Append(c.out.cur)
	c.endFrame(at, 0)
}

func (c *Conn) beginFrame(typ uint8, channel uint16) int {
	at := len(c.out.cur)
	c.out.cur = frame.AppendHeader(c.out.cur, 0, typ, channel)
	return at
}

// endFrame patches the size; extra bytes of payload follow apart from the
// buffer.
func (c *Conn) endFrame(at, extra int) {
	n := len(c.out.cur) - at + extra
	binary.BigEndian.PutUint32(c.out.cur[at:], uint32(n))
	c.out.size += n
}

// payload appends bytes of a transfer, copied or as they are.
func (c *Conn) payload(p []byte) (apart int) {
	o := &c.out
	if len(p) < gatherAbove {
		o.cur = append(o.cur, p...)
		return 0
	}
	o.parts = append(o.parts, o.cur, p)
	o.cur = o.cur[len(o.cur):]
	return len(p)
}
