package core

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
)

// typed is a content with properties of any type, that counts how often it is
// asked for each.
type typed struct {
	text
	values map[string]message.Value
	asked  map[string]int
}

func (c *typed) Property(n string) (message.Value, bool) {
	if c.asked != nil {
		c.asked[n]++
	}
	v, ok := c.values[n]
	return v, ok
}

// scanned is what route must answer: every subscription is asked, in the order
// of the patterns' trie and of creation.
func scanned(b *Broker, from *conn, topic string, m message.Envelope) (targets []*queue) {
	var all name.Trie[*queue]
	for _, q := range b.all {
		if q.sub != nil {
			all.Insert(q.dest.Name, q)
		}
	}
	all.Match(topic, func(q *queue) {
		s := q.sub
		local := s.noLocal && (from == s.conn || (s.clientID != "" && s.clientID == from.clientID))
		if !local && (s.selector == nil || s.selector.Match(m.Content)) {
			targets = append(targets, q)
		}
	})
	return targets
}

var (
	indexedSelectors = []string{
		"", "", "a = 1", "a = 1.0", "a = 2", "1 = a", "a = 'x'", "a = TRUE", "a", "NOT a", "a = 0", "a = -0.0", "a <> 1", "a > 0", "a = 1 OR b = 1", "a = b",
		"b = 'x'", "b = 'y' AND a = 1", "a = 1 AND b = 'y'", "(a = 1) AND c IS NULL", "a IN ('x')", "b IN ('x', 'y')", "c = 1 AND c = 2", "a IS NULL",
		"a = 9007199254740993", "a = 9007199254740992.0", "a = 9007199254740992",
	}
	indexedValues = []message.Value{
		{Kind: message.Int, I: 1},
		{Kind: message.Int, I: 2},
		{Kind: message.Double, F: 1},
		{Kind: message.Int},
		{Kind: message.Double, F: 0},
		{Kind: message.String, Str: "x"},
		{Kind: message.String, Str: "y"},
		{Kind: message.Bool, B: true},
		{Kind: message.Bool},
		{Kind: message.Other},
		{},
		{Kind: message.Int, I: 1<<53 + 1},
		{Kind: message.Double, F: 1 << 53},
		{Kind: message.Int, I: 1 << 53},
	}
)

// TestRoutingByIndexIsRoutingByAskingAll: whoever subscribes, replaces,
// unsubscribes, leaves or comes back after a crash, a message's targets and
// their order are those of asking every subscription.
func TestRoutingByIndexIsRoutingByAskingAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := newEnv()
		var conns [2]ConnID
		var open []ConsumerID
		connect := func() {
			for i := range conns {
				conns[i], _ = e.b.Connect(e.now, ConnectOptions{ClientID: fmt.Sprint("c", i)}, &e.fx)
			}
			open = nil
		}
		connect()
		t.Repeat(map[string]func(*rapid.T){
			"subscribe": func(t *rapid.T) {
				o := ConsumerOptions{
					Destination: Destination{Kind: Topic, Name: rapid.SampledFrom([]string{"t.u", "t.*", "t.>", ">"}).Draw(t, "pattern")},
					Selector:    rapid.SampledFrom(indexedSelectors).Draw(t, "selector"), NoLocal: rapid.IntRange(0, 5).Draw(t, "local") == 0,
				}
				if n := rapid.IntRange(0, 5).Draw(t, "subscription"); n > 0 {
					o.Subscription = &SubscriptionOptions{Name: fmt.Sprint("s", n%3), Durable: n%2 == 0, Shared: n > 3, Global: n == 4}
				}
				conn := rapid.SampledFrom(conns[:]).Draw(t, "conn")
				e.step(func(fx *Effects) {
					if k, err := e.b.OpenConsumer(e.now, conn, o, fx); err == nil {
						open = append(open, k)
					}
				})
			},
			"close": func(t *rapid.T) {
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "consumer")
					e.step(func(fx *Effects) { e.b.CloseConsumer(e.now, open[i], fx) })
					open = slices.Delete(open, i, i+1)
				}
			},
			"unsubscribe": func(t *rapid.T) {
				client, n := rapid.IntRange(0, 1).Draw(t, "client"), rapid.IntRange(1, 2).Draw(t, "name")
				e.step(func(fx *Effects) {
					_ = e.b.Unsubscribe(e.now, fmt.Sprint("c", client), fmt.Sprint("s", n), n == 1, fx) // in use, or not there, is fine
				})
			},
			"crash": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					if err := e.crash(); err != nil {
						t.Fatal(err)
					}
					connect()
				}
			},
			"": func(t *rapid.T) {
				c := &typed{values: map[string]message.Value{}, asked: map[string]int{}}
				for _, n := range []string{"a", "b", "c"} {
					if rapid.IntRange(0, 3).Draw(t, "has "+n) > 0 {
						c.values[n] = rapid.SampledFrom(indexedValues).Draw(t, n)
					}
				}
				from := e.b.conns.get(uint64(conns[0]))
				m := message.Envelope{Content: c}
				to := rapid.SampledFrom([]string{"t.u", "t.v", "x"}).Draw(t, "topic")
				got := slices.Clone(e.b.route(from, nil, &topic{name: to}, m))
				if want := scanned(e.b, from, to, m); !slices.Equal(got, want) {
					t.Fatalf("to %s with %v: routed to %v, want %v", to, c.values, described(got), described(want))
				}
				subscriptions := 0
				for _, q := range e.b.all {
					if q.sub != nil {
						subscriptions++
					}
				}
				if n := indexSize(e.b); n != subscriptions || e.b.routes.Len() != len(e.b.audiences) {
					t.Fatalf("the index knows %d of %d subscriptions, and %d of %d patterns", n, subscriptions, e.b.routes.Len(), len(e.b.audiences))
				}
			},
		})
	})
}

