package gateway

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
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
	rejects    bool // the client knows the outcome rejected
	relay      bool // anonymous terminus
	admin      bool // $sys.admin
	dynamic    *core.Destination
	late       bool // attached in the read that is being handled
	window     uint32
	settled    uint32       // deliveries answered or pre-settled; written under the engine's lock
	average    atomic.Int64 // bytes of a message, roughly; the reader's
	throttle   bool
	presettled uint32 // of the read that is being handled
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
		if p.presettled == 0 {
			c.in.refill = append(c.in.refill, p)
		}
		p.presettled++
	}
	if size := p.average.Load(); e.Size > size {
		p.average.Store(e.Size)
	} else if size > e.Size+16 {
		p.average.Store(size - (size-e.Size)/16)
	}
	to := core.Send{Tag: uint64(e.ID), Settled: e.Settled}
	if t, ok := e.State.(*frame.TransactionalState); ok {
		to.Txn = txnID(t.TxnID)
	}
	if s.err == nil && e.Format != 0 {
		s.err = errors.New("message-format " + strconv.FormatUint(uint64(e.Format), 10) + " is not known here")
	}
	switch {
	case s.err != nil:
		err := &frame.Error{Condition: frame.ConditionDecodeError, Description: s.err.Error()}
		c.log.Warn("message refused", "link", p.link.Name, "err", s.err)
		if !e.Settled {
			id, link := e.ID, p.link
			c.edge(fx, 0, p.id, false, func(*engine.Conn) {
				c.out.flush()
				link.Session().Settle(id, id, &frame.Rejected{Error: err}, true)
				p.refill(1)
			})
		}
	case p.admin:
		c.adminRequest(now, b, fx, p, e, s)
	case p.relay:
		d, err := resolve(b, s.m.To(), c.relayKind(s))
		if err != nil {
			c.refuseSend(fx, p, to, err)
			return
		}
		b.PublishTo(now, p.id, d, to, s.env, fx)
	default:
		b.Publish(now, p.id, to, s.env, fx)
	}
}

// relayKind reads the kind of destination out of x-opt-jms-dest.
func (c *conn) relayKind(s send) []wire.Symbol {
	v, ok := s.m.Annotation("x-opt-jms-dest")
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

// refuseSend answers a send that never reached the broker.
func (c *conn) refuseSend(fx *core.Effects, p *producer, to core.Send, err error) {
	if to.Settled {
		c.log.Warn("settled message dropped", "link", p.link.Name, "err", err)
		link, e := p.link, amqpError(err)
		c.edge(fx, 0, p.id, false, func(*engine.Conn) { link.Detach(true, e) })
		return
	}
	fx.Outs = append(fx.Outs, core.Out{Kind: core.OutSettled, Conn: c.b.ID(), Producer: p.id, Tag: to.Tag, Txn: to.Txn, Err: err})
}

func (c *conn) closeProducer(now time.Time, b *core.Broker, fx *core.Effects, p *producer, closed bool) *frame.Error {
	c.mu.Lock()
	delete(c.producers, p.id)
	c.mu.Unlock()
	b.CloseProducer(now, p.id, fx)
	if p.dynamic != nil && closed {
		if err := b.DeleteTemporary(now, c.b.ID(), *p.dynamic, fx); err != nil && !isKind(err, core.NotFound) {
			return amqpError(err)
		}
	}
	return nil
}
