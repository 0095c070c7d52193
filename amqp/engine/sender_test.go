package engine

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

func delivery(ref uint64, size int) Delivery {
	return Delivery{Ref: ref, Tag: []byte{byte(ref)}, Head: []byte("h"), First: bytes.Repeat([]byte{'x'}, size)}
}

func TestDrain(t *testing.T) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 0)
	p.credit(0, 0, 50, true) // on nothing: the answer uses all credit up
	p.wantOut("flow handle=0 delivery-count=50 link-credit=0 drain=true")
	p.credit(0, 50, 0, true) // at credit 0 it is answered as well
	p.wantOut("flow delivery-count=50 link-credit=0 drain=true")
	p.manual = true
	p.credit(0, 50, 3, true)
	l.Send(delivery(1, 3))
	l.Drained(53) // behind the deliveries
	p.wantOut("transfer delivery-id=0", "flow delivery-count=53 link-credit=0 drain=true")
	p.manual = false
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.wantOut("detach closed=true")
	p.receiver("again", 0, 2) // a new link counts anew
	p.credit(0, 0, 2, true)
	p.wantOut("flow handle=0 delivery-count=2 link-credit=0 drain=true")
}

func TestDrainAfterDeliveriesThatWait(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	l := p.receiverManual("out", 0)
	p.window(0, 0, 1)
	l.Send(delivery(1, 3))
	l.Send(delivery(2, 3))
	l.Drained(9)
	p.wantOut("transfer delivery-id=0")
	p.window(0, 1, 1)
	p.wantOut("transfer delivery-id=1", "flow delivery-count=9 drain=true")
}

// TestCreditThatIsTakenBackHoldsWhatWaits: what waits for the window and was not
// begun must not go once the receiver has taken its credit back (amqp 2.6.7).
func TestCreditThatIsTakenBackHoldsWhatWaits(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	l := p.receiverManual("out", 0)
	p.window(0, 0, 1)
	for ref := range uint64(4) {
		l.Send(delivery(ref+1, 3))
	}
	p.wantOut("transfer delivery-id=0")
	p.credit(0, 1, 1, false)
	var back []uint64
	p.c.Overdrawn(func(of *Link, ref uint64) {
		if of == l {
			back = append(back, ref)
		}
	})
	if !slices.Equal(back, []uint64{4, 3}) {
		t.Fatalf("given back: %v", back)
	}
	p.c.Overdrawn(func(_ *Link, ref uint64) { t.Errorf("%d is given back again", ref) })
	p.window(0, 1, 9)
	p.wantOut("transfer delivery-id=1")
}

func (p *peer) receiverManual(name string, handle uint32) *Link {
	p.manual = false
	l := p.receiver(name, handle, 9)
	p.manual = true
	return l
}

// window opens the session's window: next is what we say to have received.
func (p *peer) window(channel uint16, next, n uint32) {
	p.send(channel, &frame.Flow{NextIncomingID: wire.Some(next), IncomingWindow: n, NextOutgoingID: p.nextIn()})
}

func TestFramesOut(t *testing.T) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 9)
	l.Send(delivery(1, 1200))
	b := p.output()
	p.wire = b
	for n := 0; len(b) > 0; n++ {
		h, _ := frame.ParseHeader(b, 512)
		if h.Size > 512 || (n < 2 && h.Size != 512) {
			t.Errorf("frame %d of %d bytes", n, h.Size)
		}
		b = b[h.Size:]
	}
	p.wantOut("transfer delivery-id=0 delivery-tag=0x01 message-format=0 settled=false more=true +", "transfer handle=0 more=true +", "transfer handle=0} +")
}

func TestWindowOut(t *testing.T) {
	p := openPeer(t, plain())
	a, b := p.receiver("a", 0, 9), p.receiver("b", 1, 9)
	p.window(0, 0, 2)
	a.Send(delivery(1, 1200))
	b.Send(delivery(2, 3))
	if a.Room() != 8 || b.Room() != 8 {
		t.Errorf("room %d and %d", a.Room(), b.Room())
	}
	p.wantOut("transfer handle=0 delivery-id=0 more=true", "transfer handle=0 more=true")
	var begun, done uint64
	p.c.Progress(func(_ *Link, x, y uint64) { begun, done = x, y })
	if begun != 1 || done != 0 {
		t.Errorf("begun %d, done %d", begun, done)
	}
	// The link ends in the middle: no delivery-id is left out behind it.
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.window(0, 2, 5)
	p.wantOut("detach handle=0", "transfer handle=1 delivery-id=1")
	p.window(0, 3, 1<<32-1) // the widest window
	b.Send(delivery(3, 3))
	p.wantOut("transfer handle=1 delivery-id=2")
	p.window(0, 9, 1) // more than was sent: nothing is under way
	b.Send(delivery(4, 3))
	p.wantOut("transfer delivery-id=3")
}

// Serial numbers of 32 bits go on from 0.
func TestOutgoingIDsWrap(t *testing.T) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 9)
	l.count, l.limit = 1<<32-2, 2
	l.session.nextDeliveryID = 1<<32 - 2
	l.session.nextOutgoingID = 1<<32 - 2
	p.window(0, 1<<32-2, 3)
	for ref := uint64(1); ref <= 4; ref++ {
		l.Send(delivery(ref, 3))
	}
	p.wantOut("delivery-id=4294967294", "delivery-id=4294967295", "delivery-id=0")
	p.window(0, 1, 3)
	p.wantOut("delivery-id=1")
	if l.Credit() != 0 || l.Count() != 2 {
		t.Errorf("credit %d, count %d", l.Credit(), l.Count())
	}
	p.events = nil
	p.send(0, &frame.Disposition{Role: frame.RoleReceiver, First: 1<<32 - 1, Last: wire.Some(uint32(0)), Settled: true, State: frame.Accepted{}})
	p.wantEvents("settle 4294967295 ref=2", "settle 0 ref=3")
}

