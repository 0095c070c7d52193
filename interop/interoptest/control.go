package interoptest

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/interop"
)

// suspendAndResume: what is sent and comes meanwhile waits where the transport is certified,
// and flows when it goes on.
func (s *suite) suspendAndResume() {
	p := s.Open(s.T)
	g, spec := s.gateway(p, "gw"), s.spec(p, "queue_import_dm", "TIBEMS_PERSISTENT")
	out, in := s.topic("out"), s.queue("in")
	spec.Exports, spec.Imports = []interop.Destination{out}, []interop.Destination{in}
	g.Topic(out.Name, spec.Name)
	g.Connected(spec)
	box, r := p.Listen(s.T, out), g.Receive(in)
	if err := g.Manager.Suspend(spec.Name); err != nil {
		s.Fatal(err)
	}
	g.Until(spec.Name, "it suspended", func(st interop.Status) bool { return st.State == interop.Suspended })
	going, coming := numbered(out.Name, 20), s.mail(numbered(in.Name, 20))
	for _, m := range going[:10] {
		g.Send(out, addressed(m, out))
	}
	p.PublishAll(s.T, in, coming[:10])
	first := 0
	if !s.Factory.Certified {
		first = 10
		g.Until(spec.Name, "what cannot go out to be counted as lost", func(st interop.Status) bool { return st.Counts.LostOut == 10 })
	}
	if err := g.Manager.Resume(spec.Name); err != nil {
		s.Fatal(err)
	}
	g.Until(spec.Name, "it connected", func(st interop.Status) bool { return st.State == interop.Connected })
	for _, m := range going[10:] {
		g.Send(out, addressed(m, out))
	}
	p.PublishAll(s.T, in, coming[10:])
	for want := first; want < 20; want++ {
		if got := number(s.T, &next(s.T, box).Fields); got != want {
			s.Fatalf("message %d came outside where %d should", got, want)
		}
		if got := number(s.T, &r.Next().Fields); got != want {
			s.Fatalf("message %d came here where %d should", got, want)
		}
	}
}

// editedWhileLive: other destinations take effect in the session that is open.
func (s *suite) editedWhileLive() {
	p := s.Open(s.T)
	g, spec, first, box := s.exporting(p)
	second, in := s.topic("second"), s.queue("in")
	g.Topic(second.Name, spec.Name)
	edited := spec
	edited.Exports = []interop.Destination{first, second}
	edited.Imports = []interop.Destination{in}
	g.Manager.Apply([]interop.Spec{edited})
	s.prepared(g, p, spec.Name, in)
	boxes := []Mailbox{box, p.Listen(s.T, second)}
	for i, to := range []interop.Destination{first, second} {
		m := plain(to.Name, "out")
		g.Send(to, addressed(m, to))
		same(s.T, s.encoding(), m, &next(s.T, boxes[i]).Fields)
	}
	if st := g.Status(spec.Name); st.Connects != 1 {
		s.Errorf("it connected %d times: other destinations need no new session", st.Connects)
	}

	edited.Imports = nil // and back
	g.Manager.Apply([]interop.Spec{edited})
	g.Manager.Apply(nil)
	if _, err := g.Manager.Status(spec.Name); err == nil {
		s.Error("it was taken away, and is still there")
	}
}

// prepared waits until a new import brings messages in.
func (s *suite) prepared(g *Gateway, p Peer, name string, in interop.Destination) {
	s.Helper()
	r := g.Receive(in)
	n := 0
	until(s.T, func() bool {
		n++
		p.Publish(s.T, in, &Mail{Encoding: s.encoding(), Fields: *plain(in.Name, "knock")})
		return !r.Empty()
	}, func() string { return "a new import to bring messages in: " + describe(g.Status(name)) })
}

// wrongSettings: what cannot work says so in words that help, and goes on trying.
func (s *suite) wrongSettings() {
	if s.Wrong == nil {
		s.Skip("nothing can be wrong")
	}
	p := s.Open(s.T)
	for _, w := range s.Wrong(s.T, p) {
		s.T.Run(w.Name, func(t *testing.T) {
			s := &suite{T: t, Kit: s.Kit}
			g, spec := s.gateway(p, "gw"), s.spec(p)
			spec.Keys = keys(spec.Keys, w.Keys)
			g.Manager.Apply([]interop.Spec{spec})
			st := g.Until(spec.Name, "an error", func(st interop.Status) bool { return st.Error != "" })
			if !strings.Contains(st.Error, w.Says) {
				s.Errorf("the error is %q, and should say %q", st.Error, w.Says)
			}
			if slices.Contains([]interop.State{interop.Connected}, st.State) {
				s.Errorf("it is %s", st.State)
			}
		})
	}
}
