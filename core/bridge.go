package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/selector"
)

// MaxBridges is how many bridges a broker takes: pairs of source and target.
const MaxBridges = 100_000

// Bridge has what is sent to its source sent to its target as well (ems 4). It is not
// transitive: what comes by a bridge goes over no other one.
type Bridge struct {
	Source   Destination // its name may have wildcards
	Target   Destination
	Selector string // JMS selector, asked of the message as it came; "" all
}

// bridges are those at work, by the kind and the name of their source.
type bridges struct {
	count  int
	from   [2]name.Trie[*bridge]
	bounds map[Destination]int // sources without wildcards, and how many targets they have
}

type bridge struct {
	order    int // among all
	target   Destination
	selector *selector.Selector // nil: all
}

// outlet is a target of one source, for all bridges that lead from it there: a
// message goes to a target once.
type outlet struct {
	to     Destination
	topic  *topic               // while nobody uses it
	all    bool                 // no selector
	wanted []*selector.Selector // one of these
}

func (o *outlet) wants(c message.Content) bool {
	return o.all || slices.ContainsFunc(o.wanted, func(s *selector.Selector) bool { return s.Match(c) })
}

// CheckBridge says what is wrong with a bridge. Errors: Invalid.
func CheckBridge(br Bridge) error {
	_, err := checkBridge(br)
	if err != nil {
		return err
	}
	return nil
}

func checkBridge(br Bridge) (*selector.Selector, *Error) {
	wrong := func(d Destination, err error) (*selector.Selector, *Error) {
		return nil, &Error{Op: "bridge", Kind: Invalid, Name: d.Name, Err: err}
	}
	for _, d := range []Destination{br.Source, br.Target} {
		if d.Kind != Queue && d.Kind != Topic {
			return wrong(d, errors.New("neither queue nor topic"))
		}
		if err := name.Validate(d.Name); err != nil {
			return wrong(d, err)
		}
		if d.Temporary || strings.HasPrefix(d.Name, TemporaryPrefix) {
			return wrong(d, errors.New("temporary destinations cannot be bridged"))
		}
	}
	switch {
	case name.IsWildcard(br.Target.Name):
		return wrong(br.Target, errors.New("the target of a bridge is one destination, not a wildcard"))
	case strings.HasPrefix(br.Target.Name, "$"):
		return wrong(br.Target, errors.New("names that begin with $ are the server's, and no targets of bridges"))
	case heldFor(br.Source).Kind != 0:
		return wrong(br.Source, errors.New("nothing is sent to a queue that holds back delayed messages"))
	case br.Source == br.Target:
		return wrong(br.Target, errors.New("the target of a bridge is its source"))
	case br.Selector == "":
		return nil, nil //nolint:nilnil // no selector is no mistake
	}
	s, err := selector.Parse(br.Selector)
	if err != nil {
		return wrong(br.Target, fmt.Errorf("its selector %q: %w", br.Selector, err))
	}
	return s, nil
}

// SetBridges replaces all bridges, for what is sent from now on: a send in a
// transaction keeps the targets that it had. Errors: Invalid for bridges that cannot
// be, Limit for too many; those are left out.
func (b *Broker) SetBridges(now time.Time, all []Bridge, fx *Effects) error {
	var set bridges
	var wrong []error
	for _, br := range all {
		if set.count == MaxBridges {
			wrong = append(wrong, &Error{Op: "bridge", Kind: Limit, Name: br.Target.Name, Err: fmt.Errorf("there are %d bridges already", MaxBridges)})
			break
		}
		s, err := checkBridge(br)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		set.from[br.Source.Kind-Queue].Insert(br.Source.Name, &bridge{order: set.count, target: br.Target, selector: s})
		set.count++
		if !name.IsWildcard(br.Source.Name) {
			if set.bounds == nil {
				set.bounds = map[Destination]int{}
			}
			set.bounds[br.Source]++
		}
	}
	b.bridges = set
	b.defined.changes++ // what is known of each destination is worked out anew
	b.policiesChanged(now, fx)
	return errors.Join(wrong...)
}

