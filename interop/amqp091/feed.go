package amqp091

import (
	"context"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// feed brings what a lane's consumers get to the sink. One goroutine for each consumer
// takes what comes from the library, another one hands it on by the batch: while the sink
// waits for a disk, the next batch grows.
type feed struct {
	s *session
	l *lane

	mu      sync.Mutex
	waiting []arrival
	retired bool // what waits goes back
	more    chan struct{}
}

type arrival struct {
	d     amqp.Delivery
	to    interop.Destination
	token string
}

// newFeed begins to hand on; until ctx is done, or the session.
func newFeed(ctx context.Context, s *session, l *lane) *feed {
	f := &feed{s: s, l: l, more: make(chan struct{}, 1)}
	s.spawn(func() { f.deliver(ctx) })
	return f
}

// take takes what a consumer gets, and returns at its end.
func (f *feed) take(from <-chan amqp.Delivery, to interop.Destination, token string) {
	for d := range from {
		f.mu.Lock()
		if f.retired {
			f.mu.Unlock()
			f.l.giveBack([]amqp.Delivery{d})
			continue
		}
		f.waiting = append(f.waiting, arrival{d, to, token})
		f.mu.Unlock()
		f.wake()
	}
}

func (f *feed) wake() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

// retire has nothing more handed on; what was not goes back.
func (f *feed) retire() {
	f.mu.Lock()
	f.retired = true
	rest := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	back := make([]amqp.Delivery, len(rest))
	for i := range rest {
		back[i] = rest[i].d
	}
	f.l.giveBack(back)
}

func (f *feed) deliver(ctx context.Context) {
	batch := make([]arrival, 0, maxDeliver)
	for {
		select {
		case <-f.more:
		case <-ctx.Done():
			return
		}
		for {
			f.mu.Lock()
			n := min(len(f.waiting), maxDeliver)
			f.mu.Unlock()
			if n == 0 {
				break
			}
			if n = f.s.room.take(ctx, n); n == 0 {
				return
			}
			f.mu.Lock()
			got := min(n, len(f.waiting)) // it may have retired
			batch = append(batch[:0], f.waiting[:got]...)
			rest := copy(f.waiting, f.waiting[got:])
			clear(f.waiting[rest:])
			f.waiting = f.waiting[:rest]
			f.l.hand(got)
			f.mu.Unlock()
			if got < n {
				f.s.room.give(n - got)
			}
			if got > 0 {
				f.hand(batch)
			}
		}
	}
}

// hand gives messages to the sink.
func (f *feed) hand(batch []arrival) {
	all := make([]interop.Inbound, len(batch))
	fields := make([]translate.Message, len(batch))
	for i := range batch {
		a, in := &batch[i], &all[i]
		in.Tag = f.l.number<<tagBits | a.d.DeliveryTag
		in.To, in.Token, in.Again = a.to, a.token, a.d.Redelivered
		if in.Origin, in.Err = f.s.t.decode(&a.d, &fields[i]); in.Err != nil {
			in.Raw = a.d.Body
			continue
		}
		in.Fields = &fields[i]
	}
	clear(batch)
	f.s.sink.Deliver(all)
}
