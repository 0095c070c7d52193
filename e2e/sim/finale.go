package sim

import (
	"math/rand/v2"
	"time"

	"github.com/tidegate/tidegate/core"
)

// restless is how many steps a world may need to come to rest.
const restless = 100_000

// rest runs until nothing is left to do. Time passes, but less than anybody
// waits for.
func (w *World) rest() {
	r := rand.New(rand.NewPCG(3, 3))
	quiet := 0
	for range restless {
		if w.mortal(); w.step(r) {
			quiet = 0
			continue
		}
		if quiet++; quiet > 3 {
			return
		}
		w.tick(100 * time.Millisecond)
	}
	w.fail("the world never comes to rest")
}

// finale mends everything, takes all messages out, and settles the accounts.
func (w *World) finale() {
	w.crashIn, w.failIn = 0, 0
	w.disk.SetLimit(0)
	w.tick(time.Second)
	w.tick(2 * time.Second) // a full disk is tried again
	w.tick(maxDelay * time.Millisecond)
	w.rest()
	w.process.same()
	w.resting = true
	for _, c := range w.clients {
		if c.conn != nil {
			if len(c.conn.sent) > 0 || len(c.conn.requests) > 0 {
				w.fail("%s waits for %d answers and %d of its coordinator, in vain", c.name, len(c.conn.sent), len(c.conn.requests))
			}
			c.conn.close()
		}
	}
	w.rest()
	for _, c := range w.clients {
		if c.conn != nil {
			w.fail("%s is not closed", c.name)
		}
	}
	w.tick(redeliveryDelay * time.Millisecond)
	w.draining = true
	for _, c := range w.clients {
		w.drain(c)
	}
	w.process.same()
	w.accounts()
	w.empty()
}

// drain takes everything out that a client can reach.
func (w *World) drain(c *client) {
	c.connect()
	w.rest()
	for _, src := range sources {
		if src.dest[0] == 't' && !src.durable || src.browse || src.where != "" {
			continue
		}
		if src.dest == core.UndeliveredQueue && c != w.clients[clients-1] {
			continue // once, behind all others
		}
		r := c.conn.newReceiver(src, 0)
		w.rest()
		for more := true; more; {
			before := r.got
			r.credit(10, true)
			w.rest()
			if r.l.Credit() > 0 {
				w.fail("a drain of %s is not answered", r.target.name)
			}
			r.settle(10, settleAccept, 0)
			more = r.got > before
		}
		w.rest()
		r.detach(true)
		w.rest()
	}
	c.conn.close()
	w.rest()
}

// accounts checks that everything owed has come.
func (w *World) accounts() {
	for _, t := range w.ledger.order {
		missing := 0
		for _, c := range t.copies {
			if !c.unpaid() {
				if c.owed && c.came == 0 && c.level == levelNone {
					c.older()
				}
				continue
			}
			if missing++; missing > t.allowance+w.ledger.allowance(t) {
				if c.gone() {
					w.fail("message %d (%s) on %s was to be kept and is not in %s", c.m.uid, c.m.what(), t.name, core.UndeliveredQueue)
				}
				w.fail("message %d (%s) on %s was accepted and never came (seen %d times)", c.m.uid, c.m.what(), t.name, c.came)
			}
		}
	}
	for _, t := range w.ledger.txns {
		t.whole()
	}
}

// unpaid says whether the message had to be in the last drain and was not.
func (c *copied) unpaid() bool {
	if !c.owed || c.level != levelNone || c.txn != nil {
		return false
	}
	return !c.gone() || c.kept() && !c.m.surrenderedEver()
}

// empty checks that the broker has forgotten all.
func (w *World) empty() {
	w.process.server.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		for id := range b.Live() {
			w.fail("the broker keeps message %d that nobody has", id)
		}
		if n := b.HeldBytes(); n != 0 {
			w.fail("the broker counts %d bytes held, and holds nothing", n)
		}
		for _, q := range b.Queues() {
			if w.policies.defines(q.Name) && q.Messages+q.Consumers+q.Producers == 0 {
				continue
			}
			w.fail("queue %s stays with %d messages, %d consumers, %d producers", q.Name, q.Messages, q.Consumers, q.Producers)
		}
	})
	// What is read for one message brings its neighbours along, dying ones too:
	// those stay until memory is wanted.
	if s := w.process.store.Stats(); s.InMemory != 0 && !w.process.read || s.LiveIDs != 0 {
		w.fail("the store keeps %d messages in memory and %d in the log, nobody has any", s.InMemory, s.LiveIDs)
	}
}
