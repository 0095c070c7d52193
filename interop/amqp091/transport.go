package amqp091

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/interop"
)

// Factory makes transports of type amqp091.
func Factory() interop.Factory {
	return interop.Factory{Type: "amqp091", Certified: true, New: newTransport}
}

// transport is the way to one broker.
type transport struct {
	*settings
	log     *slog.Logger
	replies string       // begins the names of reply queues: this transport's, in all sessions
	largest atomic.Int64 // bytes of a message that the broker takes; 0: not known

	mu      sync.Mutex
	missing map[string]int // queues, and how often in a row they were not there
}

// mostMissed is how often in a row a queue is declared that was not there.
const mostMissed = 3

// missed notes that a queue was not there, and says whether to declare it.
func (t *transport) missed(queue string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missing[queue]++
	return t.missing[queue] <= mostMissed
}

// there notes that a queue has taken a message.
func (t *transport) there(queue string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.missing) > 0 {
		delete(t.missing, queue)
	}
}

func newTransport(s interop.Settings) (interop.Transport, error) {
	c, err := parse(s)
	if err != nil {
		return nil, err
	}
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &transport{settings: c, log: log, replies: replyPrefix + rand.Text(), missing: map[string]int{}}, nil
}

// Close is Transport's.
func (t *transport) Close() {}

// Open is Transport's.
func (t *transport) Open(ctx context.Context, sink interop.Sink) (interop.Session, error) {
	out, err := t.dial(ctx, "export")
	if err != nil {
		return nil, err
	}
	in, err := t.dial(ctx, "import")
	if err != nil {
		out.end()
		return nil, err
	}
	s := &session{t: t, sink: sink, out: out, in: in}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.room = newRoom(t.prefetch)
	s.watch(out, "the connection that exports")
	s.watch(in, "the connection that imports")
	if s.publisher, err = newPublisher(s); err == nil {
		s.importer = newImporter(s)
		s.replier, err = newReplier(s)
	}
	if err != nil {
		s.Close()
		return nil, explain(err)
	}
	return s, nil
}

// session is the two connections.
type session struct {
	t       *transport
	sink    interop.Sink
	out, in *connection
	ctx     context.Context //nolint:containedctx // done: the session is over
	cancel  context.CancelFunc
	failed  atomic.Bool

	mu     sync.Mutex
	over   sync.WaitGroup // its goroutines
	closed bool           // none begins any more

	publisher *publisher
	importer  *importer
	replier   *replier
	lanes     lanes
	room      *room // for messages that came in and are not settled
}

// spawn has something done while the session lasts; Close waits for it.
func (s *session) spawn(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.over.Go(do)
	}
}

// watch ends the session with its connection.
func (s *session) watch(c *connection, what string) {
	closed := c.NotifyClose(make(chan *amqp.Error, 1))
	s.spawn(func() {
		select {
		case e, ok := <-closed:
			if ok && e != nil {
				s.fail(fmt.Errorf("%s is closed: %w", what, explain(e)))
				return
			}
			s.fail(errors.New(what + " is closed"))
		case <-s.ctx.Done():
		}
	})
}

// fail ends the session, once; not while it ends anyway. The reason goes first: what
// waits for the session's end has none of its own.
func (s *session) fail(err error) {
	if s.ctx.Err() != nil || !s.failed.CompareAndSwap(false, true) {
		return
	}
	if limit, ok := largest(err); ok {
		s.t.largest.Store(limit)
	}
	s.sink.Failed(s.t.hide(err))
	s.cancel()
}

// Exports is Session's.
func (s *session) Exports(ctx context.Context, all []interop.Destination) error {
	return s.publisher.prepare(ctx, all)
}

// Send is Session's.
func (s *session) Send(ctx context.Context, all []interop.Outbound) error {
	return s.publisher.send(ctx, all)
}

// Imports is Session's.
func (s *session) Imports(ctx context.Context, all []interop.Destination) error {
	return s.importer.set(ctx, all)
}

// Reply is Session's.
func (s *session) Reply(ctx context.Context, token string) (string, error) {
	return s.replier.open(ctx, token)
}

// EndReply is Session's.
func (s *session) EndReply(token string) { s.replier.end(token) }

// Settle is Session's.
func (s *session) Settle(all []interop.Settlement) { s.lanes.settle(all, s.room) }

// lastConfirms is how long Close waits for confirmations that are on their way: what is
// not confirmed goes out again.
const lastConfirms = 300 * time.Millisecond

// Close is Session's: what is not acknowledged goes back to its queue with the
// connection.
func (s *session) Close() { s.close(lastConfirms) }

func (s *session) close(patience time.Duration) {
	if s.publisher != nil && !s.out.IsClosed() {
		t := time.NewTimer(patience)
		select {
		case <-s.publisher.whenQuiet():
		case <-s.ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	var ended sync.WaitGroup
	ended.Go(s.in.end)
	ended.Go(s.out.end)
	ended.Wait()
	s.over.Wait()
}

// note tells an operator what stands in the way of one destination, or was done.
func (s *session) note(err error) {
	if s.ctx.Err() == nil {
		s.sink.Note(s.t.hide(err).Error())
	}
}
