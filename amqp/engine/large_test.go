package engine

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// large is a server that tells deliveries of more than 10 bytes in pieces.
func large() Config {
	cfg := plain()
	cfg.Large, cfg.IncomingWindow = 10, 16
	return cfg
}

func more(handle uint32) *frame.Transfer { return &frame.Transfer{Handle: handle, More: true} }

func TestLargeDeliveryIsToldInPieces(t *testing.T) {
	for _, chunk := range []int{0, 1, 13} {
		p := openPeer(t, large())
		p.chunk = chunk
		p.sender("a", 0, 0)
		p.sender("b", 1, 0)
		p.send(0, transfer(0, 0, true), []byte("12345678")...)
		p.wantEvents()
		p.send(0, more(0)) // nothing
		p.send(0, more(0), []byte("90abc")...)
		p.wantEvents("piece 0 upto=13 frames=3")
		p.send(0, transfer(1, 1, false), []byte("between")...)
		p.send(0, more(0), []byte("d")...)
		p.send(0, more(0))
		p.send(0, &frame.Transfer{Handle: 0}, []byte("ef")...)
		p.wantEvents("delivery 1 size=7", "piece 0 upto=14 frames=1", "piece 0 upto=16 frames=2", "delivery 0 size=16")
		p.send(0, transfer(0, 2, false), []byte("1234567890")...) // not more than 10
		p.wantEvents("delivery 2 size=10")
		p.send(0, transfer(0, 3, false), []byte("12345678901")...) // large in one frame
		p.wantEvents("piece 3 upto=11 frames=1", "delivery 3 size=11")
		if want := []string{"between", "1234567890abcdef", "1234567890", "12345678901"}; !slices.Equal(p.bodies, want) {
			t.Error(p.bodies)
		}
	}
}

func TestLargeDeliveryEndsInTheMiddle(t *testing.T) {
	begin := func() *peer {
		p := openPeer(t, large())
		p.sender("a", 0, 0)
		p.send(0, transfer(0, 0, true), make([]byte, 20)...)
		p.wantEvents("piece 0 upto=20")
		return p
	}
	p := begin()
	p.send(0, &frame.Transfer{Handle: 0, Aborted: true}, 1)
	p.send(0, transfer(0, 1, false), 1)
	p.wantEvents("aborted 0 large=true", "delivery 1 size=1")

	p = begin()
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.wantEvents("detach")

	p = begin() // more than the link's 1,000 bytes
	p.send(0, more(0), make([]byte, 450)...)
	p.send(0, more(0), make([]byte, 450)...)
	p.send(0, more(0), make([]byte, 450)...)
	p.wantEvents("piece upto=470", "piece upto=920", "detach local message-size-exceeded")

	p = begin()
	p.send(0, &frame.Transfer{Handle: 0, MessageFormat: wire.Some(uint32(9)), More: true}, 1)
	p.wantEvents("detach local not-allowed")

	p = begin()
	p.send(0, &frame.End{})
	p.wantEvents("end")
}

// TestWindowWaitsForWritten: frames of a large delivery are not made room for
// before the driver has written them.
func TestWindowWaitsForWritten(t *testing.T) {
	p := openPeer(t, large())
	p.sender("a", 0, 0)
	p.send(0, transfer(0, 0, true), make([]byte, 11)...)
	for range 14 {
		p.send(0, more(0), make([]byte, 11)...)
	}
	p.wantOut() // 15 of 16 frames used, and none given back
	s := p.last
	s.Written(2)
	p.wantOut()
	s.Written(3)
	p.wantOut("flow incoming-window=6")
	for range 6 {
		p.send(0, more(0), make([]byte, 11)...)
	}
	p.wantOut()
	s.Written(16)
	p.wantOut("flow incoming-window=16")
	p.send(0, &frame.Transfer{Handle: 0}) // others never wait
	for id := range uint32(8) {
		p.send(0, transfer(0, 1+id, false), 1)
	}
	p.wantOut("flow incoming-window=16")
}

