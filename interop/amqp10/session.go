package amqp10

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/interop"
)

// maxHandle is the highest handle of a session, as we ask for it: a link for each
// destination, and for each lease.
const maxHandle = 8000

// session is one connection. What is marked "held" is guarded by the connection
// (client.Conn.Do, and its events).
type session struct {
	t      *transport
	conn   *client.Conn
	peer   peer
	sink   interop.Sink
	ctx    context.Context //nolint:containedctx // the session's life: Close ends it
	cancel context.CancelFunc
	over   sync.WaitGroup

	outgoing, incoming, answering *client.Session // what goes out, comes in, and is a reply
	azure                         *azure          // nil: no Service Bus

	// held
	senders     map[interop.Destination]*sender
	recent      []*sender // by their last use, the oldest first
	mostSenders int       // see maxSenders
	tagged      uint64    // delivery-tags that were used
	scratch     []byte    // of an outgoing message's first sections
	origin      origin
	receivers   map[uint32]*receiver // by number
	attaches    uint32               // numbers that were used
	imports     map[interop.Destination]*receiver
	replies     map[string]*receiver // by token
	noDynamic   bool                 // the peer makes no nodes for replies

	reports reports
	tasks   chan struct{} // tend is to look
}

func newSession(t *transport, conn *client.Conn, sink interop.Sink) *session {
	s := &session{
		t: t, conn: conn, sink: sink, peer: meet(conn.Peer(), t.settings.azure), tasks: make(chan struct{}, 1),
		senders: map[interop.Destination]*sender{}, imports: map[interop.Destination]*receiver{}, replies: map[string]*receiver{},
		receivers: map[uint32]*receiver{},
	}
	s.reports.init()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// start begins the sessions of AMQP and the goroutines.
func (s *session) start(ctx context.Context, url string) (err error) {
	for _, at := range []struct {
		session **client.Session
		what    string
	}{{&s.outgoing, "what goes out"}, {&s.incoming, "what comes in"}, {&s.answering, "replies"}} {
		if *at.session, err = s.conn.Begin(ctx, func(why error) { s.fail(fmt.Errorf("the peer ended the session of %s: %w", at.what, why)) }); err != nil {
			return err
		}
	}
	s.mostSenders = min(maxSenders, max(s.outgoing.Links()*2/3, 1))
	if s.t.settings.azure {
		if err := s.startAzure(ctx, url); err != nil {
			return err
		}
	}
	s.over.Go(s.reportSent)
	s.over.Go(s.reportArrivals)
	s.over.Go(s.watch)
	s.over.Go(s.tend)
	return nil
}

// watch tells of the connection's end.
func (s *session) watch() {
	select {
	case <-s.conn.Ended():
		err := s.conn.Err()
		if err == nil {
			err = errors.New("the connection was closed")
		}
		s.fail(err)
	case <-s.ctx.Done():
	}
}

// fail says that the session is over. It may be called with the connection held.
func (s *session) fail(err error) {
	s.reports.fail(err)
}

// Close ends the session. Links to durable subscriptions are left attached, so to say:
// their end is not the subscription's.
func (s *session) Close() {
	s.cancel()
	_ = s.conn.Close() // what the peer has to say to that is of no use
	s.over.Wait()
}

// Exports has nothing to prepare: links are attached as there is something to send.
func (s *session) Exports(context.Context, []interop.Destination) error { return nil }

// reports are what a session has to tell its sink. Whoever has something puts it down,
// and does not wait.
type reports struct {
	mu       sync.Mutex
	sent     []interop.Sent
	arrivals []arrival
	failed   error
	told     bool
	moreSent chan struct{}
	moreIn   chan struct{}
}

func (r *reports) init() {
	r.moreSent, r.moreIn = make(chan struct{}, 1), make(chan struct{}, 1)
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (r *reports) answer(a interop.Sent) {
	r.mu.Lock()
	r.sent = append(r.sent, a)
	r.mu.Unlock()
	notify(r.moreSent)
}

func (r *reports) arrive(a arrival) {
	r.mu.Lock()
	r.arrivals = append(r.arrivals, a)
	r.mu.Unlock()
	notify(r.moreIn)
}

func (r *reports) fail(err error) {
	r.mu.Lock()
	if r.failed == nil {
		r.failed = err
	}
	r.mu.Unlock()
	notify(r.moreSent)
}

// reportSent tells of what went out, and of the session's failure behind that.
func (s *session) reportSent() {
	r := &s.reports
	var spare []interop.Sent
	for {
		select {
		case <-r.moreSent:
		case <-s.ctx.Done():
			return
		}
		r.mu.Lock()
		batch, failed := r.sent, r.failed
		if r.told {
			failed = nil
		}
		r.told = r.failed != nil
		r.sent, spare = spare[:0], nil
		r.mu.Unlock()
		if len(batch) > 0 {
			s.sink.Sent(batch)
		}
		if failed != nil {
			s.sink.Failed(failed)
		}
		clear(batch)
		spare = batch
	}
}

// maxReported is how many messages are handed over at a time.
const maxReported = 512

// reportArrivals hands over what came.
func (s *session) reportArrivals() {
	r := &s.reports
	var spare []arrival
	for {
		select {
		case <-r.moreIn:
		case <-s.ctx.Done():
			return
		}
		r.mu.Lock()
		batch := r.arrivals
		r.arrivals, spare = spare[:0], nil
		r.mu.Unlock()
		for part := range slices.Chunk(batch, maxReported) {
			s.sink.Deliver(s.inbound(part))
			if s.ctx.Err() != nil {
				return
			}
		}
		clear(batch)
		spare = batch
	}
}
