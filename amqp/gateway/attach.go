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
	case c.unclaimed && !claimsOnly(a):
		err = &core.Error{Op: "attach", Kind: core.Denied, Name: a.Name, Err: errors.New("show a token to " + claimsAddress + " first")}
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
		if isKind(err, core.Denied) {
			c.log.Warn("attach not permitted", "link", a.Name, "err", err)
		} else {
			c.log.Warn("attach refused", "link", a.Name, "err", err)
		}
		link, refused := e.Link, amqpError(err)
		c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Refuse(refused, a) })
	}
}

// answer is an attach with what the client asked for, where that is in force.
func (c *conn) answer(a *frame.Attach) frame.Attach {
	r := frame.Attach{SndSettleMode: a.SndSettleMode, RcvSettleMode: a.RcvSettleMode, Source: a.Source, Target: a.Target}
	if v, ok := a.Properties.Get(string(paired)); ok {
		r.Properties = wire.Map{{Key: paired, Value: v}}
	}
	for _, w := range a.DesiredCapabilities {
		if w == jms.SharedSubscriptions || w == jms.DelayedDelivery || w == jms.CapabilityShared || w == jms.CapabilityGlobal {
			r.OfferedCapabilities = append(r.OfferedCapabilities, w)
		}
	}
	return r
}

// knowsRejected says whether the client's source lists the outcome rejected, or
// nothing (amqp 3.5.3).
func knowsRejected(a *frame.Attach) bool {
	return a.Source == nil || len(a.Source.Outcomes) == 0 || slices.Contains(a.Source.Outcomes, allOutcomes[1])
}

// waitFor makes the last out wait for what was recorded since: a subscription
// that the client hears of must be there after a crash.
func waitFor(b *core.Broker, fx *core.Effects, before int) {
	out := &fx.Outs[len(fx.Outs)-1]
	need, after := since(b, fx, before)
	if out.Need = max(out.Need, need); need != core.Ride {
		out.After = after
	}
}

// since is what must have become durable, and the last record of which, before
// anything leaves that tells of what was recorded behind the first so many records.
func since(b *core.Broker, fx *core.Effects, before int) (need core.Need, after core.Pos) {
	for i := before; i < len(fx.Records); i++ {
		if n := fx.Records[i].Need; n != core.Ride {
			need = max(need, n)
			after = b.Next() - core.Pos(len(fx.Records)-i)
		}
	}
	return need, after
}

func dynamicKind(capabilities []wire.Symbol) core.DestinationKind {
	if jms.KindOf(capabilities) == jms.Topic {
		return core.Topic
	}
	return core.Queue
}

func (c *conn) attachProducer(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event, t *frame.Target) error {
	a, link := e.Attach, e.Link
	before := len(fx.Records)
	p := &producer{link: link, window: firstWindow, rejects: knowsRejected(a)}
	target := *t
	modes, err := p.sendModes(a, t)
	if err != nil {
		return err
	}
	var d core.Destination
	node, err := c.node(now, b, fx, link, terminus{t.Address, t.Dynamic, t.Durable, t.ExpiryPolicy, t.DynamicNodeProperties, t.Capabilities})
	if err != nil {
		return err
	}
	switch {
	case node != nil:
		p.made, d = node, node.Destination
		target.Address = d.Name
		if t.Dynamic {
			target.DynamicNodeProperties = established(t.DynamicNodeProperties)
		}
	case t.Address == adminAddress:
		p.admin, p.check = true, core.CheckAlways // who asks is told
		b.Admin(c.b.ID())
	case c.service(t.Address) != nil:
		p.service, p.check = c.service(t.Address), core.CheckAlways
	case t.Address == "":
		p.relay = true
	default:
		if err = c.unanswered(t.Address); err == nil {
			d, err = resolve(b, t.Address, t.Capabilities)
		}
		if err != nil {
			return err
		}
	}
	if p.id, _, err = b.OpenProducer(now, c.b.ID(), core.ProducerOptions{Destination: d, NoReject: !p.rejects}, fx); err != nil {
		_ = c.leave(now, b, fx, link, node, t.Dynamic)
		return err
	}
	c.mu.Lock()
	c.producers[p.id] = p
	c.mu.Unlock()
	link.Ref = p
	r := c.answer(a)
	r.Target = &target
	r.Properties = append(r.Properties, modes...)
	r.MaxMessageSize = c.g.o.MaxMessageSize
	c.edge(fx, 0, p.id, false, func(*engine.Conn) {
		link.Accept(r)
		p.refill(0)
	})
	waitFor(b, fx, before)
	return nil
}

func (c *conn) attachConsumer(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event) error {
	a, link := e.Attach, e.Link
	if s := c.service(a.Source.Address); s != nil && !a.Source.Dynamic {
		return c.attachReplies(now, b, fx, e, s)
	}
	before := len(fx.Records)
	source := *a.Source
	mode, settled, err := ackModeOf(a)
	if err != nil {
		return err
	}
	k := &consumer{link: link, settled: settled}
	if source.DefaultOutcome == nil {
		source.DefaultOutcome = frame.Released{}
	}
	k.defaultOutcome, _ = outcomeOf(source.DefaultOutcome)
	filters, bad := jms.FiltersOf(source.Filter)
	if bad != "" {
		return &core.Error{Op: "receive from", Kind: core.Invalid, Name: source.Address, Err: errors.New("filter " + bad + " must be a string")}
	}
	source.Filter = filters.InForce
	o := core.ConsumerOptions{Selector: filters.Selector, NoLocal: filters.NoLocal, Settled: k.settled, Browse: source.DistributionMode == "copy"}
	node, err := c.node(now, b, fx, link, terminus{source.Address, source.Dynamic, source.Durable, source.ExpiryPolicy, source.DynamicNodeProperties, source.Capabilities})
	if err != nil {
		return err
	}
	if node != nil {
		k.made, o.Destination = node, node.Destination
		source.Address = node.Name
		if source.Dynamic {
			source.DynamicNodeProperties = established(source.DynamicNodeProperties)
		}
	} else if err = c.unanswered(source.Address); err != nil {
		return err
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
	c.resumed(now, b, fx, link)
	if k.id, err = b.OpenConsumer(now, c.b.ID(), o, fx); err != nil {
		_ = c.leave(now, b, fx, link, node, source.Dynamic)
		return err
	}
	k.keeps = o.Destination.Kind == core.Queue && !k.settled && !o.Browse && source.ExpiryPolicy != frame.TerminusExpiryPolicyLinkDetach
	c.mu.Lock()
	c.consumers[k.id] = k
	c.mu.Unlock()
	link.Ref = k
	source.Outcomes = allOutcomes
	r := c.answer(a)
	r.Source = &source
	if k.settled {
		r.SndSettleMode = frame.SenderSettleModeSettled
	}
	if mode != 0 {
		r.Properties = append(r.Properties, wire.Entry{Key: wire.Symbol(ackMode), Value: mode})
	}
	c.edge(fx, k.id, 0, false, func(*engine.Conn) {
		link.Progress = k
		link.Accept(r)
	})
	waitFor(b, fx, before)
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
