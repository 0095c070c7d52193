package gateway

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// How many messages' views are made at a time, at first and at most: one
// allocation for all.
const (
	firstSlab = 16
	mostSlab  = 512
)

// inbound is the reader's workspace.
type inbound struct {
	slab   []amqpmessage.Message // views of the read's messages
	used   int                   // of it
	keep   bool                  // a transaction holds some of them beyond the step
	sends  []send
	refill []*producer
}

// send is a delivery from the client, indexed before the core lock is taken.
type send struct {
	m       *amqpmessage.Message
	env     message.Envelope
	reply   bool  // its reply-to wants a kind
	err     error // it is no message
	refused error // there is no room for it; a *core.Error
	event   int   // of the read
}

// inbound takes what came, in order. The end of a large message may have to wait
// for its file, and all that came behind it then waits with it.
func (c *conn) inbound(events []engine.Event) {
	if c.spool == nil {
		c.step(events)
		return
	}
	if c.ending {
		c.held = append(c.held, events...)
		return
	}
	for len(events) > 0 {
		n := c.pieces(events)
		if n > 0 {
			c.step(events[:n])
		}
		switch {
		case n == len(events):
			return
		case events[n].Kind == engine.EventPiece: // now its link is known
			events = events[n:]
			continue
		case c.endLarge(events[n], events[n+1:]):
			return
		}
		events = events[n+1:]
	}
}

// step indexes what came, runs it as one step, and gives credit back.
func (c *conn) step(events []engine.Event) {
	in := &c.in
	c.noteEnds(events)
	now := c.b.Now().UnixMilli()
	for i := range events {
		if e := &events[i]; e.Kind == engine.EventDelivery {
			if _, ok := e.Link.Ref.(*producer); ok {
				in.sends = append(in.sends, send{event: i})
				in.index(&in.sends[len(in.sends)-1], e, now)
			}
		}
	}
	c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		next := 0
		for i := range events {
			e := &events[i]
			if e.Kind == engine.EventDelivery {
				switch l := e.Link.Ref.(type) {
				case *producer:
					for next < len(in.sends) && in.sends[next].event < i {
						next++ // its link was closed meanwhile
					}
					var s send
					if next < len(in.sends) && in.sends[next].event == i {
						s = in.sends[next]
					} else {
						in.index(&s, e, now.UnixMilli()) // attached in this very read
					}
					c.delivery(now, b, fx, l, e, s)
				case *coordinator:
					c.transaction(now, b, fx, l, e)
				}
				continue
			}
			c.event(now, b, fx, e)
		}
	})
	for len(c.after) > 0 {
		do := c.after[0]
		c.after = c.after[1:]
		do()
	}
	clear(in.sends)
	in.sends = in.sends[:0]
	in.forget()
	c.giveCredit()
}

// forget ends the life of the read's views: the broker has taken their bytes, and
// only a transaction keeps the views themselves.
func (in *inbound) forget() {
	if in.keep {
		in.slab, in.keep = nil, false
	}
	clear(in.slab[:min(in.used, len(in.slab))])
	in.used = 0
}

// view gives one that is not in use.
func (in *inbound) view() *amqpmessage.Message {
	if in.used == len(in.slab) {
		// Those before stay where they are: sends point to them.
		in.slab, in.used = make([]amqpmessage.Message, min(max(2*len(in.slab), firstSlab), mostSlab)), 0
	}
	in.used++
	return &in.slab[in.used-1]
}

// giveCredit tops up producers whose deliveries are settled already.
func (c *conn) giveCredit() {
	in := &c.in
	if len(in.refill) == 0 {
		return
	}
	c.sock.Engine(func(*engine.Conn) {
		for _, p := range in.refill {
			p.refill(p.presettled)
			p.presettled = 0
		}
	})
	in.refill = in.refill[:0]
}

// settledBy counts a delivery that needs no answer of ours.
func (in *inbound) settledBy(p *producer) {
	if p.presettled == 0 {
		in.refill = append(in.refill, p)
	}
	p.presettled++
}

// noteEnds notes how far the deliveries of links got whose session or connection ends: the
// client may have seen what the writer has not told the broker of yet. For a
// detach the event says it.
func (c *conn) noteEnds(events []engine.Event) {
	for i := range events {
		if e := &events[i]; e.Kind == engine.EventEnd || e.Kind == engine.EventClose {
			c.sock.Engine(func(*engine.Conn) {
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, k := range c.consumers { // order: irrelevant
					if e.Kind == engine.EventClose || k.link.Session() == e.Session {
						k.reached = k.link.Begun()
					}
				}
			})
		}
	}
}

// index makes the envelope of a delivery.
func (in *inbound) index(s *send, e *engine.Event, now int64) {
	v := in.view()
	if s.err = v.Index(e.Payload, e.Rest, nil); s.err != nil {
		return
	}
	s.m, s.reply = v, needsReplyType(v)
	s.env, s.err = v.Envelope(v, now)
}

