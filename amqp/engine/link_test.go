package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

func TestAttachAndDetach(t *testing.T) {
	p := openPeer(t, plain())
	p.send(0, &frame.Attach{Name: "a", Handle: 5, Role: frame.RoleReceiver, Source: &frame.Source{Address: "q"}, Target: &frame.Target{}})
	p.wantOut("attach name=\"a\" handle=0 role=sender source= target= initial-delivery-count=0")
	p.send(0, &frame.Detach{Handle: 5})
	p.wantOut("detach handle=0}")
	p.send(0, &frame.Attach{Name: "b", Handle: 5, Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}, InitialDeliveryCount: wire.Some(uint32(7))})
	p.wantOut("attach name=\"b\" handle=0 role=receiver", "flow handle=0 delivery-count=7 link-credit=10")
	p.send(0, &frame.Detach{Handle: 5, Closed: true})
	p.wantOut("detach handle=0 closed=true")
	p.send(0, &frame.End{})
	p.wantOut("end")
	p.wantEvents("attach", "detach", "attach", "detach", "end")
}

func TestFlowBehindDetach(t *testing.T) {
	p := openPeer(t, plain())
	p.receiver("out", 0, 5)
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.wantOut("detach handle=0 closed=true")
	p.send(0, &frame.Flow{Handle: wire.Some(uint32(0)), LinkCredit: wire.Some(uint32(5)), Echo: true, IncomingWindow: 10})
	p.wantOut() // go-amqp does that; it is no fault of the session's
	p.send(0, &frame.Flow{Handle: wire.Some(uint32(1)), LinkCredit: wire.Some(uint32(5)), IncomingWindow: 10})
	p.wantOut("end unattached-handle")
}

func TestRefuseLink(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	a := &frame.Attach{Name: "a", Role: frame.RoleReceiver, Source: &frame.Source{Address: "no"}, Target: &frame.Target{}}
	p.send(0, a)
	p.links["a"].Refuse(fault(frame.ConditionNotFound, "no"), a)
	p.wantOut("attach role=sender target=", "detach closed=true error= amqp:not-found")
	p.send(0, &frame.Flow{Handle: wire.Some(uint32(0)), LinkCredit: wire.Some(uint32(5)), Echo: true, IncomingWindow: 10})
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.wantOut()
	p.send(0, &frame.Detach{Handle: 0, Closed: true})
	p.wantOut("end unattached-handle")
}

// TestHandleTakenBeforeItsDetach: go-amqp reads our detach, gives the handle to a
// new link, and answers the detach behind that.
func TestHandleTakenBeforeItsDetach(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("first", 3, 0)
	for _, next := range []string{"second", "third"} {
		for _, l := range p.links {
			if l.Live() {
				l.Detach(true, fault(frame.ConditionResourceDeleted, "gone"))
			}
		}
		p.wantOut("detach closed=true error= amqp:resource-deleted")
		p.send(0, &frame.Attach{Name: next, Handle: 3, Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}, InitialDeliveryCount: wire.Some(uint32(0))})
		p.wantOut("attach name=\""+next+"\" handle=0 role=receiver", "flow link-credit=10")
	}
	p.send(0, &frame.Detach{Handle: 3, Closed: true}) // the first's
	p.send(0, &frame.Detach{Handle: 3, Closed: true}) // the second's
	p.wantOut()
	if l := p.links["third"]; !l.Live() {
		t.Fatal("a detach of an earlier link ended the later one of the same handle")
	}
	p.send(0, &frame.Detach{Handle: 3, Closed: true})
	p.wantOut("detach handle=0 closed=true")
	p.send(0, &frame.Detach{Handle: 3, Closed: true})
	p.wantOut("end unattached-handle")
}

