package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	coreserver "github.com/tidegate/tidegate/core/server"
)

// maxUnwritten is how many bytes of large messages one connection may have
// waiting for the disk. The session's window counts frames of up to 128 KiB, so
// above it the reader pauses; below half of it it goes on.
const maxUnwritten = 4 << 20

// maxUnwrittenAll is the same for all connections together: above it each waits
// until all of its own is written.
const maxUnwrittenAll = 32 << 20

// maxSpooling is how many large messages one connection may send at a time, so
// that it cannot have all files that the spool writes at a time.
const maxSpooling = 16

// large is a message that comes in pieces.
type large struct {
	p       *producer
	session *engine.Session
	number  uint64 // its file; 0: it has none, because it will be refused
	m       amqpmessage.Large
	env     message.Envelope
	walk    amqpmessage.Walk
	err     error // it is no message
	refused error // there is no room for it
	front   int64 // bytes of the sections before its body, as they came
	named   bool  // the front in m has its sender's name, and is what is kept

	batch  [][]byte // pieces of this read
	bytes  int64    // in batch
	frames uint32
}

// pieces hands what came of large messages to the spool, up to the first end of
// one, whose index it returns; what is between is for the step. It also stops
// before a piece for a link that the step before it may have to attach.
func (c *conn) pieces(events []engine.Event) int {
	n := len(events)
	var touched []*large
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == engine.EventPiece && e.Link.Ref == nil && i > 0:
		case e.Kind == engine.EventPiece:
			if l := c.piece(e); l != nil && !slices.Contains(touched, l) {
				touched = append(touched, l)
			}
			continue
		case e.Kind == engine.EventAborted && e.Large:
			if p, ok := e.Link.Ref.(*producer); ok {
				c.forgetLarge(p)
			}
			continue
		case e.Kind != engine.EventDelivery || !e.Large:
			continue
		}
		n = i
		break
	}
	for _, l := range touched {
		c.flushLarge(l)
	}
	return n
}

// piece takes the next bytes of a large message; nil: they are not wanted.
func (c *conn) piece(e *engine.Event) *large {
	p, ok := e.Link.Ref.(*producer)
	if !ok {
		c.sock.Engine(func(*engine.Conn) { e.Session.Written(e.Frames) })
		return nil
	}
	l := p.large
	skip := int64(0)
	if l == nil {
		l = c.beginLarge(p, e)
		p.large = l
		skip = l.front
		if l.named {
			l.batch = l.m.Message.Pieces(l.batch)
			l.bytes += l.m.Message.Size()
		}
	}
	l.frames += e.Frames
	if l.err != nil || l.refused != nil {
		return l
	}
	from := len(l.batch)
	l.batch = append(append(l.batch, e.Payload), e.Rest...)
	for i, b := range l.batch[from:] {
		n := min(skip, int64(len(b))) // what Front went over
		skip -= n
		if l.named { // its front stands there already
			l.batch[from+i] = b[n:]
			l.bytes -= n
		}
		l.bytes += int64(len(b))
		if l.err == nil {
			l.err = l.walk.Take(b[n:])
		}
	}
	return l
}

// beginLarge reads the sections before the body and begins a file.
func (c *conn) beginLarge(p *producer, e *engine.Event) *large {
	l := &large{p: p, session: e.Session}
	l.m.Message, l.walk, l.err = amqpmessage.Front(e.Payload, e.Rest, nil)
	l.front = l.m.Message.Size()
	switch {
	case l.err != nil:
	case p.admin || p.service != nil || c.road == nil:
		l.refused = &core.Error{Op: "send to", Kind: core.Limit, Name: adminAddress, Err: errors.New("a request must not be that large")}
	default:
		if l.env, l.err = l.m.Envelope(&l.m, c.b.Now().UnixMilli()); l.err != nil {
			break
		}
		p.govern(&l.env)
		c.nameSender(l)
		if c.spooling >= maxSpooling {
			l.refused = coreserver.SpoolError(p.link.Name, errSpooling)
			break
		}
		number, err := c.spool.SpoolBegin(l.env.Durable)
		if err != nil {
			l.refused = coreserver.SpoolError(p.link.Name, err)
			break
		}
		l.number = number
		c.spooling++
	}
	return l
}

