package sim

import (
	"fmt"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/property"
)

// What EMS's properties allow to become of a message besides being delivered: the
// checkers of maxRedelivery, redeliveryDelay, expiration, overflowPolicy and of
// $sys.undelivered.

// failure is an attempt that a client has told the broker has failed.
type failure struct {
	h         *held
	at        int64 // ms
	confirmed bool  // the broker has said that it is on record
}

// attempts are the failed deliveries of a message.
type attempts struct {
	told   int // outcomes sent that may have counted
	sure   int // that must have, as far as this life of the broker knows
	onDisk int // that must have in any life
	last   *failure
}

// failed: the client sends an outcome that counts.
func (a *attempts) failed(h *held) {
	a.told++
	a.last = &failure{h: h, at: h.r.k.w.now.UnixMilli()}
}

// confirmed: the broker has settled as well, so that the attempt survives it.
func (a *attempts) confirmed(h *held) {
	if a.last != nil && a.last.h == h {
		a.last.confirmed = true
	}
}

// crash: what is not surely on record need not be known any more.
func (a *attempts) crash(forgets bool) {
	if forgets {
		*a = attempts{told: a.told}
		return
	}
	a.sure = a.onDisk
	if a.last != nil && !a.last.confirmed {
		a.last = nil
	}
}

// again checks a delivery against the attempts before it.
func (c *copied) again(count uint32, complain func(string)) {
	a := &c.attempts
	p := c.m.w.policies.of(c.t.dest)
	if f := a.last; f != nil && (f.confirmed || !f.h.r.k.left()) {
		a.sure++
		if f.confirmed {
			a.onDisk++
		}
		if wait := f.at + p.RedeliveryDelay - c.m.w.now.UnixMilli(); wait > 0 {
			complain(fmt.Sprintf("it comes again %d ms before its redelivery delay is over", wait))
		}
	}
	a.last = nil
	if p.MaxRedelivery > 0 && a.sure >= int(p.MaxRedelivery) {
		complain(fmt.Sprintf("it comes again after %d attempts, its maxRedelivery is %d", a.sure, p.MaxRedelivery))
	}
	if int(count) < a.sure {
		complain(fmt.Sprintf("%d attempts of it have failed, it counts fewer", a.sure))
	}
	if most := max(1, a.told+c.t.losses); int(count) > most {
		complain(fmt.Sprintf("at most %d attempts of it have failed, it counts more", most))
	}
}

// exhausted says whether the message may have used up its attempts: those that the
// client told of, and those of connections that were lost under it (ems 2.3).
func (c *copied) exhausted() bool {
	limit := int(c.m.w.policies.of(c.t.dest).MaxRedelivery)
	return limit > 0 && c.attempts.told+c.t.losses >= limit
}

// limited says whether the message may have come out of its delivery delay into a
// destination that was full.
func (c *copied) limited() bool { return c.m.delay > 0 && c.m.w.policies.of(c.t.dest).MaxMsgs > 0 }

// discarded says whether overflowPolicy may have taken the message.
func (c *copied) discarded() bool {
	p := c.m.w.policies.of(c.t.dest)
	switch {
	case p.MaxMsgs == 0:
		return false
	case p.Overflow == property.OverflowDiscardOld:
		return c.inTheWay() >= int(p.MaxMsgs)
	}
	return c.t.sub && p.Overflow == property.OverflowDefault // it never came in
}

// inTheWay counts what may have been in the queue together with the message when
// room was made: what came behind it, and what consumers held.
func (c *copied) inTheWay() (n int) {
	for _, o := range c.t.copies {
		if o == c || o.m.refused != "" || o.m.txn != nil && o.m.txn.state == txnRolledBack {
			continue
		}
		if c.t.risks == 0 && c.m.plainOne() && o.m.plainOne() && o.before(c) && o.came == 0 {
			continue // nobody held it: it would have gone first
		}
		n++
	}
	for _, m := range c.m.w.ledger.sends { // those of which nothing is known
		if m.goes(c.t.dest) && m.copies[c.t] == nil && m.refused == "" {
			n++
		}
	}
	return n
}

// plainOne says whether the order of the message among others is known from when it was sent
// and accepted: it is of the slow kind, and came in at once.
func (m *sent) plainOne() bool { return m.durable && m.txn == nil && m.delay == 0 }

// before says whether the message was in the queue before the other was sent.
func (c *copied) before(o *copied) bool {
	return c.m.accepted && c.m.acceptedAt < o.m.event
}