func TestSessionFaults(t *testing.T) {
	long := transfer(0, 0, false)
	long.DeliveryTag = make([]byte, 33)
	noTag := transfer(0, 0, false)
	noTag.DeliveryTag = nil
	for name, c := range map[string]struct { // order: irrelevant
		f    frame.Performative
		want string
	}{
		"handle in use":        {&frame.Attach{Name: "x", Handle: 0, Role: frame.RoleReceiver}, "handle-in-use"},
		"sender without start": {&frame.Attach{Name: "x", Handle: 4, Role: frame.RoleSender, Source: &frame.Source{}}, "invalid-field"},
		"unknown handle":       {transfer(9, 0, false), "unattached-handle"},
		"flow for unknown":     {&frame.Flow{Handle: wire.Some(uint32(9))}, "unattached-handle"},
		"detach of unknown":    {&frame.Detach{Handle: 9}, "unattached-handle"},
		"transfer to sender":   {transfer(1, 0, false), "not-allowed"},
		"no delivery-id":       {&frame.Transfer{DeliveryTag: []byte{1}}, "invalid-field"},
		"no delivery-tag":      {noTag, "invalid-field"},
		"long delivery-tag":    {long, "invalid-field"},
		"range backwards":      {&frame.Disposition{Role: frame.RoleReceiver, First: 5, Last: wire.Some(uint32(4)), Settled: true}, "invalid-field"},
		"ids going back":       {&frame.Flow{NextOutgoingID: 1<<32 - 1}, "window-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPeer(t, plain())
			p.sender("in", 0, 0)
			p.receiver("out", 1, 1)
			p.send(0, c.f)
			p.wantOut("end " + c.want)
			p.wantEvents("end local " + c.want)
			p.send(0, transfer(0, 0, false)) // passed over until its end comes
			p.send(0, &frame.End{})
			p.send(0, begin())
			p.wantOut("begin remote-channel=0")
		})
	}
}

func TestDeliveryIDMustFollow(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("in", 0, 0)
	p.send(0, transfer(0, 1<<32-1, false))
	p.send(0, transfer(0, 0, false))
	p.wantEvents("delivery 4294967295", "delivery 0")
	p.send(0, transfer(0, 2, false))
	p.wantOut("end invalid-field")
}

func TestCreditRunsOut(t *testing.T) {
	p := openPeer(t, plain())
	l := p.sender("in", 0, 1<<32-3) // the count wraps
	for id := range uint32(10) {
		p.send(0, transfer(0, id, false))
	}
	if l.Count() != 7 || l.Credit() != 0 {
		t.Errorf("count %d, credit %d", l.Count(), l.Credit())
	}
	p.events = nil
	p.send(0, transfer(0, 10, true)) // its other frames come although the link is over
	p.send(0, &frame.Transfer{Handle: 0, More: true})
	p.send(0, &frame.Transfer{Handle: 0})
	p.wantOut("detach closed=true transfer-limit-exceeded")
	p.wantEvents("detach local transfer-limit-exceeded")
	p.sender("other", 1, 0)
	p.send(0, transfer(1, 11, false))
	p.wantEvents("delivery 11")
}

func TestCreditTakenBackLeavesSlack(t *testing.T) {
	p := openPeer(t, plain())
	l := p.sender("in", 0, 0)
	l.Grant(0, false)
	p.wantOut("flow link-credit=0")
	for id := range uint32(10) {
		p.send(0, transfer(0, id, false)) // under way as we took credit back
	}
	p.wantOut()
	p.send(0, transfer(0, 10, false))
	p.wantOut("detach transfer-limit-exceeded")
}

// A client may send behind its attach without waiting, but not without bound.
func TestTransfersBeforeTheAttachIsAnswered(t *testing.T) {
	p := openPeer(t, plain())
	p.manual = true
	p.send(0, &frame.Attach{Name: "in", Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Target{Address: "q"}, InitialDeliveryCount: wire.Some(uint32(0))})
	p.events = nil
	for id := range uint32(MaxEarly) {
		p.send(0, transfer(0, id, false))
	}
	if len(p.events) != MaxEarly {
		t.Errorf("%d deliveries are told of %d", len(p.events), MaxEarly)
	}
	p.events = nil
	p.send(0, transfer(0, MaxEarly, false))
	p.send(0, transfer(0, MaxEarly+1, false))
	p.wantEvents("detach local transfer-limit-exceeded")
	p.wantOut() // not before our attach
	p.links["in"].Accept(frame.Attach{Source: &frame.Source{}, Target: &frame.Target{Address: "q"}})
	p.links["in"].Grant(10, false)
	p.wantOut("attach role=receiver", "detach closed=true transfer-limit-exceeded")
	p.send(0, &frame.Detach{Closed: true})
	p.wantEvents()
	p.wantOut()
}

func TestMessageSize(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("in", 0, 0)
	p.send(0, transfer(0, 0, true), make([]byte, 1000)...)
	p.wantOut()
	p.send(0, &frame.Transfer{More: true}, 1)
	p.wantOut("detach closed=true message-size-exceeded")
	p.send(0, &frame.Transfer{More: true}, 1)
	p.send(0, &frame.Transfer{}, 1)
	p.send(0, transfer(0, 1, false), 1)
	p.wantOut()
	p.wantEvents("detach local")
}

