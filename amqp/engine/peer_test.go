package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// peer is a scripted peer of one engine. It records what the engine tells its
// driver and what it writes, and answers events the way a plain driver would.
type peer struct {
	t      testing.TB
	c      *Conn
	now    time.Time
	chunk  int // bytes fed at a time; 0: all at once
	events []string
	links  map[string]*Link
	last   *Session
	manual bool // events are not answered
	bodies []string
	pieces map[*Link][]byte // of large deliveries that are not whole yet
	wire   []byte           // written by the engine, not taken apart yet
	errs   []error
}

func newPeer(t testing.TB, cfg Config) *peer {
	return &peer{t: t, c: New(cfg, start), now: start, links: map[string]*Link{}}
}

// plain is a server that needs no SASL.
func plain() Config { return Config{ContainerID: "s", Bare: true} }

// openPeer is past open and one begin, whose output is taken.
func openPeer(t testing.TB, cfg Config) *peer {
	p := newPeer(t, cfg)
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512, ChannelMax: 10})
	p.send(0, begin())
	p.lines()
	p.events = nil
	return p
}

func begin() *frame.Begin {
	return &frame.Begin{IncomingWindow: 100, OutgoingWindow: 100, HandleMax: 7}
}

func header1(id frame.ProtocolID) []byte { return frame.Version1(id).Append(nil) }

// encode makes a frame.
func encode(channel uint16, p frame.Performative, payload ...byte) []byte {
	b, at := frame.BeginFrame(nil, frame.TypeAMQP, channel)
	b = append(p.Append(b), payload...)
	return frame.EndFrame(b, at, 0)
}

func (p *peer) send(channel uint16, f frame.Performative, payload ...byte) {
	p.t.Helper()
	p.bytes(encode(channel, f, payload...))
}

func (p *peer) bytes(b []byte) {
	for len(b) > 0 && !p.c.Done() {
		space := p.c.Space()
		if len(space) == 0 {
			p.t.Fatal("no space")
		}
		n := min(len(space), len(b))
		if p.chunk > 0 {
			n = min(n, p.chunk)
		}
		copy(space, b[:n])
		b = b[n:]
		if err := p.c.Input(p.now, n); err != nil {
			p.errs = append(p.errs, err)
		}
		p.drive()
	}
}

func (p *peer) tick(after time.Duration) {
	p.now = p.now.Add(after)
	if err := p.c.Tick(p.now); err != nil {
		p.errs = append(p.errs, err)
	}
	p.drive()
}

func (p *peer) drive() {
	for _, e := range p.c.Events() {
		p.events = append(p.events, describe(&e)...)
		if e.Kind == EventPiece {
			if p.pieces == nil {
				p.pieces = map[*Link][]byte{}
			}
			p.pieces[e.Link] = append(p.pieces[e.Link], bytes.Join(append([][]byte{e.Payload}, e.Rest...), nil)...)
		}
		if e.Kind == EventDelivery {
			body := append(p.pieces[e.Link], e.Payload...)
			delete(p.pieces, e.Link)
			for _, r := range e.Rest {
				body = append(body, r...)
			}
			p.bodies = append(p.bodies, string(body))
		}
		if e.Session != nil {
			p.last = e.Session
		}
		if e.Kind == EventAttach {
			p.links[e.Link.Name] = e.Link
		}
		if !p.manual {
			answer(p.c, &e)
		}
	}
}

// answer does the least that is due.
func answer(c *Conn, e *Event) {
	if e.Local {
		return
	}
	switch e.Kind {
	case EventOpen:
		c.Open(nil)
	case EventAttach:
		a := e.Attach
		if e.Link.attached {
			return
		}
		e.Link.Accept(frame.Attach{Source: a.Source, Target: a.Target, RcvSettleMode: a.RcvSettleMode, MaxMessageSize: 1000})
		e.Link.Grant(10, false)
	case EventFlow:
		if e.Drain {
			e.Link.Drained(e.Limit)
		}
	case EventDetach:
		e.Link.Detach(e.Closed, nil)
	case EventEnd:
		e.Session.End(nil)
	case EventClose:
		c.Close(nil)
	case EventBegin, EventDelivery, EventSettle, EventOutcome, EventPiece, EventAborted:
	}
}

