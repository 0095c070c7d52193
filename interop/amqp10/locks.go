package amqp10

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

const (
	lockedAnnotation = "x-opt-locked-until"
	sessionFilter    = "com.microsoft:session-filter"
	lockedProperty   = "com.microsoft:locked-until-utc"
	timeoutProperty  = "com.microsoft:timeout"
	// sessionFilterCode is the filter's descriptor.
	sessionFilterCode = uint64(0x000000137000000C)
	// sessionWait is how long Service Bus looks for an entity's session with messages.
	sessionWait = 30 * time.Second
	// sessionIdle: an entity's session in which nothing came for so long gives way to
	// another.
	sessionIdle = 3 * time.Second
	// maxRenewed is how many locks one request renews.
	maxRenewed = 100
	// ticksAtEpoch is 1970 as .NET counts time: 100 ns since the year 1.
	ticksAtEpoch = 621355968000000000
)

// delivered names a message that came, as its Tag does.
type delivered struct{ number, id uint32 }

// lock is our right to a message, which ends.
type lock struct {
	token  wire.UUID
	entity string
	from   time.Time
	until  time.Time
}

// due is when a lock is to be renewed: at half of its time.
func (l *lock) due() time.Time { return l.from.Add(l.until.Sub(l.from) / 2) }

// lockToken reads a delivery-tag, which is the lock's token with the bytes of its first
// three numbers turned round, as .NET has them.
func (s *session) lockToken(tag []byte) (u wire.UUID) {
	if s.azure == nil || len(tag) != len(u) {
		return u
	}
	copy(u[:], tag)
	u[0], u[1], u[2], u[3] = u[3], u[2], u[1], u[0]
	u[4], u[5] = u[5], u[4]
	u[6], u[7] = u[7], u[6]
	return u
}

// arrived notes a message's lock.
func (z *azure) arrived(a *arrival, m *message.Message) {
	v, ok := m.Annotation(lockedAnnotation)
	until, isTime := v.(wire.Timestamp)
	if !ok || !isTime || a.settled || a.tag == (wire.UUID{}) {
		return
	}
	z.mu.Lock()
	z.locks[delivered{a.number, a.id}] = lock{a.tag, z.source(a.to), time.Now(), time.UnixMilli(int64(until))}
	first := len(z.locks) == 1
	z.mu.Unlock()
	if first {
		notify(z.s.tasks)
	}
}

// settled forgets locks.
func (z *azure) settled(number, from uint32, n int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for i := range n {
		delete(z.locks, delivered{number, from + uint32(i)})
	}
}

// tendLocks renews the locks of messages that are not settled yet.
func (z *azure) tendLocks(now time.Time) time.Duration {
	next := idleTend
	due := map[string][]delivered{}
	z.mu.Lock()
	for d, l := range z.locks { // order: irrelevant
		if left := l.due().Sub(now); left > 0 {
			next = min(next, left)
		} else if len(due[l.entity]) < maxRenewed {
			due[l.entity] = append(due[l.entity], d)
		} else {
			next = 0
		}
	}
	z.mu.Unlock()
	for entity, all := range due { // order: irrelevant
		if err := z.renew(entity, all, now); err == nil {
			next = 0 // when theirs are due again is to be looked up
		} else {
			next = min(next, time.Second)
			z.s.sink.Note(fmt.Sprintf("locks of messages of %s are not renewed: %v", entity, err))
		}
	}
	return next
}

// renew renews locks of one entity. One that is lost is forgotten: the message comes
// again, and our answer to it has no effect.
func (z *azure) renew(entity string, all []delivered, now time.Time) error {
	tokens := wire.Array{}
	z.mu.Lock()
	for _, d := range all {
		tokens.Values = append(tokens.Values, z.locks[d].token)
	}
	z.mu.Unlock()
	body, err := z.manage(entity, "com.microsoft:renew-lock", wire.Map{{Key: "lock-tokens", Value: tokens}})
	var refused *errNode
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	times, _ := lookup(body, "expirations").(wire.Array)
	z.mu.Lock()
	defer z.mu.Unlock()
	for i, d := range all {
		l, ok := z.locks[d]
		if !ok {
			continue
		}
		if err != nil || i >= len(times.Values) {
			delete(z.locks, d)
			continue
		}
		if until, ok := times.Values[i].(wire.Timestamp); ok {
			l.from, l.until = now, time.UnixMilli(int64(until))
			z.locks[d] = l
		}
	}
	return err
}

