package core

import (
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

// Trace is what an Event of the kind EventTraced tells of a message on its way (ems
// 2.3 trace, 7.6 JMS_TIBCO_MSG_TRACE).
type Trace struct {
	Step    TraceStep
	Kind    DestinationKind
	Body    bool            // the body as well
	Content message.Content // nil: Contents has it under Event.Message, if it is in memory
	User    string          // of the connection that sent or receives it
	Peer    string          // its client id
	Size    int64
	Count   uint32 // TraceSent: failed deliveries before
	Why     Reason // TraceUndelivered
}

// TraceStep is a step of a message's way.
type TraceStep uint8

// The steps. A message leaves by the last two.
const (
	TraceReceived TraceStep = iota + 1 // into a destination, from a producer
	TraceSent                          // to a consumer
	TraceAcknowledged
	TraceUndelivered
)

// level is what is traced of a message under a policy.
func level(p *property.Policy, flags uint8) property.TraceLevel {
	switch {
	case p.Trace == property.TraceBody || flags&PlaceTraceBody != 0:
		return property.TraceBody
	case p.Trace != property.TraceOff || flags&PlaceTrace != 0:
		return property.TraceIDs
	}
	return property.TraceOff
}

// traceIn tells of a message that came, if its destination or itself is traced.
func (b *Broker) traceIn(pol *property.Policy, from *conn, q *queue, tp *topic, m *message.Envelope, fx *Effects) {
	if pol.Trace == property.TraceOff && m.Marks&(message.Trace|message.TraceBody) == 0 {
		return
	}
	t := &Trace{
		Step: TraceReceived, Kind: Topic, Body: level(pol, flagsOf(m)) == property.TraceBody, Content: m.Content, Size: m.Content.Size(),
		User: from.user, Peer: from.clientID,
	}
	e := Event{Kind: EventTraced, Trace: t}
	if q != nil {
		e.Name, t.Kind = q.dest.Name, Queue
	} else {
		e.Name = tp.name
	}
	fx.Events = append(fx.Events, e)
}

// traceOut tells of an entry's next step, to or from consumer k if there is one.
func (b *Broker) traceOut(step TraceStep, k *consumer, r *ring, e *entry, why Reason, fx *Effects) {
	q := r.queue
	if e == nil || !q.traces && e.flags&entryTraced == 0 {
		return
	}
	t := &Trace{Step: step, Kind: q.dest.Kind, Body: step == TraceSent && level(b.policy(q), placeFlags(e.flags)) == property.TraceBody, Size: int64(e.size), Why: why}
	if k != nil {
		t.User, t.Peer = k.conn.user, k.conn.clientID
	}
	fx.Events = append(fx.Events, Event{Kind: EventTraced, Name: q.dest.Name, Message: e.id, Trace: t})
}
