package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/server"
)

// Defaults and limits of a runner.
const (
	DefaultPrefetch = 1000 // messages under way at a time, either way
	MaxPrefetch     = 65535
	firstRetry      = 100 * time.Millisecond // doubled up to max_reconnect_delay
	defaultRetry    = 30                     // seconds
	openTime        = 15 * time.Second       // for one try to connect
	defaultLease    = 600                    // seconds (temp_destination_timeout)
)

// What becomes of messages that can never pass (on_error).
const (
	toUndelivered = "undelivered"
	toNowhere     = "drop"
	toStop        = "stop"
)

// Runner keeps one transport at work. It has a goroutine that connects and one that
// takes what the broker has for it; each session adds one a way.
type Runner struct {
	spec      Spec
	certified bool
	transport Transport
	broker    *server.Server
	log       *slog.Logger
	settings  Settings
	event     func(kind string, err error)

	prefetch       int
	retry          time.Duration
	lease          time.Duration
	maxHops        int
	onError        string
	exportImported bool
	markImported   bool
	importMode     [2]string // queue_import_dm and topic_import_dm; "": nobody has set it
	carriesOrigin  bool
	hop            string // the origin of what begins here

	except    atomic.Pointer[[]Destination]
	condition condition
	counters  counters
	// registered are the listeners that were told to the outside, and not taken back; the
	// session's own.
	registered map[Registration]bool

	began    time.Time
	conn     *server.Conn
	producer core.ProducerID // of commits
	streamer core.ProducerID // of stream
	streamed atomic.Int64    // unanswered, of its
	made     uint64          // ids of messages
	woken    chan struct{}   // outs wait
	ctx      context.Context //nolint:containedctx // the life of its goroutines: close ends it
	cancel   context.CancelFunc
	over     sync.WaitGroup

	mu        sync.Mutex // guards what follows
	imports   []Destination
	suspended bool
	changed   chan struct{} // closed when destinations or suspended change
	current   *link         // nil: no session
	ended     chan struct{} // closed when the session is over; nil: there was none
	waits     waits
	consumers map[core.ConsumerID]*outlet
	first     chan struct{} // closed after the first try to connect

	replies *replies
	ledger  *ledger
	echoes  echoes
}

// newRunner makes a runner that does nothing yet.
func newRunner(spec Spec, t Transport, f Factory, o *Options, s Settings) (*Runner, error) {
	r := &Runner{
		spec: spec, certified: f.Certified, transport: t, broker: o.Broker, log: s.Log, settings: s,
		carriesOrigin: s.Get("encoding", "headers") != "raw", hop: extendOrigin("", s.Gateway, spec.Name),
		woken: make(chan struct{}, 1), changed: make(chan struct{}), first: make(chan struct{}),
		began: time.Now(), registered: map[Registration]bool{}, consumers: map[core.ConsumerID]*outlet{},
		imports: spec.Imports, suspended: spec.Suspended,
	}
	if err := r.read(&s); err != nil {
		return nil, err
	}
	r.except.Store(&spec.Except)
	r.importMode = [2]string{Queue - 1: s.Get("queue_import_dm", ""), Topic - 1: s.Get("topic_import_dm", "")}
	r.event = func(kind string, err error) {
		if o.Event != nil {
			o.Event(core.Event{Kind: kind, Name: spec.Name, Err: err})
		}
	}
	for _, x := range spec.formerly {
		r.registered[x] = true
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	conn, err := o.Broker.Attach(core.ConnectOptions{User: "", Own: true, Peer: core.Peer{Product: "transport " + spec.Name}, Room: 4 << 20}, r.wake)
	if err != nil {
		return nil, err
	}
	r.conn = conn
	conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		r.producer, _, err = b.OpenProducer(now, conn.ID(), core.ProducerOptions{}, fx)
		if err == nil {
			r.streamer, _, err = b.OpenProducer(now, conn.ID(), core.ProducerOptions{}, fx)
		}
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	r.replies = newReplies(r.lease)
	r.ledger = newLedger(r)
	r.condition.set(Connecting, nil)
	return r, nil
}

// start has it work.
func (r *Runner) start() error {
	if r.certified {
		if err := r.ledger.open(); err != nil {
			return err
		}
	} else if err := r.openOutlets(nil); err != nil {
		return err
	}
	r.over.Go(r.pump) // it finds what was opened
	r.over.Go(r.run)
	return nil
}

// close ends it: what it had under way comes again.
func (r *Runner) close() {
	r.cancel()
	r.over.Wait()
	r.conn.Close()
	r.transport.Close()
}

// run connects, again and again.
func (r *Runner) run() {
	defer r.once()
	pause := firstRetry
	for r.ctx.Err() == nil {
		if !r.waitResumed() {
			return
		}
		began := time.Now()
		r.condition.set(Connecting, nil)
		err := r.session()
		r.once()
		if r.ctx.Err() != nil {
			return
		}
		var stop *stopError
		if errors.As(err, &stop) {
			r.log.Error("transport stopped", "transport", r.spec.Name, "err", err)
			r.halt(Stopped, err)
			continue
		}
		if err == nil { // suspended
			continue
		}
		r.condition.set(Connecting, err)
		if time.Since(began) > r.retry {
			pause = firstRetry
		}
		r.log.Warn("transport not connected", "transport", r.spec.Name, "err", err, "retry", pause.String())
		r.rest(pause)
		pause = min(pause*2, r.retry)
	}
}

// once says that the first try is over.
func (r *Runner) once() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.first:
	default:
		close(r.first)
	}
}

