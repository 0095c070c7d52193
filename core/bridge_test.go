package core

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

var (
	bridgeGraphs = flag.Int("bridge.graphs", 200, "random graphs of bridges that TestBridgesAgainstNaive tries")
	bridgeSeed   = flag.Uint64("bridge.seed", 1, "its first seed; each graph has the next")
)

// got is a message where it came out; to names the target if it came by a bridge.
type got struct {
	label string
	to    string
}

// graphMessage is a message as the naive model knows it.
type graphMessage struct {
	label   string
	durable bool
	x, y    int64
}

// condition is a selector, and what it says in Go.
type condition struct {
	text string
	says func(m graphMessage) bool
}

var conditions = []condition{
	{"", func(graphMessage) bool { return true }},
	{"x > 4", func(m graphMessage) bool { return m.x > 4 }},
	{"x = 3", func(m graphMessage) bool { return m.x == 3 }},
	{"y IS NULL", func(m graphMessage) bool { return m.y == 0 }},
	{"y = 1 OR x BETWEEN 2 AND 6", func(m graphMessage) bool { return m.y == 1 || m.x >= 2 && m.x <= 6 }},
	{"NOT (x >= 1 AND x <= 3)", func(m graphMessage) bool { return m.x < 1 || m.x > 3 }},
	{"y > 0 AND y + x < 5", func(m graphMessage) bool { return m.y > 0 && m.y+m.x < 5 }},
}

type graphBridge struct {
	source, target Destination
	when           condition
}

// graphEnd is a queue, or a subscription: what holds messages.
type graphEnd struct {
	durable bool // a queue, or a durable subscription
	topic   string
	when    condition
	max     int // 0: no limit
	has     []got
	kept    []bool // of has: a restart keeps it
}

type graphLeg struct {
	to      Destination
	bridged bool
	m       graphMessage
}

type graphTxn struct {
	legs   []graphLeg
	doomed bool
}

// graph is all that is said of a broker with bridges, naively: lists, looked through
// from one end to the other.
type graph struct {
	bridges   []graphBridge
	queues    map[string]*graphEnd
	subs      []*graphEnd
	forbidden map[Destination]bool
}

// hits is what `*` and `>` mean.
func hits(pattern, n string) bool {
	p, e := strings.Split(pattern, "."), strings.Split(n, ".")
	for i := range p {
		if p[i] == ">" {
			return len(e) > i
		}
		if i >= len(e) || p[i] != "*" && p[i] != e[i] {
			return false
		}
	}
	return len(p) == len(e)
}

// legs says where a message goes, and whether that is permitted.
func (g *graph) legs(to Destination, m graphMessage) (legs []graphLeg, permitted bool) {
	legs, permitted = []graphLeg{{to, false, m}}, true
	var targets []Destination
	for _, br := range g.bridges {
		if br.source.Kind == to.Kind && hits(br.source.Name, to.Name) && br.target != to && !slices.Contains(targets, br.target) {
			targets = append(targets, br.target)
		}
	}
	for _, target := range targets {
		for _, br := range g.bridges {
			if br.target == target && br.source.Kind == to.Kind && hits(br.source.Name, to.Name) && br.when.says(m) {
				legs = append(legs, graphLeg{target, true, m})
				permitted = permitted && !g.forbidden[target]
				break
			}
		}
	}
	return legs, permitted
}

func (g *graph) queue(n string) *graphEnd {
	q := g.queues[n]
	if q == nil {
		q = &graphEnd{durable: true}
		g.queues[n] = q
	}
	return q
}

// fit says whether all legs find room, each by itself or all together.
func (g *graph) fit(legs []graphLeg, together bool) bool {
	more := map[*graphEnd]int{}
	for _, l := range legs {
		if l.to.Kind == Queue {
			q := g.queue(l.to.Name)
			if more[q]++; !together {
				more[q] = 1
			}
			if q.max > 0 && len(q.has)+more[q] > q.max {
				return false
			}
		}
	}
	return true
}

