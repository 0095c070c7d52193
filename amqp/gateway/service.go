package gateway

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// service is a node of the gateway's own: a client sends requests to it, and
// receives what is answered from a link that it attached to it as well, or from a
// queue that its request's reply-to names.
type service struct {
	address string
	// paired: the two links have one name, and the request's reply-to is `$me`.
	paired bool
	answer func(x *call, now time.Time, b *core.Broker, fx *core.Effects)
}

// service gives the one at an address; nil: there is none, or it is not answered.
func (c *conn) service(address string) *service {
	for _, s := range c.g.services {
		if s.address == address {
			return s
		}
	}
	return nil
}

// services are those that the options ask for.
func services(o Options) (all []*service) {
	if o.Claims && o.Tokens != nil {
		all = append(all, &service{address: claimsAddress, answer: (*call).claim})
	}
	if o.Management {
		all = append(all, &service{address: managementNode, answer: (*call).manage}, &service{address: managementPair, paired: true, answer: (*call).http})
	}
	return all
}

// unanswered is the error for a service's address where the service is not asked
// for by the options; nil: it is an address like any other.
func (c *conn) unanswered(address string) error {
	hint := ""
	switch address {
	case claimsAddress:
		hint = "claims and tokens in tidegate.yaml turn it on"
	case managementNode, managementPair:
		hint = "management is off in tidegate.yaml"
	default:
		return nil
	}
	return &core.Error{Op: "attach to", Kind: core.NotFound, Name: address, Err: errors.New(hint)}
}

// replyKey names a link for replies among those of its connection.
type replyKey struct {
	service *service
	name    string // the link's, of a pair; else the address of its target
}

// attachReplies attaches a link for replies: behind it stands a temporary queue, so
// that credit, settlement and drain are those of any other.
func (c *conn) attachReplies(now time.Time, b *core.Broker, fx *core.Effects, e *engine.Event, s *service) error {
	a, link := e.Attach, e.Link
	d, err := b.CreateTemporary(now, c.b.ID(), core.Queue, fx)
	if err != nil {
		return err
	}
	k := &consumer{link: link, settled: a.SndSettleMode == frame.SenderSettleModeSettled, replies: &replyKey{service: s, name: link.Name}}
	if t, ok := a.Target.(*frame.Target); ok && !s.paired {
		k.replies.name = t.Address
	}
	if k.id, err = b.OpenConsumer(now, c.b.ID(), core.ConsumerOptions{Destination: d, Settled: k.settled}, fx); err != nil {
		_ = b.DeleteTemporary(now, c.b.ID(), d, fx)
		return err
	}
	k.queue = d
	k.defaultOutcome = core.Outcome{Kind: core.Released}
	c.replies[*k.replies] = d
	c.mu.Lock()
	c.consumers[k.id] = k
	c.mu.Unlock()
	link.Ref = k
	source := *a.Source
	source.Filter, source.Outcomes, source.DefaultOutcome = nil, allOutcomes, frame.Released{}
	r := c.answer(a)
	r.Source = &source
	c.edge(fx, k.id, 0, false, func(*engine.Conn) {
		link.Progress = k
		link.Accept(r)
	})
	return nil
}

// forgetReplies ends the queue behind a link for replies.
func (c *conn) forgetReplies(now time.Time, b *core.Broker, fx *core.Effects, k *consumer) {
	if c.replies[*k.replies] == k.queue {
		delete(c.replies, *k.replies)
	}
	_ = b.DeleteTemporary(now, c.b.ID(), k.queue, fx) // gone already where the connection ends
}

// call is a request that is being answered.
type call struct {
	c           *conn
	p           *producer
	to          core.Send
	m           *amqpmessage.Message // of the step
	where       core.Destination
	correlation any
	records     int // of the step, before the request was begun
}

// request takes a message to a service. It is settled with its answer.
func (c *conn) request(now time.Time, b *core.Broker, fx *core.Effects, p *producer, e *engine.Event, to core.Send, s send) {
	refuse := func(err error) {
		c.refuseSend(now, b, fx, p, e, to, amqpError(err))
	}
	if to.Txn != 0 {
		refuse(&core.Error{Op: "ask", Kind: core.Invalid, Name: p.service.address, Err: errors.New("a request has no part in a transaction")})
		return
	}
	where, err := c.replyTo(b, p, s.m)
	if err != nil {
		refuse(err)
		return
	}
	x := &call{c: c, p: p, to: to, m: s.m, where: where, correlation: s.m.MessageID(), records: len(fx.Records)}
	if id := s.m.CorrelationID(); id != nil && !p.service.paired {
		x.correlation = id
	}
	p.service.answer(x, now, b, fx)
}

// replyTo finds where the answer to a request is to go.
func (c *conn) replyTo(b *core.Broker, p *producer, m *amqpmessage.Message) (core.Destination, error) {
	s, to := p.service, m.ReplyTo()
	key := replyKey{s, to}
	if s.paired {
		key.name = p.link.Name
	}
	if d, ok := c.replies[key]; ok {
		return d, nil
	}
	if to != "" && !s.paired {
		return resolve(b, to, nil)
	}
	found, n := core.Destination{}, 0
	for k, d := range c.replies { // order: irrelevant, there must be one
		if k.service == s {
			found, n = d, n+1
		}
	}
	if n != 1 {
		return found, &core.Error{Op: "ask", Kind: core.Invalid, Name: s.address, Err: errors.New("the request's reply-to names no link and no queue for its answer")}
	}
	return found, nil
}

// reply answers, and settles the request. What was done in the step so far is
// durable before the client hears of it.
func (x *call) reply(now time.Time, b *core.Broker, fx *core.Effects, r *amqpmessage.Builder) {
	r.Properties.CorrelationID = x.correlation
	r.Properties.To = x.m.ReplyTo()
	to := x.to
	to.Need, to.After = since(b, fx, x.records)
	b.PublishTo(now, x.p.id, x.where, to, message.Envelope{Priority: amqpmessage.DefaultPriority, Content: r.Message()}, fx)
}

// later goes on with the request once the step is over; the request's message is of
// no use then.
func (x *call) later(do func()) {
	own := amqpmessage.NewBuilder() // the answer needs the address alone
	own.Properties.ReplyTo = x.m.ReplyTo()
	x.m = own.Message()
	x.c.after = append(x.c.after, do)
}

// statusOf is an error as a status of HTTP's, which all services use.
func statusOf(err error) (code int, text string) {
	if err == nil {
		return 200, "OK"
	}
	code = 500
	var e *core.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case core.Invalid:
			code = 400
		case core.Denied:
			code = 403
		case core.NotFound, core.Deleted:
			code = 404
		case core.Exists, core.Conflict:
			code = 409
		case core.Limit:
			code = 507
		case core.UnknownTransaction, core.RolledBack, core.TimedOut, core.Unavailable, core.Internal, core.Evicting:
		}
	}
	return code, err.Error()
}

// text is an application property, or "".
func (x *call) text(name string) string {
	v, _ := x.m.ApplicationProperty(name)
	s, _ := wire.Text(v)
	return s
}

// number is an application property of any integer type.
func (x *call) number(name string, otherwise int) int {
	v, ok := x.m.ApplicationProperty(name)
	if n, integer := wire.Integer(v); ok && integer && n >= 0 && n < 1<<31 {
		return int(n)
	}
	return otherwise
}
