package bridges

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/e2e/harness"
	"github.com/tidegate/tidegate/e2e/peers"
)

// BenchmarkRoads has each leg of a certified transport and the peer's own Go client move the same
// messages, one after the other in one run: the gateway and the peer are processes of
// their own. own-msgs/s is the client's that publishes and consumes; ratio is the leg's
// rate by that.
//
//	go test ./e2e/bridges -run - -bench Roads -benchtime 50000x
//
// The export leg has the messages in the gateway when it begins (the transport was
// suspended), and is measured from the first that arrives to the last. The import leg is
// measured from the first publish to when the gateway has all on its disk. How fast a
// program brings messages to the gateway is e2e/perf's matter.
func BenchmarkRoads(b *testing.B) {
	for _, kind := range []string{"natsjs", "amqp091", "amqp10"} {
		b.Run(kind, func(b *testing.B) {
			o := outsides[kind](b)
			s := harness.Start(b, "--debug", "127.0.0.1:0", "--config", configuration(b, map[string]string{
				"tibemsd.conf": "server = road\n", "queues.conf": ">\n" + roadQueue + " import=" + roadTransport + "\n",
				"topics.conf":     ">\n" + roadTopic + " export=" + roadTransport + "\n",
				"transports.conf": fmt.Sprintf("[%s]\n  type = %s\n  url = %s\n  queue_import_dm = TIBEMS_PERSISTENT\n", roadTransport, kind, o.url()),
			}))
			connected(b, s, roadTransport)
			o.prepare(b)
			// What the gateway makes of a message is what the client publishes.
			first := o.drink(b, 1)
			fill(b, s, 1)
			first()
			b.Run("export", func(b *testing.B) { exportRate(b, s, o) })
			b.Run("import", func(b *testing.B) { importRate(b, s, o) })
		})
	}
}

// ratePrefetch is how many messages clients have under way: as many as a transport.
const ratePrefetch = 1000

// fast is a peer and its own client, as fast as it can be with confirmations both ways.
type fast interface {
	url() string
	prepare(b *testing.B) // what receives from roadTopic; the gateway is connected
	// pour publishes n messages like the last one drunk, for a topic's listeners or into the
	// queue.
	pour(b *testing.B, queue bool, n int)
	// drink begins to take n messages; all waits for the last, and says how long they
	// took from the first on.
	drink(b *testing.B, n int) (all func() time.Duration)
}

var outsides = map[string]func(b *testing.B) fast{
	"natsjs":  func(b *testing.B) fast { return &fastStream{p: peers.NATS(b, "", peers.Options{})} },
	"amqp091": func(b *testing.B) fast { return &fastRabbit{p: peers.RabbitMQ(b, "", peers.Options{})} },
	"amqp10":  func(b *testing.B) fast { return &fastAMQP{p: peers.Artemis(b, "", peers.Options{})} },
}

// own is how long the client takes by itself.
func own(b *testing.B, o fast) time.Duration {
	all := o.drink(b, b.N)
	began := time.Now()
	o.pour(b, false, b.N)
	all()
	return time.Since(began)
}

func exportRate(b *testing.B, s *harness.Server, o fast) {
	alone := own(b, o)
	admin(b, s, "suspend transport "+roadTransport)
	fill(b, s, b.N)
	all := o.drink(b, b.N)
	b.ResetTimer()
	admin(b, s, "resume transport "+roadTransport)
	took := all()
	b.StopTimer()
	rates(b, alone, took)
}

func importRate(b *testing.B, s *harness.Server, o fast) {
	alone := own(b, o)
	before := held(b, s)
	b.ResetTimer()
	began := time.Now()
	o.pour(b, true, b.N)
	for look := time.NewTicker(2 * time.Millisecond); held(b, s) < before+int64(b.N); <-look.C {
		if time.Since(began) > 10*harness.Patience {
			b.Fatalf("%d of %d came", held(b, s)-before, b.N)
		}
	}
	took := time.Since(began)
	b.StopTimer()
	rates(b, alone, took)
	admin(b, s, "purge queue "+roadQueue)
}

func rates(b *testing.B, alone, took time.Duration) {
	b.ReportMetric(float64(b.N)/alone.Seconds(), "own-msgs/s")
	b.ReportMetric(float64(b.N)/took.Seconds(), "msgs/s")
	b.ReportMetric(alone.Seconds()/took.Seconds(), "ratio")
	b.ReportMetric(0, "ns/op")
}

func admin(b *testing.B, s *harness.Server, command string) {
	b.Helper()
	if r := s.Tool(b, "", "admin", "-server", "{url}", "-ignore", command); r.Code != 0 {
		b.Fatalf("%s: %s%s", command, r.Stdout, r.Stderr)
	}
}