// rest waits, a little more or less than pause, so that many do not come at once.
func (r *Runner) rest(pause time.Duration) {
	t := time.NewTimer(pause/2 + rand.N(pause))
	defer t.Stop()
	r.mu.Lock()
	changed := r.changed
	r.mu.Unlock()
	select {
	case <-t.C:
	case <-changed:
	case <-r.ctx.Done():
	}
}

// waitResumed waits until nobody has it suspended; false: it is over.
func (r *Runner) waitResumed() bool {
	for {
		r.mu.Lock()
		suspended, changed := r.suspended, r.changed
		r.mu.Unlock()
		if !suspended {
			return true
		}
		r.once()
		if s := r.condition.current(); s != Stopped {
			r.condition.set(Suspended, nil)
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return false
		}
	}
}

// halt suspends it.
func (r *Runner) halt(s State, err error) {
	r.condition.set(s, err)
	r.mu.Lock()
	r.suspended = true
	r.change()
	r.mu.Unlock()
}

// change tells those who wait for it. The caller holds mu.
func (r *Runner) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// suspendTime is how long suspend waits for the session to end.
const suspendTime = 5 * time.Second

// suspend has it end its session, and waits for that; or begin one again.
func (r *Runner) suspend(suspended bool) {
	r.mu.Lock()
	over := r.ended
	if r.suspended != suspended {
		r.suspended = suspended
		if !suspended {
			r.condition.set(Connecting, nil)
		}
		r.change()
	}
	r.mu.Unlock()
	if !suspended {
		return
	}
	if over != nil {
		late := time.NewTimer(suspendTime)
		defer late.Stop()
		select {
		case <-over:
		case <-late.C:
		case <-r.ctx.Done():
		}
	}
	if r.isSuspended() { // who looks at once sees it
		r.condition.set(Suspended, nil)
	}
}

// isSuspended says whether an administrator has it suspended.
func (r *Runner) isSuspended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.suspended && r.condition.current() != Stopped
}

// retarget changes what is brought in and sent out.
func (r *Runner) retarget(spec Spec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spec.Exports, r.spec.QueueExports, r.spec.Listeners = spec.Exports, spec.QueueExports, spec.Listeners
	r.except.Store(&spec.Except)
	r.imports = spec.Imports
	r.change()
}

// status is the transport at this moment.
func (r *Runner) status() Status {
	r.mu.Lock()
	s := Status{Name: r.spec.Name, Type: r.spec.Type, Certified: r.certified, Imports: r.imports, Exports: r.spec.exported()}
	if r.current != nil {
		s.UnderWay = r.current.underWay()
	}
	r.mu.Unlock()
	s.Counts, s.Connects = r.counters.counts(), r.counters.opened.Load()
	s.Leases = r.replies.count()
	r.condition.fill(&s)
	return s
}

// stopError has a runner stop for good (on_error=stop).
type stopError struct{ err error }

func (e *stopError) Error() string { return "on_error=stop: " + e.err.Error() }
func (e *stopError) Unwrap() error { return e.err }

// read reads the settings that all transports have. Errors say how to mend them.
func (r *Runner) read(s *Settings) (err error) {
	var retry, lease int
	number := func(to *int, key string, otherwise, least, most int) {
		if err == nil {
			*to, err = s.Int(key, otherwise, least, most)
		}
	}
	flag := func(to *bool, key string, otherwise bool) {
		if err == nil {
			*to, err = s.Bool(key, otherwise)
		}
	}
	number(&r.prefetch, "prefetch", DefaultPrefetch, 1, MaxPrefetch)
	number(&r.maxHops, "max_hops", 1, 1, 100)
	number(&retry, "max_reconnect_delay", defaultRetry, 1, 3600)
	number(&lease, "temp_destination_timeout", defaultLease, 1, 1<<30)
	flag(&r.exportImported, "export_imported", false)
	flag(&r.markImported, "mark_imported", true)
	r.retry, r.lease = time.Duration(retry)*time.Second, time.Duration(lease)*time.Second
	switch r.onError = s.Get("on_error", toUndelivered); r.onError {
	case toUndelivered, toNowhere, toStop:
	default:
		err = errors.Join(err, fmt.Errorf("on_error = %s: write %s, %s or %s", r.onError, toUndelivered, toNowhere, toStop))
	}
	return err
}