// outlets works out where else messages to a destination go.
func (b *Broker) outlets(d Destination) (all []*outlet) {
	from := &b.bridges.from[d.Kind-Queue]
	if from.Len() == 0 {
		return nil
	}
	var found []*bridge
	from.Match(d.Name, func(br *bridge) { found = append(found, br) })
	slices.SortFunc(found, func(x, y *bridge) int { return cmp.Compare(x.order, y.order) })
	by := map[Destination]*outlet{{Kind: d.Kind, Name: d.Name}: {}} // it is there already
	for _, br := range found {
		o := by[br.target]
		if o == nil {
			o = &outlet{to: br.target}
			by[br.target] = o
			all = append(all, o)
		}
		if br.selector == nil {
			o.all = true
		} else {
			o.wanted = append(o.wanted, br.selector)
		}
	}
	return all
}

// sourceOf refuses to delete what a bridge begins at (ems 4).
func (b *Broker) sourceOf(d Destination) *Error {
	d.Temporary = false
	if b.bridges.bounds[d] == 0 {
		return nil
	}
	return &Error{Op: "delete", Kind: Conflict, Name: d.Name, Err: errors.New("it is the source of a bridge: delete that first")}
}

// legs gives what a message to q or tp is as sends: the first to where it was sent,
// and one to each of its targets. A queue comes into being for them, whatever clients
// may create: an administrator named it. The slice is the broker's, valid until the
// next call. An error, of a target to which the sender may not send, is one of all.
func (b *Broker) legs(now time.Time, p *producer, q *queue, tp *topic, all []*outlet, m message.Envelope) ([]txnSend, *Error) {
	expires := m.Expires
	b.stamp(now, p, b.policyFor(q, tp), &m)
	legs := append(b.crossing[:0], txnSend{queue: q, topic: tp, conn: p.conn, m: m})
	defer func() { b.crossing = legs[:0] }()
	for _, o := range all {
		if !o.wants(m.Content) {
			continue
		}
		if err := b.denied(p.conn, "bridge to", MaySend, o.to); err != nil {
			return legs, err
		}
		leg := txnSend{conn: p.conn, m: m, bridged: true}
		leg.m.Expires, leg.m.Overridden = expires, false
		if o.to.Kind == Topic {
			if leg.topic = b.topics[o.to.Name]; leg.topic == nil {
				if o.topic == nil {
					o.topic = &topic{name: o.to.Name}
				}
				leg.topic = o.topic
			}
		} else {
			leg.queue = b.systemQueue(o.to.Name)
		}
		legs = append(legs, leg)
	}
	b.stampLegs(now, p, legs)
	return legs, nil
}

// stampLegs gives each leg what its destination's policy says of it. The content is
// one for all, so that a sender's name is in it if one of them wants it.
func (b *Broker) stampLegs(now time.Time, p *producer, legs []txnSend) {
	m := &legs[0].m
	named := senderWanted(b.policyFor(legs[0].queue, legs[0].topic), m)
	for i := range legs[1:] {
		leg := &legs[1+i]
		pol := b.policyFor(leg.queue, leg.topic)
		expireBy(now, pol, &leg.m)
		if !named && senderWanted(pol, m) {
			named = true
			nameSender(p, m)
		}
	}
	for i := range legs {
		legs[i].m.Content = m.Content
	}
}

// unmake drops queues that came into being for legs that are not to be.
func (b *Broker) unmake(legs []txnSend, fx *Effects) {
	for i := range legs {
		if legs[i].bridged && legs[i].queue != nil {
			b.dropIdle(legs[i].queue, fx)
		}
	}
}

