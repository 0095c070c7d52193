package amqp091

import (
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
)

// benchPrefetch is how many messages the client of the benchmark has under way, as many
// as a transport by default.
const benchPrefetch = 1000

// BenchmarkLegs: go test ./interop/amqp091 -run - -bench Legs -benchtime 20000x
func BenchmarkLegs(b *testing.B) {
	for _, kind := range []string{amqp.QueueTypeClassic, amqp.QueueTypeQuorum} {
		b.Run(kind, func(b *testing.B) {
			interoptest.Bench(b, interoptest.Kit{
				Factory: Factory(), Keys: map[string]string{"queue_type": kind},
				Open: func(t testing.TB) interoptest.Peer { return &directly{openRabbit(t), kind} },
			})
		})
	}
}

// directly is a rabbit without the proxy, and with queues of one type.
type directly struct {
	*rabbit
	kind string
}

// Keys is Peer's.
func (r *directly) Keys() map[string]string { return map[string]string{"url": r.URL()} }

// Pour is interoptest.Fast's.
func (r *directly) Pour(t testing.TB, to interop.Destination, m *interoptest.Mail, n int) {
	t.Helper()
	exchange := ""
	if to.Kind == interop.Topic {
		exchange = defaultExchange
	}
	ch := r.channel(t)
	waits, refused := make(chan *amqp.DeferredConfirmation, benchPrefetch), make(chan int)
	go func() {
		n := 0
		for w := range waits {
			if !w.Wait() {
				n++
			}
		}
		refused <- n
	}()
	p := native(t, m)
	for range n {
		w, err := ch.PublishWithDeferredConfirmWithContext(t.Context(), exchange, to.Name, true, false, p)
		if err != nil {
			t.Fatal(err)
		}
		waits <- w
	}
	close(waits)
	if n := <-refused; n > 0 {
		t.Fatalf("the broker did not take %d messages", n)
	}
}

// Drink is interoptest.Fast's.
func (r *directly) Drink(t testing.TB, from interop.Destination, n int) (all func()) {
	t.Helper()
	queue := "heard." + from.Name
	ch := r.channel(t)
	if err := ch.ExchangeDeclare(defaultExchange, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(queue, true, false, false, false, amqp.Table{amqp.QueueTypeArg: r.kind}); err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(queue, from.Name, defaultExchange, false, nil); err != nil {
		t.Fatal(err)
	}
	conn, err := amqp.Dial(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	in, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Qos(benchPrefetch, 0, false); err != nil {
		t.Fatal(err)
	}
	deliveries, err := in.Consume(queue, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		for i := 1; i <= n; i++ {
			d, ok := <-deliveries
			if !ok {
				done <- amqp.ErrClosed
				return
			}
			if i%100 == 0 || i == n {
				if err := d.Ack(true); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	return func() {
		t.Helper()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		_ = conn.CloseDeadline(time.Now().Add(time.Second))
	}
}
