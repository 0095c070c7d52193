package core

import (
	"cmp"
	"errors"
	"time"

	"github.com/tidegate/tidegate/core/selector"
)

// Admin marks a connection as an administrator's.
func (b *Broker) Admin(id ConnID) {
	if c := b.conns.get(uint64(id)); c != nil {
		c.admin = true
	}
}

// NoteSession counts the sessions of a connection: +1 begun, -1 ended.
func (b *Broker) NoteSession(id ConnID, by int) {
	if c := b.conns.get(uint64(id)); c != nil {
		c.sessions = max(0, c.sessions+by)
	}
}

// Evict closes a connection by its Number, and tells it why. Errors: NotFound.
func (b *Broker) Evict(_ time.Time, number uint64, why string, fx *Effects) error {
	found := false
	b.conns.each(func(c *conn) {
		if c.number == number {
			found = true
			c.evicted = true
			fx.Outs = append(fx.Outs, Out{Kind: OutConnectionGone, Barrier: true, Conn: c.id, Err: &Error{
				Op: "stay connected", Kind: Unavailable, Name: c.clientID, Err: errors.New(why),
			}})
		}
	})
	if !found {
		return &Error{Op: "close connection", Kind: NotFound}
	}
	return nil
}

// Purging is a purge under way: it takes what was there when it began.
type Purging struct {
	queue  QueueID
	until  [priorities]uint64
	waited [priorities]uint64 // nothing waits below
	// Removed counts the messages.
	Removed int
}

// PurgeQueue begins to empty a queue; Purge does it. Errors: NotFound.
func (b *Broker) PurgeQueue(name string) (*Purging, error) {
	q := b.queues[name]
	d := Destination{Kind: Queue, Name: name}
	switch {
	case name == RedeliveryQueue:
		return nil, &Error{Op: "purge", Kind: Denied, Name: name, Err: errors.New("it only shows what waits: purge the queue that the messages came from")}
	case q == nil && b.always(d):
		q = b.systemQueue(name)
	case q == nil:
		return nil, &Error{Op: "purge", Kind: NotFound, Name: name}
	}
	return q.purging(), nil
}

// PurgeTopic begins to empty all subscriptions on exactly this topic.
func (b *Broker) PurgeTopic(name string) []*Purging {
	var all []*Purging
	for _, q := range b.all {
		if q.sub != nil && q.dest.Name == name {
			all = append(all, q.purging())
		}
	}
	return all
}

// PurgeSubscription begins to empty a durable subscription. Errors: NotFound.
func (b *Broker) PurgeSubscription(clientID, name string, global bool) (*Purging, error) {
	s := b.namedDurable(clientID, name, global)
	if s == nil {
		return nil, &Error{Op: "purge", Kind: NotFound, Name: name}
	}
	return s.queue.purging(), nil
}

func (q *queue) purging() *Purging {
	p := &Purging{queue: q.id}
	for _, r := range q.order {
		p.until[r.priority] = r.next
	}
	return p
}

// Purge removes up to n messages that no consumer holds; false: there are no
// more. What is with a consumer stays its own.
func (b *Broker) Purge(now time.Time, p *Purging, n int, fx *Effects) (more bool) {
	q := b.byID[p.queue]
	if q == nil {
		return false
	}
	for _, r := range q.order {
		for {
			seq, ok := p.next(r)
			if !ok {
				break
			}
			if n == 0 {
				return true
			}
			n--
			b.remove(r, seq, fx)
			p.Removed++
		}
	}
	b.dropIdle(q, fx)
	b.dispatchTouched(now, fx)
	return false
}

// next finds an entry of a ring that no consumer holds: what can be delivered first, then
// what waits for its next delivery.
func (p *Purging) next(r *ring) (seq uint64, ok bool) {
	until := p.until[r.priority]
	if seq, ok = r.first(); ok && seq < until {
		return seq, true
	}
	for seq, ok = r.from(p.waited[r.priority]); ok && seq < until; seq, ok = r.from(seq + 1) {
		if r.at(seq).flags&entryWaiting != 0 {
			p.waited[r.priority] = seq
			return seq, true
		}
	}
	p.waited[r.priority] = until
	return 0, false
}

// Subscribe makes a durable subscription that nobody consumes yet. No right is asked
// for: those of its subscriber count when it comes. Errors: Invalid, Exists.
func (b *Broker) Subscribe(_ time.Time, clientID string, d Destination, o SubscriptionOptions, selector string, noLocal bool, fx *Effects) error {
	d.Kind = Topic
	if err := b.checkName("subscribe to", d, true); err != nil {
		return err
	}
	sel, err := parseSelector(d.Name, selector)
	if err != nil {
		return err
	}
	o.Durable = true
	if b.namedDurable(clientID, o.Name, o.Global) != nil {
		return &Error{Op: "subscribe", Kind: Exists, Name: o.Name}
	}
	c := &conn{clientID: clientID, own: true}
	_, e := b.subscribe(c, ConsumerOptions{Destination: d, Selector: selector, NoLocal: noLocal, Subscription: &o}, sel, fx)
	return e
}

// parseSelector compiles a selector; nil for none. Errors: Invalid.
func parseSelector(name, text string) (*selector.Selector, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no selector is no mistake
	}
	s, err := selector.Parse(text)
	if err != nil {
		return nil, &Error{Op: "receive from", Kind: Invalid, Name: name, Err: err}
	}
	return s, nil
}

func (b *Broker) namedDurable(clientID, name string, global bool) *subscription {
	return b.subs[subscriptionKey(clientID, SubscriptionOptions{Name: name, Durable: true, Global: global})]
}

func compareSubscriptions(x, y *SubscriptionInfo) int {
	return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.Name, y.Name), cmp.Compare(x.ClientID, y.ClientID))
}
