package interoptest

import (
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
	"github.com/tidegate/tidegate/persist/vfs"
)

// imports: each JMS type arrives here with headers, typed properties and body, marked
// as imported (ems 7.6).
func (s *suite) imports() {
	s.each(func(s *suite, e translate.Encoding) {
		p := s.Open(s.T)
		_, _, to, r := s.importing(p)
		for _, m := range samples(to.Name) {
			if e == translate.Raw && !rawable(m) {
				continue
			}
			p.Publish(s.T, to, &Mail{Encoding: e, Fields: *m})
			got := r.Next()
			same(s.T, e, m, &got.Fields)
			if v, _ := got.Fields.Get(translate.ImportedProperty); v != true {
				s.Errorf("message %v is not marked as imported", m.MessageID)
			}
			if !got.Fields.Persistent {
				s.Error("queue_import_dm=TIBEMS_PERSISTENT, and it is not persistent")
			}
			if got.Fields.Destination.Name != to.Name || got.Fields.Destination.Kind != translate.Queue {
				s.Errorf("its JMSDestination is %v, and it came in for queue %s", got.Fields.Destination, to.Name)
			}
		}
	})
}

// importOfTopic: subscribers here get what comes in for a topic, as *_import_dm says.
func (s *suite) importOfTopic() {
	p := s.Open(s.T)
	g, spec, to := s.gateway(p, "gw"), s.spec(p, "topic_import_dm", "TIBEMS_NON_PERSISTENT"), s.topic("in")
	spec.Imports = []interop.Destination{to}
	g.Connected(spec)
	one, two := g.Receive(to), g.Receive(to)
	m := plain(to.Name, "to all")
	p.Publish(s.T, to, &Mail{Encoding: s.encoding(), Fields: *m})
	m.Persistent = false
	for _, r := range []*Receiver{one, two} {
		got := r.Next()
		same(s.T, s.encoding(), m, &got.Fields)
	}
}

// importInOrder: each destination's messages arrive in the order in which the peer has them.
func (s *suite) importInOrder() {
	p := s.Open(s.T)
	g, spec := s.gateway(p, "gw"), s.spec(p, "queue_import_dm", "TIBEMS_PERSISTENT")
	queues := []interop.Destination{s.queue("a"), s.queue("b")}
	spec.Imports = queues
	g.Connected(spec)
	const n = 1000
	for from := 0; from < n; from += 100 {
		for _, to := range queues {
			p.PublishAll(s.T, to, s.mail(numbered(to.Name, n)[from:from+100]))
		}
	}
	for _, to := range queues {
		r := g.Receive(to)
		for want := range n {
			if got := number(s.T, &r.Next().Fields); got != want {
				s.Fatalf("queue %s: message %d came where %d should", to.Name, got, want)
			}
		}
	}
}

// importOfWildcards: what comes for a name that a wildcard covers comes to a
// destination of that name, and once, however many wildcards cover it (ems 9).
func (s *suite) importOfWildcards() {
	if !s.Wildcards {
		s.Skip("this type imports no wildcards")
	}
	p := s.Open(s.T)
	g, spec, root := s.gateway(p, "gw"), s.spec(p), s.name("root")
	named := func(n string) interop.Destination { return interop.Destination{Kind: core.Queue, Name: root + "." + n} }
	spec.Imports = []interop.Destination{named("*.end"), named("left.>"), named("one")}
	g.Connected(spec)
	for _, n := range []string{"left.end", "left.a.b", "x.end", "one"} {
		to := named(n)
		all := numbered(to.Name, 2)
		p.PublishAll(s.T, to, s.mail(all))
		r := g.Receive(to)
		for _, m := range all {
			got := r.Next()
			m.Persistent = got.Fields.Persistent
			same(s.T, s.encoding(), m, &got.Fields)
		}
	}
	last := named("one") // what came twice came before this
	p.Publish(s.T, last, &Mail{Encoding: s.encoding(), Fields: *plain(last.Name, "last")})
	st := g.Until(spec.Name, "all to be counted", func(st interop.Status) bool { return st.Counts.Imported >= 9 })
	if st.Counts.Imported != 9 {
		s.Errorf("9 messages came in, and were counted as %s", describe(st))
	}
}

// importLarge: a message above 1 MiB arrives whole.
func (s *suite) importLarge() {
	p := s.Open(s.T)
	_, _, to, r := s.importing(p)
	m := plain(to.Name, strings.Repeat("0123456789abcdef", 3<<16))
	p.Publish(s.T, to, &Mail{Encoding: s.encoding(), Fields: *m})
	got := r.Next()
	same(s.T, s.encoding(), m, &got.Fields)
}

// importUnreadable: what cannot be read is undelivered, with its bytes and the reason,
// and those behind it come in.
func (s *suite) importUnreadable() {
	if s.Garbage == nil {
		s.Skip("everything of this peer can be read")
	}
	p := s.Open(s.T)
	g, spec, to, r := s.importing(p)
	dead := g.Receive(interop.Destination{Kind: core.Queue, Name: core.UndeliveredQueue})
	s.Garbage(s.T, p, to)
	m := plain(to.Name, "readable")
	p.Publish(s.T, to, &Mail{Encoding: s.encoding(), Fields: *m})
	got := r.Next()
	same(s.T, s.encoding(), m, &got.Fields)
	dead.Next()
	g.Until(spec.Name, "it to be counted as refused", func(st interop.Status) bool { return st.Counts.Refused == 1 })
}

// importConfirmedWhenDurable: the peer has no confirmation of a message before its record
// is flushed here.
func (s *suite) importConfirmedWhenDurable() {
	p := s.Open(s.T)
	w, ok := p.(Witness)
	if !ok || !s.Factory.Certified {
		s.Skip("nothing is confirmed to this peer")
	}
	disk := newHold()
	g := NewGateway(s.T, GatewayOptions{Factories: []interop.Factory{s.Factory}, Shared: p.Shared(), FS: vfs.Inject(vfs.OS, disk.call)})
	defer disk.release()
	spec, to := s.spec(p, "queue_import_dm", "TIBEMS_PERSISTENT"), s.queue("in")
	spec.Imports = []interop.Destination{to}
	g.Connected(spec)
	r := g.Receive(to)
	disk.hold()
	m := plain(to.Name, "held")
	p.Publish(s.T, to, &Mail{Encoding: s.encoding(), Fields: *m})
	disk.waited(s.T)
	if n := w.Unconfirmed(s.T, to); n != 1 {
		s.Errorf("nothing is flushed, and %d messages are not confirmed: want 1", n)
	}
	disk.release()
	same(s.T, s.encoding(), m, &r.Next().Fields)
	until(s.T, func() bool { return w.Unconfirmed(s.T, to) == 0 }, func() string { return "the message to be confirmed to the peer" })
}
