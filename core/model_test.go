package core

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/message"
)

// sent is a message as the model knows it.
type sent struct {
	label    string
	priority uint8
	durable  bool
	due      int64 // 0: it was never held back
}

// model is one queue as a list in the order of service, and who holds what.
type model struct {
	queued  []sent // available and taken, larger priorities first, then as sent
	delayed []sent // held back, as sent
	taken   map[DeliveryID]sent
	credit  map[ConsumerID]int
}

// send queues a message, or holds it back: also one that is late, as long as
// others wait.
func (m *model) send(s sent, now int64) {
	if s.due > now || s.due != 0 && len(m.delayed) > 0 {
		m.delayed = append(m.delayed, s)
		return
	}
	m.insert(s)
}

// tick queues what is due, by time, and of one time as sent.
func (m *model) tick(now int64) {
	slices.SortStableFunc(m.delayed, func(a, b sent) int { return cmp.Compare(a.due, b.due) })
	for len(m.delayed) > 0 && m.delayed[0].due <= now {
		m.insert(m.delayed[0])
		m.delayed = m.delayed[1:]
	}
}

func (m *model) insert(s sent) {
	i := 0
	for i < len(m.queued) && m.queued[i].priority >= s.priority {
		i++
	}
	m.queued = slices.Insert(m.queued, i, s)
}

func (m *model) remove(label string) {
	m.queued = slices.DeleteFunc(m.queued, func(s sent) bool { return s.label == label })
}

// next is the first message that nobody holds.
func (m *model) next() (sent, bool) {
	held := map[string]bool{}
	for _, s := range m.taken { // order: irrelevant
		held[s.label] = true
	}
	for _, s := range m.queued {
		if !held[s.label] {
			return s, true
		}
	}
	return sent{}, false
}

// deliver checks each delivery against the model: in order, within credit.
func (m *model) deliver(t *rapid.T, e *env, outs []Out) {
	for _, o := range outs {
		if o.Kind != OutDeliver {
			continue
		}
		want, ok := m.next()
		got := e.contents[o.Message].(*text).label
		if !ok || got != want.label {
			t.Fatalf("delivered %s, want %s", got, want.label)
		}
		if m.credit[o.Consumer]--; m.credit[o.Consumer] < 0 {
			t.Fatalf("%s delivered without credit", got)
		}
		m.taken[o.Delivery] = want
	}
	if s, ok := m.next(); ok {
		for k, n := range m.credit { // order: irrelevant
			if n > 0 {
				t.Fatalf("consumer %d has credit %d, but %s stays", k, n, s.label)
			}
		}
	}
}

