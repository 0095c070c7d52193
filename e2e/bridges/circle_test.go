package bridges

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// circleEach is how many messages each gateway's own program publishes.
const circleEach = 200

// TestCircle: two gateways import and export the same subjects over one broker. Each
// message comes to the subscribers of both once, and goes out once; what would go round
// is stopped and counted; and each gateway says at load that there is a loop.
func TestCircle(t *testing.T) {
	for kind, test := range map[string]struct {
		url  func(t *testing.T) string
		name string // as topics.conf has it
	}{
		"nats":    {func(t *testing.T) string { return peers.NATS(t, "", peers.Options{}).URL() }, "circle.>"},
		"natsjs":  {func(t *testing.T) string { return peers.NATS(t, "", peers.Options{}).URL() }, "circle.>"},
		"amqp091": {func(t *testing.T) string { return peers.RabbitMQ(t, "", peers.Options{}).URL() }, "circle.news"},
	} { // order: irrelevant
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			url := test.url(t)
			a := circleGateway(t, "one", kind, url, test.name)
			b := circleGateway(t, "two", kind, url, test.name)
			atA, atB := listening(t, a), listening(t, b)
			hand(t, &amqp10{url: a.URL, address: "circle.news", topic: true}, "a", circleEach)
			hand(t, &amqp10{url: b.URL, address: "circle.news", topic: true}, "b", circleEach)
			// Each stops those of the other one that would go out again, and its own, which the
			// broker gives to all who listen.
			const stopped = 2 * circleEach
			for _, s := range []*harness.Server{a, b} {
				var row asked
				wait(t, "everything has come to rest", func() bool {
					row = transport(t, s, "RING")
					return row.count("exported_msgs") >= circleEach && row.count("imported_msgs") >= circleEach &&
						row.count("loop_dropped_msgs") >= stopped && row.count("waiting_msgs")+row.count("under_way_msgs") == 0
				})
				for column, want := range map[string]int{"exported_msgs": circleEach, "imported_msgs": circleEach, "loop_dropped_msgs": stopped} {
					if got := row.count(column); got != want {
						t.Errorf("%s: %s is %d, want %d", s.URL, column, got, want)
					}
				}
			}
			for _, l := range []*listener{atA, atB} {
				l.await(t, 2*circleEach)
				l.once(t)
			}
		})
	}
}

// TestCircleOverBridges: the circle goes over two subjects, with a bridge in each
// gateway; max_hops allows it, and the mark of where a message has been ends it.
func TestCircleOverBridges(t *testing.T) {
	t.Parallel()
	url := peers.NATS(t, "", peers.Options{}).URL()
	gateway := func(name, in, out string) *harness.Server {
		return circleStart(t, map[string]string{
			"tibemsd.conf": "server = " + name + "\n", "queues.conf": ">\n",
			"topics.conf":  in + " import=RING\n" + out + " export=RING\n",
			"bridges.conf": "[topic:" + in + "]\n  topic=" + out + "\n",
			// It may go over many gateways.
			"transports.conf": "[RING]\n  type = natsjs\n  url = " + url + "\n  max_hops = 16\n",
		})
	}
	a := gateway("one", "circle.left", "circle.right")
	b := gateway("two", "circle.right", "circle.left")
	// one exports right, two imports it and bridges it to left, which it exports, and one imports:
	// there it ends, or it would be bridged to right again.
	at := listening(t, b, "circle.right")
	home := listening(t, a, "circle.left")
	hand(t, &amqp10{url: a.URL, address: "circle.right", topic: true}, "a", circleEach)
	wait(t, "all have gone round once", func() bool { return transport(t, a, "RING").count("loop_dropped_msgs") >= circleEach })
	at.await(t, circleEach)
	at.once(t)
	if n := home.count(); n != 0 {
		t.Errorf("%d came home", n)
	}
	for s, want := range map[*harness.Server][3]int{a: {circleEach, 0, circleEach}, b: {circleEach, circleEach, 0}} { // order: irrelevant
		row := transport(t, s, "RING")
		if got := [3]int{row.count("exported_msgs"), row.count("imported_msgs"), row.count("loop_dropped_msgs")}; got != want {
			t.Errorf("%s: exported, imported and stopped %v, want %v", s.URL, got, want)
		}
	}
}