// event is everything but deliveries.
func (c *conn) event(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) {
	switch e.Kind {
	case engine.EventAttach:
		c.attach(now, b, fx, e)
	case engine.EventFlow:
		if k, ok := e.Link.Ref.(*consumer); ok && k.id != 0 {
			c.credit(now, b, fx, k, e)
		} else if e.Drain {
			link, limit := e.Link, e.Limit
			c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Drained(limit) })
		}
	case engine.EventSettle:
		c.settle(now, b, fx, e)
	case engine.EventDetach:
		c.detach(now, b, fx, e)
	case engine.EventBegin:
		b.NoteSession(c.b.ID(), 1)
	case engine.EventEnd:
		s := e.Session
		b.NoteSession(c.b.ID(), -1)
		c.dropSession(now, b, fx, s)
		if e.Error != nil {
			c.log.Info("session ended with an error", "condition", e.Error.Condition, "err", e.Error.Description)
		}
		if !e.Local {
			c.edge(fx, 0, 0, true, func(*engine.Conn) { s.End(nil) })
		}
	case engine.EventClose:
		if e.Error != nil && !e.Local {
			c.log.Info("connection closed with an error", "condition", e.Error.Condition, "err", e.Error.Description)
		}
		if !e.Local {
			c.retire(now, b, fx)
			c.edge(fx, 0, 0, true, func(x *engine.Conn) { x.Close(nil) })
		}
	case engine.EventAborted:
		if p, ok := e.Link.Ref.(*producer); ok {
			c.in.settledBy(p)
		}
	case engine.EventPiece:
		if l, ok := e.Link.Ref.(*coordinator); ok {
			c.failLink(now, b, fx, l.link, &frame.Error{Condition: frame.ConditionMessageSizeExceeded, Description: "neither declare nor discharge is that large"})
		}
	case engine.EventOpen, engine.EventDelivery, engine.EventOutcome:
	}
}

// credit is a flow of a consumer's; it may say in which transaction deliveries
// are acquired from now on (amqp 4.4.3).
func (c *conn) credit(now time.Time, b *core.Broker, fx *core.Effects, k *consumer, e *engine.Event) {
	txn := core.TxnID(0)
	if v, ok := e.Properties.Get("txn-id"); ok {
		id, _ := v.([]byte)
		if txn = txnID(id); !b.HasTransaction(c.b.ID(), txn) {
			c.failLink(now, b, fx, k.link, &frame.Error{
				Condition: frame.ConditionTransactionUnknownID, Description: "a flow names a transaction that is not open",
			})
			return
		}
		if k.settled {
			c.failLink(now, b, fx, k.link, &frame.Error{
				Condition: frame.ConditionNotImplemented, Description: "deliveries that go settled cannot be acquired in a transaction",
			})
			return
		}
	}
	b.Acquire(k.id, txn)
	b.Credit(now, k.id, e.Limit, e.Drain, fx)
}

// settle is the client's outcome for deliveries of ours.
func (c *conn) settle(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) {
	k, ok := e.Link.Ref.(*consumer)
	if !ok {
		return
	}
	state := e.State
	txn := core.TxnID(0)
	if t, ok := state.(*frame.TransactionalState); ok {
		state, txn = t.Outcome, txnID(t.TxnID)
	}
	o, ok := outcomeOf(state)
	if !ok {
		o = k.defaultOutcome
	}
	if txn != 0 && !b.HasTransaction(c.b.ID(), txn) {
		for _, d := range e.Sent {
			b.Settle(now, core.DeliveryID(d.Ref), 0, core.Outcome{Kind: core.Released}, false, fx)
		}
		c.failLink(now, b, fx, e.Link, &frame.Error{
			Condition: frame.ConditionTransactionUnknownID, Description: "a disposition names a transaction that is not open",
		})
		return
	}
	if err := enlist(b, txn, len(e.Sent)); err != nil { // the client cannot be told otherwise than by its link
		for _, d := range e.Sent {
			b.Settle(now, core.DeliveryID(d.Ref), 0, core.Outcome{Kind: core.Released}, false, fx)
		}
		c.failLink(now, b, fx, e.Link, amqpError(err))
		return
	}
	for _, d := range e.Sent {
		id := core.DeliveryID(d.Ref)
		if !e.Settled {
			c.mu.Lock()
			c.confirms[id] = confirm{session: e.Session, id: d.ID, state: e.State}
			c.mu.Unlock()
		}
		outcome := o
		if o.Kind == core.Released && txn == 0 && c.listenerThrew(b, k, id) {
			outcome = core.Outcome{Kind: core.Modified, DeliveryFailed: true}
		}
		outcome.Notes = annotated(b, id, state)
		b.Settle(now, id, txn, outcome, !e.Settled, fx)
	}
}

