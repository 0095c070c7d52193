package server

import (
	"fmt"
	"strings"
	"sync"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
)

// Limits of what a trace of a message's body prints (ems max_msg_field_print_size,
// max_msg_print_size), in bytes.
const (
	DefaultFieldPrint = 1 << 10
	DefaultPrint      = 8 << 10
)

// tracer writes the lines of traced messages, in the order of their steps, outside the
// core lock: who reads the log may be slow.
type tracer struct {
	mu    sync.Mutex // a leaf
	lines []string
	due   bool // there are lines; under the core lock
	out   sync.Mutex
}

// traceLine makes a line of an event; the core lock is held.
func (s *Server) traceLine(e *core.Event) {
	t := e.Trace
	c := t.Content
	if c == nil {
		c, _ = s.Content(e.Message)
	}
	line := s.line(e, c)
	s.tracer.mu.Lock()
	s.tracer.lines = append(s.tracer.lines, line)
	s.tracer.mu.Unlock()
	s.tracer.due = true
}

// flushTrace writes the lines that there are.
func (s *Server) flushTrace() {
	s.tracer.out.Lock()
	defer s.tracer.out.Unlock()
	s.tracer.mu.Lock()
	lines := s.tracer.lines
	s.tracer.lines = nil
	s.tracer.mu.Unlock()
	for _, line := range lines {
		s.o.Trace(line)
	}
}

// line is what EMS's log says under the trace item MSG (ems 1.2, 2.3 trace): who, what
// became of the message, its id, where, its sequence and size, and its body if that is
// asked for.
func (s *Server) line(e *core.Event, c message.Content) string {
	t := e.Trace
	var b strings.Builder
	if t.User != "" || t.Peer != "" {
		fmt.Fprintf(&b, "[%s@%s]: ", t.User, t.Peer)
	}
	kind := "queue"
	if t.Kind == core.Topic {
		kind = "topic"
	}
	id := "unknown"
	if c != nil {
		if v, ok := c.Property("JMSMessageID"); ok && v.Str != "" {
			id = v.Str
		}
	}
	switch t.Step {
	case core.TraceReceived:
		fmt.Fprintf(&b, "Received message '%s' into %s '%s'", id, kind, e.Name)
	case core.TraceSent:
		fmt.Fprintf(&b, "Sent message '%s' from %s '%s' to consumer", id, kind, e.Name)
	case core.TraceAcknowledged:
		fmt.Fprintf(&b, "Acknowledged message '%s' from %s '%s'", id, kind, e.Name)
	case core.TraceUndelivered:
		fmt.Fprintf(&b, "Removed message '%s' from %s '%s', reason=%s", id, kind, e.Name, t.Why)
	}
	if e.Message != 0 {
		fmt.Fprintf(&b, " seq=%d", e.Message&^core.HeldBit)
	}
	fmt.Fprintf(&b, " size=%d", t.Size)
	if t.Body {
		s.printBody(&b, c)
	}
	return b.String()
}

func (s *Server) printBody(b *strings.Builder, c message.Content) {
	p, ok := c.(message.Printable)
	if !ok {
		b.WriteString(" body not in memory")
		return
	}
	field, whole := s.o.FieldPrint, s.o.Print
	if field == 0 {
		field = DefaultFieldPrint
	}
	if whole == 0 {
		whole = DefaultPrint
	}
	text, truncated := p.Print(field, whole)
	b.WriteString(" body=")
	b.WriteString(text)
	if truncated {
		b.WriteString(" (truncated)")
	}
}
