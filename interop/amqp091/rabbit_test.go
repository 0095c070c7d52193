package amqp091

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/e2e/peers"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// tooLargeHere is the broker's limit in the tests; by default it is 128 MiB.
const tooLargeHere = 4 << 20

// started is the RabbitMQ of all tests of this package.
var started struct {
	once sync.Once
	peer *peers.Peer
	dir  string
	err  error
}

// rabbit is the broker for one test, behind a proxy of its own.
type rabbit struct {
	*peers.Peer
	proxy *proxy
	mu    sync.Mutex
	conn  *amqp.Connection
	ch    *amqp.Channel
	more  []*amqp.Connection // of mailboxes
	up    chan struct{}      // closed when it has started again; nil: it is up
	kills int
}

// keep closes a connection with the test.
func (r *rabbit) keep(c *amqp.Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.more = append(r.more, c)
}

func openRabbit(t testing.TB) *rabbit {
	t.Helper()
	started.once.Do(func() {
		started.peer, started.err = peers.StartRabbitMQ(started.dir, peers.Options{Config: fmt.Sprintf("max_message_size = %d", tooLargeHere)})
	})
	if started.err != nil {
		t.Fatal(started.err)
	}
	r := &rabbit{Peer: started.peer, proxy: newProxy(t, started.peer.Addr())}
	t.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.conn != nil {
			_ = r.conn.CloseDeadline(time.Now().Add(time.Second))
		}
		for _, c := range r.more {
			_ = c.CloseDeadline(time.Now().Add(time.Second))
		}
		if t.Failed() {
			t.Logf("RabbitMQ said:\n%s", r.Log())
		}
	})
	return r
}

// channel is one that confirms, for as long as the broker lives.
func (r *rabbit) channel(t testing.TB) *amqp.Channel {
	t.Helper()
	ch, err := r.confirming()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// confirming is channel, where the broker may be down.
func (r *rabbit) confirming() (_ *amqp.Channel, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ch != nil && !r.ch.IsClosed() {
		return r.ch, nil
	}
	if r.conn == nil || r.conn.IsClosed() {
		if r.conn, err = amqp.Dial(r.URL()); err != nil {
			return nil, err
		}
	}
	if r.ch, err = r.conn.Channel(); err != nil {
		return nil, err
	}
	return r.ch, r.ch.Confirm(false)
}

// Keys is Peer's.
func (r *rabbit) Keys() map[string]string {
	return map[string]string{"url": "amqp://guest:guest@" + r.proxy.addr() + "/"}
}

// Shared is Peer's.
func (r *rabbit) Shared() map[string]any { return nil }

// Publish is Peer's.
func (r *rabbit) Publish(t testing.TB, to interop.Destination, m *interoptest.Mail) {
	t.Helper()
	r.PublishAll(t, to, []*interoptest.Mail{m})
}

// PublishAll is Peer's. What the broker has not confirmed when it is killed is published
// again when it is back.
func (r *rabbit) PublishAll(t testing.TB, to interop.Destination, all []*interoptest.Mail) {
	t.Helper()
	exchange, key := "", to.Name
	if to.Kind == interop.Topic {
		exchange = defaultExchange
	}
	r.publish(t, exchange, key, all)
}

func (r *rabbit) publish(t testing.TB, exchange, key string, all []*interoptest.Mail) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), interoptest.Patience)
	defer cancel()
	for {
		before, _ := r.lives()
		n, err := r.publishSome(ctx, t, exchange, key, all)
		if all = all[n:]; len(all) == 0 {
			return
		}
		life, up := r.lives()
		if up == nil && life == before {
			t.Errorf("publishing: %v", err)
			return
		}
		if up == nil {
			continue
		}
		select {
		case <-up:
		case <-ctx.Done():
			t.Errorf("publishing: %v, and the broker does not come back", err)
			return
		}
	}
}

// lives gives how often it was killed, and what is closed when it is back; nil: it is up.
func (r *rabbit) lives() (int, chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kills, r.up
}

// publishSome gives how many the broker has confirmed, from the first.
func (r *rabbit) publishSome(ctx context.Context, t testing.TB, exchange, key string, all []*interoptest.Mail) (int, error) {
	t.Helper()
	ch, err := r.confirming()
	if err != nil {
		return 0, err
	}
	var waits []*amqp.DeferredConfirmation
	for _, m := range all {
		w, err := ch.PublishWithDeferredConfirmWithContext(ctx, exchange, key, false, false, native(t, m))
		if err != nil {
			break // those before it may be confirmed
		}
		waits = append(waits, w)
	}
	for i, w := range waits {
		if ok, err := w.WaitContext(ctx); err != nil || !ok {
			return i, errors.Join(errors.New("not confirmed"), err)
		}
	}
	return len(waits), errors.New("the connection broke")
}

// Answer is Peer's.
func (r *rabbit) Answer(t testing.TB, address string, m *interoptest.Mail) {
	t.Helper()
	r.publish(t, "", address, []*interoptest.Mail{m})
}

// Cut is Cutter's.
func (r *rabbit) Cut(testing.TB) { r.proxy.cut() }