// held is how many messages the gateway holds.
func held(b *testing.B, s *harness.Server) int64 {
	b.Helper()
	r, err := http.Get(s.Debug + "counts") //nolint:noctx // the benchmark's own end ends it
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	var c harness.Counts
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
		b.Fatal(err)
	}
	return c.Broker.Msgs
}

// fill sends n messages to the topic that goes out.
func fill(b *testing.B, s *harness.Server, n int) {
	b.Helper()
	m := &amqp.Message{
		Header: &amqp.MessageHeader{Durable: true}, Properties: &amqp.MessageProperties{MessageID: "ID:road"}, Value: strings.Repeat("x", 1024),
		ApplicationProperties: map[string]any{"color": "red", "price": 1.5, "count": int32(3)},
	}
	pourAMQP(b, here(s, "export"), m, n)
}

// pourAMQP sends n messages with up to ratePrefetch unanswered.
func pourAMQP(b *testing.B, c *amqp10, m *amqp.Message, n int) {
	b.Helper()
	conn, session, err := c.session(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	to, err := session.NewSender(b.Context(), c.address, &amqp.SenderOptions{TargetCapabilities: c.capabilities()})
	if err != nil {
		b.Fatal(err)
	}
	receipts, refused := make(chan amqp.SendReceipt, ratePrefetch), make(chan int)
	go func() {
		n := 0
		for r := range receipts {
			if state, _ := r.Wait(b.Context()); state == nil {
				n++
			} else if _, ok := state.(*amqp.StateAccepted); !ok {
				n++
			}
		}
		refused <- n
	}()
	for range n {
		r, err := to.SendWithReceipt(b.Context(), m, nil)
		if err != nil {
			b.Fatal(err)
		}
		receipts <- r
	}
	close(receipts)
	if n := <-refused; n > 0 {
		b.Fatalf("%d were not accepted", n)
	}
}

// stopwatch measures from the first of n messages to the last.
type stopwatch struct {
	n, got int
	began  time.Time
	done   chan time.Duration
}

func newStopwatch(n int) *stopwatch { return &stopwatch{n: n, done: make(chan time.Duration, 1)} }

// tick counts one; true: it was the last.
func (w *stopwatch) tick() bool {
	if w.got++; w.got == 1 {
		w.began = time.Now()
	}
	if w.got == w.n {
		w.done <- time.Since(w.began)
	}
	return w.got == w.n
}

func (w *stopwatch) wait(b *testing.B) time.Duration {
	b.Helper()
	select {
	case took := <-w.done:
		return max(took, 1)
	case <-time.After(10 * harness.Patience):
		b.Fatalf("not all of %d messages came", w.n)
		return 0
	}
}

// fastStream is JetStream.
type fastStream struct {
	p    *peers.Peer
	like *nats.Msg
}

func (f *fastStream) url() string { return f.p.URL() }

func (f *fastStream) stream() *stream {
	return &stream{url: f.p.URL(), subject: roadTopic, name: "EMS_EXPORT", consumer: "road"}
}

func (f *fastStream) prepare(b *testing.B) { f.stream().await(b) }

func (f *fastStream) pour(b *testing.B, queue bool, n int) {
	b.Helper()
	conn, _, err := f.stream().connect()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(ratePrefetch))
	if err != nil {
		b.Fatal(err)
	}
	subject := roadTopic
	if queue {
		subject = roadQueue
	}
	for range n {
		if _, err := js.PublishMsgAsync(&nats.Msg{Subject: subject, Data: f.like.Data, Header: f.like.Header}); err != nil {
			b.Fatal(err)
		}
	}
	<-js.PublishAsyncComplete()
}

func (f *fastStream) drink(b *testing.B, n int) (all func() time.Duration) {
	b.Helper()
	conn, js, err := f.stream().connect()
	if err != nil {
		b.Fatal(err)
	}
	c, err := js.Consumer(b.Context(), "EMS_EXPORT", "road")
	if err != nil {
		b.Fatal(err)
	}
	w := newStopwatch(n)
	taking, err := c.Consume(func(m jetstream.Msg) {
		_ = m.Ack()
		if w.tick() {
			f.like = nats.NewMsg("")
			f.like.Data = m.Data()
			for name, v := range m.Headers() { // order: irrelevant
				if !strings.HasPrefix(name, "Nats-") && !strings.HasPrefix(name, "Ems-") {
					f.like.Header[name] = v
				}
			}
		}
	}, jetstream.PullMaxMessages(ratePrefetch))
	if err != nil {
		b.Fatal(err)
	}
	return func() time.Duration {
		took := w.wait(b)
		taking.Drain()
		<-taking.Closed()
		conn.Close()
		return took
	}
}