// circleGateway starts one of the two, and wants it to say that there is a loop.
func circleGateway(t *testing.T, name, kind, url, topic string) *harness.Server {
	t.Helper()
	return circleStart(t, map[string]string{
		"tibemsd.conf": "server = " + name + "\n", "queues.conf": ">\n", "topics.conf": topic + " import=RING,export=RING\n",
		"transports.conf": fmt.Sprintf("[RING]\n  type = %s\n  url = %s\n", kind, url),
	})
}

func circleStart(t *testing.T, files map[string]string) *harness.Server {
	t.Helper()
	dir := configuration(t, files)
	if files["bridges.conf"] == "" {
		if r := harness.Tool(t, "", "config", "check", dir); !strings.Contains(r.Stdout+r.Stderr, "transport-loop") {
			t.Errorf("config check says nothing of the loop:\n%s%s", r.Stdout, r.Stderr)
		}
	}
	s := harness.Start(t, "--config", dir)
	if files["bridges.conf"] == "" && !strings.Contains(s.Log(), "warning: a loop: topic ") {
		t.Errorf("the gateway says nothing of the loop at load:\n%s", s.Log())
	}
	connected(t, s, "RING")
	return s
}

// listener is a subscriber of a topic of the gateway's.
type listener struct {
	mu   sync.Mutex
	got  map[string]int // by message id
	ends sync.WaitGroup
}

// listening subscribes; without topics to circle.news.
func listening(t *testing.T, s *harness.Server, topics ...string) *listener {
	t.Helper()
	l := &listener{got: map[string]int{}}
	topic := "circle.news"
	if len(topics) > 0 {
		topic = topics[0]
	}
	c := &amqp10{url: s.URL, address: topic, topic: true}
	conn, session, err := c.session(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.receiver(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	l.ends.Go(func() {
		for {
			m, err := r.Receive(context.Background(), nil)
			if err != nil {
				return
			}
			id, _ := m.Properties.MessageID.(string)
			l.mu.Lock()
			l.got[id]++
			l.mu.Unlock()
			_ = r.AcceptMessage(context.Background(), m)
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		l.ends.Wait()
	})
	return l
}

func (l *listener) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, times := range l.got { // order: irrelevant
		n += times
	}
	return n
}

func (l *listener) await(t *testing.T, n int) {
	t.Helper()
	wait(t, fmt.Sprintf("the subscriber has %d", n), func() bool { return l.count() >= n })
}

// once wants each message once.
func (l *listener) once(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, n := range maps.All(l.got) {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

// TestStartupAbort: with startup_abort_list=TRANSPORTS a transport that cannot connect
// ends the start with an error that names it; without, the server is ready, the transport
// is tried again, and the others work.
func TestStartupAbort(t *testing.T) {
	t.Parallel()
	p := peers.NATS(t, "", peers.Options{})
	set := map[string]string{
		"tibemsd.conf": "server = abort\n", "queues.conf": ">\n", "topics.conf": roadTopic + " export=\"" + roadTransport + ",DEAD\"\n",
		"transports.conf": "[" + roadTransport + "]\n  type = nats\n  url = " + p.URL() + "\n[DEAD]\n  type = natsjs\n  url = nats://127.0.0.1:1\n",
	}
	s := harness.Start(t, "--config", configuration(t, set))
	connected(t, s, roadTransport)
	sub := subscribed(t, p.URL(), roadTopic)
	hand(t, here(s, "export"), "a", 10)
	sub.await(t, 10)
	row := transport(t, s, "DEAD")
	if text, _ := row["error"].(string); row["state"] == "connected" || !strings.Contains(text, "127.0.0.1:1") {
		t.Errorf("show transport says of the dead one %v, %q", row["state"], text)
	}
	if n := row.count("waiting_msgs"); n != 10 {
		t.Errorf("%d messages wait for the dead one, want 10", n)
	}

	set["tibemsd.conf"] += "startup_abort_list = TRANSPORTS\n"
	began := time.Now()
	r := harness.Tool(t, "", "serve", "--config", configuration(t, set), "--listen", "amqp://127.0.0.1:0", "--data", t.TempDir(), "--console", "off")
	if said := r.Stdout + r.Stderr; r.Code == 0 || !strings.Contains(said, "startup_abort_list=TRANSPORTS") || !strings.Contains(said, "DEAD") || !strings.Contains(said, "127.0.0.1:1") {
		t.Errorf("serve ended with %d after %v and said\n%s", r.Code, time.Since(began), said)
	}
	if strings.Contains(r.Stdout, "ready ") {
		t.Errorf("it was ready before it gave up:\n%s", r.Stdout)
	}
}
