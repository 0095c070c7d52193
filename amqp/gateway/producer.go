package gateway

import (
	"encoding/binary"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// Credit to a producer: how many messages may be on their way to us and not yet
// settled. The window doubles while a producer uses all of it, so that it grows
// with the commit's latency (performance.md 2.2).
const (
	firstWindow = 2048
	maxWindow   = 16384
	// windowBytes bounds what one producer's window may hold in memory.
	windowBytes = 32 << 20
)

// producer is a link on which the client sends.
type producer struct {
	link       *engine.Link
	id         core.ProducerID
	rejects    bool       // the client knows the outcome rejected
	relay      bool       // anonymous terminus
	admin      bool       // $sys.admin
	service    *service   // that it asks; nil: none
	made       *made      // by this link
	mode       int64      // EMS's delivery mode of all that it sends; 0: what each message says
	check      core.Check // what an answer means
	window     uint32
	settled    uint32       // deliveries answered or pre-settled; written under the engine's lock
	average    atomic.Int64 // bytes of a message, roughly; the reader's
	throttle   bool
	presettled uint32 // of the read that is being handled
	large      *large // coming in pieces; the reader's
}

// refill tops the client's credit up; n more of its deliveries are settled. The
// engine's lock is held.
func (p *producer) refill(n uint32) {
	p.settled += n
	if p.throttle || !p.link.Live() {
		return
	}
	open := p.link.Count() - p.settled // not yet answered
	window := p.window
	if open >= window/4*3 && window < maxWindow {
		p.window *= 2
		window = p.window
	}
	if size := p.average.Load(); size > 0 {
		window = min(window, max(uint32(windowBytes/size), 4))
	}
	if open >= window {
		return
	}
	if room := window - open; p.link.Credit() <= int32(room/2) {
		p.link.Grant(room, false)
	}
}

// delivery publishes what the client sent.
func (c *conn) delivery(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, s send) {
	if e.Settled {
		c.in.settledBy(p)
	}
	inMemory := min(e.Size, message.LargeAbove)
	if size := p.average.Load(); inMemory > size {
		p.average.Store(inMemory)
	} else if size > inMemory+16 {
		p.average.Store(size - (size-inMemory)/16)
	}
	to := core.Send{Tag: uint64(e.ID), Settled: e.Settled, Check: p.check}
	p.govern(&s.env)
	if t, ok := e.State.(*frame.TransactionalState); ok {
		to.Txn = txnID(t.TxnID)
		c.in.keep = true
	}
	if s.reply {
		c.nameReply(b, &s)
	}
	switch {
	case s.err != nil:
		c.refuseSend(now, b, fx, p, e, to, &frame.Error{Condition: frame.ConditionDecodeError, Description: s.err.Error()})
	case e.Format != 0:
		c.refuseSend(now, b, fx, p, e, to, &frame.Error{
			Condition: frame.ConditionNotImplemented, Description: "message-format " + strconv.FormatUint(uint64(e.Format), 10) + " is not known here",
		})
	case s.refused != nil && c.dropped(b, fx, p, to, s, s.refused):
	case s.refused != nil:
		if b.HasTransaction(c.b.ID(), to.Txn) {
			b.RollbackOnly(to.Txn, s.refused)
		}
		c.refuseSend(now, b, fx, p, e, to, amqpError(s.refused))
	case p.admin:
		c.adminRequest(now, b, fx, p, e, s)
	case p.service != nil:
		c.request(now, b, fx, p, e, to, s)
	case p.relay:
		c.relay(now, b, fx, p, e, to, s)
	default:
		b.Publish(now, p.id, to, s.env, fx)
	}
}

// relay publishes what came over the anonymous terminus to where the message
// says. Where that is nowhere, the error tells which delivery it was.
func (c *conn) relay(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, to core.Send, s send) {
	d, err := resolve(b, s.m.To(), c.relayKind(s))
	if err == nil {
		err = b.Reach(c.b.ID(), d)
	}
	if err == nil {
		b.PublishTo(now, p.id, d, to, s.env, fx)
		return
	}
	if c.dropped(b, fx, p, to, s, err) {
		return
	}
	refused := amqpError(err)
	if s.m.To() == "" {
		refused.Condition = frame.ConditionNotFound
	}
	refused.Info = wire.Map{{Key: wire.Symbol("delivery-tag"), Value: e.Tag}}
	c.refuseSend(now, b, fx, p, e, to, refused)
}

// dropped drops what never reached the broker if its sender is not to learn of it
// (core.Broker.Dropped).
func (c *conn) dropped(b *core.Broker, fx *core.Effects, p *producer, to core.Send, s send, err error) bool {
	var e *core.Error
	return errors.As(err, &e) && b.Dropped(p.id, to, s.env.Durable, e, fx)
}

// relayKind reads the kind of destination out of its annotation.
func (c *conn) relayKind(s send) []wire.Symbol {
	v, ok := s.m.Annotation(destinationType)
	if !ok {
		return nil
	}
	if n, ok := wire.Integer(v); ok {
		switch n {
		case 0, 2:
			return []wire.Symbol{jms.CapabilityQueue}
		case 1, 3:
			return []wire.Symbol{jms.CapabilityTopic}
		}
	}
	return nil
}

// refuseSend refuses what never reached the broker, as amqp 3.4 and the
// anonymous terminus want it: rejected where the client can be told so, else the
// link is closed. What was sent settled in a transaction only dooms that.
func (c *conn) refuseSend(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, to core.Send, refused *frame.Error) {
	mine := to.Txn != 0 && b.HasTransaction(c.b.ID(), to.Txn)
	if mine && (e.Settled || !p.rejects) {
		b.RollbackOnly(to.Txn, errors.New("a send was refused: "+refused.Description))
	}
	switch {
	case mine && e.Settled:
		c.log.Debug("send refused in a transaction", "link", p.link.Name, "condition", refused.Condition, "err", refused.Description)
		return
	case e.Settled || !p.rejects:
		c.failLink(now, b, fx, p.link, refused)
		return
	}
	c.log.Debug("send refused", "link", p.link.Name, "condition", refused.Condition, "err", refused.Description)
	var state frame.DeliveryState = &frame.Rejected{Error: refused}
	if mine {
		state = &frame.TransactionalState{TxnID: binary.BigEndian.AppendUint64(nil, uint64(to.Txn)), Outcome: &frame.Rejected{Error: refused}}
	}
	id, session := e.ID, e.Session
	c.edge(fx, 0, p.id, false, func(*engine.Conn) {
		session.Settle(id, id, state, true)
		p.refill(1)
	})
}

func (c *conn) closeProducer(now time.Time, b *core.Broker, fx *core.Effects, p *producer, closed bool) *frame.Error {
	c.mu.Lock()
	delete(c.producers, p.id)
	c.mu.Unlock()
	c.forgetLarge(p)
	b.CloseProducer(now, p.id, fx)
	return c.leave(now, b, fx, p.link, p.made, closed)
}