// land delivers legs. Of one commit, what an end keeps comes before what it does not.
func (g *graph) land(legs []graphLeg) {
	for _, stored := range []bool{true, false} {
		for _, l := range legs {
			at := got{label: l.m.label}
			if l.bridged {
				at.to = l.to.Name
			}
			if l.to.Kind == Queue {
				if l.m.durable == stored {
					g.queue(l.to.Name).take(at, stored)
				}
				continue
			}
			for _, s := range g.subs {
				if keeps := s.durable && l.m.durable; keeps == stored && hits(s.topic, l.to.Name) && s.when.says(l.m) {
					s.take(at, keeps)
				}
			}
		}
	}
}

func (e *graphEnd) take(at got, kept bool) {
	e.has = append(e.has, at)
	e.kept = append(e.kept, kept)
}

// graphRun is a graph beside a broker that is told the same.
type graphRun struct {
	graph
	*env
	t         *testing.T
	r         *rand.Rand
	conn      ConnID
	other     ConnID
	anonymous ProducerID
	producers map[Destination]ProducerID
	consumers map[ConsumerID]*graphEnd
	seen      map[*graphEnd][]got
	txns      map[TxnID]*graphTxn
	open      []TxnID
	sent      int
}

var (
	graphNames    = []string{"a", "b", "a.x", "a.y", "b.x", "a.x.z"}
	graphPatterns = []string{"a", "a.x", "b.x", ">", "a.>", "*", "*.x", "a.*", "b.>"}
)

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

func (g *graphRun) destination() Destination {
	return Destination{Kind: DestinationKind(1 + g.r.IntN(2)), Name: pick(g.r, graphNames)}
}

func (g *graphRun) rebridge() {
	g.bridges = nil
	var all []Bridge
	for range g.r.IntN(9) {
		br := graphBridge{g.destination(), g.destination(), pick(g.r, conditions)}
		if g.r.IntN(2) == 0 {
			br.source.Name = pick(g.r, graphPatterns)
		}
		if br.source != br.target {
			g.bridges = append(g.bridges, br)
			all = append(all, Bridge{Source: br.source, Target: br.target, Selector: br.when.text})
		}
	}
	g.step(func(fx *Effects) {
		if err := g.b.SetBridges(g.now, all, fx); err != nil {
			g.t.Fatal(err)
		}
	})
}

func (g *graphRun) setUp() {
	g.step(func(fx *Effects) {
		g.conn, _ = g.b.Connect(g.now, ConnectOptions{ClientID: "sender", User: "u"}, fx)
		g.other, _ = g.b.Connect(g.now, ConnectOptions{ClientID: "receiver", Room: 1 << 30}, fx)
		g.anonymous, _, _ = g.b.OpenProducer(g.now, g.conn, ProducerOptions{}, fx)
	})
	if g.r.IntN(2) == 0 {
		q := g.queue(pick(g.r, graphNames))
		q.max = 3 + g.r.IntN(5)
		for n, other := range g.queues { // order: there is one
			if other == q {
				g.step(func(fx *Effects) {
					items, _ := property.ParseList(property.Queue, fmt.Sprintf("maxmsgs=%d", q.max))
					if err := g.b.SetDefinition(g.now, Queue, property.Definition{Name: n, Set: property.Set{}.With(items[0].Value)}, fx); err != nil {
						g.t.Fatal(err)
					}
				})
			}
		}
	}
	if g.r.IntN(3) == 0 {
		d := g.destination()
		g.forbidden[d] = true
		g.step(func(fx *Effects) {
			g.b.Authorize(g.now, true, func(_ string, p Permission, to Destination, _ bool) bool { return p != MaySend || to != d }, fx)
		})
	}
	for i := range 1 + g.r.IntN(6) {
		s := &graphEnd{durable: g.r.IntN(2) == 0, topic: pick(g.r, graphPatterns), when: pick(g.r, conditions)}
		o := ConsumerOptions{Destination: Destination{Kind: Topic, Name: s.topic}, Selector: s.when.text}
		if s.durable {
			o.Subscription = &SubscriptionOptions{Name: fmt.Sprintf("s%d", i), Durable: true}
		}
		g.subs = append(g.subs, s)
		g.consume(s, o)
	}
	g.rebridge()
}

