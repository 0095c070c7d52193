package amqp10

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/interop"
)

const (
	firstRetry = 500 * time.Millisecond // after a link's end; doubled up to mostRetry
	mostRetry  = 30 * time.Second
	// maxAttaches: numbers of receivers begin anew behind it.
	maxAttaches = 1<<30 - 1
	// replyCredit is how many replies to one temporary destination are under way.
	replyCredit = 16
)

// receiver is the link from one destination, or from a node for replies. All is held.
type receiver struct {
	s         *session
	to        interop.Destination
	token     string // of a lease; "": an import
	link      *client.Link
	number    uint32 // among session.receivers; a new one for each link
	address   string // of a node that the peer made
	share     int    // messages that may be unsettled
	unsettled int
	attached  bool
	refused   bool
	leaving   bool // nobody wants it any more
	grouped   bool // Service Bus: one session of the entity at a time, group
	group     group
	pause     time.Duration
	due       time.Time     // when it is to be attached again; zero: it need not
	tried     chan struct{} // closed after the first answer
	err       error         // why it is not attached
	durable   bool
}

// Imports attaches what is missing, and closes what is not wanted any more: a durable
// subscription ends with that, or it would gather messages for ever.
func (s *session) Imports(ctx context.Context, all []interop.Destination) error {
	if s.azure != nil {
		if err := s.azure.permitImports(ctx, s, all); err != nil {
			return err
		}
	}
	var wait []*receiver
	err := s.conn.Do(func() {
		wanted := map[interop.Destination]bool{}
		share := max(1, s.t.settings.prefetch/max(1, len(all)))
		for _, d := range all {
			if name.IsWildcard(d.Name) {
				s.sink.Note(fmt.Sprintf("%s is a wildcard: transports of AMQP 1.0 import by name only", d.Name))
				continue
			}
			wanted[d] = true
			r := s.imports[d]
			if r == nil {
				r = &receiver{s: s, to: d, tried: make(chan struct{}), pause: firstRetry}
				s.imports[d] = r
				r.share = share
				r.attach()
			}
			r.share = share
			r.grant()
			wait = append(wait, r)
		}
		for d, r := range s.imports { // order: irrelevant
			if !wanted[d] {
				delete(s.imports, d)
				r.leave()
			}
		}
	})
	if err != nil {
		return err
	}
	for _, r := range wait {
		select {
		case <-r.tried:
		case <-s.conn.Ended():
			return s.conn.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// attach attaches the link, or attaches it again.
func (r *receiver) attach() {
	s := r.s
	r.due, r.refused = time.Time{}, false
	s.attaches = s.attaches%maxAttaches + 1
	r.number = s.attaches
	s.receivers[r.number] = r
	source := &frame.Source{
		Address: s.source(r.to), Capabilities: s.peer.capability(r.to), Outcomes: outcomes, DefaultOutcome: frame.Released{},
	}
	link := frame.Attach{Role: frame.RoleReceiver, SndSettleMode: frame.SenderSettleModeUnsettled, MaxMessageSize: interop.MaxMessage, Source: source, Target: &frame.Target{}}
	session := s.incoming
	switch {
	case r.token != "":
		session = s.answering
		source.Address, source.Dynamic, source.Capabilities = "", true, []wire.Symbol{jms.CapabilityTemporaryQueue}
		source.DynamicNodeProperties = wire.Map{{Key: wire.Symbol("lifetime-policy"), Value: frame.ToValue(&frame.DeleteOnClose{})}}
		source.ExpiryPolicy = frame.TerminusExpiryPolicyLinkDetach
		link.Name = s.t.settings.container + ":reply:" + r.token
	case r.to.Kind == interop.Topic && s.peer.style == byCapability:
		source.Durable, source.ExpiryPolicy = frame.TerminusDurabilityUnsettledState, "never"
		link.Name = subscription(s.t.settings.cmName, r.to.Name)
	default:
		link.Name = s.t.settings.container + ":queue:" + r.to.Name
	}
	if s.azure != nil {
		s.azure.shape(r, &link)
	}
	made, err := session.Attach(link, r.event, nil)
	if err != nil {
		r.gone()
		r.failed(err)
		return
	}
	r.link = made
}

// source is the address that messages for a destination come from.
func (s *session) source(d interop.Destination) string {
	if s.azure != nil {
		return s.azure.source(d)
	}
	return s.peer.address(d, s.t.settings.prefix, false)
}

// event is what the peer does on the link.
func (r *receiver) event(e client.Event) {
	switch e.Kind {
	case client.Attached:
		r.answered(e.Attach)
	case client.Delivered:
		r.unsettled++
		if r.grouped {
			r.group.heard = time.Now()
		}
		r.s.reports.arrive(arrival{
			number: r.number, id: e.ID, settled: e.Settled, first: e.Payload, rest: e.Rest, to: r.to, token: r.token, tag: r.s.lockToken(e.Tag),
		})
	case client.Detached:
		if !e.Local {
			e.Link.Detach(true, nil)
		}
		r.detached(e.Error)
	}
}

// answered is the peer's attach.
func (r *receiver) answered(a *frame.Attach) {
	s := r.s
	if a.Source == nil { // the reason follows
		r.refused = true
		return
	}
	if r.leaving {
		return
	}
	r.attached, r.err, r.pause = true, nil, firstRetry
	r.address = a.Source.Address
	switch {
	case r.token != "" && r.address == "":
		r.attached = false
		r.failed(fmt.Errorf("%s made no node", s.peer.name()))
		r.link.Detach(true, nil)
		return
	case r.token == "" && r.to.Kind == interop.Topic && s.azure == nil:
		r.durable = a.Source.Durable != frame.TerminusDurabilityNone
		if !r.durable {
			s.sink.Note(fmt.Sprintf("%s keeps no durable subscription for topic %s: what is published there while this transport is not connected does not come in", s.peer.name(), r.to.Name))
		}
	}
	if s.azure != nil {
		s.azure.attached(r, a)
	}
	r.tell()
	r.grant()
}

// tell has whoever waits for the answer go on.
func (r *receiver) tell() {
	select {
	case <-r.tried:
	default:
		close(r.tried)
	}
}

// detached is the link's end.
func (r *receiver) detached(e *frame.Error) {
	was := r.attached
	r.gone()
	if r.leaving {
		r.tell()
		return
	}
	if r.s.azure != nil && r.s.azure.comesBack(r, e, was) {
		return
	}
	why := refusal(e)
	if e == nil {
		why = fmt.Errorf("%s closed the link", r.s.peer.name())
	}
	r.failed(why)
}

// gone forgets the link: what it brought comes again by another one.
func (r *receiver) gone() {
	delete(r.s.receivers, r.number)
	r.attached, r.unsettled = false, 0
}

// failed notes why there is no link, and has another one tried.
func (r *receiver) failed(err error) {
	r.err = err
	defer r.tell()
	if r.token != "" {
		return
	}
	r.s.sink.Note(fmt.Sprintf("nothing comes in for %s: %v", r.to.Name, err))
	r.due = time.Now().Add(r.pause)
	r.pause = min(2*r.pause, mostRetry)
	notify(r.s.tasks)
}

// leave closes the link for good.
func (r *receiver) leave() {
	r.leaving, r.due = true, time.Time{}
	r.tell()
	if r.link == nil || !r.link.Live() {
		return
	}
	r.link.Detach(true, nil)
	r.gone()
}

// grant tops credit up once half of it is used.
func (r *receiver) grant() {
	if !r.attached || r.leaving {
		return
	}
	want := int32(max(0, r.share-r.unsettled))
	if have := r.link.Credit(); have <= want/2 && have < want || have > want {
		r.link.Grant(uint32(want), false)
	}
}

// subscription is the name of a topic's durable subscription, which is that of its link.
// The part of a link's name behind | is not taken for the subscription's by some.
func subscription(cmName, topic string) string {
	escaped := make([]byte, 0, len(cmName)+len(topic)+1)
	for _, c := range []byte(cmName + ":" + topic) {
		if c == '|' {
			escaped = append(escaped, "%7C"...)
			continue
		}
		escaped = append(escaped, c)
	}
	return string(escaped)
}