// checkDelayed: what is held back stands in its queue, and the broker asks to be
// called when the first of it is due.
func (m *model) checkDelayed(t *rapid.T, e *env) {
	depth, first := 0, time.Time{}
	if h := e.b.queues[DelayedQueuePrefix+"q"]; h != nil {
		depth = h.depth
	}
	for _, s := range m.delayed {
		if at := time.UnixMilli(s.due); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if depth != len(m.delayed) || !e.b.Deadline().Equal(first) {
		t.Fatalf("%d held back until %v, the model has %d until %v", depth, e.b.Deadline(), len(m.delayed), first)
	}
}

func (m *model) forget(k ConsumerID, e *env) {
	delete(m.credit, k)
	for id := range m.taken { // order: irrelevant
		if e.b.deliveries.get(id) == nil {
			delete(m.taken, id)
		}
	}
}

// TestQueueIsAList: a queue with several consumers, under any operations, is an
// ordered list; its durable half is what the records say, at every step.
func TestQueueIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv()
		m := &model{taken: map[DeliveryID]sent{}, credit: map[ConsumerID]int{}}
		d := Destination{Kind: Queue, Name: "q"}
		var c ConnID
		var p ProducerID
		const timeOut = 30 * time.Millisecond
		connect := func() {
			e.b.o.Transactions.TimeOut = timeOut
			c, _ = e.b.Connect(e.now, ConnectOptions{Room: 1 << 40}, &e.fx)
			p, _, _ = e.b.OpenProducer(e.now, c, ProducerOptions{Destination: d}, &e.fx)
			// With a consumer from the start, or few steps would find anything taken.
			k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d}, &e.fx)
			if err != nil {
				t.Fatal(err)
			}
			m.credit[k] = 5
			m.deliver(t, e, e.step(func(fx *Effects) { e.b.Credit(e.now, k, 5, false, fx) }))
		}
		connect()
		n := 0
		pick := func() (DeliveryID, bool) {
			ids := sortedKeys(m.taken)
			if len(ids) == 0 {
				return 0, false
			}
			return rapid.SampledFrom(ids).Draw(t, "delivery"), true
		}
		consumer := func() (ConsumerID, bool) {
			ids := sortedKeys(m.credit)
			if len(ids) == 0 {
				return 0, false
			}
			return rapid.SampledFrom(ids).Draw(t, "consumer"), true
		}
		fresh := func(in TxnID) sent {
			n++
			s := sent{label: fmt.Sprint("m", n), priority: rapid.SampledFrom([]uint8{1, 4, 9}).Draw(t, "priority"), durable: in != 0 || rapid.Bool().Draw(t, "durable")}
			if rapid.Bool().Draw(t, "delayed") {
				s.due = e.now.UnixMilli() + rapid.Int64Range(-5, 60).Draw(t, "delay")
			}
			env := message.Envelope{Durable: s.durable, Priority: s.priority, Due: s.due, Content: &text{label: s.label, size: 10}}
			if in == 0 {
				m.send(s, e.now.UnixMilli())
			}
			outs := e.step(func(fx *Effects) { e.b.Publish(e.now, p, Send{Txn: in}, env, fx) })
			m.deliver(t, e, outs)
			return s
		}
		tick := func(t *rapid.T, due ...func()) {
			e.now = e.now.Add(time.Duration(rapid.Int64Range(0, 40).Draw(t, "tick")) * time.Millisecond)
			m.tick(e.now.UnixMilli())
			for _, do := range due {
				do()
			}
			m.deliver(t, e, e.step(func(fx *Effects) { e.b.Expire(e.now, fx) }))
		}
		t.Repeat(map[string]func(*rapid.T){
			"tick":    func(t *rapid.T) { tick(t) },
			"publish": func(*rapid.T) { fresh(0) },
			"open": func(t *rapid.T) {
				if len(m.credit) < 4 {
					k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d}, &e.fx)
					if err != nil {
						t.Fatal(err)
					}
					m.credit[k] = 0
				}
			},
			"credit": func(t *rapid.T) {
				if k, ok := consumer(); ok {
					m.credit[k] = rapid.IntRange(0, 5).Draw(t, "credit")
					drain := rapid.Bool().Draw(t, "drain")
					limit := e.b.consumers.get(uint64(k)).count + uint32(m.credit[k])
					outs := e.step(func(fx *Effects) { e.b.Credit(e.now, k, limit, drain, fx) })
					m.deliver(t, e, outs)
					if drain {
						if last := outs[len(outs)-1]; last.Kind != OutDrained || last.Limit != limit {
							t.Fatalf("the drain ends with %+v", last)
						}
						m.credit[k] = 0
					}
				}
			},
			"settle": func(t *rapid.T) {
				if id, ok := pick(); ok {
					kind := rapid.SampledFrom([]OutcomeKind{Accepted, Accepted, Rejected, Released, Modified}).Draw(t, "outcome")
					if kind == Accepted {
						m.remove(m.taken[id].label)
					}
					delete(m.taken, id)
					outs := e.step(func(fx *Effects) {
						e.b.Settle(e.now, id, 0, Outcome{Kind: kind, DeliveryFailed: true}, true, fx)
					})
					m.deliver(t, e, outs)
				}
			},
			"transaction": func(t *rapid.T) {
				in, _ := e.b.Begin(e.now, c, &e.fx)
				id, ok := pick()
				if ok {
					e.step(func(fx *Effects) { e.b.Settle(e.now, id, in, Outcome{Kind: Accepted}, false, fx) })
				}
				one, began, late := fresh(in), e.now, false
				tick(t, func() {
					if late = e.now.Sub(began) >= timeOut; late {
						delete(m.taken, id) // it is given back
					}
				})
				two := fresh(in)
				fail := rapid.Bool().Draw(t, "fail") || late
				if !fail {
					m.send(one, e.now.UnixMilli())
					m.send(two, e.now.UnixMilli())
				}
				if ok {
					if !fail {
						m.remove(m.taken[id].label)
					}
					delete(m.taken, id)
				}
				m.deliver(t, e, e.step(func(fx *Effects) { e.b.Discharge(e.now, c, in, fail, 1, fx) }))
			},
			"close": func(*rapid.T) {
				if k, ok := consumer(); ok {
					outs := e.step(func(fx *Effects) { e.b.CloseConsumer(e.now, k, fx) })
					m.forget(k, e)
					m.deliver(t, e, outs)
				}
			},
			"disconnect": func(*rapid.T) {
				e.step(func(fx *Effects) { e.b.Disconnect(e.now, c, fx) })
				clear(m.taken)
				clear(m.credit)
				connect()
			},
			"crash": func(t *rapid.T) {
				if err := e.crash(); err != nil {
					t.Fatal(err)
				}
				clear(m.taken)
				clear(m.credit)
				lost := func(s sent) bool { return !s.durable }
				m.queued, m.delayed = slices.DeleteFunc(m.queued, lost), slices.DeleteFunc(m.delayed, lost)
				tick(t) // a holding queue that lost all goes
				connect()
			},
			"": func(t *rapid.T) {
				if err := e.check(); err != nil {
					t.Fatal(err)
				}
				m.checkDelayed(t, e)
				if q := e.b.queues["q"]; q.depth != len(m.queued) || q.depth-q.available() != len(m.taken) {
					t.Fatalf("depth %d and %d available, the model has %d and holds %d", q.depth, q.available(), len(m.queued), len(m.taken))
				}
				if len(e.contents) != len(m.queued)+len(m.delayed) {
					t.Fatalf("%d contents for %d messages and %d delayed ones", len(e.contents), len(m.queued), len(m.delayed))
				}
			},
		})
	})
}

