package amqp10

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// bench is where probes are made: a connection and a session.
type bench struct {
	conn    *client.Conn
	session *client.Session
	over    error // of the session; held
	links   int
}

// trial is one link of a probe. What events change is held.
type trial struct {
	b        *bench
	link     *client.Link
	address  string
	filter   wire.Map
	mode     wire.Symbol
	most     uint64
	attached bool
	ended    error
	came     []*message.Message
	outcomes int
	refused  error
	woken    chan struct{}
}

// attach attaches a link and waits for the answer; nil without an error: it is refused.
func (b *bench) attach(ctx context.Context, a frame.Attach) (*trial, error) {
	t := &trial{b: b, woken: make(chan struct{}, 1)}
	b.links++
	a.Name = "probe-" + strconv.Itoa(b.links)
	var failed error
	if err := b.conn.Do(func() { t.link, failed = b.session.Attach(a, t.event, nil) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	err := t.until(ctx, func() bool { return t.attached })
	if t.ended != nil {
		return nil, nil //nolint:nilnil // as documented
	}
	return t, err
}

// node has the peer make a node, and receives from it; nil without an error: it makes
// none.
func (b *bench) node(ctx context.Context, s *frame.Source) (*trial, error) {
	if s == nil {
		s = &frame.Source{}
	}
	s.Dynamic, s.ExpiryPolicy, s.Capabilities = true, frame.TerminusExpiryPolicyLinkDetach, []wire.Symbol{jms.CapabilityTemporaryQueue}
	s.DynamicNodeProperties = wire.Map{{Key: wire.Symbol("lifetime-policy"), Value: frame.ToValue(&frame.DeleteOnClose{})}}
	t, err := b.receiver(ctx, s)
	if t == nil || t.address == "" {
		return nil, err
	}
	return t, nil
}

// road is a node and a sender to it; all nil: the peer makes no nodes.
func (b *bench) road(ctx context.Context, s *frame.Source) (r, to *trial, err error) {
	if r, err = b.node(ctx, s); r == nil {
		return nil, nil, err
	}
	if to, err = b.sender(ctx, r.address); err != nil {
		r.close()
		return nil, nil, err
	}
	return r, to, nil
}

func (b *bench) receiver(ctx context.Context, s *frame.Source) (*trial, error) {
	s.Outcomes = outcomes
	return b.attach(ctx, frame.Attach{Role: frame.RoleReceiver, SndSettleMode: frame.SenderSettleModeUnsettled, Source: s, Target: &frame.Target{}})
}

func (b *bench) sender(ctx context.Context, address string) (*trial, error) {
	t, err := b.attach(ctx, frame.Attach{
		Role: frame.RoleSender, SndSettleMode: frame.SenderSettleModeUnsettled,
		Source: &frame.Source{Outcomes: outcomes}, Target: &frame.Target{Address: address},
	})
	if err == nil && t == nil {
		err = errors.New("its own node takes no messages")
	}
	return t, err
}

// event is what the peer does on the link.
func (t *trial) event(e client.Event) {
	switch e.Kind {
	case client.Attached:
		target, ok := e.Attach.Target.(*frame.Target)
		t.most = e.Attach.MaxMessageSize
		if s := e.Attach.Source; s != nil {
			t.address, t.mode, t.filter = s.Address, s.DistributionMode, slices.Clone(s.Filter)
		}
		t.attached = e.Link.Sending && ok && target != nil || !e.Link.Sending && e.Attach.Source != nil
	case client.Delivered:
		if m, err := message.Index(e.Payload, e.Rest, nil); err == nil {
			t.came = append(t.came, &m)
		}
		t.b.session.Settle(e.ID, e.ID, frame.Accepted{})
	case client.Settled:
		t.outcomes += len(e.Sent)
		if why, again := verdict(e.State); why != nil || again != nil {
			t.refused = errors.Join(why, again)
		}
	case client.Detached:
		if !e.Local {
			e.Link.Detach(true, nil)
		}
		t.ended = refusal(e.Error)
	}
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// until waits for something that an event brings, or for the end of the link.
func (t *trial) until(ctx context.Context, holds func() bool) error {
	for {
		done := false
		var why error
		if err := t.b.conn.Do(func() { done, why = holds(), errors.Join(t.ended, t.b.over) }); err != nil {
			return err
		}
		if done || why != nil {
			return why
		}
		select {
		case <-t.woken:
		case <-t.b.conn.Ended():
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v", probeTime)
		}
	}
}

// send sends a message and waits for its outcome.
func (t *trial) send(ctx context.Context, m *message.Message) error {
	if err := t.until(ctx, func() bool { return t.link.Room() > 0 }); err != nil {
		return err
	}
	sent := 0
	err := t.b.conn.Do(func() {
		sent = t.outcomes + 1
		pieces := m.Pieces(nil)
		t.link.Send(client.Outgoing{Tag: []byte(strconv.Itoa(sent)), First: pieces[0], Rest: pieces[1:]})
	})
	if err != nil {
		return err
	}
	if err := t.until(ctx, func() bool { return t.outcomes >= sent }); err != nil {
		return err
	}
	return t.refused
}

// next gives credit, and the first message that comes.
func (t *trial) next(ctx context.Context, credit uint32) (m *message.Message, err error) {
	if err := t.b.conn.Do(func() { t.link.Grant(credit, false) }); err != nil {
		return nil, err
	}
	err = t.until(ctx, func() bool {
		if len(t.came) > 0 {
			m = t.came[0]
			t.came = t.came[1:]
		}
		return m != nil
	})
	return m, err
}

func (t *trial) close() {
	_ = t.b.conn.Do(func() { t.link.Detach(true, nil) }) // if it has ended, so has the link
}
