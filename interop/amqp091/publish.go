package amqp091

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

// publisher sends messages out, and hears what became of them.
type publisher struct {
	s       *session
	ch      *amqp.Channel
	encoder encoder
	// flights are those that were sent, in order; its room bounds them.
	flights chan flight
	returns chan amqp.Return // without room: see confirm

	mu       sync.Mutex
	declared map[interop.Destination]bool // queues, and the exchange as ""
	answers  []interop.Sent
	more     chan struct{} // there are answers
	open     int           // sent, and not answered
	quiet    chan struct{} // closed when nothing is, once it is made
	blocked  chan struct{} // closed when the broker takes messages again; nil: it does
}

// flight is a message that was sent, or is refused.
type flight struct {
	tag      uint64
	to       interop.Destination
	exchange string
	key, id  string
	confirm  *amqp.DeferredConfirmation
	refused  error
}

func newPublisher(s *session) (*publisher, error) {
	ch, err := s.out.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, fmt.Errorf("the broker does not confirm what is published (it is no RabbitMQ): %w", err)
	}
	p := &publisher{
		s: s, ch: ch, encoder: encoder{settings: s.t.settings, frame: s.out.Config.FrameSize},
		flights: make(chan flight, s.t.prefetch), returns: make(chan amqp.Return), more: make(chan struct{}, 1),
		declared: map[interop.Destination]bool{},
	}
	ch.NotifyReturn(p.returns)
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	stops := s.out.NotifyBlocked(make(chan amqp.Blocking, 4))
	s.spawn(func() { p.watch(closed, stops) })
	s.spawn(p.confirm)
	s.spawn(p.answer)
	return p, nil
}

// watch hears of the channel's end, and of the broker's alarms.
func (p *publisher) watch(closed chan *amqp.Error, stops chan amqp.Blocking) {
	for {
		select {
		case e := <-closed:
			if e == nil {
				e = amqp.ErrClosed
			}
			p.s.fail(fmt.Errorf("the channel that publishes was closed: %w", explain(e)))
			return
		case b, ok := <-stops:
			if !ok {
				stops = nil
				continue
			}
			p.block(b)
		case <-p.s.ctx.Done():
			return
		}
	}
}

// block holds back what is to be sent while the broker is short of something.
func (p *publisher) block(b amqp.Blocking) {
	p.mu.Lock()
	was := p.blocked
	switch {
	case b.Active && was == nil:
		p.blocked = make(chan struct{})
	case !b.Active && was != nil:
		close(was)
		p.blocked = nil
	}
	p.mu.Unlock()
	if b.Active && was == nil {
		p.s.note(fmt.Errorf("the broker has stopped taking messages (%s): they wait here until it goes on", b.Reason))
	}
}

// wait waits until the broker takes messages.
func (p *publisher) wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		blocked := p.blocked
		p.mu.Unlock()
		if blocked == nil {
			return nil
		}
		select {
		case <-blocked:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.s.ctx.Done():
			return errOver
		}
	}
}

var errOver = errors.New("the session is over")

// prepare declares the exchange, and the queues that are exported. What concerns one
// queue alone is a note: messages to it come back, or the session learns of it then.
func (p *publisher) prepare(_ context.Context, all []interop.Destination) error {
	for _, d := range all {
		of := d
		if d.Kind == interop.Topic {
			of = interop.Destination{}
		}
		p.mu.Lock()
		done := p.declared[of]
		p.mu.Unlock()
		if done {
			continue
		}
		if err := p.declare(d); err != nil {
			if d.Kind == interop.Topic || p.s.out.IsClosed() {
				return err
			}
			p.s.note(err)
			continue
		}
		p.mu.Lock()
		p.declared[of] = true
		p.mu.Unlock()
	}
	return nil
}

func (p *publisher) declare(d interop.Destination) error {
	exchange, key, err := p.s.t.outside(d)
	if err != nil {
		return err
	}
	if d.Kind == interop.Topic {
		err = p.s.out.declareExchange(exchange)
	} else {
		err = p.s.out.declareQueue(key, p.s.t.queueArgs())
	}
	return p.s.noteUsed(err)
}

// noteUsed tells that something is used as it is.
func (s *session) noteUsed(err error) error {
	var u *used
	if errors.As(err, &u) {
		s.note(u)
		return nil
	}
	return err
}

// queueArgs are those of queues that are made here.
func (c *settings) queueArgs() amqp.Table { return amqp.Table{amqp.QueueTypeArg: c.queueType} }

