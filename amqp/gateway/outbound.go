package gateway

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// outbound is the writer's workspace.
type outbound struct {
	parked   []core.Out // behind a message whose bytes are being read
	loading  bool
	loaded   map[uint64]loaded
	spare    []core.Out
	unsent   []core.DeliveryID
	recalled []*consumer       // of unsent
	broken   []core.DeliveryID // aborted: their bytes could not be read
	progress []*consumer
	ranged   settledRange
	head     []byte
	tag      [16]byte
	lastC    *consumer
	lastP    *producer
}

// settledRange gathers dispositions that can be one.
type settledRange struct {
	p           *producer
	first, last uint32
	n           uint32
	txn         core.TxnID
}

func (o *outbound) flush() {
	r := &o.ranged
	if r.n == 0 {
		return
	}
	var state frame.DeliveryState = frame.Accepted{}
	if r.txn != 0 {
		state = &frame.TransactionalState{TxnID: binary.BigEndian.AppendUint64(nil, uint64(r.txn)), Outcome: frame.Accepted{}}
	}
	r.p.link.Session().Settle(r.first, r.last, state, !r.p.link.Second)
	r.p.refill(r.n)
	*r = settledRange{}
}

// Output moves what may leave into the engine.
func (c *conn) Output(x *engine.Conn, now time.Time) {
	if c.b == nil {
		return
	}
	o := &c.out
	x.Overdrawn(func(l *engine.Link, ref uint64) {
		if k, ok := l.Progress.(*consumer); ok {
			c.unsend(k, core.DeliveryID(ref))
		}
	})
	c.mu.Lock()
	loading := o.loading
	c.mu.Unlock()
	if loading {
		return
	}
	outs := o.parked
	o.parked = nil
	if len(outs) == 0 {
		outs = c.b.Take(o.spare)
	} else {
		outs = append(outs, c.b.Take(o.spare)...)
	}
	for i := range outs {
		if !c.output(x, now, &outs[i]) {
			o.parked = slices.Clone(outs[i:])
			break
		}
	}
	o.flush()
	clear(outs)
	o.spare = outs[:0]
	c.collectProgress(x)
}

// output carries one out over; false: its bytes are not in memory yet.
func (c *conn) output(x *engine.Conn, now time.Time, out *core.Out) bool {
	o := &c.out
	switch out.Kind {
	case core.OutDeliver:
		return c.deliver(now, out)
	case core.OutSettled:
		c.settled(out)
		return true
	}
	o.flush()
	switch out.Kind {
	case core.OutEdge:
		out.Ref.(func(*engine.Conn))(x)
	case core.OutDrained:
		if k := c.consumer(out.Consumer); k != nil {
			k.link.Drained(out.Limit)
		}
	case core.OutConfirmed:
		c.confirmed(out)
	case core.OutAllow:
		if p := c.producer(out.Producer); p != nil {
			p.throttle = out.Limit == 0
			if p.throttle && p.link.Live() && !p.relay && !p.admin {
				p.link.Grant(0, false)
			} else {
				p.throttle = false
				p.refill(0)
			}
		}
	case core.OutConsumerGone:
		if k := c.consumer(out.Consumer); k != nil {
			c.mu.Lock()
			delete(c.consumers, k.id)
			k.closed = true
			c.mu.Unlock()
			k.link.Detach(true, amqpError(out.Err))
		}
	case core.OutProducerGone:
		if p := c.producer(out.Producer); p != nil {
			c.mu.Lock()
			delete(c.producers, p.id)
			c.mu.Unlock()
			p.link.Detach(true, amqpError(out.Err))
		}
	case core.OutConnectionGone:
		e := amqpError(out.Err) // evicted by another with its client id
		if isKind(out.Err, core.Conflict) {
			e.Info = wire.Map{{Key: wire.Symbol(soleEnforcedKey), Value: true}}
		}
		x.Close(e)
	case core.OutProbe:
		c.mu.Lock()
		paused := c.paused
		c.mu.Unlock()
		if !paused { // else it is we who do not listen
			x.Probe(now)
		}
	case core.OutDeliver, core.OutSettled, core.OutDischarged:
	}
	return true
}

func (c *conn) consumer(id core.ConsumerID) *consumer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.consumers[id]
}

