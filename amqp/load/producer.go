package load

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// producer sends. It belongs to its connection's goroutine.
type producer struct {
	*session
	run    *Run
	number uint32 // among the producers
	t      *template

	next    uint64 // number of the next message, whose low half is its delivery-id
	settled uint64 // how many are

	credit int64  // deliveries that the link still takes
	window int64  // frames that the session still takes
	frames uint32 // frames sent: the session's next-outgoing-id

	pace pace

	// When the unsettled messages were stamped, at their number modulo the length.
	stamps   []int64
	accepted Histogram // from the stamp to the read that brought the settlement

	flow        frame.Flow
	disposition frame.Disposition
}

func newProducer(r *Run, number int, s *session) (*producer, error) {
	p := &producer{session: s, run: r, number: uint32(number), t: newTemplate(&r.o, r.number, uint32(number), s.peerFrame)}
	p.window = int64(s.begin.IncomingWindow)
	if !r.o.Settled {
		p.stamps = make([]int64, r.o.Window)
	}
	if p.window < int64(p.t.frames) {
		return nil, fmt.Errorf("a message of %d bytes takes %d frames, and the broker's session window is %d: use a smaller --size", r.o.Size, p.t.frames, p.window)
	}
	if most := s.attach.MaxMessageSize; most > 0 && uint64(r.o.Size) > most {
		return nil, fmt.Errorf("a message of %d bytes: the broker takes %d at most", r.o.Size, most)
	}
	return p, nil
}

// attachSender is how a producer attaches.
func attachSender(o *Options, name string) *frame.Attach {
	a := &frame.Attach{
		Name: name, Role: frame.RoleSender, SndSettleMode: frame.SenderSettleModeUnsettled,
		Source: &frame.Source{}, Target: &frame.Target{Address: o.Address, Capabilities: []wire.Symbol{capabilityQueue}},
		InitialDeliveryCount: wire.Some(uint32(0)),
	}
	if o.Settled {
		a.SndSettleMode = frame.SenderSettleModeSettled
	}
	return a
}

func (p *producer) frame(code uint64, body []byte) error {
	switch code {
	case frame.CodeFlow:
		if _, err := p.flow.Decode(body, nil); err != nil {
			return err
		}
		p.onFlow(&p.flow)
	case frame.CodeDisposition:
		if _, err := p.disposition.Decode(body, nil); err != nil {
			return err
		}
		p.onDisposition(&p.disposition)
	}
	return nil
}

// onFlow takes windows and credit. What is under way is taken off, never compared
// as a serial number: windows may be wider than half of the ids.
func (p *producer) onFlow(f *frame.Flow) {
	p.window = int64(f.IncomingWindow) - int64(p.frames-f.NextIncomingID.V)
	if f.Handle.OK && f.LinkCredit.OK {
		p.credit = int64(f.LinkCredit.V) - int64(uint32(p.next)-f.DeliveryCount.V)
	}
	if f.Echo {
		p.out = frame.Append(p.out, frame.TypeAMQP, 0, &frame.Flow{
			NextIncomingID: wire.Some(p.begin.NextOutgoingID), IncomingWindow: sessionWindow, NextOutgoingID: p.frames, OutgoingWindow: sessionWindow,
		})
	}
}

func (p *producer) onDisposition(d *frame.Disposition) {
	if d.Role != frame.RoleReceiver {
		return
	}
	_, outcome := d.State.(frame.Outcome)
	if !d.Settled && !outcome {
		return // received: not an end
	}
	// Ids are the low halves of numbers, and none is far from the next.
	from := p.next - uint64(uint32(p.next)-d.First)
	to := from + uint64(d.Last.Or(d.First)-d.First) + 1
	_, accepted := d.State.(frame.Accepted)
	what := "nothing"
	if !accepted && d.State != nil {
		what = d.State.String()
	}
	fresh := p.run.book.settle(p.number, from, to, accepted, what)
	p.settled += fresh
	if accepted && fresh == to-from && p.run.measuring.Load() {
		p.observe(from, to)
	}
	if !d.Settled {
		p.out = frame.Append(p.out, frame.TypeAMQP, 0, &frame.Disposition{Role: frame.RoleSender, First: d.First, Last: d.Last, Settled: true})
	}
}

// observe counts how long messages from..to-1 took to be accepted.
func (p *producer) observe(from, to uint64) {
	if to-from > uint64(len(p.stamps)) {
		return // more than can be unsettled
	}
	now := p.run.now()
	for from < to {
		// Those of one write have one stamp.
		stamp := p.stamps[from%uint64(len(p.stamps))]
		n := uint64(1)
		for from+n < to && p.stamps[(from+n)%uint64(len(p.stamps))] == stamp {
			n++
		}
		p.accepted.AddN(time.Duration(now-stamp), n)
		from += n
	}
}

// act writes as many messages as may go.
func (p *producer) act() error {
	if err := p.flush(); err != nil {
		return err
	}
	p.pace.woke(p)
	for {
		now := p.run.now()
		want, held := p.want(now)
		n := p.run.book.claim(p.number, want)
		if p.pace.on() {
			p.pace.owing = held || n < want
		}
		if n == 0 {
			return nil
		}
		for i := range n {
			stamp := p.pace.stamp(p.next, now)
			p.t.patch(i, p.next, stamp)
			if p.stamps != nil {
				p.stamps[p.next%uint64(len(p.stamps))] = stamp
			}
			p.next++
		}
		p.credit -= int64(n)
		p.window -= int64(n * p.t.frames)
		p.frames += uint32(n * p.t.frames)
		if _, err := p.sock.Write(p.t.bytes(n)); err != nil {
			return err
		}
	}
}

// want is how many messages the next write may hold, and whether the broker
// holds back messages that are due.
func (p *producer) want(now int64) (n int, held bool) {
	room := min(int64(p.t.room()), p.credit, p.window/int64(p.t.frames))
	if !p.run.o.Settled {
		room = min(room, int64(p.run.o.Window)-int64(p.next-p.settled))
	}
	room = max(room, 0)
	if p.pace.on() {
		ready := p.pace.ready(p.next, now)
		return int(min(room, ready)), room < min(ready, int64(p.t.room()))
	}
	return int(room), false
}

func (p *producer) due() int64 { return p.pace.next(p.next) }