func TestInterleavedFramesIn(t *testing.T) {
	for _, chunk := range []int{0, 1, 13} {
		p := openPeer(t, plain())
		p.chunk = chunk
		p.sender("a", 0, 0)
		p.sender("b", 1, 0)
		settled := &frame.Transfer{Handle: 0, Settled: wire.Some(true), More: true}
		p.send(0, transfer(0, 0, true), 'a')
		p.send(0, transfer(1, 1, true), 'x')
		p.send(0, settled, 'b')
		p.send(0, &frame.Transfer{Handle: 1, Aborted: true}, 'y')
		p.send(0, &frame.Transfer{Handle: 0, DeliveryID: wire.Some(uint32(0)), Settled: wire.Some(false)}, 'c')
		p.send(0, transfer(1, 2, false), 'z')
		p.wantEvents("aborted 1 large=false", "delivery 0 size=3 settled=true", "delivery 2 size=1 settled=false")
		if !slices.Equal(p.bodies, []string{"abc", "z"}) {
			t.Error(p.bodies)
		}
		p.wantOut()
	}
}

func TestContinuationFaults(t *testing.T) {
	for name, f := range map[string]*frame.Transfer{ // order: irrelevant
		"another id":     {DeliveryID: wire.Some(uint32(1))},
		"another tag":    {DeliveryTag: []byte("x")},
		"another format": {MessageFormat: wire.Some(uint32(9))},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPeer(t, plain())
			p.sender("in", 0, 0)
			p.send(0, transfer(0, 0, true), 1)
			p.send(0, f, 1)
			p.wantOut("detach not-allowed")
		})
	}
}

func TestEmptyFramesAreBounded(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("in", 0, 0)
	p.send(0, transfer(0, 0, true))
	for range MaxEmptyTransfers {
		p.send(0, &frame.Transfer{More: true})
	}
	p.wantOut("detach transfer-limit-exceeded")
}

func TestIncomingWindow(t *testing.T) {
	for _, w := range []uint32{1, 2, 7} {
		cfg := plain()
		cfg.IncomingWindow = w
		p := openPeer(t, cfg)
		p.sender("in", 0, 0)
		for id := range uint32(9) {
			p.send(0, transfer(0, id, false))
		}
		out := p.lines()
		if len(out) == 0 || !strings.Contains(out[0], "incoming-window="+strings.TrimSpace(string(rune('0'+w)))) {
			t.Errorf("window %d was not opened again: %v", w, out)
		}
		if strings.Contains(strings.Join(out, ""), "end{") {
			t.Errorf("window %d: %v", w, out)
		}
	}
	p := openPeer(t, plain())
	p.sender("in", 0, 0)
	p.last.incomingWindow = 0
	p.send(0, transfer(0, 0, false))
	p.wantOut("end window-violation")
}

func TestIncomingIDsWrap(t *testing.T) {
	p := newPeer(t, plain())
	p.bytes(header1(frame.ProtocolAMQP))
	p.send(0, &frame.Open{ContainerID: "p", MaxFrameSize: 512})
	p.send(0, &frame.Begin{NextOutgoingID: 1<<32 - 1, IncomingWindow: 9, OutgoingWindow: 9, HandleMax: 9})
	p.sender("in", 0, 0)
	p.send(0, transfer(0, 5, false))
	p.send(0, transfer(0, 6, false))
	p.send(0, &frame.Flow{NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 9, NextOutgoingID: 1, Echo: true})
	p.wantOut("flow next-incoming-id=1")
}

func TestEcho(t *testing.T) {
	p := openPeer(t, plain())
	p.sender("in", 0, 3)
	p.receiver("out", 1, 4)
	f := &frame.Flow{IncomingWindow: 10, Echo: true}
	p.send(0, f)
	p.wantOut("flow next-incoming-id=0 incoming-window=8192 next-outgoing-id=0")
	f.Handle = wire.Some(uint32(0))
	p.send(0, f)
	p.wantOut("flow handle=0 delivery-count=3 link-credit=10")
	f.Handle, f.DeliveryCount, f.LinkCredit = wire.Some(uint32(1)), wire.Some(uint32(0)), wire.Some(uint32(6))
	p.send(0, f)
	p.wantOut("flow handle=1 delivery-count=0 link-credit=6")
}
