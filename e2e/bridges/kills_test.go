package bridges

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// TestKills: persistent messages go out by each certified transport, and come in by it,
// while the gateway and the broker outside are killed (SIGKILL) at random moments. Of
// what its sender had a promise for nothing is lost; copies have the id of the first;
// each sender's messages arrive in their order. JetStream has no message twice, and
// none comes in from it twice.
func TestKills(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d: repeat with -bridges.seed=%d", seed, seed)
	for i, outside := range []string{"natsjs", "amqp091", "amqp10"} {
		for j, way := range []string{"export", "import", "import-topic"} {
			t.Run(outside+"/"+way, func(t *testing.T) {
				t.Parallel()
				r := roads[outside](t, way)
				r.random = rand.New(rand.NewPCG(seed, uint64(3*i+j)))
				r.messages, r.gatewayKills, r.peerKills = *messagesFlag, *killsFlag, *killsFlag
				r.run(t)
			})
		}
	}
}

// TestCounters: the same with the broker outside killed alone, so that the gateway's
// counters last. They agree with the ledger: what it has exported is what was sent to it,
// what it has imported is what came to its subscriber, and no copy of a transport's making
// is missing in those that it says it may have sent twice.
func TestCounters(t *testing.T) {
	for i, outside := range []string{"natsjs", "amqp091", "amqp10"} {
		for j, way := range []string{"export", "import"} {
			t.Run(outside+"/"+way, func(t *testing.T) {
				t.Parallel()
				r := roads[outside](t, way)
				r.random = rand.New(rand.NewPCG(uint64(i), uint64(j)))
				r.messages, r.gatewayKills, r.peerKills = 2000, 0, 2
				b := r.run(t)
				row := transport(t, r.gateway, roadTransport)
				exported, resent, imported := row.count("exported_msgs"), row.count("resent_msgs"), row.count("imported_msgs")
				if way == "export" && (b.repeated != 0 || exported != b.arrived || b.unexplained > resent) {
					t.Errorf("exported %d, of those %d perhaps twice; %d arrived, %d twice", exported, resent, b.arrived, b.unexplained)
				}
				if way == "import" && (b.flagged != 0 || imported != b.arrived+b.copies) {
					t.Errorf("imported %d; %d arrived, and %d copies", imported, b.arrived, b.copies)
				}
			})
		}
	}
}

// road is one transport in one direction: two brokers, with a client at each end.
type road struct {
	gateway *harness.Server
	peer    *peers.Peer
	from    client
	to      client
	random  *rand.Rand
	// How many letters go over it, and how often each side is killed meanwhile.
	messages, gatewayKills, peerKills int
	// once: no message may come twice, because the road can tell.
	once bool
	// left is how many messages the receiver's end still has.
	left func(context.Context) (int, error)
}

const (
	roadTransport = "OUT"
	roadQueue     = "road.in"
	roadTopic     = "road.out"
)

// roads make a road by its type, for a way: a topic that goes out, a queue that comes in, or a
// topic that comes in and has a durable subscriber. The names outside are those here.
var roads = map[string]func(t *testing.T, way string) *road{
	"natsjs":  natsRoad,
	"amqp091": rabbitRoad,
	"amqp10":  artemisRoad,
}

// start starts the gateway with one transport.
func start(t *testing.T, kind, url, way string) *harness.Server {
	t.Helper()
	queues, topics := ">\n", ">\n"
	switch way {
	case "export":
		topics += roadTopic + " export=" + roadTransport + "\n"
	case "import":
		queues += roadQueue + " import=" + roadTransport + "\n"
	case "import-topic":
		topics += roadQueue + " import=" + roadTransport + "\n"
	}
	s := harness.Start(t, "--config", configuration(t, map[string]string{
		"tibemsd.conf": "server = road\n", "queues.conf": queues, "topics.conf": topics,
		"transports.conf": fmt.Sprintf("[%s]\n  type = %s\n  url = %s\n  queue_import_dm = TIBEMS_PERSISTENT\n  topic_import_dm = TIBEMS_PERSISTENT\n  max_reconnect_delay = 1\n",
			roadTransport, kind, url),
	}))
	connected(t, s, roadTransport)
	return s
}