func lookup(body any, key string) any {
	m, _ := body.(wire.Map)
	for _, e := range m {
		if k, _ := wire.Text(e.Key); k == key {
			return e.Value
		}
	}
	return nil
}

// manage asks an entity's management node.
func (z *azure) manage(entity, operation string, body wire.Map) (any, error) {
	ctx, cancel := context.WithTimeout(z.s.ctx, requestTime)
	defer cancel()
	var n *node
	err := z.s.conn.Do(func() {
		if n = z.managers[entity]; n != nil && n.err == nil {
			return
		}
		if len(z.managers) >= maxNodes {
			for e, old := range z.managers { // order: irrelevant
				old.close()
				delete(z.managers, e)
			}
		}
		n = z.s.openNode(entity + manageNode)
		z.managers[entity] = n
	})
	if err != nil {
		return nil, err
	}
	return n.call(ctx, wire.Map{{Key: "operation", Value: operation}, {Key: "com.microsoft:server-timeout", Value: uint32(requestTime.Milliseconds())}}, body)
}

// group is an entity's session that a receiver has.
type group struct {
	id    string
	from  time.Time
	until time.Time
	heard time.Time // when a message came last
}

// shape asks for a session of an entity that needs them: the next that has messages.
func (z *azure) shape(r *receiver, link *frame.Attach) {
	if !r.grouped {
		return
	}
	link.Source.Filter = wire.Map{{Key: wire.Symbol(sessionFilter), Value: wire.Described{Descriptor: sessionFilterCode}}}
	link.Properties = wire.Map{{Key: wire.Symbol(timeoutProperty), Value: uint32(sessionWait.Milliseconds())}}
}

// attached notes the session that a receiver got.
func (z *azure) attached(r *receiver, a *frame.Attach) {
	if !r.grouped {
		return
	}
	now := time.Now()
	r.group = group{from: now, until: now.Add(time.Minute), heard: now}
	for _, e := range a.Source.Filter {
		if k, _ := wire.Text(e.Key); k != sessionFilter {
			continue
		}
		v := e.Value
		if d, ok := v.(wire.Described); ok {
			v = d.Value
		}
		r.group.id, _ = wire.Text(v)
	}
	for _, e := range a.Properties {
		if k, _ := wire.Text(e.Key); k == lockedProperty {
			if ticks, ok := wire.Integer(e.Value); ok {
				r.group.until = time.Unix(0, (ticks-ticksAtEpoch)*100)
			}
		}
	}
	notify(z.s.tasks)
}

// tendSessions renews the locks of entities' sessions, and gives those up in which
// nothing comes any more.
func (z *azure) tendSessions(now time.Time) time.Duration {
	type held struct {
		r      *receiver
		entity string
		group  group
	}
	next := idleTend
	var due []held
	_ = z.s.conn.Do(func() { // if it has ended nothing is due
		for _, r := range z.s.imports { // order: irrelevant
			if !r.grouped || !r.attached {
				continue
			}
			half := r.group.from.Add(r.group.until.Sub(r.group.from) / 2)
			switch idle := now.Sub(r.group.heard); {
			case r.unsettled == 0 && idle >= z.sessionIdle:
				r.link.Detach(true, nil)
				r.gone()
				r.attach()
			case !half.After(now):
				due = append(due, held{r, z.source(r.to), r.group})
			default:
				next = min(next, half.Sub(now), max(z.sessionIdle-idle, time.Second/10))
			}
		}
	})
	for _, h := range due {
		next = 0
		body, err := z.manage(h.entity, "com.microsoft:renew-session-lock", wire.Map{{Key: "session-id", Value: h.group.id}})
		until, ok := lookup(body, "expiration").(wire.Timestamp)
		if err != nil || !ok {
			z.s.sink.Note(fmt.Sprintf("the lock of a session of %s is not renewed: %v", h.entity, err))
			until = wire.Timestamp(now.Add(2 * time.Second).UnixMilli()) // and again in a second
		}
		_ = z.s.conn.Do(func() { // the same
			if h.r.group.id == h.group.id {
				h.r.group.from, h.r.group.until = now, time.UnixMilli(int64(until))
			}
		})
	}
	return next
}
