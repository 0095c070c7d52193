package core

import "errors"

// Losses counts what a destination's limits, its expiration and its maxRedelivery did to
// messages, since it came into being or the server began (ems 2.3, 7.5). Of a topic they
// are those of the subscriptions on exactly its name that are there.
type Losses struct {
	Refused       uint64 `json:"refused"`       // sends and commits that found no room: what did not come in
	Discarded     uint64 `json:"discarded"`     // by overflowPolicy, and delayed ones that found no room when they were due
	Expired       uint64 `json:"expired"`       // before a consumer took them
	MaxRedelivery uint64 `json:"maxRedelivery"` // delivered too often
	Undelivered   uint64 `json:"undelivered"`   // of the three before: kept in UndeliveredQueue
}

// Lost is how many messages that had come in are gone without having been consumed.
func (l Losses) Lost() uint64 { return l.Discarded + l.Expired + l.MaxRedelivery - l.Undelivered }

func (l *Losses) add(o Losses) {
	l.Refused += o.Refused
	l.Discarded += o.Discarded
	l.Expired += o.Expired
	l.MaxRedelivery += o.MaxRedelivery
	l.Undelivered += o.Undelivered
}

// Losses gives those of all destinations, of what is no longer there as well.
func (b *Broker) Losses() Losses { return b.lost }

// lose counts what became of a message of a queue's; what one with a delivery delay
// meets is the queue's that it was sent to. What is counted is made at the first loss:
// most queues have none.
func (b *Broker) lose(q *queue, what Losses) {
	b.lost.add(what)
	if q.holds.Kind == Queue && b.queues[q.holds.Name] != nil {
		q = b.queues[q.holds.Name]
	}
	if q.lost == nil {
		q.lost = &Losses{}
	}
	q.lost.add(what)
}

func (q *queue) losses() Losses {
	if q.lost == nil {
		return Losses{}
	}
	return *q.lost
}

// discarded counts and tells of a message that a limit cost a queue.
func (b *Broker) discarded(q *queue, fx *Effects) {
	b.lose(q, Losses{Discarded: 1})
	fx.Events = append(fx.Events, Event{Kind: EventDiscarded, Name: q.dest.Name})
}

// fullError is why a queue or subscription takes no more.
type fullError struct {
	queue *queue
	text  string
}

func (e *fullError) Error() string { return e.text }

// refused counts a send, or a commit, that err keeps out.
func (b *Broker) refused(err *Error) {
	var full *fullError
	if errors.As(err.Err, &full) {
		b.lose(full.queue, Losses{Refused: 1})
	}
}