// consume opens a consumer whose deliveries are noted, and not settled.
func (g *graphRun) consume(end *graphEnd, o ConsumerOptions) {
	g.note(g.step(func(fx *Effects) {
		id, err := g.b.OpenConsumer(g.now, g.other, o, fx)
		if err != nil {
			g.t.Fatal(err)
		}
		g.consumers[id] = end
		g.b.Credit(g.now, id, 1<<30, false, fx)
	}))
}

func (g *graphRun) note(outs []Out) {
	for _, o := range outs {
		if o.Kind != OutDeliver {
			continue
		}
		at := got{label: g.contents[o.Message].(*text).label}
		if o.To != nil {
			at.to = o.To.Name
		}
		g.seen[g.consumers[o.Consumer]] = append(g.seen[g.consumers[o.Consumer]], at)
	}
}

func (g *graphRun) send() {
	g.sent++
	m := graphMessage{label: fmt.Sprintf("m%d", g.sent), durable: g.r.IntN(2) == 0, x: int64(g.r.IntN(9)), y: int64(g.r.IntN(3))}
	to, in := g.destination(), TxnID(0)
	if len(g.open) > 0 && g.r.IntN(3) > 0 {
		in = pick(g.r, g.open)
	}
	c := &text{label: m.label, size: 10, props: map[string]int64{"x": m.x}}
	if m.y != 0 {
		c.props["y"] = m.y
	}
	outs := g.step(func(fx *Effects) {
		send, env := Send{Tag: uint64(g.sent), Txn: in}, message.Envelope{Durable: m.durable, Priority: 4, Content: c}
		if g.r.IntN(2) == 0 {
			g.b.PublishTo(g.now, g.anonymous, to, send, env, fx)
			return
		}
		p, ok := g.producers[to]
		if !ok {
			var err error
			if p, _, err = g.b.OpenProducer(g.now, g.conn, ProducerOptions{Destination: to}, fx); err != nil {
				if !g.forbidden[to] {
					g.t.Fatal(err)
				}
				g.b.PublishTo(g.now, g.anonymous, to, send, env, fx)
				return
			}
			g.producers[to] = p
		}
		g.b.Publish(g.now, p, send, env, fx)
	})
	legs, permitted := g.legs(to, m)
	permitted = permitted && !g.forbidden[to]
	taken := permitted && g.fit(legs, in == 0)
	switch t := g.txns[in]; {
	case t == nil && taken:
		g.land(legs)
	case t != nil && taken:
		t.legs = append(t.legs, legs...)
	case t != nil:
		t.doomed = true
	}
	g.note(outs)
	if refused := answer(outs, OutSettled) != nil; refused == taken {
		g.t.Fatalf("%s to %v in %d: refused %v, the model takes it: %v", m.label, to, in, refused, taken)
	}
}

func answer(outs []Out, k OutKind) error {
	for _, o := range outs {
		if o.Kind == k {
			return o.Err
		}
	}
	return fmt.Errorf("no answer")
}

func (g *graphRun) discharge() {
	i := g.r.IntN(len(g.open))
	id := g.open[i]
	g.open = slices.Delete(g.open, i, i+1)
	t, fail := g.txns[id], g.r.IntN(3) == 0
	delete(g.txns, id)
	outs := g.step(func(fx *Effects) { g.b.Discharge(g.now, g.conn, id, fail, 1, fx) })
	commits := !t.doomed && g.fit(t.legs, true)
	if !fail && commits {
		g.land(t.legs)
	}
	if err := answer(outs, OutDischarged); (err == nil) != (fail || commits) {
		g.t.Fatalf("discharge of %d: %v, the model commits: %v", id, err, commits)
	}
	g.note(outs)
}

func (g *graphRun) act() {
	switch n := g.r.IntN(12); {
	case n == 0:
		g.rebridge()
	case n == 1 && len(g.open) < 3:
		g.step(func(fx *Effects) {
			id, err := g.b.Begin(g.now, g.conn, fx)
			if err != nil {
				g.t.Fatal(err)
			}
			g.open, g.txns[id] = append(g.open, id), &graphTxn{}
		})
	case n == 2 && len(g.open) > 0:
		g.discharge()
	default:
		g.send()
	}
}

