package amqp10

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/interop"
)

// maxSenders is how many destinations have a link at a time, if the peer allows for half
// as many again; beyond that the one that was used least recently, and has nothing under
// way, loses its own.
const maxSenders = 500

// sender is the link to one destination. All is held.
type sender struct {
	s        *session
	to       interop.Destination
	address  string
	link     *client.Link
	attached bool
	credited bool   // the peer has given credit for it
	most     uint64 // bytes of one message; 0: any
	flight   int    // messages that are not answered
	pending  []*interop.Outbound
}

// Send puts messages on their links, in order; those for which a peer has no room yet
// wait there, up to what the runner lets be under way.
func (s *session) Send(ctx context.Context, all []interop.Outbound) error {
	if s.azure != nil {
		if err := s.azure.permitSending(ctx, s, all); err != nil {
			return err
		}
	}
	return s.conn.Do(func() {
		for i := range all {
			d := s.sender(all[i].To)
			if d.attached && len(d.pending) == 0 && d.link.Room() > 0 {
				d.send(&all[i])
				continue
			}
			kept := all[i]
			d.pending = append(d.pending, &kept)
		}
	})
}

// sender finds the link to a destination, or attaches one.
func (s *session) sender(to interop.Destination) *sender {
	if d := s.senders[to]; d != nil {
		if n := len(s.recent); s.recent[n-1] != d {
			i := slices.Index(s.recent, d)
			copy(s.recent[i:], s.recent[i+1:])
			s.recent[n-1] = d
		}
		return d
	}
	if len(s.recent) >= s.mostSenders {
		if i := slices.IndexFunc(s.recent, func(d *sender) bool { return d.attached && d.flight == 0 && len(d.pending) == 0 }); i >= 0 {
			idle := s.recent[i]
			idle.forget()
			idle.link.Detach(true, nil)
		}
	}
	d := &sender{s: s, to: to, address: s.peer.address(to, s.t.settings.prefix, true)}
	s.senders[to] = d
	s.recent = append(s.recent, d)
	d.attach()
	return d
}

func (d *sender) attach() {
	kind := "queue:"
	if d.to.Kind == interop.Topic {
		kind = "topic:"
	}
	link, err := d.s.outgoing.Attach(frame.Attach{
		Name: d.s.t.settings.container + ":" + kind + d.to.Name, Role: frame.RoleSender, SndSettleMode: frame.SenderSettleModeUnsettled,
		Source: &frame.Source{Address: d.s.t.settings.container, Outcomes: outcomes},
		Target: &frame.Target{Address: d.address, Capabilities: d.s.peer.capability(d.to)},
	}, d.event, d.overdrawn)
	if err != nil {
		d.s.fail(fmt.Errorf("sending to %s: %w", d.to.Name, err))
		return
	}
	d.link = link
}

// forget takes the link out of those that are used.
func (d *sender) forget() {
	if d.s.senders[d.to] != d {
		return
	}
	delete(d.s.senders, d.to)
	d.s.recent = slices.DeleteFunc(d.s.recent, func(o *sender) bool { return o == d })
}

// event is what the peer does on the link.
func (d *sender) event(e client.Event) {
	switch e.Kind {
	case client.Attached:
		target, ok := e.Attach.Target.(*frame.Target)
		d.most = e.Attach.MaxMessageSize
		d.attached = ok && target != nil // else the reason follows
		d.pump()
	case client.Flow:
		d.credited = d.credited || e.Link.Room() > 0
		d.pump()
		if e.Drain {
			e.Link.Drained(e.Limit)
		}
	case client.Settled:
		d.settled(e)
	case client.Detached:
		if !e.Local {
			e.Link.Detach(true, nil)
		}
		d.detached(e.Error)
	}
}

// pump sends what waited for credit.
func (d *sender) pump() {
	n := 0
	for n < len(d.pending) && d.attached && d.link.Room() > 0 {
		o := d.pending[n]
		n++
		d.send(o)
	}
	if n > 0 {
		rest := copy(d.pending, d.pending[n:])
		clear(d.pending[rest:])
		d.pending = d.pending[:rest]
	}
}

// send gives one message to the engine.
func (d *sender) send(o *interop.Outbound) {
	s := d.s
	m, err := s.encode(o)
	if err == nil && d.most > 0 && uint64(m.size()) > d.most {
		err = fmt.Errorf("it has %d bytes, and %s takes up to %d for %s", m.size(), s.peer.name(), d.most, d.address)
	}
	if err != nil {
		s.reports.answer(interop.Sent{Tag: o.Tag, Refused: err})
		return
	}
	s.tagged++
	var tag [8]byte
	binary.BigEndian.PutUint64(tag[:], s.tagged)
	d.flight++
	d.link.Send(client.Outgoing{Ref: o.Tag, Tag: tag[:], Head: m.head, First: m.first, Rest: m.rest})
}

// overdrawn is told of a message that the peer took back the credit for. Links on which
// that happened begin anew: it hardly ever does.
func (d *sender) overdrawn(uint64) {
	d.s.fail(fmt.Errorf("the peer took back credit for %s", d.address))
}

// settled answers messages.
func (d *sender) settled(e client.Event) {
	why, again := verdict(e.State)
	for _, sent := range e.Sent {
		if !e.Settled {
			d.link.Session().Confirm(sent.ID, e.State)
		}
		d.flight--
		if again == nil {
			d.s.reports.answer(interop.Sent{Tag: sent.Ref, Refused: why})
		}
	}
	if again != nil {
		d.s.fail(fmt.Errorf("%s gave back a message for %s: %w", d.s.peer.name(), d.address, again))
	}
}

// detached is the link's end. One that had nothing to do is attached again when there
// is something to send: peers give up idle links (Service Bus after ten minutes).
func (d *sender) detached(e *frame.Error) {
	d.attached = false
	d.forget()
	why := refusal(e)
	switch {
	case d.flight == 0 && len(d.pending) == 0:
	case d.flight == 0 && !d.credited && e != nil && !passing(e): // it never took anything
		for _, o := range d.pending {
			d.s.reports.answer(interop.Sent{Tag: o.Tag, Refused: fmt.Errorf("%s takes nothing for %s: %w", d.s.peer.name(), d.address, why)})
		}
		d.pending = nil
	default:
		d.s.fail(fmt.Errorf("%s closed the link to %s: %w", d.s.peer.name(), d.address, why))
	}
}

var errSilent = errors.New("it was settled without saying what became of it")