func TestDispositions(t *testing.T) {
	p := openPeer(t, plain())
	l := p.receiver("out", 0, 100)
	for ref := uint64(1); ref <= 6; ref++ {
		d := delivery(ref, 3)
		d.Settled = ref == 3 // a gap
		l.Send(d)
	}
	p.lines()
	settle := func(first, last uint32, settled bool, state frame.DeliveryState) {
		p.send(0, &frame.Disposition{Role: frame.RoleReceiver, First: first, Last: wire.Some(last), Settled: settled, State: state})
	}
	settle(1, 3, true, frame.Accepted{})
	p.wantEvents("settle 1 ref=2", "settle 3 ref=4")
	settle(1, 3, true, frame.Accepted{}) // a second time
	p.wantEvents()
	settle(0, 1<<31-1, false, frame.Accepted{}) // the receiver settles second
	p.wantEvents("settle 0 ref=1 settled=false", "settle 4 ref=5 settled=false", "settle 5 ref=6 settled=false")
	l.session.Confirm(4, frame.Accepted{})
	p.wantOut("disposition role=sender first=4 settled=true state=accepted")
	settle(4, 4, true, frame.Accepted{})
	settle(0, 0, false, &frame.Received{})
	settle(0, 0, false, nil)
	p.wantEvents()
	l.Detach(false, nil)
	p.wantOut("detach")
	settle(0, 0, true, frame.Released{}) // it may still come
	p.wantEvents("settle 0 ref=1")
	l.Forget()
	settle(0, 9, true, frame.Released{})
	p.wantEvents()
	if n := l.session.sent.n; n != 0 {
		t.Errorf("%d deliveries of a link that is over are remembered", n)
	}
	settle(0, 1<<31, true, nil)
	p.wantOut("end invalid-field")
}

func TestReceiverSettles(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("in", 0, 0)
	p.last.Settle(3, 5, frame.Accepted{}, false)
	p.last.Settle(6, 6, frame.Released{}, true)
	p.wantOut("disposition role=receiver first=3 last=5 state=accepted", "disposition role=receiver first=6 settled=true state=released")
	p.send(0, &frame.Disposition{Role: frame.RoleSender, First: 3, Last: wire.Some(uint32(5)), Settled: true})
	p.wantEvents("outcome 3-5 settled=true")
}

// TestHeadsOfAnySize: what stands before the payload comes whole, also if the delivery
// has to wait, and whether the payload is there or comes from a source.
func TestHeadsOfAnySize(t *testing.T) {
	for _, size := range []int{0, 1, headRoom, headRoom + 1, 300} {
		for _, pulled := range []bool{false, true} {
			p := openPeer(t, plain())
			p.manual = true
			l := p.receiverManual("out", 0)
			p.window(0, 0, 1)
			l.Send(delivery(1, 3))
			p.wantOut("transfer delivery-id=0")
			head, payload := bytes.Repeat([]byte{'H'}, size), []byte("first")
			d := Delivery{Ref: 2, Tag: []byte{2}, Head: slices.Clone(head), First: payload, Rest: [][]byte{[]byte("second")}}
			if pulled {
				d.First, d.Rest = nil, nil
				d.Source, d.Size = &parts{ready: [][]byte{payload, []byte("second")}}, 11
			}
			l.Send(d)
			clear(d.Head) // it is the sender's again
			p.window(0, 1, 9)
			var sent []byte
			for _, part := range p.c.Output(p.now, nil) {
				sent = append(sent, part...)
			}
			if got := bytes.Count(sent, []byte{'H'}); got != size {
				t.Errorf("head of %d, pulled %v: %d bytes of it were sent", size, pulled, got)
			}
			if !pulled && !bytes.Contains(sent, append(head, "firstsecond"...)) || !bytes.Contains(sent, []byte("second")) {
				t.Errorf("head of %d, pulled %v: sent %q", size, pulled, sent)
			}
		}
	}
}

// TestCreditBehindADrain: what the answer to a drain uses up is gone for what stands
// behind it, also while that answer waits for the window behind a delivery.
func TestCreditBehindADrain(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	busy, l := p.receiverManual("busy", 0), p.receiverManual("out", 1)
	shut := func(credit uint32, drain bool) { // and no window
		p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), NextOutgoingID: p.nextIn(), Handle: wire.Some(uint32(1)), DeliveryCount: wire.Some(uint32(0)), LinkCredit: wire.Some(credit), Drain: drain})
	}
	shut(1, true)
	busy.Send(delivery(1, 3))
	l.Drained(1) // there was nothing
	shut(2, false)
	if l.Room() != 1 {
		t.Errorf("room %d behind a drain that uses up 1 of 2", l.Room())
	}
	l.Send(delivery(2, 3))
	shut(1, false) // of which the drain has all
	var back []uint64
	p.c.Overdrawn(func(_ *Link, ref uint64) { back = append(back, ref) })
	if !slices.Equal(back, []uint64{2}) || l.Room() != 0 {
		t.Errorf("given back: %d, room %d", back, l.Room())
	}
	p.window(0, 0, 9)
	p.wantOut("transfer handle=0 delivery-id=0", "flow handle=1 delivery-count=1 link-credit=0 drain=true")
	p.credit(1, 1, 1, false)
	l.Send(delivery(2, 3))
	p.wantOut("transfer handle=1 delivery-id=1")
}
