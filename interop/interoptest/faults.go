package interoptest

import (
	"context"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop"
)

// flowing is how many messages flow each way while something breaks.
const flowing = 1000

// sessionCut: connections break while messages flow. A certified transport loses none,
// doubles none without the same id, and keeps the order; a reliable one counts what it
// lost.
func (s *suite) sessionCut() {
	p := s.Open(s.T)
	c, ok := p.(Cutter)
	if !ok {
		s.Skip("this peer cannot break connections")
	}
	s.broken(p, s.Once, func() { c.Cut(s.T) })
}

// peerKilled: the peer is killed while messages flow, and started again.
func (s *suite) peerKilled() {
	p := s.Open(s.T)
	m, ok := p.(Mortal)
	if !ok {
		s.Skip("this peer cannot be killed")
	}
	// A peer that is killed may have forgotten what it knew of copies: JetStream does of
	// messages that all consumers have confirmed, under retention by interest.
	s.broken(p, false, func() {
		m.Kill(s.T)
		m.Start(s.T)
	})
}

// broken has messages flow out and in, and breaks something three times meanwhile. once:
// nothing may be outside twice.
func (s *suite) broken(p Peer, once bool, breaks func()) {
	g, spec := s.gateway(p, "gw"), s.spec(p, "queue_import_dm", "TIBEMS_PERSISTENT", "prefetch", "100", "max_reconnect_delay", "1")
	out, in := s.topic("out"), s.queue("in")
	spec.Exports, spec.Imports = []interop.Destination{out}, []interop.Destination{in}
	g.Topic(out.Name, spec.Name)
	g.Connected(spec)
	box := p.Listen(s.T, out)
	r := g.Receive(in)
	flows := sync.WaitGroup{}
	flows.Go(func() { s.flowOut(g, spec, out) })
	flows.Go(func() { s.flowIn(g, spec, p, in) })
	const times = 3
	for step := range times {
		g.Until(spec.Name, "messages to flow", func(st interop.Status) bool { return away(st) >= flowing*(step+1)/(times+2) })
		breaks()
		g.Until(spec.Name, "it connected again", func(st interop.Status) bool { return st.State == interop.Connected && int(st.Connects) > step+1 })
	}
	flows.Wait()
	if s.Factory.Certified {
		s.wholeOutside(box, once)
		s.wholeHere(g, r, in)
		return
	}
	s.accounted(g, spec, box, r)
}

// chunk is how many messages are sent at a time while something breaks, and window how
// many may be on their way: so that each break finds some.
const (
	chunk  = 20
	window = 100
)

// away counts what has gone out, or is known to be lost.
func away(st interop.Status) int { return int(st.Counts.Exported + st.Counts.LostOut) }

func (s *suite) flowOut(g *Gateway, spec interop.Spec, out interop.Destination) {
	going := numbered(out.Name, flowing)
	for from := 0; from < flowing; from += chunk {
		g.Until(spec.Name, "the messages sent to go out", func(st interop.Status) bool { return away(st) >= from-window })
		var all []*message.Message
		for _, m := range going[from : from+chunk] {
			all = append(all, addressed(m, out))
		}
		g.client.SendAll(out, all)
	}
}

func (s *suite) flowIn(g *Gateway, spec interop.Spec, p Peer, in interop.Destination) {
	coming := s.mail(numbered(in.Name, flowing))
	for from := 0; from < flowing; from += chunk {
		g.Until(spec.Name, "the messages published to come in", func(st interop.Status) bool {
			if !s.Factory.Certified { // what is lost before it came is counted nowhere: keep pace with the other way
				return away(st) >= from-window
			}
			return int(st.Counts.Imported) >= from-window
		})
		p.PublishAll(s.T, in, coming[from:from+chunk])
	}
}

// wholeOutside wants each message outside, first copies in order, copies with their id.
func (s *suite) wholeOutside(box Mailbox, once bool) {
	s.Helper()
	ids, want, doubled := map[int]string{}, 0, 0
	for want < flowing {
		m := next(s.T, box)
		n := number(s.T, &m.Fields)
		if id, known := ids[n]; known {
			if doubled++; once {
				s.Errorf("message %d is there twice, and its copies are known as such", n)
			}
			if id != m.ID {
				s.Fatalf("message %d came twice, as %q and as %q: want one id", n, id, m.ID)
			}
			continue
		}
		if n != want {
			s.Fatalf("message %d came outside where %d should", n, want)
		}
		ids[n] = m.ID
		want++
	}
	s.Logf("%d messages outside, %d of them twice", flowing, doubled)
}

