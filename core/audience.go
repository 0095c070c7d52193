package core

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/selector"
)

// audience is the subscriptions of one topic pattern. Those whose selector says
// `property = value` stand under the value, so that a message asks only those
// that may want it: of ten thousand with `id = 'n'`, one. All lists are in order
// of creation.
type audience struct {
	pattern    string
	rest       []*queue    // no selector, or one that says no such thing
	properties []*compared // in order of their first use
	byName     map[string]*compared
}

// compared is a property that selectors compare: a message's is read once.
type compared struct {
	name   string
	queues map[wanted][]*queue
}

// wanted is a value that selectors ask for. Two values that a selector may call
// equal are one: numbers go by their double, as 1 = 1.0. The zero one is of no
// selector.
type wanted struct {
	kind message.ValueKind
	bits uint64
	text string
}

func wantedValue(v message.Value) wanted {
	switch v.Kind {
	case message.String:
		return wanted{kind: message.String, text: v.Str}
	case message.Int:
		return wantedNumber(float64(v.I))
	case message.Double:
		return wantedNumber(v.F)
	case message.Bool:
		if v.B {
			return wanted{kind: message.Bool, bits: 1}
		}
		return wanted{kind: message.Bool}
	case message.Null, message.Other:
	}
	return wanted{}
}

func wantedNumber(f float64) wanted {
	if f == 0 {
		f = 0 // -0.0 equals 0.0
	}
	return wanted{kind: message.Double, bits: math.Float64bits(f)}
}

// listens is where a subscription stands in its audience: a nil property is
// among the rest. Exactly says that the value is all that the selector asks for,
// and the index's equal is the selector's.
type listens struct {
	property *compared
	value    wanted
	exactly  bool
}

// listen adds a subscription's queue to those that messages are routed to.
func (b *Broker) listen(q *queue) {
	a := b.audiences[q.dest.Name]
	if a == nil {
		a = &audience{pattern: q.dest.Name}
		b.audiences[a.pattern] = a
		b.routes.Insert(a.pattern, a)
	}
	q.sub.wild = name.IsWildcard(q.dest.Name)
	l := a.place(q.sub.selector)
	q.sub.listens = l
	b.guard(q)
	if l.property == nil {
		a.rest = insertByAge(a.rest, q)
	} else {
		l.property.queues[l.value] = insertByAge(l.property.queues[l.value], q)
	}
}

// place chooses among what a selector demands what the fewest others demand.
func (a *audience) place(s *selector.Selector) (l listens) {
	if s == nil {
		return l
	}
	fewest, name := 0, ""
	equalities, whole := s.Equalities()
	for _, e := range equalities {
		p, v := a.byName[e.Property], wantedValue(e.Value)
		n := 0
		if p != nil {
			n = len(p.queues[v])
		}
		if name == "" || n < fewest {
			exactly := whole && len(equalities) == 1 && v.kind != message.Double
			fewest, name, l = n, e.Property, listens{p, v, exactly}
		}
	}
	if name == "" || l.property != nil {
		return l
	}
	l.property = &compared{name: name, queues: map[wanted][]*queue{}}
	if a.byName == nil {
		a.byName = map[string]*compared{}
	}
	a.byName[name] = l.property
	a.properties = append(a.properties, l.property)
	return l
}

// unlisten takes it away again.
func (b *Broker) unlisten(q *queue) {
	a := b.audiences[q.dest.Name]
	if p, v := q.sub.listens.property, q.sub.listens.value; p == nil {
		a.rest = removeByAge(a.rest, q)
	} else {
		p.queues[v] = removeByAge(p.queues[v], q)
		if len(p.queues[v]) == 0 {
			delete(p.queues, v)
		}
		if len(p.queues) == 0 {
			delete(a.byName, p.name)
			a.properties = without(a.properties, p)
		}
	}
	if len(a.rest) == 0 && len(a.properties) == 0 {
		delete(b.audiences, a.pattern)
		b.routes.Remove(a.pattern, a)
	}
}

func byAge(q *queue, id QueueID) int { return cmp.Compare(q.id, id) }

func insertByAge(s []*queue, q *queue) []*queue {
	i, _ := slices.BinarySearchFunc(s, q.id, byAge)
	return slices.Insert(s, i, q)
}

func removeByAge(s []*queue, q *queue) []*queue {
	i, ok := slices.BinarySearchFunc(s, q.id, byAge)
	if !ok {
		return s
	}
	return slices.Delete(s, i, i+1)
}

// hear appends the queues of an audience that get a message, in order of
// creation.
func (b *Broker) hear(a *audience, from *conn, m *message.Envelope) {
	first, lists := len(b.targets), 0
	for _, q := range a.rest {
		b.offer(q, from, m)
	}
	if len(b.targets) > first {
		lists++
	}
	for _, prop := range a.properties {
		v, ok := m.Content.Property(prop.name)
		if !ok {
			continue // unknown is not equal
		}
		before := len(b.targets)
		for _, q := range prop.queues[wantedValue(v)] {
			b.offer(q, from, m)
		}
		if len(b.targets) > before {
			lists++
		}
	}
	if lists > 1 {
		slices.SortFunc(b.targets[first:], func(x, y *queue) int { return cmp.Compare(x.id, y.id) })
	}
}

// offer makes a subscription's queue a target if it wants the message.
func (b *Broker) offer(q *queue, from *conn, m *message.Envelope) {
	if q.asks && (q.sub.barred || !q.sub.wants(from, m) || q.sub.roams && !b.mayHear(q.sub, b.topicNow)) {
		return
	}
	b.targets = append(b.targets, q)
	if b.detailed.Consumers && q.sub.wild {
		b.detail(&q.sub.details, Destination{Kind: Topic, Name: b.topicNow.name}, m.Content.Size())
	}
}

func (s *subscription) wants(from *conn, m *message.Envelope) bool {
	if s.broken != nil {
		return false
	}
	if s.noLocal && (from == s.conn || (s.clientID != "" && s.clientID == from.clientID)) {
		return false
	}
	return s.selector == nil || s.listens.exactly || s.selector.Match(m.Content)
}