// describe gives a line an event, one a delivery of those that are settled.
func describe(e *Event) []string {
	s := [...]string{"", "open", "begin", "attach", "flow", "delivery", "settle", "outcome", "detach", "end", "close", "piece", "aborted"}[e.Kind]
	switch e.Kind {
	case EventFlow:
		s += fmt.Sprintf(" limit=%d drain=%v", e.Limit, e.Drain)
	case EventDelivery:
		s += fmt.Sprintf(" %d size=%d settled=%v", e.ID, e.Size, e.Settled)
	case EventPiece:
		s += fmt.Sprintf(" %d upto=%d frames=%d", e.ID, e.Size, e.Frames)
	case EventAborted:
		s += fmt.Sprintf(" %d large=%v", e.ID, e.Large)
	case EventSettle:
		var lines []string
		for _, d := range e.Sent {
			lines = append(lines, fmt.Sprintf("%s %d ref=%d settled=%v", s, d.ID, d.Ref, e.Settled))
		}
		return lines
	case EventOutcome:
		s += fmt.Sprintf(" %d-%d settled=%v", e.ID, e.Last, e.Settled)
	}
	if e.Local {
		s += " local"
	}
	if e.Error != nil {
		s += " " + string(e.Error.Condition)
	}
	return []string{s}
}

// output is what the engine wrote, all of it.
func (p *peer) output() []byte {
	for p.c.Pending() {
		parts := p.c.Output(p.now, nil)
		if len(parts) == 0 {
			break
		}
		for _, part := range parts {
			p.wire = append(p.wire, part...)
		}
	}
	b := p.wire
	p.wire = nil
	return b
}

// lines is the engine's output, a frame a line.
func (p *peer) lines() []string {
	p.t.Helper()
	var lines []string
	b := p.output()
	for len(b) > 0 {
		if h, ok := frame.ParseProtocolHeader(b); ok {
			lines = append(lines, h.String())
			b = b[8:]
			continue
		}
		h, err := frame.ParseHeader(b, 1<<20)
		if err != nil || int(h.Size) > len(b) {
			p.t.Fatalf("the engine wrote no frame: %v, % x", err, b)
		}
		body := b[h.Offset:h.Size]
		b = b[h.Size:]
		if len(body) == 0 {
			lines = append(lines, "empty")
			continue
		}
		parse := frame.Parse
		if h.Type == frame.TypeSASL {
			parse = frame.ParseSASL
		}
		f, rest, err := parse(body, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		line := f.String()
		if len(rest) > 0 {
			line += fmt.Sprintf(" +%d", len(rest))
		}
		lines = append(lines, line)
	}
	return lines
}

// want checks that each line has the words of one of want, in order, and that
// there are as many.
func want(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		for _, word := range strings.Fields(want[i]) {
			ok = ok && strings.Contains(got[i], word)
		}
	}
	if !ok {
		t.Errorf("%s:\n  %s\nwanted:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (p *peer) wantOut(w ...string) { p.t.Helper(); want(p.t, "output", p.lines(), w...) }
func (p *peer) wantEvents(w ...string) {
	p.t.Helper()
	want(p.t, "events", p.events, w...)
	p.events = nil
}

// sender attaches a link on which the engine receives; its output is taken.
func (p *peer) sender(name string, handle uint32, count uint32) *Link {
	p.t.Helper()
	p.send(0, &frame.Attach{Name: name, Handle: handle, Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}, InitialDeliveryCount: wire.Some(count)})
	p.lines()
	p.events = nil
	return p.links[name]
}

// receiver attaches a link on which the engine sends.
func (p *peer) receiver(name string, handle, credit uint32) *Link {
	p.t.Helper()
	p.send(0, &frame.Attach{Name: name, Handle: handle, Role: frame.RoleReceiver, Source: &frame.Source{Address: "q"}, Target: &frame.Target{}})
	p.credit(handle, 0, credit, false)
	p.lines()
	p.events = nil
	return p.links[name]
}

func (p *peer) credit(handle, count, credit uint32, drain bool) {
	p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 100, NextOutgoingID: p.nextIn(), Handle: wire.Some(handle), DeliveryCount: wire.Some(count), LinkCredit: wire.Some(credit), Drain: drain})
}

func (p *peer) nextIn() uint32 {
	if p.last == nil {
		return 0
	}
	return p.last.nextIncomingID
}

func transfer(handle, id uint32, more bool) *frame.Transfer {
	return &frame.Transfer{Handle: handle, DeliveryID: wire.Some(id), DeliveryTag: binary.BigEndian.AppendUint32(nil, id), More: more}
}

func saslServer() *sasl.Server { return &sasl.Server{Anonymous: true} }