// nameSender puts the producer's name into a large message whose destination asks for
// it (ems sender_name), before its file is begun: at publish it could not be changed.
func (c *conn) nameSender(l *large) {
	var name string
	c.b.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		to := core.Destination{}
		if l.p.relay {
			to, _ = resolve(b, l.m.To(), c.relayKind(send{m: &l.m.Message}))
		}
		name = b.Sender(l.p.id, to, l.env.Marks&message.DisableSender != 0)
	})
	if name == "" {
		return
	}
	m, err := amqpmessage.FrontWith(&l.m.Message, message.Patch{Sender: name})
	if err != nil {
		l.err = err
		return
	}
	l.m.Message, l.named = m, true
}

var errSpooling = fmt.Errorf("the connection sends %d large messages already", maxSpooling)

// letGo is done with a large message's file; one that no message has now goes.
func (c *conn) letGo(l *large) {
	if l.number != 0 {
		c.spooling--
		c.spool.SpoolForget(l.number)
	}
}

// flushLarge gives the spool what has gathered, or drops it where the message
// will be refused. The window opens again for what is written.
func (c *conn) flushLarge(l *large) {
	pieces, n, frames := l.batch, l.bytes, l.frames
	if frames == 0 {
		return
	}
	l.batch, l.bytes, l.frames = nil, 0, 0
	if l.number == 0 || len(pieces) == 0 {
		c.sock.Engine(func(*engine.Conn) { l.session.Written(frames) })
		return
	}
	total := c.g.unwritten.Add(n)
	c.mu.Lock()
	c.unwritten += n
	pause := (c.unwritten > maxUnwritten || total > maxUnwrittenAll) && !c.paused
	c.paused = c.paused || pause
	c.mu.Unlock()
	if pause {
		c.road.Pause()
	}
	c.spool.SpoolWrite(l.number, pieces, func(error) { // SpoolEnd tells the error
		c.sock.Engine(func(*engine.Conn) { l.session.Written(frames) })
		total := c.g.unwritten.Add(-n)
		c.mu.Lock()
		c.unwritten -= n
		resume := c.paused && (c.unwritten == 0 || c.unwritten <= maxUnwritten/2 && total <= maxUnwrittenAll)
		c.paused = c.paused && !resume
		c.mu.Unlock()
		if resume {
			c.road.Resume()
		}
	})
}

// endLarge is the end of a large message. True: its file is being ended, and rest
// follows when that is done. Nothing of the connection may pass it meanwhile: a
// commit behind it must find it sent.
func (c *conn) endLarge(e engine.Event, rest []engine.Event) bool {
	p, ok := e.Link.Ref.(*producer)
	if !ok || p.large == nil {
		return false
	}
	l := p.large
	p.large = nil
	c.flushLarge(l)
	if l.err == nil && l.refused == nil {
		l.err = l.walk.End()
	}
	if l.err != nil || l.refused != nil {
		c.publishLarge(l, &e)
		return false
	}
	c.ending, c.held = true, slices.Clone(rest)
	c.road.Pause()
	c.spool.SpoolEnd(l.number, func(size int64, crc uint32, err error) {
		c.road.Serial(func() {
			l.m.Spooled = message.File{Number: l.number, Size: size, CRC: crc}
			if err != nil {
				c.log.Warn("large message refused", "link", p.link.Name, "err", err)
				l.refused = coreserver.SpoolError(p.link.Name, err)
			}
			c.endedLarge(l, &e)
		})
		c.road.Resume()
	})
	return true
}

// endedLarge goes on once the file is complete.
func (c *conn) endedLarge(l *large, e *engine.Event) {
	held := c.held
	c.ending, c.held = false, nil
	if c.gone {
		c.letGo(l)
		return
	}
	c.publishLarge(l, e)
	c.inbound(held)
}

// publishLarge sends a large message on its way, or refuses it.
func (c *conn) publishLarge(l *large, e *engine.Event) {
	c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		c.delivery(now, b, fx, l.p, e, send{m: &l.m.Message, env: l.env, err: l.err, refused: l.refused})
	})
	c.letGo(l)
	c.giveCredit()
}

// forgetLarge gives up what came of a large message: its link is over, or it was
// aborted.
func (c *conn) forgetLarge(p *producer) {
	l := p.large
	if l == nil {
		return
	}
	p.large = nil
	c.flushLarge(l) // so that the window opens again
	c.letGo(l)
}

// forgetAll is forgetLarge for every link.
func (c *conn) forgetAll() {
	c.mu.Lock()
	all := slices.Collect(maps.Values(c.producers)) // order: irrelevant
	c.mu.Unlock()
	for _, p := range all { // which may need the lock
		c.forgetLarge(p)
	}
}