// Kill is Mortal's.
func (r *rabbit) Kill(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	r.up = make(chan struct{})
	r.kills++
	r.mu.Unlock()
	if err := r.Peer.Kill(); err != nil {
		t.Fatal(err)
	}
}

// Start is Mortal's.
func (r *rabbit) Start(t testing.TB) {
	t.Helper()
	if err := r.Peer.Start(); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	close(r.up)
	r.up = nil
	r.mu.Unlock()
}

// Unconfirmed is Witness's.
func (r *rabbit) Unconfirmed(testing.TB, interop.Destination) int { return r.proxy.unconfirmed() }

// Listen is Peer's: a queue of its own for topics, the queue itself for queues.
func (r *rabbit) Listen(t testing.TB, from interop.Destination) interoptest.Mailbox {
	t.Helper()
	b := &mailbox{r: r, queue: from.Name}
	ch := r.channel(t)
	if from.Kind == interop.Topic {
		b.queue = "heard." + from.Name
		if _, err := ch.QueueDeclare(b.queue, true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if err := ch.QueueBind(b.queue, from.Name, defaultExchange, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// mailbox consumes a queue, and again where the broker was killed.
type mailbox struct {
	r     *rabbit
	queue string
	ch    *amqp.Channel
	from  <-chan amqp.Delivery
}

// Next is Mailbox's.
func (b *mailbox) Next(ctx context.Context) (*interoptest.Mail, error) {
	for ctx.Err() == nil {
		if b.from == nil {
			conn, err := amqp.Dial(b.r.URL())
			if err != nil {
				return nil, err
			}
			b.r.keep(conn)
			if b.ch, err = conn.Channel(); err != nil {
				return nil, err
			}
			if err := b.ch.Qos(1, 0, false); err != nil { // so that a leftover is small
				return nil, err
			}
			if b.from, err = b.ch.Consume(b.queue, "", false, false, false, false, nil); err != nil {
				return nil, err
			}
		}
		select {
		case d, ok := <-b.from:
			if !ok { // the broker was killed
				b.from = nil
				continue
			}
			if err := d.Ack(false); err != nil {
				return nil, err
			}
			return heard(&d)
		case <-ctx.Done():
		}
	}
	return nil, errors.Join(errors.New("no message in queue "+b.queue), ctx.Err())
}

// native is what a program of RabbitMQ's world publishes: written by hand from
// docs/transports.md, so that it is not what the transport says of itself.
func native(t testing.TB, m *interoptest.Mail) amqp.Publishing {
	t.Helper()
	f := &m.Fields
	p := amqp.Publishing{
		Headers: amqp.Table{}, DeliveryMode: 1, Priority: f.Priority, ReplyTo: m.ReplyTo, MessageId: message.MessageIDString(f.MessageID),
		CorrelationId: message.CorrelationIDString(f.CorrelationID), Type: f.Type,
	}
	if f.Persistent {
		p.DeliveryMode = 2
	}
	rest := translate.Message{Kind: f.Kind, Body: f.Body, GroupID: f.GroupID, GroupSequence: f.GroupSequence}
	if m.Encoding != translate.Headers {
		rest = *f
	} else {
		for _, h := range f.Properties {
			p.Headers[h.Name] = h.Value
		}
		p.Headers["JMS-Timestamp"] = f.Timestamp
		p.Timestamp = time.UnixMilli(f.Timestamp)
	}
	headers, body, err := m.Encoding.Out(&rest, translate.Options{ExportProperties: true, ExportHeaders: m.Encoding == translate.JSON})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		p.Headers[h.Name] = h.Value
	}
	p.Body = body
	return p
}

// heard is what such a program reads.
func heard(d *amqp.Delivery) (*interoptest.Mail, error) {
	m := &interoptest.Mail{Body: d.Body, ReplyTo: d.ReplyTo, ID: d.MessageId}
	m.Origin, _ = d.Headers["Ems-Origin"].(string)
	var headers []translate.Header
	var properties []translate.Property
	encoding := translate.Raw
	for name, v := range d.Headers {
		switch {
		case name == "Ems-Origin" || name == "x-delivery-count":
		case strings.HasPrefix(name, "JMS"):
			encoding = translate.Headers
			headers = append(headers, translate.Header{Name: name, Value: fmt.Sprint(v)})
		default:
			properties = append(properties, translate.Property{Name: name, Value: v})
		}
	}
	if d.ContentType == "application/json" && encoding == translate.Raw {
		encoding = translate.JSON
	}
	if err := encoding.In(headers, d.Body, translate.DefaultOptions(), &m.Fields); err != nil {
		return nil, err
	}
	if encoding != translate.Headers {
		return m, nil
	}
	f := &m.Fields
	f.MessageID, f.CorrelationID = message.ParseID(d.MessageId), message.ParseID(d.CorrelationId)
	f.Type, f.Priority, f.Persistent = d.Type, d.Priority, d.DeliveryMode == 2
	if f.Timestamp == 0 {
		f.Timestamp = d.Timestamp.UnixMilli()
	}
	f.Properties = append(f.Properties, properties...)
	return m, nil
}