// parts is a Source whose pieces come when the test says.
type parts struct {
	ready  [][]byte
	err    error
	closed int
}

func (s *parts) Next() ([]byte, error) {
	if len(s.ready) == 0 {
		return nil, s.err
	}
	p := s.ready[0]
	s.ready = s.ready[1:]
	return p, nil
}

func (s *parts) Close() { s.closed++ }

func fromSource(ref uint64, size int64, s Source) Delivery {
	return Delivery{Ref: ref, Tag: []byte{byte(ref)}, Head: []byte("h"), Source: s, Size: size}
}

func TestSourceLetsOthersBetween(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	a, b := p.receiverManual("a", 0), p.receiverManual("b", 1)
	s := &parts{}
	a.Send(fromSource(1, 1000, s))
	a.Send(delivery(2, 3)) // waits for the one before it on its link
	a.Drained(9)
	b.Send(delivery(3, 3))
	p.wantOut("transfer handle=1 delivery-id=0") // begun only once it has bytes
	s.ready = [][]byte{make([]byte, 600)}
	p.c.Resume()
	p.wantOut("transfer handle=0 delivery-id=1 more=true", "transfer handle=0 more=true")
	b.Send(delivery(4, 3))
	p.wantOut("transfer handle=1 delivery-id=2")
	s.ready = [][]byte{make([]byte, 399), make([]byte, 1)}
	p.c.Resume()
	p.wantOut("transfer handle=0 more=true +399", "transfer handle=0 +1", "transfer handle=0 delivery-id=3", "flow handle=0 delivery-count=9 drain=true")
	if s.closed != 1 || a.Room() != 0 {
		t.Errorf("closed %d times, room %d", s.closed, a.Room())
	}
	var refs []uint64
	p.c.Progress(func(l *Link, _, done uint64) { refs = append(refs, done) })
	if want := []uint64{3, 2}; len(refs) != 2 || refs[0]+refs[1] != 6 && !slices.Equal(refs, want) {
		t.Errorf("done: %d", refs)
	}
}

func TestSourceWaitsForTheWindow(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	a := p.receiverManual("a", 0)
	p.window(0, 0, 2)
	s := &parts{ready: [][]byte{make([]byte, 2000)}}
	a.Send(fromSource(1, 2000, s))
	p.wantOut("transfer delivery-id=0 more=true", "transfer more=true")
	p.window(0, 2, 9)
	p.wantOut("transfer more=true", "transfer more=true", "transfer")
}

// TestSourcesTakeTurns: a large delivery that always has bytes keeps no other
// waiting, in its session or in another, and small ones keep no large one.
func TestSourcesTakeTurns(t *testing.T) {
	cfg := plain()
	p := newPeer(t, cfg)
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 64 << 10, ChannelMax: 10})
	for channel := range uint16(2) {
		p.send(channel, begin())
	}
	var links []*Link
	for i, name := range []string{"a", "b", "c"} {
		channel := uint16(i / 2)
		p.send(channel, &frame.Attach{Name: name, Handle: uint32(i), Role: frame.RoleReceiver, Source: &frame.Source{Address: "q"}, Target: &frame.Target{}})
		p.send(channel, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 100, NextOutgoingID: 0, Handle: wire.Some(uint32(i)), DeliveryCount: wire.Some(uint32(0)), LinkCredit: wire.Some(uint32(9))})
		links = append(links, p.links[name])
	}
	p.lines()
	const size = 4 << 20
	for i, l := range links {
		l.Send(fromSource(uint64(i+1), size, &parts{ready: [][]byte{bytes.Repeat([]byte{'a' + byte(i)}, size)}}))
	}
	var sent [3]int
	for range 4 {
		for range 100 { // small ones fill what there is to fill
			links[0].session.conn.payload(make([]byte, leastBudget/100))
			links[0].session.conn.out.size += leastBudget / 100
		}
		for _, part := range p.c.Output(p.now, nil) {
			for i := range sent {
				sent[i] += bytes.Count(part, []byte{'a' + byte(i)})
			}
		}
	}
	for i, n := range sent {
		if n < sourceTurn/2 {
			t.Errorf("%d bytes of the source at link %d were sent: %d", n, i, sent)
		}
	}
}

