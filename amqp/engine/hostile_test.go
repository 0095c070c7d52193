package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// TestAnnouncedFrameCostsNothing: memory is given for bytes that came, not for
// what a frame's header announces, before open and after it.
func TestAnnouncedFrameCostsNothing(t *testing.T) {
	frames := map[string]func() *peer{
		"SASL": func() *peer {
			p := newPeer(t, Config{ContainerID: "s", SASL: saslServer()})
			p.bytes(header1(frame.ProtocolSASL))
			return p
		},
		"before open": func() *peer {
			p := newPeer(t, plain())
			p.bytes(header1(frame.ProtocolAMQP))
			return p
		},
		"after open": func() *peer { return openPeer(t, plain()) },
	}
	for name, make := range frames { // order: irrelevant
		t.Run(name, func(t *testing.T) {
			p := make()
			kind := frame.TypeAMQP
			if name == "SASL" {
				kind = frame.TypeSASL
			}
			p.bytes([]byte{0, 2, 0, 0, 2, kind, 0, 0}) // 128 KiB are to come
			sent := 8
			for range 200 {
				if held := cap(p.c.in.buf); held > 4*sent+2*smallBuffer {
					t.Fatalf("%d bytes came, %d are held", sent, held)
				}
				p.bytes(bytes.Repeat([]byte{0}, 10))
				sent += 10
			}
			if len(p.errs) > 0 {
				t.Fatal(p.errs)
			}
		})
	}
}

// TestDropsOfAFrame: a peer that sends a frame in drops is given up as one that
// sends nothing; heartbeats and whole frames keep a peer.
func TestDropsOfAFrame(t *testing.T) {
	p := openPeer(t, plain())
	p.bytes([]byte{0, 0, 2, 0, 2, 0, 0, 0})
	for range 4 {
		p.tick(DefaultIdleTimeOut / 2)
		p.bytes([]byte{0})
	}
	p.tick(0)
	p.wantOut("close resource-limit-exceeded")

	p = openPeer(t, plain())
	for range 10 {
		p.tick(DefaultIdleTimeOut)
		p.bytes(frame.Empty[:])
	}
	p.wantOut()
	if d := p.c.Deadline(); !d.Equal(p.now.Add(2 * DefaultIdleTimeOut)) {
		t.Errorf("the deadline is %v, want %v", d, p.now.Add(2*DefaultIdleTimeOut))
	}
}

// TestManyLinks: past MaxLinks a connection's links are refused, past some more
// it is closed; detached links and ended sessions make room.
func TestManyLinks(t *testing.T) {
	per := DefaultHandleMax + 1
	p := newPeer(t, plain())
	attach := func(channel uint16, n int) {
		for h := range n {
			p.send(channel, &frame.Attach{Name: fmt.Sprint(channel, "/", h), Handle: uint32(h), Role: frame.RoleReceiver, Source: &frame.Source{}, Target: &frame.Target{}})
		}
	}
	fill := func() {
		for ch := range uint16(MaxLinks / per) {
			p.send(ch, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1, HandleMax: 1<<32 - 1})
			attach(ch, per)
		}
	}
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512, ChannelMax: 100})
	fill()
	p.lines()
	for ch := range uint16(MaxLinks / per) {
		p.send(ch, &frame.End{})
	}
	fill()
	if all := strings.Join(p.lines(), "\n"); strings.Contains(all, "error=") {
		t.Fatalf("refused too early:\n%.500s", all)
	}
	last := uint16(MaxLinks / per)
	p.send(last, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1, HandleMax: 1<<32 - 1})
	p.lines()
	attach(last, 1)
	p.wantOut("attach", "detach closed=true error= resource-limit-exceeded")
	p.send(last, &frame.Detach{Handle: 0, Closed: true})
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.lines()
	attach(last, 1)
	p.wantOut("attach")
	attach(last+1, 0)
	for h := range maxRefused + 1 {
		p.send(last, &frame.Attach{Name: fmt.Sprint("more", h), Handle: uint32(h + 1), Role: frame.RoleReceiver, Source: &frame.Source{}, Target: &frame.Target{}})
	}
	if all := p.lines(); !strings.HasPrefix(all[len(all)-1], "close") || !strings.Contains(all[len(all)-1], "resource-limit-exceeded") {
		t.Errorf("the last answer is %s", all[len(all)-1])
	}
}

