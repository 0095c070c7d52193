package interoptest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// export: each JMS type arrives outside with headers, typed properties and body (ems 9).
func (s *suite) export() {
	s.each(func(s *suite, e translate.Encoding) {
		p := s.Open(s.T)
		g, spec, to, box := s.exporting(p)
		for _, m := range samples(to.Name) {
			if e == translate.Raw && !rawable(m) {
				continue
			}
			g.Send(to, addressed(m, to))
			got := next(s.T, box)
			same(s.T, e, m, &got.Fields)
			if e != translate.Raw && got.Origin != "gw;"+spec.Name {
				s.Errorf("its origin is %q, and must say where it left: gw;%s", got.Origin, spec.Name)
			}
		}
		g.Until(spec.Name, "all exports counted", func(st interop.Status) bool { return st.Counts.Exported > 1 && st.UnderWay == 0 })
	})
}

// exportOfQueue: the transport is one of a queue's receivers.
func (s *suite) exportOfQueue() {
	if !s.Queues {
		s.Skip("this type exports no queues")
	}
	p := s.Open(s.T)
	g, spec, to := s.gateway(p, "gw"), s.spec(p), s.queue("out")
	spec.QueueExports = []string{to.Name}
	g.Connected(spec)
	box := p.Listen(s.T, to)
	for _, m := range numbered(to.Name, 10) {
		g.Send(to, addressed(m, to))
		same(s.T, s.encoding(), m, &next(s.T, box).Fields)
	}
}

// exportInOrder: each topic's messages arrive in the order in which they were sent.
func (s *suite) exportInOrder() {
	p := s.Open(s.T)
	g, spec := s.gateway(p, "gw"), s.spec(p)
	topics := []interop.Destination{s.topic("a"), s.topic("b")}
	spec.Exports = topics
	for _, to := range topics {
		g.Topic(to.Name, spec.Name)
	}
	g.Connected(spec)
	var boxes []Mailbox
	for _, to := range topics {
		boxes = append(boxes, p.Listen(s.T, to))
	}
	const n = 1000
	for from := 0; from < n; from += 100 {
		for _, to := range topics {
			var all []*message.Message
			for _, m := range numbered(to.Name, n)[from : from+100] {
				all = append(all, addressed(m, to))
			}
			g.client.SendAll(to, all)
		}
	}
	for i, box := range boxes {
		for want := range n {
			if got := number(s.T, &next(s.T, box).Fields); got != want {
				s.Fatalf("topic %s: message %d came where %d should", topics[i].Name, got, want)
			}
		}
	}
}

// exportLarge: a message above 1 MiB, which lies in a file here, arrives whole.
func (s *suite) exportLarge() {
	p := s.Open(s.T)
	g, _, to, box := s.exporting(p)
	m := plain(to.Name, strings.Repeat("0123456789abcdef", 3<<16))
	g.Send(to, addressed(m, to))
	got := next(s.T, box)
	same(s.T, s.encoding(), m, &got.Fields)
}

// exportTooLarge: what the peer never takes goes where on_error says, and those behind
// it go out.
func (s *suite) exportTooLarge() {
	if s.TooLarge == 0 {
		s.Skip("this peer takes everything")
	}
	for _, does := range []string{"undelivered", "drop", "stop"} {
		s.T.Run(does, func(t *testing.T) {
			s := &suite{T: t, Kit: s.Kit}
			p := s.Open(s.T)
			g, spec, to, box := s.exporting(p, "on_error", does)
			dead := g.Receive(interop.Destination{Kind: core.Queue, Name: core.UndeliveredQueue})
			large := plain(to.Name+"-large", strings.Repeat("x", s.TooLarge))
			g.Send(to, addressed(large, to))
			if does == "stop" {
				g.Until(spec.Name, "it to stop", func(st interop.Status) bool {
					return st.State == interop.Stopped && strings.Contains(st.Error, to.Name)
				})
				return
			}
			after := plain(to.Name+"-after", "small")
			g.Send(to, addressed(after, to))
			same(s.T, s.encoding(), after, &next(s.T, box).Fields)
			if does == "undelivered" {
				got := dead.Next()
				same(s.T, s.encoding(), large, &got.Fields)
				why, _ := got.Message.Annotation(message.UndeliveredAnnotation)
				if text := fmt.Sprint(why) + string(got.Notes); !strings.Contains(text, message.UndeliveredAnnotation) && why == nil || !strings.Contains(text, spec.Name) {
					s.Errorf("the undelivered message says %q, and must name the transport and the reason", text)
				}
			}
			st := g.Until(spec.Name, "the refusal to be counted", func(st interop.Status) bool { return st.Counts.Refused == 1 })
			if does == "drop" && !dead.Empty() {
				s.Errorf("with on_error=drop it is undelivered: %s", describe(st))
			}
		})
	}
}

// exportExpires: JMSExpiration goes with a message.
func (s *suite) exportExpires() {
	p := s.Open(s.T)
	g, _, to, box := s.exporting(p)
	m := plain(to.Name, "until then")
	m.Expiration = m.Timestamp + 3_600_000
	g.Send(to, addressed(m, to))
	got := next(s.T, box)
	same(s.T, s.encoding(), m, &got.Fields)
}
