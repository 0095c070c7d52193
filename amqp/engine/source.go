package engine

import (
	"github.com/tidegate/tidegate/amqp/frame"
)

// Source gives the payload of a large delivery piece by piece, so that it need
// not be in memory. Its methods are called by whoever calls the engine, and must
// neither wait nor call back.
type Source interface {
	// Next gives the next bytes, which must not change any more; nil: none are
	// there yet, and Conn.Resume is called when they are. After an error the
	// delivery is aborted.
	Next() ([]byte, error)
	// Close says, once, that Next is not called again: all is sent, the delivery
	// was aborted, or its link is over.
	Close()
}

// How much of sources goes out at a time, in bytes.
const (
	// sourceTurn is what one gives until it is another's turn.
	sourceTurn = 64 << 10
	// sourceShare is what all together may have beyond c.out.budget: small
	// deliveries always fill that, and must not keep large ones waiting.
	sourceShare = 128 << 10
)

// Resume says that a Source has its next bytes.
func (c *Conn) Resume() { c.pumpable = true }

// ready is how many bytes of the delivery are in memory.
func (o *outgoing) ready() int {
	if o.d.Source == nil {
		return o.left
	}
	n := o.headLen
	if o.piece == 0 {
		n += len(o.d.First) - o.at
	}
	return min(n, o.left)
}

// pumpSources lets the session's sources take turns, frame by frame between what
// else is sent. A drain or a delivery behind one on its link waits in behind.
func (s *Session) pumpSources() {
	for idle := 0; idle < len(s.sources); {
		if s.remoteWindow == 0 {
			return // the peer's flow goes on
		}
		if s.conn.out.size >= s.conn.out.budget+sourceShare {
			s.conn.pumpable = true
			return
		}
		s.turn %= len(s.sources)
		o := s.sources[s.turn]
		more, err := o.fetch()
		switch {
		case err != nil:
			s.abort(o)
			s.endSource(s.turn)
			idle = 0
		case !more:
			s.turn++
			idle++
		default:
			if s.sendTurn(o); o.left == 0 {
				o.link.done = o.d.Ref
				s.endSource(s.turn)
			} else {
				s.turn++
			}
			idle = 0
		}
	}
}

// fetch makes the next bytes ready, if the source has them.
func (o *outgoing) fetch() (some bool, err error) {
	if o.left <= o.headLen || (o.piece == 0 && o.at < len(o.d.First)) {
		return true, nil
	}
	p, err := o.d.Source.Next()
	if err != nil || len(p) == 0 {
		return false, err
	}
	o.d.First, o.piece, o.at = p, 0, 0
	return true, nil
}

// sendTurn sends frames of what is ready.
func (s *Session) sendTurn(o *outgoing) {
	until := s.conn.out.size + sourceTurn
	for o.ready() > 0 && s.remoteWindow > 0 && s.conn.out.size < until {
		s.transferFrame(o)
	}
}

// abort gives up a delivery whose bytes will not come (amqp 2.6.14). One that has
// not begun is begun for it: the broker has counted it against the credit.
func (s *Session) abort(o *outgoing) {
	c, l := s.conn, o.link
	t := frame.Transfer{Handle: l.handle}
	if !o.begun {
		s.beginQueued(o, &t)
	}
	t.Aborted = true
	at := c.beginFrame(frame.TypeAMQP, s.channel)
	c.out.cur = t.Append(c.out.cur)
	c.endFrame(at, 0)
	s.sent.forget(o.id) // aborted is settled
	s.nextOutgoingID++
	s.remoteWindow--
	l.done = o.d.Ref
	l.progress()
}

// endSource takes out the i-th, and puts what waited for its end first into the
// queue: it is older than what its link has there.
func (s *Session) endSource(i int) {
	o := s.sources[i]
	s.sources = append(s.sources[:i], s.sources[i+1:]...)
	l := o.link
	o.d.Source.Close()
	l.source = nil
	if len(l.behind) > 0 {
		s.queue = append(l.behind, s.queue...)
		l.behind = nil
		s.conn.pumpable = true
	}
	s.give(o)
}

// dropSources forgets the sources of a link that is over; nil: of all links.
func (s *Session) dropSources(l *Link) {
	kept := s.sources[:0]
	for _, o := range s.sources {
		if l != nil && o.link != l {
			kept = append(kept, o)
			continue
		}
		o.d.Source.Close()
		for _, b := range o.link.behind {
			if b.d.Source != nil {
				b.d.Source.Close()
			}
		}
		o.link.source, o.link.behind = nil, nil
	}
	clear(s.sources[len(kept):])
	s.sources = kept
	if l != nil {
		return
	}
	for _, o := range s.queue {
		if o.d.Source != nil {
			o.d.Source.Close()
		}
	}
	s.queue = nil
}
