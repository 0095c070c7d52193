package amqp10

import (
	"math"
	"time"

	"github.com/tidegate/tidegate/amqp/jms"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// replyAnnotation tells JMS clients what kind of destination reply-to is (reference 3.2).
const (
	replyAnnotation = "x-opt-jms-reply-to"
	temporaryQueue  = 2
)

// outgoing is a message as it goes out: sections of our own, and behind them those of
// the message, where they lie.
type outgoing struct {
	head  []byte // the session's, until the next one
	first []byte
	rest  [][]byte
}

func (m *outgoing) size() int {
	n := len(m.head) + len(m.first)
	for _, p := range m.rest {
		n += len(p)
	}
	return n
}

// origin is the mark of the way, encoded: it is nearly always the same.
type origin struct {
	text    string
	encoded []byte
}

// encode makes the header anew, adds the mark of the way to the message annotations,
// and leaves the rest as it is, except for a reply-to that has another address outside.
func (s *session) encode(o *interop.Outbound) (m outgoing, err error) {
	h := o.Message.Header()
	head := message.AppendHeader(s.scratch[:0], h.Durable, h.Priority, timeToLive(o.Expires), false, 0)
	reply := s.replyTo(o)
	extra := s.origin.extra(o, reply)
	var room [8][]byte
	pieces := o.Message.Pieces(room[:0])
	if len(pieces) == 0 {
		pieces = append(pieces, nil)
	}
	at := o.Message.Offset()
	if extra != nil {
		head, at, err = message.Annotate(head, pieces[0], pieces[1:], at, extra)
	} else if reply != "" { // they stay, but stand before what changes
		var behind int
		if behind, err = message.SkipAnnotations(pieces[0], pieces[1:], at); err == nil {
			head = appendRange(head, pieces, at, behind)
			at = behind
		}
	}
	if err == nil && reply != "" {
		head, at, err = message.Override{ReplyTo: func(string) string { return reply }}.Properties(head, pieces[0], pieces[1:], at)
	}
	s.scratch = head
	if err != nil {
		return m, err
	}
	m.head = head
	for _, p := range pieces { // what lies behind at
		if at >= len(p) {
			at -= len(p)
			continue
		}
		if m.first == nil {
			m.first = p[at:]
		} else {
			m.rest = append(m.rest, p)
		}
		at = 0
	}
	return m, nil
}

// appendRange appends the bytes of pieces from one offset to another.
func appendRange(dst []byte, pieces [][]byte, from, to int) []byte {
	for _, p := range pieces {
		if from < len(p) && from < to {
			dst = append(dst, p[from:min(to, len(p))]...)
		}
		from, to = max(from-len(p), 0), to-len(p)
	}
	return dst
}

// extra gives the annotations that a message gets, encoded; nil: none.
func (g *origin) extra(o *interop.Outbound, reply string) []byte {
	imported := o.Message.HasAnnotation(interop.AnnotationImported)
	ours := reply != "" && o.ReplyTo != ""
	if !imported && !ours {
		if g.text != o.Origin && o.Origin != "" {
			g.text, g.encoded = o.Origin, wire.AppendValue(nil, wire.Map{{Key: wire.Symbol(interop.AnnotationOrigin), Value: o.Origin}})
		}
		if o.Origin == "" {
			return nil
		}
		return g.encoded
	}
	var all wire.Map
	if o.Origin != "" {
		all = append(all, wire.Entry{Key: wire.Symbol(interop.AnnotationOrigin), Value: o.Origin})
	}
	if imported { // that stays here
		all = append(all, wire.Entry{Key: wire.Symbol(interop.AnnotationImported)})
	}
	if ours {
		all = append(all, wire.Entry{Key: wire.Symbol(replyAnnotation), Value: int8(temporaryQueue)})
	}
	return wire.AppendValue(nil, all)
}

// replyTo is the address that stands in for the message's own; "": that stays. It is
// one of ours for a temporary destination, and what subject_prefix makes of others.
func (s *session) replyTo(o *interop.Outbound) string {
	if o.ReplyTo != "" || s.t.settings.prefix == "" || !o.Message.Replies() {
		return o.ReplyTo
	}
	was := o.Message.ReplyTo()
	name, kind, err := jms.SplitAddress(was)
	if err != nil || name == "" {
		return ""
	}
	return jms.Readdress(was, s.t.settings.prefix+name, kind)
}

// timeToLive is what is left of a message's life. One that is over by now goes out with
// the shortest: what becomes of it is the outside's to say.
func timeToLive(expires int64) (ttl wire.Optional[uint32]) {
	if expires == 0 {
		return ttl
	}
	return wire.Some(uint32(min(max(expires-time.Now().UnixMilli(), 1), math.MaxUint32)))
}
