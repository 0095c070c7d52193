package core

import (
	"errors"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core/name"
)

// Permission is one right on a destination (ems 6.3).
type Permission uint8

// The permissions. To send to a topic is to publish; one who may create, change
// and delete durable subscriptions may use them as well. The last five are an
// administrator's.
const (
	MaySend Permission = iota + 1
	MayReceive
	MayBrowse
	MaySubscribe
	MayDurable
	MayUseDurable
	MayView
	MayCreate
	MayModify
	MayDelete
	MayPurge
)

var permissionNames = [...]string{
	MaySend: "send", MayReceive: "receive", MayBrowse: "browse", MaySubscribe: "subscribe", MayDurable: "durable", MayUseDurable: "use_durable",
	MayView: "view", MayCreate: "create", MayModify: "modify", MayDelete: "delete", MayPurge: "purge",
}

func (p Permission) String() string {
	if int(p) < len(permissionNames) && permissionNames[p] != "" {
		return permissionNames[p]
	}
	return "use"
}

// Authority says whether user has permission p on d, which its definitions make
// secure or not: where they do not, EMS lets everybody use it (ems 6.4). It is
// asked within steps, so it must be quick, and its answers must not change but by
// Broker.Authorize. It gets names of wildcard subscriptions, which are secure
// where anything that they match may be, and temporary destinations, too.
type Authority func(user string, p Permission, d Destination, secure bool) bool

// Check says which non-persistent sends outside of transactions are confirmed
// truthfully (ems npsend_check_mode, 7.2). The others are always said to be
// accepted, and are dropped and counted where they cannot be.
type Check uint8

// The modes. CheckDefault is the broker's, and a broker's that was given none is
// CheckAlways (docs/decisions/0044-npsend-check-mode.md).
const (
	CheckDefault  Check = iota
	CheckAlways         // all
	CheckNever          // none
	CheckTempDest       // those to temporary destinations
	CheckAuth           // all while authorization is on
	CheckTempAuth       // either
)

// ParseCheck reads a mode as ems writes it; its default is CheckAuth.
func ParseCheck(text string) (c Check, ok bool) {
	switch text {
	case "always":
		return CheckAlways, true
	case "never":
		return CheckNever, true
	case "temp_dest":
		return CheckTempDest, true
	case "default", "auth":
		return CheckAuth, true
	case "temp_auth":
		return CheckTempAuth, true
	}
	return CheckDefault, false
}

// Drops counts messages that were dropped although their senders were told
// nothing, or that they were accepted, by the reason.
type Drops struct {
	Denied uint64 `json:"denied"` // no permission
	Full   uint64 `json:"full"`   // a limit
	Gone   uint64 `json:"gone"`   // the temporary destination is not there any more
}

// Drops gives the counts since the start.
func (b *Broker) Drops() Drops { return b.drops }

// Authorize sets who may do what from now on; nil: everybody everything.
// Authorization says whether users log in, for Check. Consumers that lost their
// right stay and get nothing until they have it again; sends are refused.
func (b *Broker) Authorize(now time.Time, authorization bool, a Authority, fx *Effects) {
	b.o.Authorization, b.o.Authority = authorization, a
	b.rightsChanged()
	b.dispatchTouched(now, fx)
	b.consumers.each(func(k *consumer) { b.answerDrain(k, fx) })
}

// rightsChanged asks anew for all that was permitted or not before.
func (b *Broker) rightsChanged() {
	b.rights++
	for _, q := range b.all {
		if q.sub != nil {
			b.guard(q)
		}
	}
	b.consumers.each(b.bar)
}

// bar looks anew at a consumer's right.
func (b *Broker) bar(k *consumer) {
	if k.suspended || k.barred != b.mayConsume(k) {
		return
	}
	if k.barred = !k.barred; k.barred {
		b.abdicate(k.queue, k)
	} else {
		b.elect(k.queue)
	}
	b.wake(k)
	b.touch(k.queue)
}

// Reauthenticate makes a connection that of another user, with the rights of that
// one.
func (b *Broker) Reauthenticate(now time.Time, id ConnID, user string, fx *Effects) {
	c := b.conns.get(uint64(id))
	if c == nil {
		return
	}
	c.user, c.stranger = user, false
	b.rights++
	for _, id := range sortedKeys(c.consumers) {
		k := c.consumers[id]
		if k.queue.sub != nil {
			b.guard(k.queue)
		}
		b.bar(k)
	}
	b.dispatchTouched(now, fx)
	for _, id := range sortedKeys(c.consumers) {
		b.answerDrain(c.consumers[id], fx)
	}
}

// May says whether a connection's user has a permission. Errors: Denied.
func (b *Broker) May(id ConnID, op string, p Permission, d Destination) error {
	c := b.conns.get(uint64(id))
	if c == nil {
		return &Error{Op: op, Kind: Unavailable, Name: d.Name}
	}
	if err := b.denied(c, op, p, d); err != nil {
		return err
	}
	return nil
}

