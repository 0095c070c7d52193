package amqp10

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// place puts messages into a node of the script, for the next that the peer hears of.
func (p *script) place(address string, texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, text := range texts {
		b := message.NewBuilder()
		b.SetText(text)
		p.nodes[address] = append(p.nodes[address], waiting{b.Message(), time.Now()})
	}
}

// TestImportUnsettled: no more messages are under way than prefetch says, whatever the
// number of imports; each goes on as they are settled.
func TestImportUnsettled(t *testing.T) {
	p := newScript(t)
	for _, q := range []string{"a", "b"} {
		p.place(q, strings.Fields("0 1 2 3 4 5 6 7 8 9")...)
	}
	s, sink := p.meets(t, "prefetch", "8")
	if err := s.Imports(t.Context(), []interop.Destination{queueOf("a"), queueOf("b")}); err != nil {
		t.Fatal(err)
	}
	settled := 0
	for settled < 20 {
		sink.until("more to come", func() bool { return len(sink.came) > settled })
		sink.mu.Lock()
		came := len(sink.came)
		next := sink.came[settled]
		sink.mu.Unlock()
		if came-settled > 8 {
			t.Fatalf("%d are not settled", came-settled)
		}
		s.Settle([]interop.Settlement{{Tag: next.Tag, Outcome: interop.Taken}})
		settled++
	}
	order := map[string][]string{}
	for _, in := range sink.came {
		text, _ := in.Message.Text()
		order[in.To.Name] = append(order[in.To.Name], text)
	}
	for _, q := range []string{"a", "b"} {
		if got := strings.Join(order[q], ""); got != "0123456789" {
			t.Errorf("%s came as %s", q, got)
		}
	}
}

// TestImportRefused: an import that the peer does not let us have is noted with its reason
// and tried again, and the others come in.
func TestImportRefused(t *testing.T) {
	p := newScript(t)
	tries := 0
	p.refuse = func(address string, _ bool) *frame.Error {
		if address == "secret" {
			if tries++; tries < 2 {
				return condition(frame.ConditionUnauthorizedAccess, "not for you")
			}
		}
		return nil
	}
	p.place("open", "a")
	p.place("secret", "b")
	s, sink := p.meets(t)
	if err := s.Imports(t.Context(), []interop.Destination{queueOf("secret"), queueOf("open")}); err != nil {
		t.Fatal(err)
	}
	sink.until("the note", func() bool {
		return slices.ContainsFunc(sink.notes, func(n string) bool { return strings.Contains(n, "secret") && strings.Contains(n, "not for you") })
	})
	sink.until("both to come, the refused one at the second try", func() bool { return len(sink.came) == 2 })
	if len(sink.failed) > 0 {
		t.Errorf("failed: %v", sink.failed)
	}
}

