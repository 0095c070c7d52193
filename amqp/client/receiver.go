package client

import (
	"context"
	"errors"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// ReceiverOptions say what to receive.
type ReceiverOptions struct {
	Address      string
	Capabilities []wire.Symbol
	Selector     string
	Browse       bool
	Settled      bool   // at most once
	Dynamic      bool   // a temporary node: Address tells its name afterwards
	Credit       uint32 // messages ahead
}

// Receiver receives from one address.
type Receiver struct {
	c        *Conn
	l        *engine.Link
	o        ReceiverOptions
	Address  string
	attached bool
	err      error
	queue    []Delivery
	drained  bool
}

// Delivery is one message that came.
type Delivery struct {
	Message *message.Message
	ID      uint32
	Settled bool
}

// NewReceiver attaches a receiver.
func (c *Conn) NewReceiver(o ReceiverOptions) (*Receiver, error) {
	r := &Receiver{c: c, o: o}
	source := &frame.Source{Address: o.Address, Dynamic: o.Dynamic, Capabilities: o.Capabilities, ExpiryPolicy: frame.TerminusExpiryPolicyLinkDetach}
	if o.Selector != "" {
		source.Filter = wire.Map{{Key: wire.Symbol("jms-selector"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: o.Selector}}}
	}
	mode := frame.SenderSettleModeUnsettled
	if o.Browse {
		source.DistributionMode = "copy"
	}
	if o.Settled || o.Browse {
		mode = frame.SenderSettleModeSettled
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.l = c.session.Attach(frame.Attach{
		Name: "receiver-" + o.Address, Role: frame.RoleReceiver, SndSettleMode: mode, Source: source, Target: &frame.Target{},
	})
	if r.l == nil {
		return nil, errors.New("no link is free")
	}
	r.l.Ref = r
	c.flush()
	c.wait(func() bool { return r.attached || r.err != nil })
	if r.attached && r.Address == "" && r.err == nil && c.err == nil { // refused: the detach follows
		c.wait(func() bool { return r.err != nil })
	}
	if err := errors.Join(r.err, c.err); err != nil {
		return nil, err
	}
	r.grant()
	return r, nil
}

func (r *Receiver) event(e engine.Event) {
	switch e.Kind {
	case engine.EventAttach:
		r.attached = true
		if e.Attach.Source != nil {
			r.Address = e.Attach.Source.Address
		}
	case engine.EventDelivery:
		m, err := message.Index(e.Payload, e.Rest, nil)
		if err != nil {
			r.err = err
			return
		}
		r.queue = append(r.queue, Delivery{Message: &m, ID: e.ID, Settled: e.Settled})
	case engine.EventDetach:
		r.err = &Error{e.Error}
		e.Link.Detach(true, nil)
	case engine.EventFlow, engine.EventOpen, engine.EventBegin, engine.EventSettle, engine.EventOutcome, engine.EventEnd, engine.EventClose, engine.EventPiece, engine.EventAborted:
	}
	r.drained = r.l.Credit() <= 0
}

// grant tops credit up.
func (r *Receiver) grant() {
	if want := r.o.Credit - uint32(min(len(r.queue), int(r.o.Credit))); r.l.Credit() <= int32(want/2) {
		r.l.Grant(max(want, 1), false)
		r.c.flush()
	}
}

// Receive waits for the next message.
func (r *Receiver) Receive(ctx context.Context) (Delivery, error) {
	c := r.c
	stop := context.AfterFunc(ctx, c.cond.Broadcast)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(r.queue) == 0 && r.err == nil && c.err == nil && ctx.Err() == nil {
		r.grant()
		c.wait(func() bool { return len(r.queue) > 0 || r.err != nil || ctx.Err() != nil })
	}
	return r.pop(ctx)
}

func (r *Receiver) pop(ctx context.Context) (Delivery, error) {
	if len(r.queue) == 0 {
		return Delivery{}, errors.Join(r.c.err, r.err, ctx.Err())
	}
	d := r.queue[0]
	r.queue = r.queue[1:]
	return d, nil
}

// Drain asks for what is there now; Receive gives it. more is false once
// nothing is left.
func (r *Receiver) Drain(ctx context.Context) (d Delivery, more bool, err error) {
	c := r.c
	stop := context.AfterFunc(ctx, c.cond.Broadcast)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(r.queue) == 0 {
		r.l.Grant(max(r.o.Credit, 1), true)
		c.flush()
		c.wait(func() bool { return len(r.queue) > 0 || r.l.Credit() <= 0 || r.err != nil || ctx.Err() != nil })
	}
	if len(r.queue) == 0 && c.err == nil && r.err == nil && ctx.Err() == nil {
		return Delivery{}, false, nil
	}
	d, err = r.pop(ctx)
	return d, err == nil, err
}

// Settle answers a delivery; state nil: accepted.
func (r *Receiver) Settle(d Delivery, state frame.DeliveryState) {
	if d.Settled {
		return
	}
	if state == nil {
		state = frame.Accepted{}
	}
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	r.l.Session().Settle(d.ID, d.ID, state, true)
	c.flush()
}

// Close detaches the receiver and waits until what it held is given back.
func (r *Receiver) Close() {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	r.l.Detach(true, nil)
	c.flush()
}