func described(queues []*queue) (out []string) {
	for _, q := range queues {
		out = append(out, fmt.Sprintf("%d %s [%s]", q.id, q.dest.Name, q.sub.text))
	}
	return out
}

func indexSize(b *Broker) (n int) {
	for _, a := range b.audiences { // order: irrelevant
		n += len(a.rest)
		for _, p := range a.properties {
			for _, queues := range p.queues { // order: irrelevant
				n += len(queues)
			}
		}
	}
	return n
}

// crowd is a broker with n subscribers of one topic, each with a selector of its
// own, and a producer.
type crowd struct {
	b        *Broker
	now      time.Time
	fx       Effects
	producer ProducerID
}

func newCrowd(t testing.TB, n int, selector func(int) string) *crowd {
	c := &crowd{b: NewBroker(Options{}), now: time.UnixMilli(1_000_000)}
	c.b.Recovered(0)
	d := Destination{Kind: Topic, Name: "prices"}
	conn, _ := c.b.Connect(c.now, ConnectOptions{Room: 1 << 40}, &c.fx)
	c.producer, _, _ = c.b.OpenProducer(c.now, conn, ProducerOptions{Destination: d}, &c.fx)
	for i := range n {
		k, err := c.b.OpenConsumer(c.now, conn, ConsumerOptions{Destination: d, Selector: selector(i)}, &c.fx)
		if err != nil {
			t.Fatal(err)
		}
		c.b.Credit(c.now, k, math.MaxInt32, false, &c.fx)
	}
	c.end()
	return c
}

func (c *crowd) end() {
	c.fx.Reset()
	c.b.Stable(c.b.Next()-1, c.b.Next()-1)
}

// publish takes a message through to all who get it, and says how many did.
func (c *crowd) publish(m message.Envelope) (got int) {
	c.b.Publish(c.now, c.producer, Send{}, m, &c.fx)
	for i := 0; i < len(c.fx.Outs); i++ {
		if o := c.fx.Outs[i]; o.Kind == OutDeliver {
			c.b.Wrote(c.now, o.Consumer, o.Delivery, o.Delivery, &c.fx)
			c.b.Settle(c.now, o.Delivery, 0, Outcome{Kind: Accepted}, false, &c.fx)
			got++
		}
	}
	c.end()
	return got
}

func id(i int) string { return fmt.Sprintf("id = 'n%d'", i) }

