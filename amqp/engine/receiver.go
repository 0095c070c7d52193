package engine

import (
	"bytes"
	"fmt"

	"github.com/tidegate/tidegate/amqp/frame"
)

// partial is a delivery of several frames that is not complete.
type partial struct {
	open    bool
	settled bool
	id      uint32
	format  uint32
	tag     []byte
	state   frame.DeliveryState
	first   []byte
	rest    [][]byte
	size    int64
	held    int64 // of size, what is not told yet
	frames  int   // not told yet
	empty   int
	large   bool // it is told in pieces
}

func (s *Session) onTransfer(t *frame.Transfer, payload []byte) error {
	if s.ended {
		return nil
	}
	if err := s.received(); err != nil || s.ended {
		return err
	}
	l := s.link(t.Handle)
	switch {
	case l == nil:
		return s.fail(frame.ConditionUnattachedHandle, fmt.Sprintf("a transfer for handle %d, which is not attached", t.Handle))
	case l.Sending:
		return s.fail(frame.ConditionNotAllowed, fmt.Sprintf("a transfer on link %q, whose sender we are", l.Name))
	}
	var err error
	if l.partial.open {
		err = l.nextFrame(t)
	} else {
		err = s.firstFrame(l, t)
	}
	// A fault of ours or the driver may have detached the link while deliveries
	// are under way: their other frames, without an id, must still be known.
	defer func() {
		if l.over() {
			l.dropPartial()
			l.partial = partial{open: t.More && !t.Aborted}
		}
	}()
	if err != nil || s.ended || l.over() {
		return err
	}
	p := &l.partial
	p.settled = p.settled || t.Settled.Or(false)
	if t.State != nil {
		s.conn.in.shared = true // a transaction's id lies in the buffer
		p.state = t.State
	}
	if t.Aborted {
		s.conn.events = append(s.conn.events, Event{Kind: EventAborted, Session: s, Link: l, ID: p.id, Large: p.large})
		l.dropPartial()
		return nil
	}
	if len(payload) > 0 {
		l.take(payload, t.More)
	} else if p.empty++; p.empty > MaxEmptyTransfers {
		return l.fail(frame.ConditionTransferLimitExceeded, "too many frames without payload in one delivery")
	}
	if p.frames++; p.frames > MaxPieces {
		return l.fail(frame.ConditionTransferLimitExceeded, "too many frames in one delivery")
	}
	if l.maxSize > 0 && uint64(p.size) > l.maxSize {
		return l.fail(frame.ConditionMessageSizeExceeded, fmt.Sprintf("the message is larger than %d bytes", l.maxSize))
	}
	if large := s.conn.cfg.Large; large > 0 && p.size > large {
		s.tellPiece(l)
	}
	if t.More {
		if s.conn.partial > MaxPartial && p.held < s.conn.partial { // others' too: one alone is bounded by maxSize
			return l.fail(frame.ConditionResourceLimitExceeded, fmt.Sprintf("incomplete messages of more than %d bytes together", MaxPartial))
		}
		return nil
	}
	s.conn.events = append(s.conn.events, Event{
		Kind: EventDelivery, Session: s, Link: l, ID: p.id, Tag: p.tag, Format: p.format, Settled: p.settled, State: p.state,
		Second: l.Second, Payload: p.first, Rest: p.rest, Size: p.size, Large: p.large,
	})
	l.dropPartial()
	return nil
}

// take adds a frame's payload to the delivery under way.
func (l *Link) take(payload []byte, more bool) {
	p, c := &l.partial, l.session.conn
	if more && len(payload) <= tinyPiece {
		payload = bytes.Clone(payload)
	} else {
		c.in.shared = true
	}
	p.size += int64(len(payload))
	p.held += int64(len(payload))
	c.partial += int64(len(payload))
	if p.first == nil {
		p.first = payload
	} else {
		p.rest = append(p.rest, payload)
	}
}

// dropPartial forgets the delivery under way.
func (l *Link) dropPartial() {
	l.session.conn.partial -= l.partial.held
	l.partial = partial{}
}

// tellPiece hands on what came of a large delivery, so that nothing of it stays.
func (s *Session) tellPiece(l *Link) {
	p := &l.partial
	if !p.large {
		p.large = true
		p.tag = bytes.Clone(p.tag) // or it would keep a read buffer until the end
	}
	if p.first == nil {
		return
	}
	s.unwritten += uint32(p.frames)
	s.conn.events = append(s.conn.events, Event{
		Kind: EventPiece, Session: s, Link: l, ID: p.id, Tag: p.tag, Format: p.format, Settled: p.settled, State: p.state,
		Payload: p.first, Rest: p.rest, Size: p.size, Frames: uint32(p.frames),
	})
	s.conn.partial -= p.held
	p.first, p.rest, p.frames, p.held = nil, nil, 0, 0
}

// firstFrame takes up a delivery: it must have an id and a tag (amqp 2.7.5).
func (s *Session) firstFrame(l *Link, t *frame.Transfer) error {
	switch {
	case !t.DeliveryID.OK:
		return s.fail(frame.ConditionInvalidField, "the first transfer of a delivery without delivery-id")
	case t.DeliveryTag == nil:
		return s.fail(frame.ConditionInvalidField, "the first transfer of a delivery without delivery-tag")
	case len(t.DeliveryTag) > MaxDeliveryTag:
		return s.fail(frame.ConditionInvalidField, fmt.Sprintf("a delivery-tag of %d bytes; at most %d are allowed", len(t.DeliveryTag), MaxDeliveryTag))
	case s.nextDelivery.OK && t.DeliveryID.V != s.nextDelivery.V:
		return s.fail(frame.ConditionInvalidField, fmt.Sprintf("delivery-id %d; %d was next", t.DeliveryID.V, s.nextDelivery.V))
	}
	s.nextDelivery.V, s.nextDelivery.OK = t.DeliveryID.V+1, true
	if l.over() {
		return nil
	}
	if t.RcvSettleMode.OK && t.RcvSettleMode.V == frame.ReceiverSettleModeSecond && !l.Second {
		return l.fail(frame.ConditionInvalidField, "rcv-settle-mode second on a link that was attached with first")
	}
	if l.Credit() <= 0 {
		if !l.attached && l.early < MaxEarly {
			l.early++
			l.slack++
		}
		if l.slack == 0 {
			return l.fail(frame.ConditionTransferLimitExceeded, "a transfer without credit")
		}
		l.slack--
		l.limit++
	}
	l.count++
	// one frame's tag needs no copy: it lies in the read buffer with the payload
	l.partial = partial{open: true, id: t.DeliveryID.V, tag: t.DeliveryTag, format: t.MessageFormat.Or(0)}
	if t.More {
		l.partial.tag = bytes.Clone(t.DeliveryTag)
	} else {
		s.conn.in.shared = true
	}
	return nil
}

// nextFrame checks that a continuation says nothing else than the first frame.
func (l *Link) nextFrame(t *frame.Transfer) error {
	p := &l.partial
	switch {
	case l.over():
		return nil
	case t.DeliveryID.OK && t.DeliveryID.V != p.id:
		return l.fail(frame.ConditionNotAllowed, "another delivery began before the last was complete")
	case t.DeliveryTag != nil && !bytes.Equal(t.DeliveryTag, p.tag):
		return l.fail(frame.ConditionNotAllowed, "the delivery-tag changed within a delivery")
	case t.MessageFormat.OK && t.MessageFormat.V != p.format:
		return l.fail(frame.ConditionNotAllowed, "the message-format changed within a delivery")
	}
	return nil
}