// older checks that overflow took no message while an older one stayed: one that
// came to nobody before the end was there all the time.
func (c *copied) older() {
	if !c.m.plainOne() || c.came > 0 || c.t.allowance > 0 || c.t.risks > 0 || c.exhausted() || c.m.expired() {
		return
	}
	for _, o := range c.t.copies { // one that was under way to a client was held
		if o.fresh && o.m.plainOne() && o.before(c) {
			c.m.w.fail("message %d (%s) on %s was discarded, message %d was older and stays", c.m.uid, c.m.what(), c.t.name, o.m.uid)
		}
	}
}

// kept says whether the message was to come to $sys.undelivered if it comes to
// nobody, and so has to.
func (c *copied) kept() bool {
	return c.m.preserve && !c.discarded() && !c.t.undelivered && (c.m.expired() || c.exhausted() || c.limited())
}

// undelivered checks a delivery from $sys.undelivered against what became of the
// message where it was sent. It gives the copy whose holder the receiver is.
func (l *ledger) undelivered(r *receiver, m *sent, reason string, complain func(string)) *copied {
	if !m.preserve {
		complain("nobody asked for it to be kept")
	}
	all := false
	for _, c := range m.copies { // order: irrelevant
		if c.t.undelivered {
			continue
		}
		switch reason {
		case core.ReasonMaxRedelivery.String():
			all = all || c.exhausted()
		case core.ReasonOverflow.String():
			all = all || c.limited()
		}
	}
	all = all || reason == core.ReasonExpired.String() && m.expired()
	if reason == core.ReasonOverflow.String() && m.delay > 0 && l.w.policies.of(m.dest).MaxMsgs > 0 {
		all = true
	}
	if !all {
		complain(fmt.Sprintf("it is said to be undelivered for %q", reason))
	}
	if m.manifold() {
		m.kept = true
		return &copied{m: m, t: &target{name: r.target.name, dest: r.target.dest, undelivered: true, shared: true}, ended: -1}
	}
	m.in(l.target(source{dest: m.dest}, "", 0)).settled(complain)
	return m.in(r.target)
}

// surrendered: the message has left its queue for $sys.undelivered, where it must stay
// until somebody consumes it.
func (c *copied) surrendered() {
	if c.m.manifold() {
		return
	}
	c.m.in(c.m.w.ledger.target(source{dest: c.m.dest}, "", 0)).moved = true
	c.owed = c.m.durable
}

// settled checks that nobody has the message, or has consumed it.
func (c *copied) settled(complain func(string)) {
	if c.holder != nil && c.holder.r.k.left() {
		c.holder, c.ended = nil, settleFail // its client does not know yet
	}
	if c.txn != nil { // rolled back: who settles second has it until it hears so
		c.txn.cameBack(c, complain)
	}
	switch {
	case c.level >= levelProcessed:
		complain("its acknowledgement was confirmed")
	case c.level == levelSent && !c.by.k.left():
		complain("it is acknowledged on a connection that lives")
	case c.holder != nil:
		complain("another receiver has it")
	}
}

// reasonOf reads why a message is in $sys.undelivered.
func reasonOf(msg *message.Message) string {
	v, _ := msg.Annotation(message.UndeliveredAnnotation)
	s, _ := v.(string)
	return s
}

// serves checks that an exclusive queue has one receiver until that leaves.
func (t *target) serves(r *receiver, complain func(string)) {
	o := t.owner
	t.owner = r
	if o == nil || o == r || !r.k.w.policies.of(t.dest).Exclusive {
		return
	}
	if !o.gone && !o.suspended && !o.k.closing && !o.k.left() && !o.l.Ended() {
		complain("its queue is exclusive and serves " + o.l.Name)
	}
}

// gone says whether the message may have come to nobody.
func (c *copied) gone() bool {
	return !c.t.undelivered && (c.m.expired() || c.exhausted() || c.limited() || c.discarded())
}

// stays says whether nothing but a consumer takes the message out of a destination.
func (m *sent) stays(dest string) bool {
	p := m.w.policies.of(dest)
	return m.lasts == 0 && p.MaxMsgs == 0 && p.MaxRedelivery == 0
}

// surrenderedEver says whether the message was seen in $sys.undelivered.
func (m *sent) surrenderedEver() bool {
	if m.manifold() {
		return m.kept
	}
	c := m.copies[m.w.ledger.targets[core.UndeliveredQueue]]
	return c != nil && c.came > 0
}

// allowance is how many of a target's messages may have been lost on their way out of
// $sys.undelivered.
func (l *ledger) allowance(t *target) int {
	if u := l.targets[core.UndeliveredQueue]; u != nil && u != t {
		return u.allowance
	}
	return 0
}

// manifold says whether the message may be in $sys.undelivered several times: for each
// queue and subscription that it came to.
func (m *sent) manifold() bool { return m.dest[0] == 't' || len(m.dests()) > 1 }
