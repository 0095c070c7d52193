package amqp091

import (
	"context"
	"slices"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

const (
	// tagBits of an Inbound's tag are the delivery tag, the others number the lane.
	tagBits = 40
	tagMask = 1<<tagBits - 1
	// maxDeliver is how many messages are handed on at a time.
	maxDeliver = 256
)

// acknowledger is what a lane needs of its channel.
type acknowledger interface {
	Ack(tag uint64, multiple bool) error
	Nack(tag uint64, multiple, requeue bool) error
}

// lane is a channel that messages come in by, and what is settled of them. Its delivery
// tags count from 1.
type lane struct {
	ch     *amqp.Channel
	acks   acknowledger // ch
	number uint64

	mu      sync.Mutex
	upto    uint64              // all up to it are answered
	beyond  map[uint64]struct{} // answered above it
	handed  int                 // to the sink, not settled
	back    bool                // something went back to its queue
	emptied chan struct{}       // closed when none is, once it is made
}

// settle answers messages of this lane, given in the order of Settle; what makes an
// unbroken row with what went before takes one acknowledgement.
func (l *lane) settle(all []interop.Settlement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := uint64(0) // to be acknowledged up to here
	flush := func() {
		if row > 0 {
			_ = l.acks.Ack(row, true) // an error is the channel's end: they come again
			row = 0
		}
	}
	for _, a := range all {
		tag := a.Tag & tagMask
		if a.Outcome == interop.Again {
			flush()
			_ = l.acks.Nack(tag, false, true)
			l.back = true
			l.answered(tag)
			continue
		}
		if tag != l.upto+1 {
			_ = l.acks.Ack(tag, false)
			l.answered(tag)
			continue
		}
		l.answered(tag)
		row = tag
	}
	flush()
	l.handed -= len(all)
	l.empty()
}

// answered notes that a tag is. The caller holds mu.
func (l *lane) answered(tag uint64) {
	if tag != l.upto+1 {
		l.beyond[tag] = struct{}{}
		return
	}
	l.upto++
	for len(l.beyond) > 0 {
		if _, ok := l.beyond[l.upto+1]; !ok {
			return
		}
		l.upto++
		delete(l.beyond, l.upto)
	}
}

// giveBack has messages come again that nobody was handed.
func (l *lane) giveBack(all []amqp.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range all {
		_ = l.acks.Nack(all[i].DeliveryTag, false, true)
		l.back = true
		l.answered(all[i].DeliveryTag)
	}
}

// gaveBack says whether anything went back to its queue.
func (l *lane) gaveBack() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.back
}

// hand notes that n more are on their way to the sink.
func (l *lane) hand(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handed += n
}

// empty says so where somebody waits for it. The caller holds mu.
func (l *lane) empty() {
	if l.emptied != nil && l.handed == 0 {
		close(l.emptied)
		l.emptied = nil
	}
}

// whenEmpty is closed when all that was handed on is settled.
func (l *lane) whenEmpty() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{})
	l.emptied = c
	l.empty()
	return c
}

// lanes are a session's, by number.
type lanes struct {
	mu   sync.RWMutex
	next uint64
	all  map[uint64]*lane
}

func (ls *lanes) add(ch *amqp.Channel) *lane {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.all == nil {
		ls.all = map[uint64]*lane{}
	}
	ls.next++
	l := &lane{ch: ch, acks: ch, number: ls.next, beyond: map[uint64]struct{}{}}
	ls.all[l.number] = l
	return l
}

func (ls *lanes) remove(l *lane) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.all, l.number)
}

// settle leads answers to their lanes.
func (ls *lanes) settle(all []interop.Settlement, r *room) {
	r.give(len(all))
	for len(all) > 0 {
		number := all[0].Tag >> tagBits
		n := slices.IndexFunc(all, func(a interop.Settlement) bool { return a.Tag>>tagBits != number })
		if n < 0 {
			n = len(all)
		}
		ls.mu.RLock()
		l := ls.all[number]
		ls.mu.RUnlock()
		if l != nil { // else its channel is gone: they come again
			l.settle(all[:n])
		}
		all = all[n:]
	}
}

// room bounds how many messages are with the sink (prefetch).
type room struct {
	mu   sync.Mutex
	left int
	more chan struct{}
}

func newRoom(n int) *room { return &room{left: n, more: make(chan struct{}, 1)} }

// take takes room for up to n messages, and waits until there is some; 0: ctx is done.
func (r *room) take(ctx context.Context, n int) int {
	for {
		r.mu.Lock()
		got := min(n, r.left)
		r.left -= got
		left := r.left
		r.mu.Unlock()
		if got > 0 {
			if left > 0 {
				r.wake() // another may wait too
			}
			return got
		}
		select {
		case <-r.more:
		case <-ctx.Done():
			return 0
		}
	}
}

func (r *room) give(n int) {
	r.mu.Lock()
	r.left += n
	r.mu.Unlock()
	r.wake()
}

func (r *room) wake() {
	select {
	case r.more <- struct{}{}:
	default:
	}
}