// here are the gateway's own clients: of the topic that goes out, or of what comes in.
func here(s *harness.Server, way string) *amqp10 {
	switch way {
	case "export":
		return &amqp10{url: s.URL, address: roadTopic, topic: true}
	case "import-topic":
		return &amqp10{url: s.URL, address: roadQueue, topic: true, durable: "road"}
	}
	return &amqp10{url: s.URL, address: roadQueue}
}

// newRoad starts the gateway and joins the two ends.
func newRoad(t *testing.T, p *peers.Peer, kind, way string, outside client) *road {
	t.Helper()
	s := start(t, kind, p.URL(), way)
	inside := here(s, way)
	r := &road{gateway: s, peer: p, from: outside, to: inside}
	switch way {
	case "export":
		r.from, r.to = inside, outside
	case "import":
		r.left = func(context.Context) (int, error) { return depth(t, s, roadQueue), nil }
	default:
		if err := inside.subscribe(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.left = func(context.Context) (int, error) {
			row, err := ask(t, s, "durable", "show durable road")
			return row.count("msgs"), err
		}
	}
	return r
}

func natsRoad(t *testing.T, way string) *road {
	p := peers.NATS(t, "", peers.Options{})
	outside := &stream{url: p.URL(), subject: roadTopic, name: "EMS_EXPORT", consumer: "road"}
	if way != "export" {
		outside = &stream{url: p.URL(), subject: roadQueue, name: "ROAD"}
	}
	// With retention by limits: of a stream by interest, which the gateway would make, a
	// server that is killed forgets the ids of what all consumers have confirmed.
	outside.make(t)
	r := newRoad(t, p, "natsjs", way, outside)
	r.once = true
	if way == "export" {
		outside.await(t)
		r.left = outside.left
	}
	return r
}

func rabbitRoad(t *testing.T, way string) *road {
	p := peers.RabbitMQ(t, "", peers.Options{})
	outside := &rabbit{url: p.URL(), queue: roadQueue}
	switch way {
	case "export":
		outside.declare(t, p, "ems.topic", roadTopic)
	case "import":
		outside.declare(t, p, "", "")
	default:
		outside.exchange = "ems.topic" // the transport declares what it is bound to
	}
	r := newRoad(t, p, "amqp091", way, outside)
	if way == "export" {
		r.left = outside.left
	}
	if way == "import-topic" {
		again(t, p) // see declare
		wait(t, "the transport connects again", func() bool {
			row := transport(t, r.gateway, roadTransport)
			return row.count("connects") > 1 && row["state"] == "connected"
		})
	}
	return r
}

func artemisRoad(t *testing.T, way string) *road {
	p := peers.Artemis(t, "", peers.Options{})
	outside := &amqp10{url: p.URL(), address: roadQueue}
	switch way {
	case "export":
		outside = &amqp10{url: p.URL(), address: roadTopic, topic: true, durable: "road"}
		if err := outside.subscribe(t.Context()); err != nil {
			t.Fatal(err)
		}
	case "import-topic":
		outside.topic = true
	}
	r := newRoad(t, p, "amqp10", way, outside)
	if way == "export" {
		r.left = func(context.Context) (int, error) { return 0, nil } // it does not say over AMQP
	}
	return r
}

// time is how long a run may take, by messages and kills.
func (r *road) time() time.Duration {
	return time.Minute + time.Duration(r.messages)*2*time.Millisecond + time.Duration(r.gatewayKills+r.peerKills)*10*time.Second
}

// run sends all letters over the road, with kills, and looks what became of them.
func (r *road) run(t *testing.T) balance {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), r.time())
	defer cancel()
	g := newLedger(r.messages/2, "a", "b")
	// Between two kills more must arrive than was sent before.
	g.ahead = min(g.ahead, max(window, g.total()/(4*max(1, r.gatewayKills+r.peerKills))))
	var senders, receiver sync.WaitGroup
	for _, name := range g.senders {
		senders.Go(func() {
			if err := g.sendAll(ctx, r.from, name); err != nil {
				g.wrong(fmt.Sprintf("sender %s gave up: %v", name, err))
			}
		})
	}
	receiving, received := context.WithCancel(ctx)
	receiver.Go(func() { g.receiveAll(receiving, r.to) })
	inFlight := r.kill(ctx, t, g)
	if g.until(ctx, g.all) != nil {
		r.stuck(t)
	}
	senders.Wait()
	if ctx.Err() == nil {
		r.empty(ctx, t)
	}
	received()
	receiver.Wait()
	b := g.balance()
	t.Logf("%d letters, %d kills of the gateway, %d of the outside, %d of all with letters under way: %s", g.total(), r.gatewayKills, r.peerKills, inFlight, &b)
	r.counters(t)
	r.judge(t, &b)
	return b
}

