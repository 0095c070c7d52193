package interop

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
)

// link is one session at work: the Sink that it reports to, and the two ways.
type link struct {
	r      *Runner
	number uint64
	s      Session
	ctx    context.Context //nolint:containedctx // the life of the session
	cancel context.CancelCauseFunc
	over   sync.WaitGroup

	mu      sync.Mutex
	pending []core.Out // to be sent, in order
	flight  map[uint64]flight
	bytes   int64 // of flight
	left    int   // taken out of pending, and neither in flight nor done with
	more    chan struct{}
	room    chan struct{} // flight got smaller

	arrivals chan []Inbound
	allowed  chan struct{} // the broker has answered: fewer are outstanding
}

// session opens one and stays with it until it fails, or is suspended (nil).
func (r *Runner) session() error {
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	l := &link{
		r: r, number: r.counters.opened.Load() + 1, ctx: ctx, cancel: cancel, flight: map[uint64]flight{},
		more: make(chan struct{}, 1), room: make(chan struct{}, 1), arrivals: make(chan []Inbound, 4), allowed: make(chan struct{}, 1),
	}
	if r.certified {
		select {
		case <-r.ledger.ready:
		case <-ctx.Done():
			return nil
		}
	}
	opening, opened := context.WithTimeout(ctx, openTime)
	s, err := r.transport.Open(opening, l)
	opened()
	if err != nil {
		return err
	}
	l.s = s
	r.counters.opened.Add(1)
	over := make(chan struct{})
	defer close(over)
	r.mu.Lock()
	r.ended = over
	r.mu.Unlock()
	err = l.work()
	cancel(nil)
	s.Close()
	l.over.Wait()
	l.end()
	return err
}

// work prepares the session and waits for its end.
func (l *link) work() error {
	r := l.r
	changed, suspended := r.watched() // before what may change is looked at
	if err := l.target(); err != nil {
		return err
	}
	l.over.Go(l.send)
	if r.certified {
		l.over.Go(l.take)
	}
	r.mu.Lock()
	r.current = l
	r.mu.Unlock()
	if err := r.openOutlets(l); err != nil {
		return err
	}
	r.condition.set(Connected, nil)
	r.log.Info("transport connected", "transport", r.spec.Name, "type", r.spec.Type)
	r.event(core.EventTransportConnected, nil)
	r.once()
	for !suspended {
		select {
		case <-l.ctx.Done():
			if r.ctx.Err() != nil {
				return nil
			}
			err := context.Cause(l.ctx)
			r.event(core.EventTransportDisconnected, err)
			return err
		case <-changed:
			if changed, suspended = r.watched(); suspended {
				continue
			}
			if err := l.target(); err != nil {
				return err
			}
			if err := r.openOutlets(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// watched gives what is closed at the next change, and whether it is suspended.
func (r *Runner) watched() (changed <-chan struct{}, suspended bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed, r.suspended
}

// target tells the session what to bring in and what may go out.
func (l *link) target() error {
	l.r.mu.Lock()
	imports, exports, listeners := Cover(l.r.imports), l.r.spec.exported(), l.r.spec.Listeners
	l.r.mu.Unlock()
	ctx, cancel := context.WithTimeout(l.ctx, openTime)
	defer cancel()
	if err := l.s.Exports(ctx, exports); err != nil {
		return fmt.Errorf("preparing its exports: %w", err)
	}
	l.register(ctx, listeners)                  // before anything is sent that is to be kept for them
	for _, token := range l.r.replies.known() { // a reply may be on its way
		address, err := l.s.Reply(ctx, token)
		if err != nil {
			return fmt.Errorf("listening for replies: %w", err)
		}
		l.r.replies.bind(token, address, l.number)
	}
	if err := l.s.Imports(ctx, imports); err != nil {
		return fmt.Errorf("preparing its imports: %w", err)
	}
	return nil
}

// register has the outside know who gets what it is sent. One that it does not take is no
// reason to send nothing to others.
func (l *link) register(ctx context.Context, all []Registration) {
	reg, ok := l.s.(Registry)
	if !ok {
		return
	}
	wanted := map[Registration]bool{}
	for _, x := range all {
		wanted[x] = true
	}
	for x := range l.r.registered { // order: irrelevant
		if wanted[x] {
			continue
		}
		if err := reg.Unregister(ctx, x.Name, x.Subject); err == nil || errors.Is(err, ErrNoListener) {
			delete(l.r.registered, x) // an administrator's delete may have met our registering it
		}
	}
	for _, x := range all {
		l.r.registered[x] = true
		if err := reg.Register(ctx, x.Name, x.Subject); err != nil {
			l.r.log.Warn("a certified listener is not registered", "transport", l.r.spec.Name, "listener", x.Name, "subject", x.Subject, "err", err)
		}
	}
}

// end gives back what was not confirmed, or counts it as lost.
func (l *link) end() {
	r := l.r
	r.mu.Lock()
	r.current = nil
	r.mu.Unlock()
	r.closeOutlets()
	l.mu.Lock()
	pending, lost := l.pending, len(l.pending)+len(l.flight)+l.left
	l.pending, l.flight = nil, nil
	l.mu.Unlock()
	if !r.certified && lost > 0 {
		l.passOn(pending, nil) // its consumer stays, and wants their room and credit back
		r.counters.lostOut.Add(uint64(lost))
		r.event(core.EventTransportLost, context.Cause(l.ctx))
	}
}

// fail ends the session.
func (l *link) fail(err error) { l.cancel(err) }

// Failed is Sink's.
func (l *link) Failed(err error) { l.fail(err) }

// Lost is Sink's.
func (l *link) Lost(n int, exported bool, why error) {
	c := &l.r.counters.lostIn
	if exported {
		c = &l.r.counters.lostOut
	}
	c.Add(uint64(n))
	l.r.event(core.EventTransportLost, why)
}

// Note is Sink's.
func (l *link) Note(text string) {
	if l.r.condition.note(text) {
		l.r.log.Info("transport", "transport", l.r.spec.Name, "note", text)
	}
}

func (l *link) underWay() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.flight)
}

// settleTime is how long the broker may take for what a transport waits for.
const settleTime = time.Minute