// TestIncompleteMessages: one message may be as long as the limit says, but many
// that are begun and never completed are bounded together.
func TestIncompleteMessages(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	for h := range 3 {
		p.send(0, &frame.Attach{
			Name: fmt.Sprint(h), Handle: uint32(h), Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
			Source: &frame.Source{}, Target: &frame.Target{},
		})
		l := p.links[fmt.Sprint(h)]
		l.Accept(frame.Attach{MaxMessageSize: 2 * MaxPartial})
		l.Grant(1, false)
	}
	p.lines()
	piece := bytes.Repeat([]byte{1}, 100<<10)
	for i := range MaxPartial/len(piece) + 10 { // one alone passes the bound
		d := transfer(0, 0, true)
		if i > 0 {
			d.DeliveryID, d.DeliveryTag = wire.Optional[uint32]{}, nil
		}
		p.send(0, d, piece...)
	}
	for _, line := range p.lines() {
		if strings.Contains(line, "error=") {
			t.Fatal(line)
		}
	}
	p.send(0, transfer(1, 1, true), piece...)
	p.wantOut("detach handle=1 closed=true error= resource-limit-exceeded")
	end := transfer(0, 0, false)
	end.DeliveryID, end.DeliveryTag = wire.Optional[uint32]{}, nil
	p.send(0, end, piece...)
	if p.c.partial != 0 {
		t.Errorf("%d bytes are still counted", p.c.partial)
	}
	p.send(0, transfer(2, 2, true), piece...)
	p.wantOut()
}

// TestTinyPieces: small pieces of incomplete deliveries do not keep the buffers
// that they came in.
func TestTinyPieces(t *testing.T) {
	p := openPeer(t, plain())
	p.send(0, &frame.Attach{Name: "a", Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)), Source: &frame.Source{}, Target: &frame.Target{}})
	p.c.in.shared = false
	d := transfer(0, 0, true)
	p.send(0, d, 'a')
	d.DeliveryID, d.DeliveryTag = wire.Optional[uint32]{}, nil
	p.send(0, d, 'b')
	if p.c.in.shared {
		t.Error("a buffer is kept for two bytes")
	}
	d.More = false
	p.send(0, d, 'c')
	if got := p.bodies; len(got) != 1 || got[0] != "abc" {
		t.Errorf("received %q", got)
	}
}

// TestFaultBeforeOurAttach: what a peer does wrong on a link before our attach is
// out is told behind it, once; its detach in the meantime changes nothing.
func TestFaultBeforeOurAttach(t *testing.T) {
	for _, detaches := range []bool{false, true} {
		p := openPeer(t, plain())
		p.manual = true
		a := &frame.Attach{Name: "a", Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)), Source: &frame.Source{}, Target: &frame.Target{}}
		p.send(0, a)
		for id := range uint32(MaxEarly + 2) {
			p.send(0, transfer(0, id, false), 'x')
		}
		if got := p.events; len(got) != MaxEarly+2 || !strings.Contains(got[len(got)-1], "transfer-limit-exceeded") {
			t.Fatalf("events: %q", got)
		}
		if detaches {
			p.send(0, &frame.Detach{Closed: true})
		}
		p.wantOut()
		l := p.links["a"]
		l.Accept(frame.Attach{Source: a.Source, Target: a.Target})
		l.Grant(10, false)
		l.Detach(true, nil) // the driver answers the peer's, if there was one
		p.wantOut("attach", "detach handle=0 closed=true error= amqp:link:transfer-limit-exceeded")
		if len(p.bodies) != MaxEarly {
			t.Errorf("%d delivered", len(p.bodies))
		}
	}
}

// TestFrugal: what is made ahead of the socket grows with what the peer takes,
// but not while memory is short.
func TestFrugal(t *testing.T) {
	p := openPeer(t, plain())
	full := func() int {
		p.c.out.size = 8 * mostBudget // as if so much had been asked for
		p.c.Output(p.now, nil)
		return p.c.out.budget
	}
	if got := full(); got != 2*leastBudget {
		t.Errorf("the budget is %d, want %d", got, 2*leastBudget)
	}
	p.c.Frugal(true)
	if got := full(); got != leastBudget {
		t.Errorf("the budget is %d where memory is short, want %d", got, leastBudget)
	}
	p.c.Frugal(false)
	if got := full(); got != 2*leastBudget {
		t.Errorf("the budget is %d again, want %d", got, 2*leastBudget)
	}
}
