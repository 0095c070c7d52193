package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
)

// Run is producers and consumers at work. It is used once: Open, perhaps Fill,
// Start, Measure, then Wait or Halt, and Close in any case.
type Run struct {
	o      Options
	number uint32 // in every message
	began  time.Time
	book   ledger

	producers []*producer
	consumers []*consumer

	started   atomic.Int64 // when Start was called, in ns since began; 0: not yet
	measuring atomic.Bool
	closing   atomic.Bool

	loops   sync.WaitGroup // of the connections
	failed  chan struct{}  // closed at the first failure
	once    sync.Once
	err     error         // valid once failed is closed
	stopped chan struct{} // closed by end; keepers end
	ended   bool
}

// Open connects everybody. Nothing flows before Fill or Start. The caller calls
// Close in the end.
func Open(ctx context.Context, o Options) (*Run, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	var number [4]byte
	_, _ = rand.Read(number[:])
	r := &Run{o: o, number: binary.BigEndian.Uint32(number[:]), began: time.Now(), failed: make(chan struct{}), stopped: make(chan struct{})}
	r.book.producers = make([]account, o.Producers)
	r.book.done = make(chan struct{}, 1)
	r.book.settles = !o.Settled
	name := rand.Text()
	for i := range o.Consumers {
		s, err := open(ctx, &r.o, attachReceiver(&r.o, fmt.Sprintf("bench-%s-c%d", name, i)))
		if err != nil {
			r.end()
			return nil, fmt.Errorf("consumer %d: %w", i, err)
		}
		c := newConsumer(r, i, s)
		r.consumers = append(r.consumers, c)
		r.join(s, c)
	}
	for i := range o.Producers {
		s, err := open(ctx, &r.o, attachSender(&r.o, fmt.Sprintf("bench-%s-p%d", name, i)))
		if err != nil {
			r.end()
			return nil, fmt.Errorf("producer %d: %w", i, err)
		}
		p, err := newProducer(r, i, s)
		if err != nil {
			_ = s.sock.Close()
			r.end()
			return nil, err
		}
		r.book.producers[i].wake = s.wake
		r.producers = append(r.producers, p)
		r.join(s, p)
	}
	return r, nil
}

// join gives a connection its goroutine.
func (r *Run) join(s *session, m member) {
	r.loops.Add(1)
	go func() {
		defer r.loops.Done()
		err := s.loop(r, m)
		_ = s.sock.Close()
		if err != nil {
			r.fail(err)
		}
	}()
	if s.idle > 0 {
		go r.keep(s)
	}
}

// keep says at half of the peer's time-out that we are alive.
func (r *Run) keep(s *session) {
	every := time.NewTicker(max(time.Duration(s.idle)*time.Millisecond/2, time.Millisecond))
	defer every.Stop()
	for {
		select {
		case <-r.stopped:
			return
		case <-every.C:
			if _, err := s.sock.Write(frame.Empty[:]); err != nil {
				return // the loop sees it too
			}
		}
	}
}

func (r *Run) fail(err error) {
	r.once.Do(func() {
		r.err = err
		close(r.failed)
	})
}

// now is the time in ns since the run began, never 0.
func (r *Run) now() int64 { return int64(time.Since(r.began)) + 1 }

// Failed is closed when a connection fails; Err then tells why.
func (r *Run) Failed() <-chan struct{} { return r.failed }

// Err is why a connection failed.
func (r *Run) Err() error {
	<-r.failed
	return r.err
}

// Totals are the run's so far.
func (r *Run) Totals() Totals { return r.book.sum() }

// share divides n among the producers.
func (r *Run) share(n uint64) func(int) uint64 {
	each, more := n/uint64(max(r.o.Producers, 1)), n%uint64(max(r.o.Producers, 1))
	return func(i int) uint64 {
		if uint64(i) < more {
			return each + 1
		}
		return each
	}
}

// Fill sends n messages while the consumers hold still, and returns once they
// are settled. The backlog's limit then counts on top of them.
func (r *Run) Fill(ctx context.Context, n uint64) error {
	r.book.allow(0, r.share(n))
	r.book.ask(false)
	return r.wait(ctx)
}

// Start lets everybody go.
func (r *Run) Start() {
	filled := r.book.sum().Sent
	r.started.Store(r.now())
	for _, c := range r.consumers {
		c.wake()
	}
	backlog := uint64(r.o.Backlog)
	if backlog > 0 {
		backlog += filled
	}
	if r.o.Consumers == 0 {
		backlog = 0
	}
	share := func(int) uint64 { return math.MaxUint64 }
	if r.o.Count > 0 {
		share = r.share(filled + r.o.Count)
	}
	r.book.allow(backlog, share)
}

// Measure has latencies counted from now on, or no longer.
func (r *Run) Measure(on bool) { r.measuring.Store(on) }

// Wait returns once all of Options.Count, and of Fill, went through.
func (r *Run) Wait(ctx context.Context) error {
	r.book.ask(r.o.Consumers > 0 && r.o.Producers > 0)
	return r.wait(ctx)
}

// Halt stops the producers and waits for what is under way.
func (r *Run) Halt(ctx context.Context) error {
	r.book.halt()
	return r.Wait(ctx)
}

// errStuck is the end of a wait during which nothing happened; what did not come
// is among the Problems.
var errStuck = errors.New("nothing more came")

// wait waits for the ledger's answer, as long as there is progress.
func (r *Run) wait(ctx context.Context) error {
	look := time.NewTicker(r.o.Patience)
	defer look.Stop()
	before := r.book.sum()
	for {
		select {
		case <-r.book.done:
			return nil
		case <-r.failed:
			r.book.allow(0, func(int) uint64 { return 0 })
			return r.err
		case <-ctx.Done():
			r.book.allow(0, func(int) uint64 { return 0 })
			return context.Cause(ctx)
		case <-look.C:
			now := r.book.sum()
			if now == before {
				return errStuck
			}
			before = now
		}
	}
}

// Stuck tells whether err says that messages or settlements never came.
func Stuck(err error) bool { return errors.Is(err, errStuck) }

// Result is what a run found.
type Result struct {
	Totals   Totals
	Problems Problems
	// Latency is of the messages received while Measure was on: from the send,
	// or the time when it was due, to the read that brought them.
	Latency Histogram
	// Accepted is of the messages settled in that time: from the send, or when it
	// was due, to the read that brought the settlement.
	Accepted Histogram
}

// Close hangs up and gives what the run found. Messages count as lost, or as
// never settled, only after Wait or Halt has waited for them.
func (r *Run) Close() Result {
	r.end()
	res := Result{Totals: r.book.sum(), Problems: r.book.close()}
	for _, c := range r.consumers {
		res.Latency.Merge(&c.latency)
	}
	for _, p := range r.producers {
		res.Accepted.Merge(&p.accepted)
	}
	return res
}

// end closes the connections in good order, and waits for their goroutines.
func (r *Run) end() {
	if r.ended {
		return
	}
	r.ended = true
	close(r.stopped)
	r.closing.Store(true)
	gone := make(chan struct{})
	go func() {
		r.loops.Wait()
		close(gone)
	}()
	r.each((*session).wake)
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
		r.each(func(s *session) { _ = s.sock.Close() })
		<-gone
	}
}

// each calls f for every connection.
func (r *Run) each(f func(*session)) {
	for _, c := range r.consumers {
		f(c.session)
	}
	for _, p := range r.producers {
		f(p.session)
	}
}
