package nats

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/interop"
)

// certified is a session of JetStream: what goes out is confirmed by the stream, and what
// comes in is confirmed to it.
type certified struct {
	*line
	*replies
	js     jetstream.JetStream
	writer *writer
	inbox  *arrivals
	acks   *acks

	deadlines atomic.Bool // the streams take a time to live for each message
	subjects  []string    // exported, as they were prepared last

	mu        sync.Mutex
	imports   []*consumer
	tag       uint64
	unsettled map[uint64]pending // what Deliver brought, by tag: prefetch at most
	room      *sync.Cond         // it got smaller, or the session ends
	ended     bool
}

// pending is a message that was delivered and is not settled.
type pending struct {
	reply    string // confirms it
	consumer *consumer
}

func newStreams(t *transport, l *line, js jetstream.JetStream) *certified {
	s := &certified{line: l, js: js, writer: newWriter(t.c), unsettled: map[uint64]pending{}}
	s.room = sync.NewCond(&s.mu)
	s.inbox = newArrivals(l)
	s.replies = &replies{l: l, address: t.address, to: s.inbox}
	s.acks = newAcks(l, t.c)
	return s
}

// listen begins the session.
func (s *certified) listen() error {
	if err := s.acks.listen(); err != nil {
		return err
	}
	if s.c.certified.explicitOnly {
		s.note("explicit_config_only: a consumer of JetStream is certified whoever makes it; that only listed listeners are is for NATS to see to, by permissions on $JS.API.CONSUMER.>")
	}
	s.over.Go(s.inbox.deliver)
	s.over.Go(s.acks.report)
	return nil
}

// Exports is interop.Session's: the stream gets the subjects.
func (s *certified) Exports(ctx context.Context, all []interop.Destination) error {
	var subjects []string
	for _, d := range all {
		subjects = append(subjects, s.c.names.subject(d.Name))
	}
	subjects = join(nil, subjects...)
	if len(subjects) == 0 || same(subjects, s.subjects) {
		return nil
	}
	deadlines, err := s.prepare(ctx, subjects)
	if err != nil {
		return err
	}
	s.subjects = subjects
	s.deadlines.Store(deadlines)
	return nil
}

// Send is interop.Session's.
func (s *certified) Send(ctx context.Context, all []interop.Outbound) error {
	var bad []interop.Sent
	for i := range all {
		o := &all[i]
		m, err := s.writer.write(o)
		if err == nil {
			s.mark(o)
			if m.Reply != "" {
				s.writer.set(replyHeader, m.Reply)
			}
			s.writer.done()
			if err = s.acks.publish(ctx, m, o.Tag); err != nil {
				if why := refused(s.nc, m, err); why != nil {
					err = why
				} else {
					return fmt.Errorf("publishing to %s: %w", m.Subject, err)
				}
			}
		}
		if err != nil {
			bad = append(bad, interop.Sent{Tag: o.Tag, Refused: err})
		}
	}
	if bad != nil {
		s.sink.Sent(bad)
	}
	return nil
}

// Settle is interop.Session's.
func (s *certified) Settle(all []interop.Settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.room.Broadcast()
	for _, a := range all {
		p, ok := s.unsettled[a.Tag]
		if !ok {
			continue
		}
		delete(s.unsettled, a.Tag)
		answer := ack
		if a.Outcome == interop.Again {
			answer = nak
		}
		if err := s.nc.Publish(p.reply, answer); err != nil {
			return // the connection is broken: they come again
		}
	}
}

var (
	ack = []byte("+ACK")
	nak = []byte("-NAK")
)

// Close is interop.Session's. What is not settled is given back, and comes again at once.
func (s *certified) Close() {
	s.mu.Lock()
	for _, c := range s.imports {
		c.stop()
	}
	s.ended = true
	s.room.Broadcast()
	s.mu.Unlock()
	s.cancel()
	s.inbox.drop()
	s.mu.Lock()
	for _, tag := range sortedTags(s.unsettled) {
		if s.nc.Publish(s.unsettled[tag].reply, nak) != nil {
			break
		}
	}
	clear(s.unsettled)
	s.mu.Unlock()
	if s.nc.IsConnected() {
		_ = s.nc.FlushTimeout(farewell)
	}
	s.end()
}