// send publishes messages.
func (p *publisher) send(ctx context.Context, all []interop.Outbound) error {
	now := time.Now().UnixMilli()
	for i := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o := &all[i]
		f := flight{tag: o.Tag, to: o.To}
		m, err := p.encoder.encode(o, now)
		if limit := p.s.t.largest.Load(); err == nil && limit > 0 && int64(len(m.Body)) > limit {
			err = fmt.Errorf("it has %d bytes outside, and the broker there takes up to %d (max_message_size)", len(m.Body), limit)
		}
		if err == nil {
			f.exchange, f.key, err = p.s.t.outside(o.To)
		}
		if err != nil {
			f.refused = err
		} else {
			if err := p.wait(ctx); err != nil {
				return err
			}
			f.id = m.MessageId
			p.sent(1)
			if f.confirm, err = p.ch.PublishWithDeferredConfirm(f.exchange, f.key, true, false, *m); err != nil {
				p.sent(-1)
				return p.broken(ctx, err)
			}
		}
		select {
		case p.flights <- f:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.s.ctx.Done():
			return errOver
		}
	}
	return nil
}

// broken gives the reason of an end that publishing met, where there is one to come.
func (p *publisher) broken(ctx context.Context, err error) error {
	if !p.ch.IsClosed() {
		return explain(err)
	}
	t := time.NewTimer(closeTime)
	defer t.Stop()
	select { // the watcher tells the reason
	case <-p.s.ctx.Done():
	case <-ctx.Done():
	case <-t.C:
		return explain(err)
	}
	return errOver
}

// confirm hears what became of messages, in their order. The library's reader waits
// until a return is taken before it goes on to the confirmation that follows it: with
// one goroutine for both, a message that was returned is known as such when it is
// confirmed. So this goroutine must never wait for anything else, and takes returns until
// the library has none: its end would have to wait for them.
func (p *publisher) confirm() {
	defer func() {
		for range p.returns {
			continue
		}
	}()
	var returned []amqp.Return
	for {
		var f flight
		select {
		case f = <-p.flights:
		case r := <-p.returns:
			returned = append(returned, r)
			continue
		case <-p.s.ctx.Done():
			return
		}
		for f.refused == nil && !done(f.confirm) {
			select {
			case <-f.confirm.Done():
			case r := <-p.returns:
				returned = append(returned, r)
			case <-p.s.ctx.Done():
				return
			}
		}
		if f.refused == nil && !f.confirm.Acked() {
			if !p.ch.IsClosed() { // else the watcher tells why
				p.s.fail(fmt.Errorf("the broker does not take a message to %s now (basic.nack: its queue is full, or has no leader): it is sent again", f.to.Name))
			}
			return
		}
		if f.refused == nil && len(returned) > 0 {
			var err error
			if returned, err = p.unroutable(&f, returned); err != nil {
				p.s.fail(err)
				return
			}
		}
		if f.refused == nil && f.to.Kind == interop.Queue {
			p.s.t.there(f.key)
		}
		p.done(interop.Sent{Tag: f.tag, Refused: f.refused}, f.confirm != nil)
	}
}

func done(c *amqp.DeferredConfirmation) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// unroutable looks whether a message was returned. A topic that nobody has bound has no
// listeners, as in JMS. A queue that is not there was deleted: the next session declares
// it, and the message goes out again in its turn; if that does not help it is refused.
func (p *publisher) unroutable(f *flight, returned []amqp.Return) (rest []amqp.Return, err error) {
	for i := range returned {
		r := &returned[i]
		if r.RoutingKey != f.key || r.Exchange != f.exchange || r.MessageId != f.id {
			continue
		}
		rest = append(returned[:i], returned[i+1:]...)
		if f.to.Kind == interop.Topic {
			p.s.note(fmt.Errorf("nothing is bound to exchange %s for topic %s: its messages go to nobody there", f.exchange, f.to.Name))
			return rest, nil
		}
		why := fmt.Errorf("there is no queue %s (%d %s)", f.key, r.ReplyCode, r.ReplyText)
		if p.s.t.missed(f.key) {
			return rest, fmt.Errorf("%w: it is declared again", why)
		}
		f.refused = fmt.Errorf("%w, and it cannot be declared: see the notes of the transport", why)
		return rest, nil
	}
	return returned, nil
}

// sent counts what is sent, and not answered.
func (p *publisher) sent(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open += n
	p.hush()
}

// hush says that nothing is open. The caller holds mu.
func (p *publisher) hush() {
	if p.quiet != nil && p.open == 0 {
		close(p.quiet)
		p.quiet = nil
	}
}

// whenQuiet is closed when all that was sent is answered.
func (p *publisher) whenQuiet() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan struct{})
	p.quiet = c
	p.hush()
	return c
}

// done hands an answer on.
func (p *publisher) done(a interop.Sent, published bool) {
	p.mu.Lock()
	p.answers = append(p.answers, a)
	if published {
		p.open--
		p.hush()
	}
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// answer tells the runner. At the end it tells once more: what is confirmed need not go
// out again.
func (p *publisher) answer() {
	var batch []interop.Sent
	for over := false; !over; {
		select {
		case <-p.more:
		case <-p.s.ctx.Done():
			over = true
		}
		p.mu.Lock()
		batch, p.answers = p.answers, batch[:0]
		p.mu.Unlock()
		if len(batch) > 0 {
			p.s.sink.Sent(batch)
		}
	}
}