// TestImportOfTopics: a topic comes by a durable subscription with the transport's name;
// where the peer keeps none the operator is told. One that is not imported any more
// is closed, which ends it; the end of the session is not.
func TestImportOfTopics(t *testing.T) {
	p := newScript(t)
	p.answer = func(ours, theirs *frame.Attach) {
		if theirs.Source.Address == "fleeting" {
			source := *theirs.Source
			source.Durable = frame.TerminusDurabilityNone
			ours.Source = &source
		}
	}
	s, sink := p.meets(t, "cm_name", "ours")
	if err := s.Imports(t.Context(), []interop.Destination{topicOf("fleeting"), topicOf("kept|apart")}); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	names := map[string]frame.Attach{}
	for _, l := range p.links {
		names[l.attach.Name] = l.attach
	}
	p.mu.Unlock()
	kept, ok := names["ours:kept%7Capart"]
	if !ok || kept.Source.Durable != frame.TerminusDurabilityUnsettledState || kept.Source.ExpiryPolicy != "never" || !slices.Equal(kept.Source.Capabilities, []wire.Symbol{"topic"}) {
		t.Errorf("the subscriptions are %v", names)
	}
	if len(sink.notes) != 1 || !strings.Contains(sink.notes[0], "no durable subscription for topic fleeting") {
		t.Errorf("notes: %q", sink.notes)
	}
	if err := s.Imports(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Imports(t.Context(), []interop.Destination{{Kind: interop.Topic, Name: "all.>"}}); err != nil {
		t.Fatal(err)
	}
	if len(sink.notes) != 2 || !strings.Contains(sink.notes[1], "all.> is a wildcard") {
		t.Errorf("notes: %q", sink.notes)
	}
}

// TestImportUnreadable: what is no message is handed over with its bytes and the reason.
func TestImportUnreadable(t *testing.T) {
	s := &session{}
	all := s.inbound([]arrival{{number: 1, id: 2, first: []byte{0, 0x53, 0x75, 0xa0}, rest: [][]byte{{9, 1}}, to: queueOf("q")}})
	if in := all[0]; in.Err == nil || in.Message != nil || string(in.Raw) != "\x00\x53\x75\xa0\x09\x01" || in.To != queueOf("q") {
		t.Errorf("%+v", in)
	}
}

// TestNoReplies: a peer without dynamic nodes gets messages with the reply-to that they
// have; the operator is told, and the peer is asked once.
func TestNoReplies(t *testing.T) {
	p := newScript(t)
	asked := 0
	p.refuse = func(_ string, receives bool) *frame.Error {
		if receives {
			asked++
			return condition(frame.ConditionNotImplemented, "no dynamic nodes")
		}
		return nil
	}
	s, sink := p.meets(t)
	for _, token := range []string{"1", "2"} {
		if address, err := s.Reply(t.Context(), token); err != nil || address != "" {
			t.Errorf("%q, %v", address, err)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if asked != 1 || len(sink.notes) == 0 || !strings.Contains(sink.notes[0], "no nodes for replies") {
		t.Errorf("asked %d times; notes %q", asked, sink.notes)
	}
}

// TestProbeOfALiar: a peer that confirms a filter, or a look without taking, and does
// something else, is found out.
func TestProbeOfALiar(t *testing.T) {
	heeds := func(l *scripted, m *message.Message, _ time.Time) bool {
		wanted, _ := m.ApplicationProperty("wanted")
		return len(l.attach.Source.Filter) == 0 || wanted == "yes"
	}
	late := func(l *scripted, m *message.Message, came time.Time) bool {
		ttl := m.Header().TTL
		return heeds(l, m, came) && (!ttl.OK || time.Since(came) < time.Duration(ttl.V)*time.Millisecond)
	}
	for _, c := range []struct {
		name                string
		prepare             func(p *script)
		selector, copy, ttl Answer
		notes               []string
	}{
		{"honest", func(p *script) { p.lets = late }, Yes, Yes, Yes, nil},
		{"says yes to all", func(p *script) { p.destroy = true }, Silent, Silent, No, []string{"ignores them", "destroys messages", "does not heed the time"}},
		{"says what it cannot", func(p *script) {
			p.answer = func(ours, theirs *frame.Attach) {
				if theirs.Role == frame.RoleReceiver {
					source := *ours.Source
					source.Filter, source.DistributionMode = nil, ""
					ours.Source = &source
				}
			}
			p.destroy = true
		}, No, No, No, []string{"has no selectors", "does not heed the time"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newScript(t)
			c.prepare(p)
			got, err := Run(t.Context(), p.settings())
			if err != nil || got.Note != "" {
				t.Fatal(err, got.Note)
			}
			if got.Selector != c.selector || got.Copy != c.copy || got.TTL != c.ttl || got.Dynamic != Yes || got.Exact != Yes {
				t.Errorf("%+v", got)
			}
			notes := got.Notes()
			for i, n := range notes {
				if i >= len(c.notes) || !strings.Contains(n, c.notes[i]) {
					t.Errorf("notes: %q, not %q", notes, c.notes)
				}
			}
		})
	}
}
