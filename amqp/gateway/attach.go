package gateway

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

var allOutcomes = []wire.Symbol{"amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"}

// attach answers a link that the client attached.
func (c *conn) attach(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) {
	a := e.Attach
	var err error
	switch {
	case a.Role == frame.RoleReceiver && a.Source == nil:
		c.attachLookup(b, fx, e)
		return
	case a.Role == frame.RoleReceiver:
		err = c.attachConsumer(now, b, fx, e)
	default:
		switch t := a.Target.(type) {
		case *frame.Coordinator:
			c.attachCoordinator(fx, e, t)
			return
		case *frame.Target:
			err = c.attachProducer(now, b, fx, e, t)
		default:
			err = &core.Error{Op: "attach", Kind: core.Invalid, Name: a.Name, Err: errors.New("a sender without target")}
		}
	}
	if err != nil {
		c.log.Warn("attach refused", "link", a.Name, "err", err)
		link, refused := e.Link, amqpError(err)
		c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Refuse(refused, a) })
	}
}

// answer is an attach with what the client asked for, where that is in force.
func (c *conn) answer(a *frame.Attach) frame.Attach {
	r := frame.Attach{SndSettleMode: a.SndSettleMode, RcvSettleMode: a.RcvSettleMode, Source: a.Source, Target: a.Target}
	for _, w := range a.DesiredCapabilities {
		if w == jms.SharedSubscriptions || w == jms.CapabilityShared || w == jms.CapabilityGlobal {
			r.OfferedCapabilities = append(r.OfferedCapabilities, w)
		}
	}
	return r
}

func dynamicKind(capabilities []wire.Symbol) core.DestinationKind {
	if jms.KindOf(capabilities) == jms.Topic {
		return core.Topic
	}
	return core.Queue
}

func (c *conn) attachProducer(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event, t *frame.Target) error {
	a, link := e.Attach, e.Link
	p := &producer{link: link, late: true, window: firstWindow}
	p.rejects = a.Source == nil || len(a.Source.Outcomes) == 0 || slices.Contains(a.Source.Outcomes, allOutcomes[1])
	target := *t
	var d core.Destination
	var err error
	switch {
	case t.Dynamic:
		if d, err = b.CreateTemporary(now, c.b.ID(), dynamicKind(t.Capabilities), fx); err != nil {
			return err
		}
		p.dynamic = &d
		target.Address = d.Name
	case t.Address == adminAddress:
		p.admin = true
	case t.Address == "":
		p.relay = true
	default:
		if d, err = resolve(b, t.Address, t.Capabilities); err != nil {
			return err
		}
	}
	if p.id, _, err = b.OpenProducer(now, c.b.ID(), core.ProducerOptions{Destination: d}, fx); err != nil {
		return err
	}
	c.mu.Lock()
	c.producers[p.id] = p
	c.mu.Unlock()
	link.Ref = p
	r := c.answer(a)
	r.Target = &target
	r.MaxMessageSize = c.g.o.MaxMessageSize
	c.edge(fx, 0, p.id, false, func(*engine.Conn) {
		link.Accept(r)
		p.refill(0)
	})
	return nil
}

func (c *conn) attachConsumer(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) error {
	a, link := e.Attach, e.Link
	source := *a.Source
	k := &consumer{link: link, settled: a.SndSettleMode == frame.SenderSettleModeSettled}
	k.defaultOutcome = core.Outcome{Kind: core.Released}
	if m, ok := source.DefaultOutcome.(*frame.Modified); ok {
		k.defaultOutcome = core.Outcome{Kind: core.Modified, DeliveryFailed: m.DeliveryFailed, UndeliverableHere: m.UndeliverableHere}
	}
	filters, bad := jms.FiltersOf(source.Filter)
	if bad != "" {
		return &core.Error{Op: "receive from", Kind: core.Invalid, Name: source.Address, Err: errors.New("filter " + bad + " must be a string")}
	}
	source.Filter = filters.InForce
	o := core.ConsumerOptions{Selector: filters.Selector, NoLocal: filters.NoLocal, Settled: k.settled, Browse: source.DistributionMode == "copy"}
	var err error
	if source.Dynamic {
		if o.Destination, err = b.CreateTemporary(now, c.b.ID(), dynamicKind(source.Capabilities), fx); err != nil {
			return err
		}
		d := o.Destination
		k.dynamic = &d
		source.Address = d.Name
	} else if o.Destination, err = resolve(b, source.Address, source.Capabilities); err != nil {
		return err
	}
	if o.Destination.Kind == core.Topic {
		durable := source.Durable != frame.TerminusDurabilityNone || source.ExpiryPolicy == frame.TerminusExpiryPolicyNever
		if s, ok := jms.SubscriptionOf(link.Name, source.Capabilities, durable); ok {
			k.subscription = &core.SubscriptionOptions{Name: s.Name, Durable: s.Durable, Shared: s.Shared, Global: s.Global}
			o.Subscription = k.subscription
			if !s.Global {
				k.client = c.clientID()
			}
		}
	}
	if k.id, err = b.OpenConsumer(now, c.b.ID(), o, fx); err != nil {
		return err
	}
	c.mu.Lock()
	c.consumers[k.id] = k
	c.mu.Unlock()
	link.Ref = k
	source.Outcomes = allOutcomes
	if source.DefaultOutcome == nil {
		source.DefaultOutcome = frame.Released{}
	}
	r := c.answer(a)
	r.Source = &source
	c.edge(fx, k.id, 0, false, func(*engine.Conn) {
		link.Progress = k
		link.Accept(r)
	})
	return nil
}

// attachLookup answers a receiver without source: it asks for a subscription by
// its name (reference 3.8).
func (c *conn) attachLookup(b *core.Broker, fx *core.Effects, e *engine.Event) {
	a, link := e.Attach, e.Link
	name, scope, _ := strings.Cut(link.Name, "|")
	l := &lookup{client: c.clientID(), name: name, global: strings.HasPrefix(scope, "global")}
	s, found := b.Subscription(l.client, name, l.global)
	if !found {
		missing := &frame.Error{Condition: frame.ConditionNotFound, Description: "there is no subscription " + name}
		c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Refuse(missing, a) })
		return
	}
	l.found = true
	link.Ref = l
	r := c.answer(a)
	r.Source = &frame.Source{
		Address: s.Topic, Durable: frame.TerminusDurabilityUnsettledState, ExpiryPolicy: frame.TerminusExpiryPolicyNever,
		DistributionMode: "copy", Capabilities: []wire.Symbol{jms.CapabilityTopic}, Outcomes: allOutcomes,
	}
	if s.Shared {
		r.Source.Capabilities = append(r.Source.Capabilities, jms.CapabilityShared)
	}
	if s.Global {
		r.Source.Capabilities = append(r.Source.Capabilities, jms.CapabilityGlobal)
	}
	c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Accept(r) })
}
