package bridges

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/go-amqp"
)

// amqp10 is a program on go-amqp: of the gateway, and of Artemis.
type amqp10 struct {
	url, address string
	topic        bool
	durable      string // name of the subscription that it receives by
}

// dialTime bounds one try to connect, and how long a frozen peer is waited for.
const dialTime = 20 * time.Second

func (c *amqp10) session(ctx context.Context, container string) (*amqp.Conn, *amqp.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := amqp.Dial(ctx, c.url, &amqp.ConnOptions{ContainerID: container})
	if err != nil {
		return nil, nil, err
	}
	s, err := conn.NewSession(ctx, nil)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, s, nil
}

func (c *amqp10) capabilities() []string {
	if c.topic {
		return []string{"topic"}
	}
	return []string{"queue"}
}

type amqp10Sending struct {
	conn *amqp.Conn
	s    *amqp.Sender
}

func (c *amqp10) sender(ctx context.Context) (sending, error) {
	conn, session, err := c.session(ctx, "")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	s, err := session.NewSender(ctx, c.address, &amqp.SenderOptions{TargetCapabilities: c.capabilities()})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &amqp10Sending{conn, s}, nil
}

func (s *amqp10Sending) close() { _ = s.conn.Close() }

func (s *amqp10Sending) send(ctx context.Context, all []letter) (unanswered []letter, err error) {
	var receipts []amqp.SendReceipt
	for _, l := range all {
		m := &amqp.Message{
			Header: &amqp.MessageHeader{Durable: true}, Properties: &amqp.MessageProperties{MessageID: l.id()}, Value: l.body(),
		}
		r, sent := s.s.SendWithReceipt(ctx, m, nil)
		if sent != nil {
			err = sent
			break
		}
		receipts = append(receipts, r)
	}
	for i := range all {
		if i >= len(receipts) {
			unanswered = append(unanswered, all[i])
			continue
		}
		state, answered := receipts[i].Wait(ctx)
		if _, ok := state.(*amqp.StateAccepted); !ok {
			unanswered = append(unanswered, all[i])
			if err = errors.Join(err, answered); err == nil {
				err = fmt.Errorf("%s was answered with %v", all[i].id(), state)
			}
		}
	}
	return unanswered, err
}

func (c *amqp10) receive(ctx context.Context, arrived func(*arrival)) error {
	conn, session, err := c.session(ctx, c.durable)
	if err != nil {
		return err
	}
	defer conn.Close()
	r, err := c.receiver(ctx, session)
	if err != nil {
		return err
	}
	for {
		m, err := r.Receive(ctx, nil)
		if err != nil {
			return err
		}
		a := arrival{}
		a.body, _ = m.Value.(string)
		if m.Properties != nil {
			a.id, _ = m.Properties.MessageID.(string)
		}
		a.again = m.Header != nil && m.Header.DeliveryCount > 0
		arrived(&a)
		if err := r.AcceptMessage(ctx, m); err != nil {
			return err
		}
	}
}

func (c *amqp10) receiver(ctx context.Context, session *amqp.Session) (*amqp.Receiver, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	o := &amqp.ReceiverOptions{SourceCapabilities: c.capabilities(), Credit: prefetch}
	if c.durable != "" {
		o.Name, o.SourceDurability, o.SourceExpiryPolicy = c.durable, amqp.DurabilityUnsettledState, amqp.ExpiryPolicyNever
	}
	return session.NewReceiver(ctx, c.address, o)
}

// subscribe makes the durable subscription.
func (c *amqp10) subscribe(ctx context.Context) error {
	conn, session, err := c.session(ctx, c.durable)
	if err != nil {
		return err
	}
	defer conn.Close() // the connection alone: a closed link would end the subscription
	_, err = c.receiver(ctx, session)
	return err
}