func TestSourceFails(t *testing.T) {
	for _, begun := range []bool{false, true} {
		p := openPeer(t, plain())
		p.manual = true
		a := p.receiverManual("a", 0)
		s := &parts{}
		if begun {
			s.ready = [][]byte{make([]byte, 10)}
		}
		a.Send(fromSource(1, 100, s))
		a.Send(delivery(2, 3))
		if begun {
			p.wantOut("transfer delivery-id=0 more=true")
		}
		s.err = errors.New("damaged")
		p.c.Resume()
		got := strings.Join(p.lines(), "\n")
		if !strings.Contains(got, "aborted=true") || !strings.Contains(got, "delivery-id=1") || s.closed != 1 || a.Credit() != 7 {
			t.Errorf("begun %v: closed %d times, credit %d, sent %s", begun, s.closed, a.Credit(), got)
		}
		p.send(0, &frame.Disposition{Role: frame.RoleReceiver, First: 0, Last: wire.Some(uint32(1)), Settled: true, State: frame.Accepted{}})
		p.wantEvents("settle 1 ref=2")
	}
}

func TestSourcesEndWithTheirLink(t *testing.T) {
	for name, end := range map[string]func(p *peer, l *Link){
		"detach":       func(_ *peer, l *Link) { l.Detach(true, nil) },
		"their detach": func(p *peer, _ *Link) { p.send(0, &frame.Detach{Handle: 0, Closed: true}) },
		"end":          func(_ *peer, l *Link) { l.session.End(nil) },
		"close":        func(p *peer, _ *Link) { p.c.Close(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			p := openPeer(t, plain())
			p.manual = true
			l := p.receiverManual("a", 0)
			first, second := &parts{ready: [][]byte{make([]byte, 10)}}, &parts{}
			l.Send(fromSource(1, 100, first))
			l.Send(fromSource(2, 100, second))
			p.lines()
			end(p, l)
			if first.closed != 1 || second.closed != 1 {
				t.Errorf("closed %d and %d times", first.closed, second.closed)
			}
			p.c.Resume()
			if lines := p.lines(); len(lines) > 1 {
				t.Errorf("sent %v", lines)
			}
		})
	}
}

// TestDetachCutsASource: what a detach cut in the middle nobody can settle any
// more, so the driver is told of what went before it.
func TestDetachCutsASource(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	l := p.receiverManual("a", 0)
	l.Send(delivery(1, 3))
	l.Send(fromSource(2, 100, &parts{ready: [][]byte{make([]byte, 10)}}))
	p.lines()
	p.send(0, &frame.Detach{Handle: 0})
	if e := p.c.Events(); len(e) != 1 || len(e[0].Sent) != 1 || e[0].Sent[0].Ref != 1 {
		t.Errorf("events %+v", e)
	}
}

// TestCreditThatIsTakenBackHoldsASource: one that has not begun is given back like
// any other delivery, and what waited behind it as well.
func TestCreditThatIsTakenBackHoldsASource(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	l := p.receiverManual("out", 0)
	p.window(0, 0, 9)
	src := &parts{}
	l.Send(fromSource(1, 10, src))
	l.Send(delivery(2, 3))
	p.wantOut()
	p.credit(0, 0, 0, false)
	var back []uint64
	p.c.Overdrawn(func(_ *Link, ref uint64) { back = append(back, ref) })
	if !slices.Equal(back, []uint64{2, 1}) || src.closed != 1 {
		t.Errorf("given back: %v, the source closed %d times", back, src.closed)
	}
	src.ready = [][]byte{[]byte("123456789")}
	p.credit(0, 0, 1, false)
	p.wantOut()
}
