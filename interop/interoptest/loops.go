package interoptest

import (
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// loopOfOneTopic: what came in for a topic does not go out from it again, and what went
// out does not come in again (ems 9, migration 3.5).
func (s *suite) loopOfOneTopic() {
	if s.encoding() == translate.Raw {
		s.Skip("raw carries no origin")
	}
	p := s.Open(s.T)
	g, spec, both := s.gateway(p, "gw"), s.spec(p), s.topic("both")
	spec.Exports, spec.Imports = []interop.Destination{both}, []interop.Destination{both}
	g.Topic(both.Name, spec.Name)
	g.Connected(spec)
	box, here := p.Listen(s.T, both), g.Receive(both)

	in := plain(both.Name+"-in", "from outside")
	p.Publish(s.T, both, &Mail{Encoding: s.encoding(), Fields: *in})
	if got := here.Next(); messageID(&got.Fields) != messageID(in) {
		s.Fatalf("message %v came, and %v was sent", got.Fields.MessageID, in.MessageID)
	}
	g.Until(spec.Name, "the way back out to be closed", func(st interop.Status) bool { return st.Counts.LoopDropped == 1 })

	out := plain(both.Name+"-out", "from here")
	g.Send(both, addressed(out, both))
	for {
		got := next(s.T, box)
		if messageID(&got.Fields) == messageID(out) {
			break
		}
		if got.Origin != "" {
			s.Fatalf("message %v came outside, which came in from there", got.Fields.MessageID)
		}
	}
	here.Next() // of out, by a subscriber here
	last := plain(both.Name+"-last", "the end")
	p.Publish(s.T, both, &Mail{Encoding: s.encoding(), Fields: *last})
	if got := here.Next(); messageID(&got.Fields) != messageID(last) {
		s.Errorf("message %v came in again", got.Fields.MessageID)
	}
}

func messageID(m *translate.Message) string { return comparable(m).MessageID.(string) }

// loopOfTwoGateways: two gateways that import and export the same topic by the same peer:
// each message is at each once, and max_hops bounds the way.
func (s *suite) loopOfTwoGateways() {
	if s.encoding() == translate.Raw {
		s.Skip("raw carries no origin")
	}
	p := s.Open(s.T)
	both := s.topic("both")
	one, two := s.gateway(p, "one"), s.gateway(p, "two")
	heres := make([]*Receiver, 2)
	specs := make([]interop.Spec, 2)
	for i, g := range []*Gateway{one, two} {
		specs[i] = s.spec(p)
		specs[i].Exports, specs[i].Imports = []interop.Destination{both}, []interop.Destination{both}
		g.Topic(both.Name, specs[i].Name)
		g.Connected(specs[i])
		heres[i] = g.Receive(both)
	}
	const n = 20
	for i, m := range numbered(both.Name, n) {
		[]*Gateway{one, two}[i%2].Send(both, addressed(m, both))
	}
	for i, r := range heres {
		seen := map[int]bool{}
		for range n {
			got := r.Next()
			k := number(s.T, &got.Fields)
			if seen[k] {
				s.Errorf("message %d came to gateway %d twice", k, i)
			}
			seen[k] = true
		}
	}
	for i, g := range []*Gateway{one, two} {
		g.Until(specs[i].Name, "what came in not to go out again", func(st interop.Status) bool { return st.Counts.LoopDropped >= n/2 })
		if !heres[i].Empty() {
			s.Errorf("gateway %d has more than each message once", i)
		}
	}
}