func (c *conn) producer(id core.ProducerID) *producer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.producers[id]
}

// settled answers a send; runs of them become one disposition.
func (c *conn) settled(out *core.Out) {
	o := &c.out
	if o.lastP == nil || o.lastP.id != out.Producer {
		o.lastP = c.producer(out.Producer)
	}
	p, id := o.lastP, uint32(out.Tag)
	if p == nil || !p.link.Live() {
		return
	}
	r := &o.ranged
	if out.Err == nil {
		if r.n > 0 && r.p == p && r.last+1 == id && r.txn == out.Txn {
			r.last = id
			r.n++
			return
		}
		o.flush()
		o.ranged = settledRange{p: p, first: id, last: id, n: 1, txn: out.Txn}
		return
	}
	o.flush()
	e := amqpError(out.Err)
	if isKind(out.Err, core.Denied) {
		c.log.Warn("send not permitted", "link", p.link.Name, "err", out.Err)
	}
	var state frame.DeliveryState = &frame.Rejected{Error: e}
	if out.Txn != 0 && !isKind(out.Err, core.UnknownTransaction) {
		state = &frame.TransactionalState{TxnID: binary.BigEndian.AppendUint64(nil, uint64(out.Txn)), Outcome: &frame.Rejected{Error: e}}
	}
	p.link.Session().Settle(id, id, state, true)
	p.refill(1)
}

// confirmed tells the client that its outcome is settled here as well.
func (c *conn) confirmed(out *core.Out) {
	c.mu.Lock()
	f, ok := c.confirms[out.Delivery]
	delete(c.confirms, out.Delivery)
	c.mu.Unlock()
	if ok {
		f.session.Confirm(f.id, f.state)
	}
}

// deliver sends one message.
func (c *conn) deliver(now time.Time, out *core.Out) bool {
	o := &c.out
	if o.lastC == nil || o.lastC.id != out.Consumer {
		o.lastC = c.consumer(out.Consumer)
	}
	k := o.lastC
	if k == nil || !k.link.Live() {
		return true // it is closed: the broker has taken its deliveries back
	}
	if k.link.Room() <= 0 || out.Delivery <= k.recalled {
		c.unsend(k, out.Delivery) // the client took credit back
		return true
	}
	body, file, ok := c.b.Bytes(out.Message)
	if !ok {
		l, ok := o.loaded[out.Message]
		if !ok {
			return !c.load(out.Message)
		}
		body, file = l.body, l.file
		delete(o.loaded, out.Message)
	}
	if len(body) == 0 {
		body = [][]byte{nil}
	}
	h, at, err := amqpmessage.SkipHeader(body[0], body[1:])
	if err != nil {
		c.log.Error("a stored message cannot be read", "message", out.Message, "err", err)
		return true
	}
	ttl := wire.Optional[uint32]{}
	if (out.Overridden || h.TTL.OK && h.TTL.V > 0) && out.Expires > 0 {
		ttl = wire.Some(uint32(max(out.Expires-now.UnixMilli(), 1)))
	}
	o.head = amqpmessage.AppendHeader(o.head[:0], h.Durable, h.Priority, ttl, out.First, out.Count)
	if out.Ref != nil || out.Overridden || out.To != nil {
		if at, err = o.changed(out, body, at); err != nil {
			c.log.Error("a stored message cannot be annotated", "message", out.Message, "err", err)
		}
	}
	binary.BigEndian.PutUint64(o.tag[8:], uint64(out.Delivery))
	var state frame.DeliveryState
	if out.Txn != 0 {
		state = &frame.TransactionalState{TxnID: binary.BigEndian.AppendUint64(nil, uint64(out.Txn))}
	}
	d := engine.Delivery{State: state, Ref: uint64(out.Delivery), Tag: o.tag[:], Settled: out.Settled, Head: o.head}
	if file.Number != 0 {
		d.Source, d.Size = c.source(out, file, body, at), file.Size-int64(at)
	} else {
		for len(body) > 1 && at >= len(body[0]) {
			at -= len(body[0])
			body = body[1:]
		}
		d.First, d.Rest = body[0][at:], body[1:]
	}
	k.link.Send(d)
	return true
}