// across publishes one message to where it was sent and over bridges: to all or to
// none, as one record, or as sends of one transaction.
func (b *Broker) across(now time.Time, p *producer, q *queue, tp *topic, all []*outlet, s Send, m message.Envelope, fx *Effects) {
	legs, refused := b.legs(now, p, q, tp, all, m)
	defer clear(legs)
	if refused == nil {
		if s.Txn != 0 {
			refused = b.publishIn(now, p, legs, s, fx)
		} else {
			refused = b.acrossNow(now, p, legs, s, fx)
		}
	}
	if refused != nil {
		b.unmake(legs, fx)
		b.refuse(p, s, m.Durable, refused, refused.Kind != UnknownTransaction, fx)
	}
}

func (b *Broker) acrossNow(now time.Time, p *producer, legs []txnSend, s Send, fx *Effects) *Error {
	m := &legs[0].m
	source := b.policyFor(legs[0].queue, legs[0].topic)
	c := &b.committing
	places := 0
	if m.Durable {
		places = len(legs)
	}
	c.begin(source.FlowControl != 0, places)
	defer c.end()
	for i := range legs {
		legs[i].id, legs[i].stored = b.nextStored, m.Durable
		if refused := c.take(b, now, legs[i], fx); refused != nil {
			c.forget(b, fx)
			return bridging(refused, &legs[i])
		}
	}
	for i := range legs {
		leg := &legs[i]
		b.traceIn(b.policyFor(leg.queue, leg.topic), p.conn, leg.queue, leg.topic, &leg.m, fx)
	}
	out := Out{Kind: OutSettled, Conn: p.conn.id, Producer: p.id, Tag: s.Tag}
	out.After, out.Need = c.spread(b, m.Content, s, fx)
	c.expire(b, fx)
	c.trim(b, fx)
	b.unmake(legs, fx) // of those whose leg was expired
	out.behind(&s)
	for i, targets := range c.landed {
		if pol := b.policyFor(legs[i].queue, legs[i].topic); pol.FlowControl != 0 && b.slow(p, pol, targets, &out, b.unawaited(p, &s, m), fx) {
			return nil
		}
	}
	if !s.Settled {
		fx.Outs = append(fx.Outs, out)
	}
	return nil
}

// bridging says that it was a bridge that could not take a message.
func bridging(err *Error, leg *txnSend) *Error {
	if leg.bridged {
		e := *err
		e.Op = "bridge to"
		return &e
	}
	return err
}

// spread places one message where all legs want it, and says which record covers it.
func (c *committing) spread(b *Broker, content message.Content, s Send, fx *Effects) (at Pos, need Need) {
	if len(c.r.More) > 0 {
		places := c.r.More
		for i := range places {
			b.record(b.byID[places[i].Queue], fx)
		}
		r := Record{Kind: RecMessage, Need: c.r.Need, ID: places[0].ID, Content: content, Place: places[0], More: places[1:]}
		at, need = b.emit(r, fx), c.r.Need
	} else if len(c.held) > 0 { // nobody stores it
		id := b.holdContent(content, fx)
		for i := range c.held {
			c.held[i].p.ID = id
		}
		for i := range c.delays {
			c.delays[i].id = id
		}
		at, need = s.After, s.Need
	}
	c.place(b, at, need)
	if len(c.r.More) == 0 {
		return 0, Ride
	}
	return at, need
}

// addressed gives what a place in q is to remember of where its message went by a
// bridge: nil where the queue says it.
func (q *queue) addressed(s *txnSend) *Destination {
	if q.sub == nil || q.dest.Name == s.topic.name {
		return nil
	}
	return &Destination{Kind: Topic, Name: s.topic.name}
}

// addressee is where the message of an entry that came by a bridge went.
func (r *ring) addressee(seq uint64) *Destination {
	if to := r.wentTo(seq); to != nil {
		return to
	}
	if q := r.queue; q.holds.Kind != 0 {
		return &q.holds
	}
	return &r.queue.dest
}

// moved gives what a place in q remembers of where the message went that leaves the
// entry at seq.
func (r *ring) moved(seq uint64, q *queue) *Destination {
	if to := r.addressee(seq); q.dest.Kind != to.Kind || q.dest.Name != to.Name {
		return to
	}
	return nil
}
