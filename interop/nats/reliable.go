package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
)

const (
	// unflushed is how many messages are under way to NATS at a time.
	unflushed = 8192
	// pendingMessages and pendingBytes are what NATS's client keeps of an import's before
	// it drops them.
	pendingMessages = 65536
	pendingBytes    = 32 << 20
)

// reliable is a session of core NATS: at most once.
type reliable struct {
	*line
	*replies
	writer *writer
	inbox  *arrivals

	mu      sync.Mutex
	imports []*subscription // those made first in front
	flying  []uint64        // written, and not known to be with the server
	kick    chan struct{}
	room    chan struct{}
}

// subscription is one import.
type subscription struct {
	to      interop.Destination
	subject string
	sub     *nats.Subscription
	dropped int // of its messages, as counted
	reader  reader
	before  []*subscription // of the same kind: what they get is not for this one
}

func (t *transport) openReliable(l *line) (interop.Session, error) {
	s := &reliable{line: l, writer: newWriter(t.c), kick: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	s.inbox = newArrivals(l)
	s.replies = &replies{l: l, address: t.address, to: s.inbox}
	l.over.Go(s.inbox.deliver)
	l.over.Go(s.flush)
	return s, nil
}

// Exports is interop.Session's: NATS needs no preparing.
func (s *reliable) Exports(context.Context, []interop.Destination) error { return nil }

// Imports is interop.Session's.
func (s *reliable) Imports(_ context.Context, all []interop.Destination) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := map[interop.Destination]bool{}
	for _, d := range all {
		wanted[d] = true
	}
	kept := s.imports[:0:0]
	var gone []*subscription
	for _, i := range s.imports {
		if wanted[i.to] {
			delete(wanted, i.to)
			kept = append(kept, i)
		} else {
			gone = append(gone, i)
		}
	}
	s.imports = kept
	for _, d := range all {
		if !wanted[d] {
			continue
		}
		delete(wanted, d)
		i, err := s.subscribe(d)
		if err != nil {
			return err
		}
		s.imports = append(s.imports, i)
	}
	for _, i := range gone {
		s.drops(i)
		_ = i.sub.Unsubscribe()
	}
	return s.nc.FlushTimeout(flushTime)
}

func (s *reliable) subscribe(d interop.Destination) (*subscription, error) {
	i := &subscription{to: d, subject: s.c.names.subject(d.Name), reader: reader{c: s.c}}
	for _, b := range s.imports {
		if b.to.Kind == d.Kind {
			i.before = append(i.before, b)
		}
	}
	take := func(m *nats.Msg) { s.take(i, m) }
	var err error
	if s.c.group != "" {
		i.sub, err = s.nc.QueueSubscribe(i.subject, s.c.group, take)
	} else {
		i.sub, err = s.nc.Subscribe(i.subject, take)
	}
	if err == nil {
		err = i.sub.SetPendingLimits(pendingMessages, pendingBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("subscribing to %s: %w", i.subject, err)
	}
	return i, nil
}

// take is called for each message of an import, by its own goroutine.
func (s *reliable) take(i *subscription, m *nats.Msg) {
	for _, b := range i.before {
		if b.sub.IsValid() && covers(b.subject, m.Subject) {
			return
		}
	}
	if s.slow.Load() {
		s.countDropped()
	}
	in := i.reader.read(m)
	in.To.Kind = i.to.Kind
	in.To.Name = i.to.Name
	if m.Subject != i.subject {
		in.To.Name, _ = s.c.names.destination(m.Subject)
	}
	s.inbox.add(in, len(m.Data))
}

// countDropped counts what NATS's client dropped. The client tells only when it begins to:
// it is asked with each message, until it drops no more.
func (s *reliable) countDropped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := false
	for _, i := range s.imports {
		more = s.drops(i) || more
	}
	s.slow.Store(more)
}

// drops counts what NATS's client dropped of an import's messages since it was asked last;
// false: nothing. mu is held.
func (s *reliable) drops(i *subscription) bool {
	n, err := i.sub.Dropped()
	if err != nil || n <= i.dropped {
		return false
	}
	lost := n - i.dropped
	i.dropped = n
	s.say(func(sink interop.Sink) {
		sink.Lost(lost, false, fmt.Errorf("messages of %s come faster than they are taken here", i.subject))
	})
	return true
}

// Send is interop.Session's.
func (s *reliable) Send(ctx context.Context, all []interop.Outbound) error {
	var bad []interop.Sent
	for i := range all {
		o := &all[i]
		m, err := s.writer.write(o)
		if err == nil {
			s.writer.done()
			if err = s.nc.PublishMsg(m); err != nil {
				if why := refused(s.nc, m, err); why != nil {
					err = why
				} else {
					return fmt.Errorf("publishing to %s: %w", m.Subject, err)
				}
			}
		}
		if err != nil {
			bad = append(bad, interop.Sent{Tag: o.Tag, Refused: err})
			continue
		}
		s.mu.Lock()
		s.flying = append(s.flying, o.Tag)
		s.mu.Unlock()
	}
	notify(s.kick)
	if bad != nil {
		s.sink.Sent(bad)
	}
	for {
		s.mu.Lock()
		n := len(s.flying)
		s.mu.Unlock()
		if n < unflushed {
			return nil
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// flush asks the server whether it has what was written, again and again.
func (s *reliable) flush() {
	for {
		select {
		case <-s.kick:
		case <-s.ctx.Done():
			return
		}
		if err := s.flushed(flushTime); err != nil {
			if s.ctx.Err() == nil {
				s.failed(fmt.Errorf("NATS does not take what was written: %w", err))
			}
			return
		}
	}
}

// flushed waits until the server has what was written so far, and says so.
func (s *reliable) flushed(within time.Duration) error {
	s.mu.Lock()
	flying := s.flying
	s.flying = nil
	s.mu.Unlock()
	if len(flying) == 0 {
		return nil
	}
	if err := s.nc.FlushTimeout(within); err != nil {
		return err
	}
	sent := make([]interop.Sent, len(flying))
	for i, tag := range flying {
		sent[i].Tag = tag
	}
	s.sink.Sent(sent)
	notify(s.room)
	return nil
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Settle is interop.Session's: nobody waits for an answer.
func (s *reliable) Settle([]interop.Settlement) {}

// Close is interop.Session's. What is written and not known to be with the server is asked
// for once more: what remains the runner counts as lost.
func (s *reliable) Close() {
	if s.nc.IsConnected() {
		_ = s.flushed(farewell)
	}
	s.mu.Lock()
	waiting := 0
	for _, i := range s.imports {
		s.drops(i)
		if n, _, err := i.sub.Pending(); err == nil {
			waiting += n
		}
	}
	s.mu.Unlock()
	s.cancel()
	waiting += s.inbox.drop()
	if waiting > 0 {
		s.say(func(sink interop.Sink) { sink.Lost(waiting, false, errors.New("they had come, and the session ended")) })
	}
	s.end()
}