// changed appends to the head the sections in which a delivery differs from its
// message: annotations, the time at which it expires, and where it went if that was by
// a bridge. It gives where the message goes on.
func (o *outbound) changed(out *core.Out, body [][]byte, at int) (int, error) {
	extra, _ := out.Ref.([]byte)
	if out.Reason != core.ReasonNone {
		extra = amqpmessage.MergeMaps(nil, extra, wire.AppendValue(nil, wire.Map{
			{Key: wire.Symbol(amqpmessage.UndeliveredAnnotation), Value: out.Reason.String()},
		}))
	}
	if out.To != nil {
		extra = amqpmessage.MergeMaps(nil, extra, wire.AppendValue(nil, wire.Map{
			{Key: wire.Symbol(destinationType), Value: annotatedKind(*out.To)},
		}))
	}
	annotated, err := amqpmessage.SkipAnnotations(body[0], body[1:], at)
	if err != nil {
		return at, err
	}
	if extra != nil || annotated > at {
		if o.head, at, err = amqpmessage.Annotate(o.head, body[0], body[1:], at, extra); err != nil {
			return at, err
		}
	}
	if out.Overridden || out.To != nil {
		with := amqpmessage.Override{Expiry: out.Overridden, Expires: out.Expires}
		if to := out.To; to != nil {
			with.To = func(was string) string { return jms.Readdress(was, to.Name, jmsKind(*to)) }
		}
		o.head, at, err = with.Properties(o.head, body[0], body[1:], at)
	}
	return at, err
}

// loaded is a message that was read from disk.
type loaded struct {
	body [][]byte
	file message.File
}

// load asks for bytes that are on disk; true: they will come.
func (c *conn) load(id uint64) bool {
	o := &c.out
	c.mu.Lock()
	o.loading = true
	c.mu.Unlock()
	ids := []uint64{id}
	found := map[uint64]loaded{}
	c.b.Load(ids, func(id uint64, body [][]byte, file message.File) { found[id] = loaded{body, file} }, func() {
		if len(found) == 0 {
			c.log.Error("a stored message is not there", "message", id)
			found[id] = loaded{}
		}
		c.mu.Lock()
		o.loaded = found
		o.loading = false
		c.mu.Unlock()
		c.sock.Wake()
	})
	return true
}

// collectProgress notes how far deliveries got. The engine's lock is held.
func (c *conn) collectProgress(x *engine.Conn) {
	o := &c.out
	x.Progress(func(l *engine.Link, begun, done uint64) {
		k, ok := l.Progress.(*consumer)
		if !ok {
			return
		}
		k.begun, k.done = begun, done
		if !k.progressed {
			k.progressed = true
			o.progress = append(o.progress, k)
		}
	})
}

// unsend takes back a delivery whose credit the client took back. All that was
// dispatched to the consumer until the broker has it back goes back as well, or
// it would overtake.
func (c *conn) unsend(k *consumer, id core.DeliveryID) {
	if k.recalled != recallAll {
		k.recalled = recallAll
		c.out.recalled = append(c.out.recalled, k)
	}
	c.out.unsent = append(c.out.unsent, id)
}

// recallAll is above every delivery.
const recallAll = ^core.DeliveryID(0)

// Wrote tells the broker how far its deliveries got.
func (c *conn) Wrote() { c.tellProgress() }

func (c *conn) tellProgress() {
	o := &c.out
	if len(o.progress) == 0 && len(o.unsent) == 0 && len(o.broken) == 0 {
		return
	}
	c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		for _, k := range o.progress {
			k.progressed = false
			b.Wrote(now, k.id, core.DeliveryID(k.begun), core.DeliveryID(k.done), fx)
		}
		for _, k := range o.recalled {
			k.recalled = b.Dispatched()
		}
		b.Unsend(now, o.unsent, fx)
		for _, id := range o.broken { // the client has let go of it already
			b.Settle(now, id, 0, core.Outcome{Kind: core.Modified, DeliveryFailed: true, UndeliverableHere: true}, false, fx)
		}
	})
	clear(o.progress)
	o.progress = o.progress[:0]
	clear(o.recalled)
	o.recalled = o.recalled[:0]
	o.unsent, o.broken = o.unsent[:0], o.broken[:0]
}