// stream is a producer and a consumer of one queue, for benchmarks.
type stream struct {
	b        *Broker
	now      time.Time
	fx       Effects
	conn     ConnID
	producer ProducerID
	consumer ConsumerID
	limit    uint32
	m        message.Envelope
}

func newStream(durable bool) *stream {
	s := &stream{b: NewBroker(Options{}), now: time.UnixMilli(1_000_000)}
	s.b.Recovered(0)
	d := Destination{Kind: Queue, Name: "q"}
	s.conn, _ = s.b.Connect(s.now, ConnectOptions{}, &s.fx)
	s.producer, _, _ = s.b.OpenProducer(s.now, s.conn, ProducerOptions{Destination: d}, &s.fx)
	s.consumer, _ = s.b.OpenConsumer(s.now, s.conn, ConsumerOptions{Destination: d}, &s.fx)
	s.m = message.Envelope{Durable: durable, Priority: 4, Content: &text{size: 100}}
	s.credit(1000)
	return s
}

func (s *stream) credit(n uint32) {
	s.limit += n
	s.b.Credit(s.now, s.consumer, s.limit, false, &s.fx)
}

// receive takes what is delivered to its end, and ends the step.
func (s *stream) receive() {
	for i := 0; i < len(s.fx.Outs); i++ {
		if id := s.fx.Outs[i].Delivery; id != 0 {
			s.b.Wrote(s.now, s.consumer, id, id, &s.fx)
			s.b.Settle(s.now, id, 0, Outcome{Kind: Accepted}, false, &s.fx)
		}
	}
	s.fx.Reset()
	s.b.Stable(s.b.Next()-1, s.b.Next()-1)
}

func (s *stream) empty(b *testing.B) {
	if q := s.b.queues["q"]; q.depth != 0 {
		b.Fatalf("depth %d", q.depth)
	}
}

// BenchmarkPublishDeliverSettle is one message through a queue and out: what a
// message costs the core lock.
func BenchmarkPublishDeliverSettle(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("durable=%v", durable), func(b *testing.B) {
			s := newStream(durable)
			b.ReportAllocs()
			for b.Loop() {
				s.credit(1)
				s.b.Publish(s.now, s.producer, Send{}, s.m, &s.fx)
				s.receive()
			}
			s.empty(b)
		})
	}
}

// BenchmarkPublishToByAnAnonymousProducer is the same with the queue named by each
// message, as JMS's simplified API does.
func BenchmarkPublishToByAnAnonymousProducer(b *testing.B) {
	s := newStream(false)
	p, _, _ := s.b.OpenProducer(s.now, s.conn, ProducerOptions{}, &s.fx)
	d := Destination{Kind: Queue, Name: "app.orders.new"}
	s.consumer, _ = s.b.OpenConsumer(s.now, s.conn, ConsumerOptions{Destination: d}, &s.fx)
	s.credit(1)
	b.ReportAllocs()
	for b.Loop() {
		s.credit(1)
		s.b.PublishTo(s.now, p, d, Send{}, s.m, &s.fx)
		s.receive()
	}
	if q := s.b.queues[d.Name]; q.depth != 0 {
		b.Fatalf("depth %d", q.depth)
	}
}
