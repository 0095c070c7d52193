package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/go-amqp"
)

// receiver attaches as the command asks.
func (c *command) receiver(ctx context.Context, session *amqp.Session) (*amqp.Receiver, error) {
	opts := &amqp.ReceiverOptions{Credit: c.Credit, SourceCapabilities: c.terminus(), DynamicAddress: c.Dynamic}
	if c.Drain {
		opts.Credit = -1 // by hand
	}
	if c.Settle == "second" {
		opts.SettlementMode = amqp.ReceiverSettleModeSecond.Ptr()
	}
	if c.Settled {
		opts.RequestedSenderSettleMode = amqp.SenderSettleModeSettled.Ptr()
	}
	if c.Selector != "" {
		opts.Filters = append(opts.Filters, amqp.NewSelectorFilter(c.Selector))
	}
	if c.NoLocal {
		opts.Filters = append(opts.Filters, amqp.NewLinkFilter("apache.org:no-local-filter:list", 0, []any{}))
	}
	if c.Browse {
		opts.SourceDistributionMode = amqp.SourceDistributionModeCopy
	}
	opts.Name = cmp.Or(c.Link, c.Subscription)
	if c.durable() {
		opts.SourceDurability, opts.SourceExpiryPolicy = amqp.DurabilityUnsettledState, amqp.ExpiryPolicyNever
	}
	address := c.Address
	if c.Dynamic {
		address = ""
	}
	return session.NewReceiver(ctx, address, opts)
}

// durable says whether the command's subscription stays when it ends.
func (c *command) durable() bool { return c.Subscription != "" && !c.Volatile }

// publish sends messages of the command's own over the receiver's connection.
func (c *command) publish(ctx context.Context, session *amqp.Session) error {
	sender, err := session.NewSender(ctx, c.Address, &amqp.SenderOptions{TargetCapabilities: c.terminus()})
	if err != nil {
		return err
	}
	for seq := int64(1); seq <= c.Publish; seq++ {
		m, err := c.message(seq)
		if err != nil {
			return err
		}
		if err := sender.Send(ctx, m, nil); err != nil {
			return err
		}
	}
	c.event("published", nil)
	return sender.Close(ctx)
}

func (c *command) receive(ctx context.Context) (fields, error) {
	session, hangUp, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp()
	r, err := c.receiver(ctx, session)
	if err != nil {
		return nil, err
	}
	c.event("attached", fields{"address": r.Address()})
	if c.Publish > 0 {
		if err := c.publish(ctx, session); err != nil {
			return nil, err
		}
	}
	if c.Drain {
		return c.drained(ctx, r)
	}
	n, reason := int64(0), "count"
	var batch []*amqp.Message
	for c.Count == 0 || n < c.Count {
		m, err := c.within(ctx, r)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			reason = "idle"
			break
		}
		if err != nil {
			return nil, err
		}
		n++
		if batch = append(batch, m); len(batch) < c.Batch {
			continue
		}
		if err := c.settleAll(ctx, r, batch); err != nil {
			return nil, err
		}
		batch = batch[:0]
	}
	if err := c.settleAll(ctx, r, batch); err != nil {
		return nil, err
	}
	// go-amqp detaches a link only by closing it, which would delete a durable
	// subscription: that is left to the connection's end.
	if !c.durable() {
		if err := r.Close(ctx); err != nil {
			return nil, err
		}
	}
	return fields{"received": n, "reason": reason}, nil
}

// unsubscribe takes up a durable subscription and closes it for good.
func (c *command) unsubscribe(ctx context.Context) (fields, error) {
	c.Kind = "topic"
	session, hangUp, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp()
	r, err := c.receiver(ctx, session)
	if err != nil {
		return nil, err
	}
	return fields{}, r.Close(ctx)
}

// settleAll answers messages at once and then tells them in their order.
func (c *command) settleAll(ctx context.Context, r *amqp.Receiver, batch []*amqp.Message) error {
	failed := make(chan error, len(batch))
	for _, m := range batch {
		go func() { failed <- c.settle(ctx, r, m) }()
	}
	for range batch {
		if err := <-failed; err != nil {
			return err
		}
	}
	for _, m := range batch {
		c.event("message", c.describe(m))
	}
	return nil
}

// within waits for a message as long as the command allows.
func (c *command) within(ctx context.Context, r *amqp.Receiver) (*amqp.Message, error) {
	idle, cancel := context.WithTimeout(ctx, time.Duration(c.IdleMS)*time.Millisecond)
	defer cancel()
	return r.Receive(idle, nil)
}

