package amqp091

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

const (
	firstRetry = time.Second // of an import that does not work, doubled
	lastRetry  = time.Minute
	// leastAhead is what each import may have under way at least, however many there are.
	leastAhead = 16
)

// importer brings in what comes for destinations, each by a channel of its own: what is
// wrong with one queue closes its channel and no other.
type importer struct {
	s        *session
	mu       sync.Mutex
	all      map[interop.Destination]*incoming
	leaving  map[interop.Destination]*incoming // the last one that was taken away
	exchange atomic.Bool                       // it was declared
}

// incoming is one import.
type incoming struct {
	s       *session
	to      interop.Destination
	queue   string
	binding string             // "" for queues
	ahead   int                // messages that may be under way
	ctx     context.Context    //nolint:containedctx // until it is taken away
	cancel  context.CancelFunc // it is taken away
	gone    chan struct{}      // closed when it is over
}

func newImporter(s *session) *importer {
	return &importer{s: s, all: map[interop.Destination]*incoming{}, leaving: map[interop.Destination]*incoming{}}
}

// set imports these and no others. What is wrong with one is a note, and tried again.
func (p *importer) set(ctx context.Context, all []interop.Destination) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := map[interop.Destination]bool{}
	for _, d := range all {
		wanted[d] = true
	}
	for d, in := range p.all {
		if !wanted[d] {
			delete(p.all, d)
			p.leaving[d] = in
			in.cancel()
		}
	}
	enough := halfway(ctx)
	prefetch := p.s.t.prefetch
	ahead := max(prefetch/max(len(all), 1), min(prefetch, leastAhead))
	for _, d := range all {
		if p.all[d] != nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		queue, binding, err := p.s.t.source(d)
		if err != nil {
			p.s.note(fmt.Errorf("%s is not imported: %w", d.Name, err))
			continue
		}
		in := &incoming{s: p.s, to: d, queue: queue, binding: binding, ahead: ahead, gone: make(chan struct{})}
		in.ctx, in.cancel = context.WithCancel(p.s.ctx)
		p.all[d] = in
		if before := p.leaving[d]; before != nil { // it takes the binding and the queue away
			delete(p.leaving, d)
			p.s.spawn(func() { in.follow(before) })
			continue
		}
		if time.Now().After(enough) { // the others are on their way meanwhile
			p.s.spawn(func() { in.run(in.open()) })
			continue
		}
		running, err := in.open()
		if err != nil && (p.s.in.IsClosed() || p.s.ctx.Err() != nil) {
			return err
		}
		p.s.spawn(func() { in.run(running, err) })
	}
	return nil
}

// halfway is when half of the time is over that ctx leaves.
func halfway(ctx context.Context) time.Time {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(time.Hour)
	}
	return time.Now().Add(time.Until(end) / 2)
}

// follow begins when an import of the same destination has ended.
func (in *incoming) follow(before *incoming) {
	select {
	case <-before.gone:
		in.run(in.open())
	case <-in.s.ctx.Done():
	}
}

// run keeps an import at work until it is taken away.
func (in *incoming) run(running *consuming, err error) {
	defer close(in.gone)
	pause := firstRetry
	for {
		if err == nil {
			pause = firstRetry
			err = in.stay(running)
		}
		if err == nil || in.s.ctx.Err() != nil {
			return
		}
		in.s.note(fmt.Errorf("%s is not imported for now: %w", in.to.Name, err))
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-in.ctx.Done():
			t.Stop()
			return
		}
		pause = min(2*pause, lastRetry)
		running, err = in.open()
	}
}

// consuming is a consumer at work.
type consuming struct {
	lane   *lane
	feed   *feed
	from   <-chan amqp.Delivery
	closed chan *amqp.Error
	cancel context.CancelFunc
}

const consumerTag = "import"

// open declares the queue and consumes it.
func (in *incoming) open() (*consuming, error) {
	if err := in.prepare(); err != nil {
		return nil, err
	}
	ch, err := in.s.in.Channel()
	if err != nil {
		return nil, channelError(err)
	}
	c := &consuming{closed: ch.NotifyClose(make(chan *amqp.Error, 1))}
	if err = ch.Qos(in.ahead, 0, false); err == nil {
		c.from, err = ch.Consume(in.queue, consumerTag, false, false, false, false, nil)
	}
	if err != nil {
		_ = ch.Close()
		return nil, fmt.Errorf("consuming queue %s: %w", in.queue, explain(err))
	}
	c.lane = in.s.lanes.add(ch)
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(in.s.ctx)
	c.feed = newFeed(ctx, in.s, c.lane)
	return c, nil
}