// wholeHere is wholeOutside for the other way.
func (s *suite) wholeHere(g *Gateway, r *Receiver, in interop.Destination) {
	s.Helper()
	ids, sequences, want, doubled := map[int]any{}, map[int]any{}, 0, 0
	for want < flowing {
		m := r.Next()
		n := number(s.T, &m.Fields)
		if id, known := ids[n]; known {
			sequence, _ := m.Fields.Get("JMS_TIBCO_CM_SEQUENCE")
			if doubled++; s.Once && sequence == sequences[n] {
				s.Errorf("message %d is there twice, and its copies are known as such", n)
			} // else the outside has two: its sender sent it again
			if id != m.Fields.MessageID {
				s.Fatalf("message %d came twice, as %q and as %q: want one id", n, id, m.Fields.MessageID)
			}
			continue
		}
		if n != want {
			s.Fatalf("message %d came to %s where %d should", n, in.Name, want)
		}
		ids[n] = m.Fields.MessageID
		sequences[n], _ = m.Fields.Get("JMS_TIBCO_CM_SEQUENCE")
		want++
	}
	s.Logf("%d messages here, %d of them twice", flowing, doubled)
	_ = g
}

// accounted wants messages to arrive in order, and what did not to be counted.
func (s *suite) accounted(g *Gateway, spec interop.Spec, box Mailbox, r *Receiver) {
	s.Helper()
	st := g.Until(spec.Name, "each message out to be sent or lost", func(st interop.Status) bool {
		return int(st.Counts.Exported+st.Counts.LostOut) >= flowing
	})
	if n := int(st.Counts.Exported + st.Counts.LostOut); n != flowing {
		s.Errorf("%d were to go out, and %d are counted: %s", flowing, n, describe(st))
	}
	last, heard := -1, 0
	for heard < int(st.Counts.Exported) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		m, err := box.Next(ctx)
		cancel()
		if err != nil {
			break // what was on its way when the peer died
		}
		n := number(s.T, &m.Fields)
		if n <= last {
			s.Fatalf("message %d came outside behind %d", n, last)
		}
		last = n
		heard++
	}
	if !r.Empty() {
		last = -1
		for !r.Empty() {
			n := number(s.T, &r.Next().Fields)
			if n <= last {
				s.Fatalf("message %d came here behind %d", n, last)
			}
			last = n
		}
	}
	s.Logf("out: %d sent, %d counted as lost, %d arrived; in: %d", st.Counts.Exported, st.Counts.LostOut, heard, st.Counts.Imported)
}

// gatewayRestarted: what was under way when the gateway ended goes on when it is there
// again: nothing is lost, and nothing comes in twice.
func (s *suite) gatewayRestarted() {
	p := s.Open(s.T)
	if !s.Factory.Certified {
		s.Skip("a reliable transport keeps nothing")
	}
	g, spec := s.gateway(p, "gw"), s.spec(p, "queue_import_dm", "TIBEMS_PERSISTENT", "prefetch", "50")
	out, in := s.topic("out"), s.queue("in")
	spec.Exports, spec.Imports = []interop.Destination{out}, []interop.Destination{in}
	g.Topic(out.Name, spec.Name)
	g.Connected(spec)
	box := p.Listen(s.T, out)
	var all []*message.Message
	for _, m := range numbered(out.Name, flowing) {
		all = append(all, addressed(m, out))
	}
	coming := s.mail(numbered(in.Name, flowing))
	p.PublishAll(s.T, in, coming[:flowing/2])
	g.client.SendAll(out, all[:flowing/2])
	g.Restart()
	p.PublishAll(s.T, in, coming[flowing/2:]) // while it is connected to nothing
	g.Topic(out.Name, spec.Name)
	g.Manager.Apply([]interop.Spec{spec})
	g.client.SendAll(out, all[flowing/2:])
	s.wholeOutside(box, s.Once)
	s.wholeHere(g, g.Receive(in), in)
	if st := g.Status(spec.Name); st.Counts.Refused+st.Counts.LostIn+st.Counts.LostOut > 0 {
		s.Errorf("nothing was to be lost: %s", describe(st))
	}
}

// oneBrokenOneNot: a transport whose peer is not there does not hold up another.
func (s *suite) oneBrokenOneNot() {
	p := s.Open(s.T)
	if s.Wrong == nil {
		s.Skip("there is no way not to connect")
	}
	g, good, bad := s.gateway(p, "gw"), s.spec(p), s.spec(p)
	wrong := s.Wrong(s.T, p)[0]
	bad.Keys = keys(bad.Keys, wrong.Keys)
	to := s.topic("out")
	good.Exports, bad.Exports = []interop.Destination{to}, []interop.Destination{to}
	g.Topic(to.Name, good.Name, bad.Name)
	g.Manager.Apply([]interop.Spec{bad, good})
	g.Until(good.Name, "the good one connected", func(st interop.Status) bool { return st.State == interop.Connected })
	box := p.Listen(s.T, to)
	for _, m := range numbered(to.Name, 20) {
		g.Send(to, addressed(m, to))
		same(s.T, s.encoding(), m, &next(s.T, box).Fields)
	}
	g.Until(bad.Name, "the bad one to say why", func(st interop.Status) bool { return st.State != interop.Connected && st.Error != "" })
}
