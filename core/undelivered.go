package core

import "time"

// UndeliveredQueue takes what could not be delivered and whose sender asked for it to
// be kept (JMS_TIBCO_PRESERVE_UNDELIVERED, ems 7.5). Everything else is destroyed.
const UndeliveredQueue = "$sys.undelivered"

// Reason says why a message was not delivered. It stands in the journal.
type Reason uint8

// The reasons (ems 7.5).
const (
	ReasonNone Reason = iota
	ReasonExpired
	ReasonMaxRedelivery
	ReasonOverflow // it came out of its delivery delay into a destination that is full
)

func (r Reason) String() string {
	return [...]string{"", "expired", "maxRedelivery", "overflow"}[r&3]
}

// systemQueue gives a queue that always exists, made when it is first needed.
func (b *Broker) systemQueue(n string) *queue {
	if q := b.queues[n]; q != nil {
		return q
	}
	return b.addQueue(b.newQueueID(), Destination{Kind: Queue, Name: n})
}

// undeliver takes an available message out of its queue for good: to the queue of
// undelivered messages if it was asked for, as one record with the removal.
func (b *Broker) undeliver(r *ring, seq uint64, why Reason, fx *Effects) {
	e, q := r.at(seq), r.queue
	if e == nil {
		return
	}
	kind, lost := EventExpired, Losses{Expired: 1}
	switch why {
	case ReasonMaxRedelivery:
		kind, lost = EventMaxRedelivery, Losses{MaxRedelivery: 1}
	case ReasonOverflow:
		kind, lost = EventDiscarded, Losses{Discarded: 1}
	case ReasonNone:
		kind, lost = EventTransportRefused, Losses{}
	case ReasonExpired:
	}
	fx.Events = append(fx.Events, Event{Kind: kind, Name: q.dest.Name, Message: e.id})
	b.traceOut(TraceUndelivered, nil, r, e, why, fx)
	preserve := e.flags&entryPreserve != 0 && q.dest.Name != UndeliveredQueue
	if preserve {
		lost.Undelivered = 1
	}
	b.lose(q, lost)
	if !preserve {
		b.remove(r, seq, fx)
		return
	}
	to := b.systemQueue(UndeliveredQueue)
	p := Place{ID: e.id, Size: e.size, Priority: r.priority, Flags: placeFlags(e.flags) &^ (PlaceReason | PlaceExpiry)}
	p.Flags |= uint8(why) << placeReasonShift
	if p.Flags&PlaceBridged != 0 {
		p.To = r.moved(seq, to)
	}
	if e.flags&entryStored == 0 {
		b.hold(e.id)
		b.placeVolatile(to, &p)
		b.remove(r, seq, fx)
		b.release(e.id, fx)
		return
	}
	b.record(to, fx)
	p.Queue, p.Seq = to.id, to.ring(p.Priority).next
	b.policy(q)
	b.policy(to)
	need := max(q.need, to.need) // who gets it from there must not get it from where it was
	at := b.emit(Record{
		Kind: RecCommit, Need: need, More: []Place{p},
		Runs: []Run{{Queue: q.id, Priority: r.priority, First: seq, Count: 1}},
	}, fx)
	to.ring(p.Priority).placed(p.Seq, at, need, 0)
}

// Undeliver moves the message of a delivery to the queue of undelivered messages, whether
// or not its sender asked for it to be kept: a transport cannot send it, and says why in
// notes, which are its from then on.
func (b *Broker) Undeliver(now time.Time, id DeliveryID, notes []byte, fx *Effects) {
	d := b.deliveries.get(id)
	if d == nil || d.txn != nil || d.consumer.browse {
		return
	}
	r := d.ring
	if e := r.at(d.seq); e != nil && !r.queue.deleted {
		b.makeAvailable(r, d.seq)
		e.flags |= entryPreserve
		b.undeliver(r, d.seq, ReasonNone, fx)
		to := b.systemQueue(UndeliveredQueue).ring(r.priority)
		b.note(to, to.next-1, notes, fx)
	}
	d.consumer.detachDelivery(b, d)
	b.deliveries.free(d)
	b.dispatchTouched(now, fx)
}

// exhausted says whether a message that came back has used up its attempts (ems 2.3
// maxRedelivery: the first counts).
func (b *Broker) exhausted(r *ring, seq uint64) bool {
	limit := b.policy(r.queue).MaxRedelivery
	return limit > 0 && r.counts != nil && r.count(seq) >= uint32(limit)
}