// compare reads every queue, and holds what came out everywhere to the model.
func (g *graphRun) compare(restarted bool) {
	for _, n := range graphNames {
		g.consume(g.queue(n), ConsumerOptions{Destination: Destination{Kind: Queue, Name: n}})
	}
	ends := slices.Clone(g.subs)
	for _, n := range graphNames {
		ends = append(ends, g.queue(n))
	}
	for i, end := range ends {
		var want []got
		for j, at := range end.has {
			if !restarted || end.kept[j] {
				want = append(want, at)
			}
		}
		if have := g.seen[end]; !slices.Equal(have, want) {
			g.t.Fatalf("end %d, %q of topic %q:\nhas  %v\nwant %v\nbridges %v", i, end.when.text, end.topic, have, want, g.bridges)
		}
	}
}

// restart goes on with what the journal has. Who subscribes durably comes back.
func (g *graphRun) restart() {
	if err := g.crash(); err != nil {
		g.t.Fatal(err)
	}
	g.seen, g.consumers = map[*graphEnd][]got{}, map[ConsumerID]*graphEnd{}
	g.step(func(fx *Effects) {
		g.other, _ = g.b.Connect(g.now, ConnectOptions{ClientID: "receiver", Room: 1 << 30}, fx)
	})
	for i, s := range g.subs {
		if s.durable {
			g.consume(s, ConsumerOptions{
				Destination: Destination{Kind: Topic, Name: s.topic}, Selector: s.when.text,
				Subscription: &SubscriptionOptions{Name: fmt.Sprintf("s%d", i), Durable: true},
			})
		}
	}
}

// TestBridgesAgainstNaive: random graphs of queues, topics, wildcards and selectors,
// changed while messages go over them, in and out of transactions, with limits and
// permissions on targets: the same deliveries everywhere as of a model that knows
// lists only, and after half of the runs a restart keeps what it must.
func TestBridgesAgainstNaive(t *testing.T) {
	for i := range *bridgeGraphs {
		seed := *bridgeSeed + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			g := &graphRun{
				graph: graph{queues: map[string]*graphEnd{}, forbidden: map[Destination]bool{}},
				env:   newEnv(), t: t, r: rand.New(rand.NewPCG(seed, 7)), producers: map[Destination]ProducerID{},
				consumers: map[ConsumerID]*graphEnd{}, seen: map[*graphEnd][]got{}, txns: map[TxnID]*graphTxn{},
			}
			g.setUp()
			for range 60 {
				g.act()
			}
			if err := g.check(); err != nil {
				t.Fatal(err)
			}
			restarted := g.r.IntN(2) == 0
			if restarted {
				g.restart()
			}
			g.compare(restarted)
		})
	}
}

// named is a content that says whom it was made for.
type named struct {
	text
	sender string
}

func (n *named) With(p message.Patch) message.Content {
	return &named{text: n.text, sender: p.Sender}
}

// TestBridgedSenderName: where a target wants its senders' names, the message that
// goes there has its sender's, and it is one message for all.
func TestBridgedSenderName(t *testing.T) {
	for _, c := range []struct {
		name, props string
		marks       message.Marks
		want        string
	}{
		{"wanted", "sender_name", 0, "u"},
		{"not wanted", "trace", 0, ""},
		{"declined", "sender_name", message.DisableSender, ""},
		{"declined in vain", "sender_name_enforced", message.DisableSender, "u"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEnv()
			in, out := Destination{Kind: Queue, Name: "in"}, Destination{Kind: Queue, Name: "out"}
			items, wrong := property.ParseList(property.Queue, c.props)
			if len(wrong) > 0 {
				t.Fatal(wrong[0])
			}
			var p ProducerID
			e.step(func(fx *Effects) {
				if err := e.b.SetDefinition(e.now, Queue, property.Definition{Name: "out", Set: property.Set{}.With(items[0].Value)}, fx); err != nil {
					t.Fatal(err)
				}
				if err := e.b.SetBridges(e.now, []Bridge{{Source: in, Target: out}}, fx); err != nil {
					t.Fatal(err)
				}
				conn, _ := e.b.Connect(e.now, ConnectOptions{User: "u"}, fx)
				p, _, _ = e.b.OpenProducer(e.now, conn, ProducerOptions{Destination: in}, fx)
			})
			e.step(func(fx *Effects) {
				e.b.Publish(e.now, p, Send{}, message.Envelope{Durable: true, Marks: c.marks, Content: &named{text: text{label: "m", size: 1}}}, fx)
			})
			if len(e.contents) != 1 || e.b.queues["in"].depth != 1 || e.b.queues["out"].depth != 1 {
				t.Fatalf("%d contents, %d and %d messages", len(e.contents), e.b.queues["in"].depth, e.b.queues["out"].depth)
			}
			for _, m := range e.contents { // order: there is one
				if got := m.(*named).sender; got != c.want {
					t.Fatalf("the sender is %q, want %q", got, c.want)
				}
			}
			if got := e.b.Sender(p, Destination{}, c.marks != 0); got != c.want {
				t.Fatalf("Sender says %q, want %q", got, c.want)
			}
		})
	}
}

