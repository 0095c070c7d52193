package client

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// Sender sends to one address.
type Sender struct {
	c        *Conn
	l        *engine.Link
	settled  bool
	attached bool
	err      error
	next     uint64
	open     int // sent, not yet settled
	refused  error
}

// NewSender attaches a sender; capabilities say the kind (queue, topic). settled
// sends at most once, without an answer.
func (c *Conn) NewSender(address string, capabilities []wire.Symbol, settled bool) (*Sender, error) {
	s := &Sender{c: c, settled: settled}
	mode := frame.SenderSettleModeUnsettled
	if settled {
		mode = frame.SenderSettleModeSettled
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.l = c.session.Attach(frame.Attach{
		Name: "sender-" + address, Role: frame.RoleSender, SndSettleMode: mode,
		Source: &frame.Source{}, Target: &frame.Target{Address: address, Capabilities: capabilities},
	})
	if s.l == nil {
		return nil, errors.New("no link is free")
	}
	s.l.Ref = s
	c.flush()
	c.wait(func() bool { return s.attached || s.err != nil })
	if c.err != nil {
		return nil, c.err
	}
	if s.err == nil {
		c.wait(func() bool { return s.err != nil || s.l.Credit() > 0 })
	}
	return s, errors.Join(s.err, c.err)
}

func (s *Sender) event(e engine.Event) {
	switch e.Kind {
	case engine.EventAttach:
		s.attached = true
	case engine.EventSettle:
		s.open -= len(e.Sent)
		if r, ok := e.State.(*frame.Rejected); ok && s.refused == nil {
			s.refused = &Error{r.Error}
		} else if _, ok := e.State.(frame.Accepted); !ok && s.refused == nil {
			s.refused = errors.New("the message was not accepted")
		}
	case engine.EventDetach:
		s.err = &Error{e.Error}
		e.Link.Detach(true, nil)
	case engine.EventFlow, engine.EventOpen, engine.EventBegin, engine.EventDelivery, engine.EventOutcome, engine.EventEnd, engine.EventClose, engine.EventPiece, engine.EventAborted:
	}
}

// Send sends an encoded message as soon as there is credit. It does not wait
// for the answer: Flush does.
func (s *Sender) Send(ctx context.Context, message []byte) error {
	c := s.c
	stop := context.AfterFunc(ctx, c.cond.Broadcast)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(func() bool { return s.err != nil || s.refused != nil || ctx.Err() != nil || s.l.Room() > 0 })
	if err := errors.Join(c.err, s.err, s.refused, ctx.Err()); err != nil {
		return err
	}
	s.next++
	if !s.settled {
		s.open++
	}
	s.l.Send(engine.Delivery{Ref: s.next, Tag: binary.BigEndian.AppendUint64(nil, s.next), Settled: s.settled, First: message})
	if s.l.Room() == 0 || s.next%64 == 0 || len(message) > 4096 {
		c.flush()
	}
	return nil
}

// Flush waits until every message is answered. The error is the first refusal: a
// connection that ends behind the last answer is none.
func (s *Sender) Flush(ctx context.Context) error {
	c := s.c
	stop := context.AfterFunc(ctx, c.cond.Broadcast)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush()
	c.wait(func() bool { return s.err != nil || s.open == 0 || ctx.Err() != nil })
	if s.open == 0 && !s.settled {
		return s.refused
	}
	return errors.Join(c.err, s.err, s.refused, ctx.Err())
}
