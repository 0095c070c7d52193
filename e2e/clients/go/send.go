package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
)

// redial is how long the sender waits before it dials again.
const redial = 20 * time.Millisecond

// sending is one send command under way. A single goroutine runs it: it fills
// the window, then takes the answers in order.
type sending struct {
	*command
	resend   []int64 // unanswered at the last loss, in order
	next     int64   // the first number never sent
	inFlight []unanswered

	accepted, refused, reconnects int
}

type unanswered struct {
	seq     int64
	receipt amqp.SendReceipt
}

func (s *sending) run(ctx context.Context) (fields, error) {
	s.next = s.First
	for {
		err := s.connected(ctx)
		if err == nil {
			return fields{"accepted": s.accepted, "refused": s.refused, "reconnects": s.reconnects}, nil
		}
		if !s.Reconnect || ctx.Err() != nil {
			return nil, err
		}
		var lost []int64
		for _, u := range s.inFlight {
			lost = append(lost, u.seq)
		}
		// What was lost goes out before what the loss before it left.
		s.resend = append(slices.Clone(lost), s.resend...)
		s.inFlight = nil
		if lost != nil {
			s.event("lost", fields{"unanswered": lost})
		}
		select {
		case <-time.After(redial):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// connected sends over one connection until all is answered or it is lost.
func (s *sending) connected(ctx context.Context) error {
	session, hangUp, err := s.session(ctx)
	if err != nil {
		return err
	}
	defer hangUp()
	opts := &amqp.SenderOptions{TargetCapabilities: s.terminus()}
	if s.Settled {
		opts.SettlementMode = amqp.SenderSettleModeSettled.Ptr()
	}
	address := s.Address
	if s.Relay {
		address = "" // each message says where it goes
	}
	sender, err := session.NewSender(ctx, address, opts)
	if err != nil {
		return err
	}
	s.event("attached", fields{"address": sender.Address()})
	if s.accepted+s.refused > 0 || s.resend != nil {
		s.reconnects++
	}
	for {
		for len(s.inFlight) < s.Window && (len(s.resend) > 0 || s.next < s.First+s.Count) {
			if err := s.sendNext(ctx, sender); err != nil {
				return err
			}
		}
		if len(s.inFlight) == 0 {
			if len(s.resend) == 0 && s.next == s.First+s.Count {
				_ = sender.Close(ctx) // all is answered; its address may have gone since
				return nil
			}
			continue // pre-settled sends leave nothing in flight
		}
		oldest := s.inFlight[0]
		state, err := oldest.receipt.Wait(ctx)
		if err != nil {
			return err
		}
		s.inFlight = s.inFlight[1:]
		s.answer(oldest.seq, state)
	}
}

// sendNext sends the next number. Once it has been handed to the library it is
// in flight, whatever happens.
func (s *sending) sendNext(ctx context.Context, sender *amqp.Sender) error {
	seq := s.next
	if len(s.resend) > 0 {
		seq, s.resend = s.resend[0], s.resend[1:]
	} else {
		s.next++
	}
	m, err := s.message(seq)
	if err != nil {
		return err
	}
	if s.Settled {
		if err := sender.Send(ctx, m, nil); err != nil {
			s.resend = append([]int64{seq}, s.resend...)
			return err
		}
		s.answer(seq, &amqp.StateAccepted{})
		return nil
	}
	receipt, err := sender.SendWithReceipt(ctx, m, nil)
	if err != nil {
		s.inFlight = append(s.inFlight, unanswered{seq: seq})
		return err
	}
	s.inFlight = append(s.inFlight, unanswered{seq, receipt})
	return nil
}

func (s *sending) answer(seq int64, state amqp.DeliveryState) {
	f := fields{"seq": seq}
	switch state := state.(type) {
	case *amqp.StateAccepted:
		f["outcome"] = "accepted"
		s.accepted++
		s.event("outcome", f)
		return
	case *amqp.StateRejected:
		f["outcome"] = "rejected"
		if state.Error != nil {
			f["condition"], f["error"] = state.Error.Condition, state.Error.Description
		}
	case *amqp.StateReleased:
		f["outcome"] = "released"
	case *amqp.StateModified:
		f["outcome"] = "modified"
	default:
		f["outcome"] = fmt.Sprintf("%T", state)
	}
	s.refused++
	s.event("outcome", f)
}

// filling is the body of message seq of producer: size bytes.
func filling(producer string, seq int64, size int) []byte {
	unit := fmt.Sprintf("%s/%d;", producer, seq)
	return []byte(strings.Repeat(unit, size/len(unit)+1)[:size])
}

// message builds message seq of the command.
func (c *command) message(seq int64) (*amqp.Message, error) {
	body := filling(c.Producer, seq, c.Size)
	if c.Text != nil {
		body = []byte(*c.Text)
	}
	m := &amqp.Message{
		Header:                &amqp.MessageHeader{Durable: c.Durable == nil || *c.Durable, Priority: 4},
		ApplicationProperties: map[string]any{"producer": c.Producer, "seq": seq},
	}
	switch {
	case c.Value != nil: // below
	case c.Body == "text" || c.Text != nil:
		m.Value = string(body)
	default:
		m.Data = [][]byte{body}
	}
	if c.Priority != nil {
		m.Header.Priority = *c.Priority
	}
	m.Header.TTL = time.Duration(c.TTLMS) * time.Millisecond
	for name, v := range c.Properties {
		if f, ok := v.(float64); ok && f == math.Trunc(f) {
			v = int64(f)
		}
		m.ApplicationProperties[name] = v
	}
	if err := c.addTyped(m); err != nil {
		return nil, err
	}
	return m, c.addFields(m)
}

// addTyped adds what the command writes with its AMQP type.
func (c *command) addTyped(m *amqp.Message) error {
	properties, err := values(c.TypedProperties)
	if err != nil {
		return err
	}
	maps.Copy(m.ApplicationProperties, properties)
	if c.Value != nil {
		if m.Value, err = value(c.Value); err != nil {
			return err
		}
	}
	if c.MessageID == nil && c.CorrelationID == nil {
		return nil
	}
	m.Properties = &amqp.MessageProperties{}
	if c.MessageID != nil {
		if m.Properties.MessageID, err = value(c.MessageID); err != nil {
			return err
		}
	}
	if c.CorrelationID != nil {
		m.Properties.CorrelationID, err = value(c.CorrelationID)
	}
	return err
}

// request sends with a temporary queue of the server's making as reply-to.
func (c *command) request(ctx context.Context) (fields, error) {
	session, hangUp, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	defer hangUp()
	replies, err := session.NewReceiver(ctx, "", &amqp.ReceiverOptions{DynamicAddress: true})
	if err != nil {
		return nil, err
	}
	address := replies.Address()
	sender, err := session.NewSender(ctx, c.Address, &amqp.SenderOptions{TargetCapabilities: c.terminus()})
	if err != nil {
		return nil, err
	}
	c.event("attached", fields{"address": address})
	for seq := c.First; seq < c.First+c.Count; seq++ {
		m, err := c.message(seq)
		if err != nil {
			return nil, err
		}
		id := fmt.Sprintf("%s-%d", c.Producer, seq)
		m.Properties = &amqp.MessageProperties{MessageID: id, ReplyTo: &address}
		if err := sender.Send(ctx, m, nil); err != nil {
			return nil, err
		}
		reply, err := replies.Receive(ctx, nil)
		if err != nil {
			return nil, err
		}
		if reply.Properties == nil || reply.Properties.CorrelationID != any(id) {
			return nil, errors.New("a reply without the request's correlation-id")
		}
		if err := replies.AcceptMessage(ctx, reply); err != nil {
			return nil, err
		}
		f := c.describe(reply)
		f["seq"] = seq
		c.event("reply", f)
	}
	return fields{"received": c.Count}, nil
}
