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
	w.cuts += clients
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
	for _, c := range w.clients {
		w.drain(c, sources)
	}
	w.drain(w.clients[0], []source{{dest: core.UndeliveredQueue}})
	w.process.same()
	w.accounts()
	w.empty()
}

// drain takes everything out that a client can reach.
func (w *World) drain(c *client, sources []source) {
	c.connect()
	w.rest()
	for _, src := range sources {
		if src.dest[0] == 't' && !src.durable || src.browse || src.where != "" {
			continue
		}
		mode := 0
		if src.dest == core.UndeliveredQueue { // nobody settles what the ledger has no copy of
			mode = modePresettled
		}
		r := c.conn.newReceiver(src, mode)
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
				continue
			}
			if missing++; missing > t.allowance {
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
	switch m := c.m; {
	case !c.owed || c.level != levelNone || c.txn != nil:
		return false
	case m.preserved(): // whatever becomes of it, it is somewhere
		return m.kept == 0 && !c.dropped()
	default:
		return !m.expired() && !c.exhausted() && !c.dropped() && !c.late()
	}
}

// exhausted says whether the message may have been destroyed for being delivered too
// often: what a client that went away has not seen counts as well.
func (c *copied) exhausted() bool {
	return c.m.w.config.tries > 0 && !c.t.sub && !c.t.plain && c.came+c.m.w.cuts >= c.m.w.config.tries
}

// late says whether the message may have come out of its delay into a full queue.
func (c *copied) late() bool {
	return c.m.w.config.most > 0 && c.t.name == "q1" && c.m.delay > 0
}

// dropped says whether the message may have met a full queue, and its sender not have
// heard of it.
func (c *copied) dropped() bool {
	return c.m.w.config.most > 0 && c.t.name == "q1" && c.m.settled
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
			if (q.Static || q.Name == core.UndeliveredQueue) && q.Messages == 0 && q.Consumers == 0 && q.Producers == 0 {
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