// TestBridgesAreBounded: no more than MaxBridges, and those are kept.
func TestBridgesAreBounded(t *testing.T) {
	e := newEnv()
	all := make([]Bridge, MaxBridges+1)
	for i := range all {
		all[i] = Bridge{Source: Destination{Kind: Topic, Name: fmt.Sprintf("t%d", i)}, Target: Destination{Kind: Queue, Name: "q"}}
	}
	e.step(func(fx *Effects) {
		if err := e.b.SetBridges(e.now, all, fx); kindOfError(err) != Limit.String() {
			t.Fatalf("one too many: %v", err)
		}
	})
	if got := e.b.bridges.count; got != MaxBridges {
		t.Fatalf("%d bridges are kept", got)
	}
}

// BenchmarkBridges publishes, delivers and settles, where there is no bridge at all,
// where 10,000 begin elsewhere, and over one and ten. A figure is of one message sent.
func BenchmarkBridges(b *testing.B) {
	queue := func(n string) Destination { return Destination{Kind: Queue, Name: n} }
	elsewhere := make([]Bridge, 10_000)
	for i := range elsewhere {
		elsewhere[i] = Bridge{Source: queue(fmt.Sprintf("other.%d", i)), Target: queue("q0")}
	}
	ten := make([]Bridge, 10)
	for i := range ten {
		ten[i] = Bridge{Source: queue("q"), Target: queue(fmt.Sprintf("q%d", i))}
	}
	for _, c := range []struct {
		name    string
		bridges []Bridge
	}{{"none", nil}, {"elsewhere", elsewhere}, {"one", ten[:1]}, {"ten", ten}} {
		for _, durable := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/durable=%v", c.name, durable), func(b *testing.B) {
				broker := NewBroker(Options{})
				broker.Recovered(0)
				now := time.UnixMilli(1_000_000)
				var fx Effects
				if err := broker.SetBridges(now, c.bridges, &fx); err != nil {
					b.Fatal(err)
				}
				conn, _ := broker.Connect(now, ConnectOptions{Room: 1 << 40}, &fx)
				producer, _, _ := broker.OpenProducer(now, conn, ProducerOptions{Destination: queue("q")}, &fx)
				for _, n := range append([]string{"q"}, targetsOf(c.bridges)...) {
					k, _ := broker.OpenConsumer(now, conn, ConsumerOptions{Destination: queue(n)}, &fx)
					broker.Credit(now, k, 1<<31-1, false, &fx)
				}
				content := &text{size: 100}
				b.ReportAllocs()
				for b.Loop() {
					broker.Publish(now, producer, Send{}, message.Envelope{Durable: durable, Priority: 4, Content: content}, &fx)
					for i := range fx.Outs {
						if o := fx.Outs[i]; o.Kind == OutDeliver {
							broker.Wrote(now, o.Consumer, o.Delivery, o.Delivery, &fx)
							broker.Settle(now, o.Delivery, 0, Outcome{Kind: Accepted}, false, &fx)
						}
					}
					fx.Reset()
					broker.Stable(broker.Next()-1, broker.Next()-1)
				}
			})
		}
	}
}

func targetsOf(all []Bridge) (names []string) {
	for _, br := range all {
		if !slices.Contains(names, br.Target.Name) {
			names = append(names, br.Target.Name)
		}
	}
	return names
}
