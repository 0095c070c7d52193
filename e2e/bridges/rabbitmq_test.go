package bridges

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/e2e/peers"
)

// rabbit is a program on RabbitMQ's own client: a queue that it sends to, and gets
// from. With an exchange, it sends to that with the queue's name as routing key.
type rabbit struct {
	url, queue, exchange string
}

func (c *rabbit) channel() (*amqp091.Connection, *amqp091.Channel, error) {
	conn, err := amqp091.DialConfig(c.url, amqp091.Config{Dial: func(network, addr string) (net.Conn, error) {
		d, err := net.DialTimeout(network, addr, dialTime)
		if err != nil {
			return nil, err
		}
		return d, d.SetDeadline(time.Now().Add(dialTime)) // for the handshake; the client takes it away
	}})
	if err != nil {
		return nil, nil, err
	}
	ch, err := conn.Channel()
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, ch, nil
}

type rabbitSending struct {
	conn            *amqp091.Connection
	ch              *amqp091.Channel
	exchange, queue string
}

func (c *rabbit) sender(context.Context) (sending, error) {
	conn, ch, err := c.channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &rabbitSending{conn, ch, c.exchange, c.queue}, nil
}

func (s *rabbitSending) close() { _ = s.conn.CloseDeadline(time.Now().Add(time.Second)) }

func (s *rabbitSending) send(ctx context.Context, all []letter) (unanswered []letter, err error) {
	closed := s.ch.NotifyClose(make(chan *amqp091.Error, 1))
	var confirms []*amqp091.DeferredConfirmation
	for _, l := range all {
		c, sent := s.ch.PublishWithDeferredConfirmWithContext(ctx, s.exchange, s.queue, true, false, amqp091.Publishing{
			DeliveryMode: amqp091.Persistent, ContentType: "text/plain", MessageId: l.id(), Body: []byte(l.body()),
		})
		if sent != nil {
			err = sent
			break
		}
		confirms = append(confirms, c)
	}
	for i := range all {
		if i >= len(confirms) || !s.confirmed(ctx, confirms[i], closed) {
			unanswered = append(unanswered, all[i])
		}
	}
	if len(unanswered) > 0 && err == nil {
		err = errors.New("not all were confirmed")
	}
	return unanswered, err
}

func (s *rabbitSending) confirmed(ctx context.Context, c *amqp091.DeferredConfirmation, closed chan *amqp091.Error) bool {
	select {
	case <-c.Done():
	case <-closed: // and stays so: the library closes the channel
		select {
		case <-c.Done():
		default:
			return false
		}
	case <-ctx.Done():
		return false
	}
	return c.Acked()
}

func (c *rabbit) receive(ctx context.Context, arrived func(*arrival)) error {
	conn, ch, err := c.channel()
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseDeadline(time.Now().Add(time.Second)) }()
	if err := ch.Qos(prefetch, 0, false); err != nil {
		return err
	}
	all, err := ch.ConsumeWithContext(ctx, c.queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	for {
		select {
		case d, ok := <-all:
			if !ok {
				return amqp091.ErrClosed
			}
			arrived(&arrival{id: d.MessageId, body: string(d.Body), again: d.Redelivered})
			if err := d.Ack(false); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// declare makes the queue, of quorums, and binds it to an exchange of topics; "" to
// none. It has one consumer at a time: without, RabbitMQ gives newer messages to who comes
// again, before it has noticed that his connection before is gone, and what that one
// had comes later. Once in many RabbitMQ 3.10, killed soon afterwards, has forgotten: it is stopped
// in good order and started again.
func (c *rabbit) declare(t testing.TB, p *peers.Peer, exchange, key string) {
	t.Helper()
	conn, ch, err := c.channel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclare(c.queue, true, false, false, false, amqp091.Table{"x-queue-type": "quorum", "x-single-active-consumer": true}); err != nil {
		t.Fatal(err)
	}
	if exchange != "" {
		if err := ch.ExchangeDeclare(exchange, "topic", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
		if err := ch.QueueBind(c.queue, key, exchange, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close()
	again(t, p)
}

// again stops RabbitMQ in good order and starts it.
func again(t testing.TB, p *peers.Peer) {
	t.Helper()
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
}

// left is how many messages wait in the queue, and have not been given to anybody.
func (c *rabbit) left(context.Context) (int, error) {
	conn, ch, err := c.channel()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	q, err := ch.QueueDeclarePassive(c.queue, true, false, false, false, nil)
	return q.Messages, err
}