// denied is May for those who have the connection; nil: permitted.
func (b *Broker) denied(c *conn, op string, p Permission, d Destination) *Error {
	if b.o.Authorization && c.stranger {
		return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("user " + c.user + " connected while authorization was off, without a password that fits: connect anew")}
	}
	if b.o.Authority == nil || c.own {
		return nil
	}
	if h := heldFor(d); h.Kind != 0 {
		d = h // a holding queue has its destination's permissions (ems 7.8)
	}
	d.Temporary = strings.HasPrefix(d.Name, TemporaryPrefix)
	secure := p < MayView && b.secure(d)
	if b.o.Authority(c.user, p, d, secure) || p == MayUseDurable && b.o.Authority(c.user, MayDurable, d, secure) {
		return nil
	}
	return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("user " + c.user + " has no permission to " + p.String())}
}

// secure says whether definitions have the permissions of a destination checked.
// A wildcard's are as soon as it matches something whose are: what is stored for a
// durable subscription is not looked at message by message
// (docs/decisions/0075-rights-on-wildcards.md).
func (b *Broker) secure(d Destination) bool {
	tree := b.defined.tree(d.Kind)
	if name.IsWildcard(d.Name) {
		return tree.Secured(d.Name)
	}
	if d.Kind == Topic {
		if t := b.topics[d.Name]; t != nil {
			return b.topicPolicy(t).Secure
		}
	} else if q := b.queues[d.Name]; q != nil {
		return b.policy(q).Secure
	}
	return tree.Policy(d.Name).Secure
}

// maySend is asked for every message: a producer remembers the answer for the
// destination that it last sent to, until rights change.
func (b *Broker) maySend(p *producer, d Destination) *Error {
	if b.o.Authority == nil && !b.o.Authorization {
		return nil
	}
	if p.rights != b.rights || p.asked != d {
		p.rights, p.asked = b.rights, d
		p.denied = b.denied(p.conn, "send to", MaySend, d)
	}
	return p.denied
}

// mayConsume says whether a consumer that is there still has its right. A
// wildcard's is asked for each topic (mayHear), unless it is shared or durable.
func (b *Broker) mayConsume(k *consumer) bool {
	need, d := MayReceive, k.queue.dest
	switch s := k.queue.sub; {
	case s == nil && k.browse:
		need = MayBrowse
	case s == nil:
	case s.durable:
		need = MayUseDurable
	case !s.shared && name.IsWildcard(d.Name):
		return true
	default:
		need = MaySubscribe
	}
	return b.denied(k.conn, "receive from", need, d) == nil
}

// guard works out whether a subscription's right must be looked at for each
// message: what an unshared one that is not durable may not have is not kept for
// it.
func (b *Broker) guard(q *queue) {
	s := q.sub
	s.barred, s.roams = false, false
	if (b.o.Authority != nil || b.o.Authorization) && !s.durable && !s.shared && s.conn != nil {
		if s.roams = name.IsWildcard(q.dest.Name); !s.roams {
			s.barred = b.denied(s.conn, "receive from", MaySubscribe, q.dest) != nil
		}
	}
	q.asks = s.barred || s.roams || s.broken != nil || s.noLocal || s.selector != nil && !s.listens.exactly
}

// mayHear says whether a wildcard subscription may have what is sent to a topic
// (ems 6.4).
func (b *Broker) mayHear(s *subscription, tp *topic) bool {
	if b.o.Authorization && s.conn.stranger {
		return false
	}
	d := Destination{Kind: Topic, Name: tp.name}
	return b.o.Authority == nil || b.o.Authority(s.conn.user, MaySubscribe, d, b.topicPolicy(tp).Secure)
}

// checked says whether the sender of a non-persistent message to n learns what
// became of it.
func (b *Broker) checked(c Check, n string) bool {
	if c == CheckDefault {
		c = b.o.SendCheck
	}
	switch c {
	case CheckDefault, CheckAlways:
	case CheckNever:
		return false
	case CheckTempDest:
		return strings.HasPrefix(n, TemporaryPrefix)
	case CheckTempAuth:
		return b.o.Authorization || strings.HasPrefix(n, TemporaryPrefix)
	case CheckAuth:
		return b.o.Authorization
	}
	return true
}

// Dropped drops a message that an edge found impossible to send, if its sender
// is not to learn of it (ems 7.1, 7.2): it is neither persistent nor in a
// transaction, it was sent settled or is not checked, and what stands in its way
// is a permission, a limit, or that its temporary destination is gone. What an
// address means is always told.
func (b *Broker) Dropped(id ProducerID, s Send, durable bool, err *Error, fx *Effects) bool {
	p := b.producers.get(uint64(id))
	return p != nil && b.dropped(p, s, durable, err, fx)
}

func (b *Broker) dropped(p *producer, s Send, durable bool, err *Error, fx *Effects) bool {
	gone := (err.Kind == NotFound || err.Kind == Deleted) && strings.HasPrefix(err.Name, TemporaryPrefix)
	switch {
	case durable || s.Txn != 0 || !s.Settled && b.checked(s.Check, err.Name):
		return false
	case err.Kind == Denied:
		b.drops.Denied++
	case err.Kind == Limit:
		b.drops.Full++
	case gone:
		b.drops.Gone++
	default:
		return false
	}
	fx.Events = append(fx.Events, Event{Kind: EventDropped, Name: err.Name, Err: err})
	if !s.Settled {
		fx.Outs = append(fx.Outs, Out{Kind: OutSettled, Conn: p.conn.id, Producer: p.id, Tag: s.Tag})
	}
	return true
}