func enlist(b *core.Broker, txn core.TxnID, n int) error {
	if txn == 0 {
		return nil
	}
	return b.Enlist(txn, n)
}

// listenerThrew says whether a client that releases a delivery has shown it to a
// listener, which threw, and not only buffered it. The buffered ones stand behind
// one that is still unsettled, or the session has transactions, or the link is
// gone (docs/decisions/0034-a-listener-that-throws.md).
func (c *conn) listenerThrew(b *core.Broker, k *consumer, id core.DeliveryID) bool {
	if !c.quirks.ReleasesWhatFailed || k.suspended || b.OldestUnsettled(k.id) != id {
		return false
	}
	s, ok := k.link.Session().Ref.(*sessionState)
	return !ok || len(s.coordinators) == 0
}

// detach ends what stood behind a link. The answer goes behind the link's outs.
func (c *conn) detach(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) {
	link, closed := e.Link, e.Closed
	if e.Error != nil {
		c.log.Info("link detached with an error", "link", link.Name, "condition", e.Error.Condition, "err", e.Error.Description)
	}
	if k, ok := link.Ref.(*consumer); ok && !closed && e.Error == nil && len(e.Sent) > 0 && c.suspend(now, b, fx, k, e.Sent[0].Ref) {
		c.edge(fx, k.id, 0, false, func(*engine.Conn) { link.Detach(false, nil) })
		return
	}
	if k, ok := link.Ref.(*consumer); ok && len(e.Sent) > 0 {
		k.reached = e.Sent[0].Ref
	}
	before := len(fx.Records)
	kid, pid, refused := c.unlink(now, b, fx, link, closed)
	if e.Local {
		return
	}
	c.edge(fx, kid, pid, kid == 0 && pid == 0, func(*engine.Conn) {
		link.Forget()
		link.Detach(closed, refused)
	})
	waitFor(b, fx, before)
}

// unlink ends what stood behind a link in the broker.
func (c *conn) unlink(now time.Time, b *core.Broker, fx *core.Effects, link *engine.Link, closed bool) (kid core.ConsumerID, pid core.ProducerID, refused *frame.Error) {
	switch l := link.Ref.(type) {
	case *consumer:
		kid = l.id
		refused = c.closeConsumer(now, b, fx, l, closed)
	case *producer:
		pid = l.id
		refused = c.closeProducer(now, b, fx, l, closed)
	case *coordinator:
		c.closeCoordinator(now, b, fx, l)
	case *lookup:
		if l.found && closed {
			if err := c.unsubscribe(now, b, fx, l.client, l.name, l.global); err != nil {
				refused = amqpError(err)
			}
		}
	}
	link.Ref = nil
	return kid, pid, refused
}

// failLink closes a link for a fault of the client's, here and in the broker.
func (c *conn) failLink(now time.Time, b *core.Broker, fx *core.Effects, link *engine.Link, e *frame.Error) {
	c.log.Warn("link closed for a fault", "link", link.Name, "condition", e.Condition, "err", e.Description)
	subscription := false
	if k, ok := link.Ref.(*consumer); ok {
		subscription = k.subscription != nil
	}
	kid, pid, _ := c.unlink(now, b, fx, link, !subscription) // which is not deleted for it
	c.edge(fx, kid, pid, kid == 0 && pid == 0, func(*engine.Conn) { link.Detach(true, e) })
}

// dropSession ends everything on a session.
func (c *conn) dropSession(now time.Time, b *core.Broker, fx *core.Effects, s *engine.Session) {
	c.mu.Lock()
	var consumers []*consumer
	for _, k := range c.consumers { // order: sorted below
		if k.link.Session() == s {
			consumers = append(consumers, k)
		}
	}
	var producers []*producer
	for _, p := range c.producers { // order: sorted below
		if p.link.Session() == s {
			producers = append(producers, p)
		}
	}
	c.mu.Unlock()
	// By id: a simulation must see the same order in every run.
	slices.SortFunc(consumers, func(a, b *consumer) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(producers, func(a, b *producer) int { return cmp.Compare(a.id, b.id) })
	for _, k := range consumers {
		c.closeConsumer(now, b, fx, k, false)
	}
	c.suspended = slices.DeleteFunc(c.suspended, func(k *consumer) bool { return k.link.Session() == s })
	for _, p := range producers {
		c.closeProducer(now, b, fx, p, false)
	}
	if x, ok := s.Ref.(*sessionState); ok {
		for _, l := range x.coordinators {
			c.closeCoordinator(now, b, fx, l)
		}
	}
}

// sessionState is what a session's Ref holds.
type sessionState struct {
	coordinators []*coordinator
}