// TestAMessageAsksOnlyThoseWhoMayWantIt (issue 5, acceptance 3): of ten thousand
// subscribers that each want another value, one is asked.
func TestAMessageAsksOnlyThoseWhoMayWantIt(t *testing.T) {
	for what, selector := range map[string]func(int) string{
		"one property":           id,
		"a common one beside it": func(i int) string { return "kind = 'price' AND " + id(i) },
		"more to be asked for":   func(i int) string { return id(i) + " AND amount > 10" },
		"some of them want numbers": func(i int) string {
			if i%2 == 0 {
				return id(i)
			}
			return fmt.Sprintf("id = %d", i)
		},
	} {
		const n = 10_000
		c := newCrowd(t, n, selector)
		m := &typed{text: text{size: 100}, asked: map[string]int{}, values: map[string]message.Value{
			"id": {Kind: message.String, Str: "n5000"}, "kind": {Kind: message.String, Str: "price"}, "amount": {Kind: message.Int, I: 11},
		}}
		if got := c.publish(message.Envelope{Content: m}); got != 1 {
			t.Errorf("%s: %d get the message, want 1", what, got)
		}
		asked := 0
		for _, times := range m.asked { // order: irrelevant
			asked += times
		}
		if asked > 6 { // each property for the index, and again by the selectors of at most two
			t.Errorf("%s: the message was asked for properties %d times: %v", what, asked, m.asked)
		}
		m.values["id"] = message.Value{Kind: message.String, Str: "nobody's"}
		if got := c.publish(message.Envelope{Content: m}); got != 0 {
			t.Errorf("%s: %d get a message that nobody wants", what, got)
		}
		delete(m.values, "id")
		if got := c.publish(message.Envelope{Content: m}); got != 0 {
			t.Errorf("%s: %d get a message without the property", what, got)
		}
	}
}

// TestRoutingToATopicAllocatesNothing: without selectors, and with one in ten
// thousand that matches.
func TestRoutingToATopicAllocatesNothing(t *testing.T) {
	for what, selector := range map[string]func(int) string{"no selector": func(int) string { return "" }, "equality": id} {
		c := newCrowd(t, 1000, selector)
		m := message.Envelope{Content: &typed{text: text{size: 100}, values: map[string]message.Value{"id": {Kind: message.String, Str: "n5"}}}}
		p := c.b.producers.get(uint64(c.producer))
		if n := testing.AllocsPerRun(100, func() { c.b.route(p.conn, nil, p.topic, m) }); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

// BenchmarkPublishToSelectors is acceptance 3 of issue 5: a publish with ten
// thousand distinct equality selectors costs at most three times one with one.
// What one to each in turn costs beyond that is the receivers' own queues coming
// from far memory: BenchmarkPublishToManyQueues is the same without selectors.
func BenchmarkPublishToSelectors(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint("subscribers=", n), func(b *testing.B) {
			c := newCrowd(b, n, id)
			values := make([]message.Value, n)
			for i := range values {
				values[i] = message.Value{Kind: message.String, Str: fmt.Sprint("n", i)}
			}
			properties := map[string]message.Value{}
			m := message.Envelope{Content: &typed{text: text{size: 100}, values: properties}}
			publish := func(i int) {
				properties["id"] = values[i]
				if c.publish(m) != 1 {
					b.Fatal("not one subscriber got it")
				}
			}
			b.Run("always to the same", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					publish(n / 2)
				}
			})
			b.Run("to each in turn", func(b *testing.B) { inTurn(b, n, publish) })
		})
	}
}

func inTurn(b *testing.B, n int, publish func(int)) {
	for i := range n { // a queue's first message makes its ring
		publish(i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		publish(i % n)
		i += 7919
	}
}

// BenchmarkPublishToManyQueues is a publish to each in turn of ten thousand
// queues, each with a producer and a consumer of its own.
func BenchmarkPublishToManyQueues(b *testing.B) {
	const n = 10_000
	c := newCrowd(b, 0, nil)
	conn, _ := c.b.Connect(c.now, ConnectOptions{Room: 1 << 40}, &c.fx)
	producers := make([]ProducerID, n)
	for i := range producers {
		d := Destination{Kind: Queue, Name: fmt.Sprint("q", i)}
		producers[i], _, _ = c.b.OpenProducer(c.now, conn, ProducerOptions{Destination: d}, &c.fx)
		k, _ := c.b.OpenConsumer(c.now, conn, ConsumerOptions{Destination: d}, &c.fx)
		c.b.Credit(c.now, k, math.MaxInt32, false, &c.fx)
	}
	m := message.Envelope{Content: &text{size: 100}}
	inTurn(b, n, func(i int) {
		c.producer = producers[i]
		if c.publish(m) != 1 {
			b.Fatal("not one consumer got it")
		}
	})
}

// BenchmarkPublishToATopic is a publish to subscribers without a selector.
func BenchmarkPublishToATopic(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint("subscribers=", n), func(b *testing.B) {
			c := newCrowd(b, n, func(int) string { return "" })
			m := message.Envelope{Content: &text{size: 100}}
			b.ReportAllocs()
			for b.Loop() {
				if c.publish(m) != n {
					b.Fatal("not all got it")
				}
			}
		})
	}
}