// kill kills one broker or the other at random moments of progress, and starts it again.
// It says how many kills hit unanswered sends or letters under way.
func (r *road) kill(ctx context.Context, t *testing.T, g *ledger) (inFlight int) {
	type kill struct {
		at      int // arrivals
		gateway bool
	}
	var due []kill
	for i := range r.gatewayKills + r.peerKills {
		due = append(due, kill{g.total()/100 + r.random.IntN(g.total()*9/10), i < r.gatewayKills})
	}
	slices.SortStableFunc(due, func(a, b kill) int { return a.at - b.at })
	for _, k := range due {
		// Something must have moved since the kill before, or two were one.
		g.mu.Lock()
		seen := len(g.seen)
		g.mu.Unlock()
		if g.until(ctx, func() bool { return len(g.seen) >= k.at && len(g.seen) > seen || g.all() }) != nil {
			t.Errorf("no progress to %d arrivals before the next kill (gateway: %v)", k.at, k.gateway)
			return inFlight
		}
		if k.gateway {
			r.gateway.Kill(t)
		} else if err := r.peer.Kill(); err != nil {
			t.Fatal(err)
		}
		g.mu.Lock()
		if len(g.seen) < g.total() {
			inFlight++
		}
		g.mu.Unlock()
		if k.gateway {
			r.gateway.Run(t)
		} else if err := r.peer.Start(); err != nil {
			t.Fatal(err)
		}
	}
	return inFlight
}

// empty waits until nothing is left anywhere: a copy that is still under way comes first.
func (r *road) empty(ctx context.Context, t *testing.T) {
	wait(t, "what is exported is all confirmed", func() bool { return depth(t, r.gateway, "$sys.export."+roadTransport) == 0 })
	wait(t, "the receiver's end is empty", func() bool {
		n, err := r.left(ctx)
		return err == nil && n == 0
	})
}

// stuck says where messages are that do not arrive.
func (r *road) stuck(t *testing.T) {
	left, err := r.left(t.Context())
	t.Errorf("not all arrived within %v; the gateway has %d to export, the receiver's end %d (%v); %v",
		r.time(), depth(t, r.gateway, "$sys.export."+roadTransport), left, err, transport(t, r.gateway, roadTransport))
}

// counters shows what the gateway has counted since it was killed last.
func (r *road) counters(t *testing.T) {
	n := transport(t, r.gateway, roadTransport)
	t.Logf("the gateway's last life: exported %d, resent %d, imported %d, redelivered %d, duplicates not taken twice %d, connects %d",
		n.count("exported_msgs"), n.count("resent_msgs"), n.count("imported_msgs"), n.count("redelivered_msgs"), n.count("duplicate_msgs"), n.count("connects"))
	for _, column := range []string{"lost_export_msgs", "lost_import_msgs", "refused_msgs", "loop_dropped_msgs"} {
		if n.count(column) != 0 {
			t.Errorf("the gateway counts %s %d", column, n.count(column))
		}
	}
}

func (r *road) judge(t *testing.T, b *balance) {
	for i, l := range b.lost {
		if i == 10 {
			break
		}
		t.Errorf("lost: %s", l.id())
	}
	for _, what := range slices.Concat(b.altered, b.more) {
		t.Error(what)
	}
	if len(b.lost)+b.outOfOrder > 0 {
		t.Error("the ledger does not balance")
	}
	if r.once && b.unexplained+b.twicePlaced > 0 {
		t.Errorf("%d letters came twice, %d lie in the stream twice", b.unexplained, b.twicePlaced)
	}
}