// fastRabbit is RabbitMQ, with a quorum queue.
type fastRabbit struct {
	p    *peers.Peer
	like amqp091.Publishing
}

func (f *fastRabbit) url() string { return f.p.URL() }

func (f *fastRabbit) queue() *rabbit { return &rabbit{url: f.p.URL(), queue: "heard"} }

func (f *fastRabbit) prepare(b *testing.B) {
	_, ch, err := f.queue().channel()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := ch.QueueDeclare("heard", true, false, false, false, amqp091.Table{"x-queue-type": "quorum"}); err != nil {
		b.Fatal(err)
	}
	if err := ch.QueueBind("heard", roadTopic, "ems.topic", false, nil); err != nil {
		b.Fatal(err)
	}
}

func (f *fastRabbit) pour(b *testing.B, queue bool, n int) {
	b.Helper()
	s, err := f.queue().sender(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	ch, exchange, key := s.(*rabbitSending).ch, "ems.topic", roadTopic
	if queue {
		exchange, key = "", roadQueue
	}
	confirms, refused := make(chan *amqp091.DeferredConfirmation, ratePrefetch), make(chan int)
	go func() {
		n := 0
		for c := range confirms {
			if !c.Wait() {
				n++
			}
		}
		refused <- n
	}()
	for range n {
		c, err := ch.PublishWithDeferredConfirmWithContext(b.Context(), exchange, key, true, false, f.like)
		if err != nil {
			b.Fatal(err)
		}
		confirms <- c
	}
	close(confirms)
	if n := <-refused; n > 0 {
		b.Fatalf("%d were not confirmed", n)
	}
}

func (f *fastRabbit) drink(b *testing.B, n int) (all func() time.Duration) {
	b.Helper()
	conn, ch, err := f.queue().channel()
	if err != nil {
		b.Fatal(err)
	}
	if err := ch.Qos(ratePrefetch, 0, false); err != nil {
		b.Fatal(err)
	}
	deliveries, err := ch.Consume("heard", "", false, false, false, false, nil)
	if err != nil {
		b.Fatal(err)
	}
	w := newStopwatch(n)
	go func() {
		for d := range deliveries {
			last := w.got+1 == w.n
			if last || w.got%100 == 99 {
				_ = d.Ack(true)
			}
			if last {
				f.like = amqp091.Publishing{
					Headers: d.Headers, ContentType: d.ContentType, DeliveryMode: d.DeliveryMode, Priority: d.Priority,
					MessageId: d.MessageId, Type: d.Type, Timestamp: d.Timestamp, Body: d.Body,
				}
				delete(f.like.Headers, "Ems-Origin")
			}
			w.tick()
		}
	}()
	return func() time.Duration {
		took := w.wait(b)
		_ = conn.CloseDeadline(time.Now().Add(time.Second))
		return took
	}
}

// fastAMQP is Artemis.
type fastAMQP struct {
	p    *peers.Peer
	like *amqp.Message
}

func (f *fastAMQP) url() string { return f.p.URL() }

func (f *fastAMQP) heard() *amqp10 {
	return &amqp10{url: f.p.URL(), address: roadTopic, topic: true, durable: "road"}
}

func (f *fastAMQP) prepare(b *testing.B) {
	if err := f.heard().subscribe(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (f *fastAMQP) pour(b *testing.B, queue bool, n int) {
	b.Helper()
	c := f.heard()
	if queue {
		c.address, c.topic = roadQueue, false
	}
	pourAMQP(b, c, f.like, n)
}

func (f *fastAMQP) drink(b *testing.B, n int) (all func() time.Duration) {
	b.Helper()
	c := f.heard()
	conn, session, err := c.session(b.Context(), c.durable)
	if err != nil {
		b.Fatal(err)
	}
	r, err := session.NewReceiver(b.Context(), c.address, &amqp.ReceiverOptions{
		SourceCapabilities: c.capabilities(), Credit: ratePrefetch, Name: c.durable,
		SourceDurability: amqp.DurabilityUnsettledState, SourceExpiryPolicy: amqp.ExpiryPolicyNever,
	})
	if err != nil {
		b.Fatal(err)
	}
	w := newStopwatch(n)
	go func() {
		for {
			m, err := r.Receive(context.Background(), nil)
			if err != nil {
				return
			}
			_ = r.AcceptMessage(context.Background(), m)
			if w.got+1 == w.n {
				m.Annotations, m.DeliveryAnnotations, m.DeliveryTag = nil, nil, nil
				f.like = m
			}
			if w.tick() {
				return
			}
		}
	}()
	return func() time.Duration {
		took := w.wait(b)
		_ = conn.Close()
		return took
	}
}
