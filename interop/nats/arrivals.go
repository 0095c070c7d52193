package nats

import (
	"sync"

	"github.com/tidegate/tidegate/interop"
)

const (
	// arrivalCount and arrivalBytes are what waits to be delivered; then the subscriptions
	// wait, and NATS's client keeps their messages.
	arrivalCount = 4096
	arrivalBytes = 16 << 20
)

// arrivals are messages on their way to the sink: it gets all that have come, at a time.
type arrivals struct {
	l *line

	mu    sync.Mutex
	all   []interop.Inbound
	bytes int
	more  chan struct{}
	room  *sync.Cond
	ended bool
}

func newArrivals(l *line) *arrivals {
	a := &arrivals{l: l, more: make(chan struct{}, 1)}
	a.room = sync.NewCond(&a.mu)
	return a
}

// add takes a message of size bytes, and waits while there are too many.
func (a *arrivals) add(in interop.Inbound, size int) {
	a.mu.Lock()
	for !a.ended && len(a.all) > 0 && (len(a.all) >= arrivalCount || a.bytes >= arrivalBytes) {
		a.room.Wait()
	}
	if !a.ended {
		a.all = append(a.all, in)
		a.bytes += size
	}
	first := len(a.all) == 1
	a.mu.Unlock()
	if first {
		notify(a.more)
	}
}

// deliver is the goroutine that leads them to the sink.
func (a *arrivals) deliver() {
	var spare []interop.Inbound
	for {
		select {
		case <-a.more:
		case <-a.l.ctx.Done():
			return
		}
		a.mu.Lock()
		batch := a.all
		a.all, a.bytes = spare[:0], 0
		a.room.Broadcast()
		a.mu.Unlock()
		if len(batch) == 0 {
			continue
		}
		a.l.sink.Deliver(batch)
		clear(batch)
		spare = batch
	}
}

// drop ends it, and says how many were not delivered.
func (a *arrivals) drop() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.all)
	a.all, a.ended = nil, true
	a.room.Broadcast()
	return n
}