func channelError(err error) error {
	if errors.Is(err, amqp.ErrChannelMax) {
		return fmt.Errorf("the broker allows no more channels on a connection (channel_max): import fewer destinations by one transport, or raise it: %w", err)
	}
	return explain(err)
}

// prepare declares the queue, and what has messages come into it.
func (in *incoming) prepare() error {
	s := in.s
	args := s.t.queueArgs()
	if in.binding != "" { // ours alone: who comes next waits until what the one before had is back, in its place
		args[amqp.SingleActiveConsumerArg] = true
	}
	if err := s.noteUsed(s.in.declareQueue(in.queue, args)); err != nil {
		return err
	}
	if in.binding == "" {
		return nil
	}
	if !s.importer.exchange.Load() {
		if err := s.noteUsed(s.in.declareExchange(s.t.exchange)); err != nil {
			return err
		}
		s.importer.exchange.Store(true)
	}
	err := s.in.try(func(ch *amqp.Channel) error { return ch.QueueBind(in.queue, in.binding, s.t.exchange, false, nil) })
	if err != nil {
		s.importer.exchange.Store(false) // it may be that which is not there
		return fmt.Errorf("binding queue %s to exchange %s: %w", in.queue, s.t.exchange, explain(err))
	}
	return nil
}

// stay takes messages in until the import is taken away (nil) or the broker ends it.
func (in *incoming) stay(c *consuming) error {
	ended := make(chan struct{})
	in.s.spawn(func() {
		c.feed.take(c.from, in.to, "")
		close(ended)
	})
	defer c.cancel()
	select {
	case <-ended:
		in.s.lanes.remove(c.lane)
		c.feed.retire()
		select {
		case e := <-c.closed:
			if e != nil {
				return explain(e)
			}
		default:
		}
		_ = c.lane.ch.Close()
		return fmt.Errorf("the broker has ended the consumer of queue %s: the queue was deleted, or moves", in.queue)
	case <-in.ctx.Done():
		if in.s.ctx.Err() != nil {
			return nil
		}
		in.leave(c, ended)
		return nil
	}
}

// leave ends an import that is taken away: nothing more comes in, what has come is
// settled, and the queue of a topic goes, unless messages are left in it.
func (in *incoming) leave(c *consuming, ended <-chan struct{}) {
	s := in.s
	c.feed.retire()
	_ = c.lane.ch.Cancel(consumerTag, false)
	if in.binding != "" {
		if err := s.in.try(func(ch *amqp.Channel) error { return ch.QueueUnbind(in.queue, in.binding, s.t.exchange, nil) }); err != nil {
			s.note(fmt.Errorf("unbinding queue %s, which nobody imports any more: %w", in.queue, explain(err)))
		}
	}
	for _, c := range []<-chan struct{}{ended, c.lane.whenEmpty()} {
		select {
		case <-c:
		case <-s.ctx.Done():
			return
		}
	}
	s.lanes.remove(c.lane)
	_ = c.lane.ch.Close() // what was given back is in the queue now
	if in.binding == "" {
		return
	}
	if c.lane.gaveBack() { // the broker may not count them yet
		s.note(fmt.Errorf("queue %s is kept, although nobody imports it any more: messages went back into it", in.queue))
		return
	}
	left := 0
	err := s.in.try(func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(in.queue, true, false, false, false, nil)
		if left = q.Messages + q.Consumers; err != nil || left > 0 {
			return err
		}
		_, err = ch.QueueDelete(in.queue, false, false, false)
		return err
	})
	switch {
	case err != nil && code(err) != amqp.NotFound:
		s.note(fmt.Errorf("deleting queue %s, which nobody imports any more: %w", in.queue, explain(err)))
	case left > 0:
		s.note(fmt.Errorf("queue %s is kept, although nobody imports it any more: it has messages", in.queue))
	}
}