// drained gives the credit, takes what comes, and drains. go-amqp's drain takes
// back the credit in the same flow, so there must be a while between the two.
func (c *command) drained(ctx context.Context, r *amqp.Receiver) (fields, error) {
	if err := r.IssueCredit(uint32(c.Credit)); err != nil {
		return nil, err
	}
	n := int32(0)
	take := func(m *amqp.Message) error {
		if err := c.settle(ctx, r, m); err != nil {
			return err
		}
		c.event("message", c.describe(m))
		n++
		return nil
	}
	for n < c.Credit {
		m, err := c.within(ctx, r)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := take(m); err != nil {
			return nil, err
		}
	}
	if err := r.DrainCredit(ctx, nil); err != nil {
		return nil, err
	}
	for m := r.Prefetched(); m != nil; m = r.Prefetched() {
		if err := take(m); err != nil {
			return nil, err
		}
	}
	return fields{"received": n, "reason": "drained"}, nil
}

// settle answers a message. In receiver-settle-mode second go-amqp returns only
// when the server has settled.
func (c *command) settle(ctx context.Context, r *amqp.Receiver, m *amqp.Message) error {
	if c.Browse || c.Settled {
		return r.AcceptMessage(ctx, m) // gives the credit back; go-amqp knows what is settled
	}
	switch c.Ack {
	case "", "accept":
		return r.AcceptMessage(ctx, m)
	case "release":
		return r.ReleaseMessage(ctx, m)
	case "reject":
		return r.RejectMessage(ctx, m, nil)
	case "modify":
		annotations, err := annotate(c.ModifyAnnotations)
		if err != nil {
			return err
		}
		return r.ModifyMessage(ctx, m, &amqp.ModifyMessageOptions{DeliveryFailed: c.Failed, UndeliverableHere: c.Undeliverable, Annotations: annotations})
	case "none":
		return nil
	}
	return fmt.Errorf("no ack %q", c.Ack)
}

// body is a message's body in bytes, whichever section carries it.
func body(m *amqp.Message) []byte {
	if s, ok := m.Value.(string); ok {
		return []byte(s)
	}
	var all []byte
	for _, d := range m.Data {
		all = append(all, d...)
	}
	return all
}

// describe is what the protocol tells about a message.
func (c *command) describe(m *amqp.Message) fields {
	b := body(m)
	sum := sha256.Sum256(b)
	f := fields{"size": len(b), "sha256": hex.EncodeToString(sum[:]), "properties": plain(m.ApplicationProperties)}
	if len(b) <= 256 {
		f["text"] = string(b)
	}
	f["producer"], f["seq"] = m.ApplicationProperties["producer"], m.ApplicationProperties["seq"]
	if h := m.Header; h != nil {
		f["durable"], f["priority"], f["delivery_count"] = h.Durable, h.Priority, h.DeliveryCount
		f["redelivered"] = h.DeliveryCount > 0
	}
	if c.Typed {
		describeTypes(f, m)
	}
	return f
}

// respond echoes messages to their reply-to.
func (c *command) respond(ctx context.Context) (fields, error) {
	session, hangUp, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp()
	r, err := c.receiver(ctx, session)
	if err != nil {
		return nil, err
	}
	c.event("attached", fields{"address": r.Address()})
	senders := map[string]*amqp.Sender{}
	for n := int64(0); n < c.Count; n++ {
		m, err := r.Receive(ctx, nil)
		if err != nil {
			return nil, err
		}
		if m.Properties == nil || m.Properties.ReplyTo == nil {
			return nil, errors.New("a request without reply-to")
		}
		to := *m.Properties.ReplyTo
		if senders[to] == nil {
			if senders[to], err = session.NewSender(ctx, to, nil); err != nil {
				return nil, err
			}
		}
		reply := &amqp.Message{
			Value: m.Value, Data: m.Data,
			Properties: &amqp.MessageProperties{To: &to, CorrelationID: m.Properties.MessageID},
		}
		if err := senders[to].Send(ctx, reply, nil); err != nil {
			// Who asked may have its answer and have deleted the queue, before
			// go-amqp, which looks at both at once, has seen the outcome.
			var gone *amqp.LinkError
			if !errors.As(err, &gone) || gone.RemoteErr == nil || gone.RemoteErr.Condition != amqp.ErrCondResourceDeleted {
				return nil, err
			}
			delete(senders, to)
		}
		if err := r.AcceptMessage(ctx, m); err != nil {
			return nil, err
		}
	}
	return fields{"received": c.Count}, nil
}
