package interoptest

import (
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// repliesComeBack: a request's temporary reply topic or queue has an address outside, and
// what is sent there comes back to it (ems 9), with a correlation id, also in the next
// session, and not marked as imported.
func (s *suite) repliesComeBack() {
	if s.encoding() == translate.Raw {
		s.Skip("raw has no replies")
	}
	p := s.Open(s.T)
	g, spec, to, box := s.exporting(p)
	addresses := map[string]bool{}
	for _, kind := range []core.DestinationKind{core.Topic, core.Queue} {
		back := g.client.Temporary(kind)
		replies := g.Receive(back)
		request := plain(to.Name, "what time is it")
		request.CorrelationID = "c1"
		request.ReplyTo = translate.Destination{Name: back.Name, Kind: translate.KindOf(kind == core.Topic, true)}
		g.Send(to, addressed(request, to))
		asked := next(s.T, box)
		if asked.ReplyTo == "" || addresses[asked.ReplyTo] {
			s.Fatalf("the request's address for replies is %q: want one of its own", asked.ReplyTo)
		}
		addresses[asked.ReplyTo] = true
		for i := range 2 {
			answer := plain(to.Name+"-answer", "late")
			answer.CorrelationID = "c1"
			p.Answer(s.T, asked.ReplyTo, &Mail{Encoding: s.encoding(), Fields: *answer})
			got := replies.Next()
			answer.Persistent = false // temporary destinations keep nothing
			same(s.T, s.encoding(), answer, &got.Fields)
			if i > 0 {
				break
			}
			s.again(g, spec)
			if !s.RepliesMove {
				continue // the address outlives its session
			}
			g.Send(to, addressed(request, to))
			asked = next(s.T, box)
		}
	}
	if st := g.Status(spec.Name); st.Leases != 2 {
		s.Errorf("two temporary destinations have addresses outside, and %d are counted", st.Leases)
	}
}

// again has a transport open a new session.
func (s *suite) again(g *Gateway, spec interop.Spec) {
	s.Helper()
	before := g.Status(spec.Name).Connects
	if err := g.Manager.Suspend(spec.Name); err != nil {
		s.Fatal(err)
	}
	g.Until(spec.Name, "it suspended", func(st interop.Status) bool { return st.State == interop.Suspended })
	if err := g.Manager.Resume(spec.Name); err != nil {
		s.Fatal(err)
	}
	g.Until(spec.Name, "it connected again", func(st interop.Status) bool { return st.Connects > before && st.State == interop.Connected })
}

// repliesToAName: a reply-to that is an ordinary destination goes out by its outside name,
// and what comes in with one has it as its JMSReplyTo.
func (s *suite) repliesToAName() {
	if s.ReplyName == nil {
		s.Skip("names of this type are not addresses")
	}
	p := s.Open(s.T)
	g, _, to, box := s.exporting(p)
	answers := s.queue("answers")
	m := plain(to.Name, "answer there")
	m.ReplyTo = translate.Destination{Name: answers.Name, Kind: translate.Queue}
	g.Send(to, addressed(m, to))
	if got := next(s.T, box); got.ReplyTo != s.ReplyName(answers) {
		s.Errorf("replies are to go to queue %s, and outside that is %q: want %q", answers.Name, got.ReplyTo, s.ReplyName(answers))
	}
	_, _, into, r := s.importing(p)
	in := plain(into.Name, "answer there")
	p.Publish(s.T, into, &Mail{Encoding: s.encoding(), Fields: *in, ReplyTo: s.ReplyName(answers)})
	if got := r.Next(); got.Fields.ReplyTo.Name != answers.Name {
		s.Errorf("the sender wants replies at %s, and JMSReplyTo is %v", s.ReplyName(answers), got.Fields.ReplyTo)
	}
}
