package bridges

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// stream is a program on NATS's own client: it sends to a subject, and gets by a
// consumer of a stream.
type stream struct {
	url, subject   string
	name, consumer string // of the stream, and of its consumer
}

// The window within which the streams of the tests know a message again.
const duplicateWindow = 10 * time.Minute

// consumerAckWait is after how long JetStream gives again what was not confirmed.
const consumerAckWait = 5 * time.Second

func (c *stream) connect(options ...nats.Option) (*nats.Conn, jetstream.JetStream, error) {
	conn, err := nats.Connect(c.url, append(options, nats.Timeout(dialTime), nats.NoReconnect())...)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*window))
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, js, nil
}

type streamSending struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	subject string
	closed  chan struct{}
}

func (c *stream) sender(context.Context) (sending, error) {
	closed := make(chan struct{})
	conn, js, err := c.connect(nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		return nil, err
	}
	return &streamSending{conn, js, c.subject, closed}, nil
}

func (s *streamSending) close() { s.conn.Close() }

func (s *streamSending) send(ctx context.Context, all []letter) (unanswered []letter, err error) {
	var acks []jetstream.PubAckFuture
	for _, l := range all {
		m := &nats.Msg{Subject: s.subject, Data: []byte(l.body()), Header: nats.Header{}}
		m.Header.Set(jetstream.MsgIDHeader, l.id())
		m.Header.Set("JMS-Message-Id", l.id())
		ack, sent := s.js.PublishMsgAsync(m)
		if sent != nil {
			err = sent
			break
		}
		acks = append(acks, ack)
	}
	for i := range all {
		if i >= len(acks) || !s.stored(ctx, acks[i]) {
			unanswered = append(unanswered, all[i])
		}
	}
	if len(unanswered) > 0 && err == nil {
		err = errors.New("not all were acknowledged")
	}
	return unanswered, err
}

func (s *streamSending) stored(ctx context.Context, ack jetstream.PubAckFuture) bool {
	select {
	case <-ack.Ok():
		return true
	default:
	}
	select {
	case <-ack.Ok():
		return true
	case <-ack.Err():
	case <-s.closed:
	case <-ctx.Done():
	}
	return false
}

func (c *stream) receive(ctx context.Context, arrived func(*arrival)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, js, err := c.connect(nats.ClosedHandler(func(*nats.Conn) { cancel() }))
	if err != nil {
		return err
	}
	defer conn.Close()
	consumer, err := js.Consumer(ctx, c.name, c.consumer)
	if err != nil {
		return err
	}
	all, err := consumer.Messages(jetstream.PullMaxMessages(prefetch))
	if err != nil {
		return err
	}
	defer all.Stop()
	for {
		m, err := all.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		about, err := m.Metadata()
		if err != nil {
			return err
		}
		arrived(&arrival{
			id: m.Headers().Get("JMS-Message-Id"), body: string(m.Data()), again: about.NumDelivered > 1, place: about.Sequence.Stream,
		})
		if err := m.Ack(); err != nil {
			return err
		}
	}
}

// make makes the stream, as the program outside has it.
func (c *stream) make(t testing.TB) {
	t.Helper()
	conn, js, err := c.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: c.name, Subjects: []string{c.subject}, Duplicates: duplicateWindow})
	if err != nil {
		t.Fatal(err)
	}
}

// await waits for the stream that the gateway makes, and adds the consumer: before the
// first message, because the stream keeps only what somebody waits for.
func (c *stream) await(t testing.TB) {
	t.Helper()
	conn, js, err := c.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wait(t, "the gateway makes stream "+c.name, func() bool {
		_, err := js.CreateConsumer(t.Context(), c.name, jetstream.ConsumerConfig{
			Durable: c.consumer, FilterSubject: c.subject, AckPolicy: jetstream.AckExplicitPolicy, AckWait: consumerAckWait, MaxAckPending: 5 * prefetch,
		})
		return err == nil
	})
}

// left is how many messages its consumer has not confirmed.
func (c *stream) left(ctx context.Context) (int, error) {
	conn, js, err := c.connect()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	consumer, err := js.Consumer(ctx, c.name, c.consumer)
	if err != nil {
		return 0, err
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return 0, err
	}
	return int(info.NumPending) + info.NumAckPending, nil
}
