package amqp10

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/interop"
)

// TestOutcomes: what the peer says of a message is what becomes of it: sent, refused for
// good with the peer's reason, or the session's end, so that it goes again.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		state   frame.DeliveryState
		refused string // "": sent
		fails   string // "": the session goes on
	}{
		{"accepted", frame.Accepted{}, "", ""},
		{"rejected", &frame.Rejected{Error: condition("amqp:not-allowed", "too blue")}, "too blue (amqp:not-allowed)", ""},
		{"rejected without a reason", &frame.Rejected{}, "without a reason", ""},
		{"full", &frame.Rejected{Error: condition(frame.ConditionResourceLimitExceeded, "full")}, "", "full (amqp:resource-limit-exceeded)"},
		{"busy", &frame.Rejected{Error: condition("com.microsoft:server-busy", "later")}, "", "later"},
		{"released", frame.Released{}, "", "released"},
		{"modified", &frame.Modified{DeliveryFailed: true}, "", "modified"},
		{"undeliverable", &frame.Modified{UndeliverableHere: true}, "undeliverable-here", ""},
		{"nothing", nil, "without saying", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newScript(t)
			p.outcome = func(_, text string) frame.DeliveryState {
				if text == "odd" {
					return c.state
				}
				return frame.Accepted{}
			}
			s, sink := p.meets(t)
			to := queueOf("q")
			if err := s.Send(t.Context(), []interop.Outbound{outbound(1, to, "odd"), outbound(2, to, "plain")}); err != nil {
				t.Fatal(err)
			}
			if c.fails != "" {
				sink.until("the session's end", func() bool { return len(sink.failed) == 1 })
				if !strings.Contains(sink.failed[0].Error(), c.fails) || !strings.Contains(sink.failed[0].Error(), "q") {
					t.Errorf("it failed by %v", sink.failed[0])
				}
				if slices.ContainsFunc(sink.sent, func(a interop.Sent) bool { return a.Tag == 1 }) {
					t.Error("it is answered, and is to go again")
				}
				return
			}
			sink.until("both to be answered", func() bool { return len(sink.sent) == 2 })
			switch why := sink.sent[0].Refused; {
			case sink.sent[0].Tag != 1 || sink.sent[1] != interop.Sent{Tag: 2}:
				t.Errorf("answers: %v", sink.sent)
			case (c.refused == "") != (why == nil), why != nil && !strings.Contains(why.Error(), c.refused):
				t.Errorf("refused: %v", why)
			}
		})
	}
}

// TestNoCredit: a destination for which the peer gives no credit does not hold up others,
// and what waits goes in order once there is some.
func TestNoCredit(t *testing.T) {
	p := newScript(t)
	p.credit = func(address string) uint32 {
		if address == "full" {
			return 0
		}
		return 2 // fewer than are sent: the script gives no more
	}
	s, sink := p.meets(t)
	if err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("full"), "a"), outbound(2, queueOf("open"), "b"), outbound(3, queueOf("open"), "c"), outbound(4, queueOf("open"), "d")}); err != nil {
		t.Fatal(err)
	}
	sink.until("two to be sent", func() bool { return len(sink.sent) == 2 })
	if got := p.texts(2); !slices.Equal(got, []string{"open:b", "open:c"}) {
		t.Errorf("%q came", got)
	}
	_ = s.conn.Do(func() {
		if s.senders[queueOf("full")].flight != 0 || len(s.senders[queueOf("open")].pending) != 1 {
			t.Error("more went than there was credit for")
		}
	})
}

// TestTooLarge: a message above the peer's limit is refused before it is sent.
func TestTooLarge(t *testing.T) {
	p := newScript(t)
	p.largest = 2000
	s, sink := p.meets(t)
	if err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("q"), strings.Repeat("x", 3000)), outbound(2, queueOf("q"), "small")}); err != nil {
		t.Fatal(err)
	}
	sink.until("both to be answered", func() bool { return len(sink.sent) == 2 })
	if why := sink.sent[0].Refused; why == nil || !strings.Contains(why.Error(), "up to 2000") {
		t.Errorf("refused: %v", why)
	}
	if got := p.texts(1); !slices.Equal(got, []string{"q:small"}) {
		t.Errorf("%.60q came", got)
	}
}

// TestLinkRefused: messages for an address that the peer does not have are refused; a
// peer that has no room for a link is tried again.
func TestLinkRefused(t *testing.T) {
	p := newScript(t)
	p.refuse = func(address string, _ bool) *frame.Error {
		switch address {
		case "nowhere":
			return condition(frame.ConditionNotFound, "no such queue")
		case "full":
			return condition(frame.ConditionResourceLimitExceeded, "too many links")
		}
		return nil
	}
	s, sink := p.meets(t)
	if err := s.Send(t.Context(), []interop.Outbound{outbound(1, queueOf("nowhere"), "a"), outbound(2, queueOf("there"), "b")}); err != nil {
		t.Fatal(err)
	}
	sink.until("both to be answered", func() bool { return len(sink.sent) == 2 })
	for _, a := range sink.sent {
		if (a.Tag == 1) != (a.Refused != nil) || a.Refused != nil && !strings.Contains(a.Refused.Error(), "no such queue") {
			t.Errorf("answers: %v", sink.sent)
		}
	}
	if err := s.Send(t.Context(), []interop.Outbound{outbound(3, queueOf("full"), "c")}); err != nil {
		t.Fatal(err)
	}
	sink.until("the session's end", func() bool { return len(sink.failed) == 1 })
}

// TestManyDestinations: links that were not used for the longest are given up for others,
// so that any number of destinations goes with few.
func TestManyDestinations(t *testing.T) {
	p := newScript(t)
	s, sink := p.meets(t)
	const n = maxSenders + 50
	for i := range n {
		if err := s.Send(t.Context(), []interop.Outbound{outbound(uint64(i), queueOf(fmt.Sprintf("q%d", i)), "a")}); err != nil {
			t.Fatal(err)
		}
		sink.until("it to be sent", func() bool { return len(sink.sent) == i+1 })
	}
	_ = s.conn.Do(func() {
		if len(s.senders) != maxSenders || len(s.recent) != maxSenders || s.senders[queueOf("q0")] != nil {
			t.Errorf("%d links are held, %d in order", len(s.senders), len(s.recent))
		}
	})
	if err := s.Send(t.Context(), []interop.Outbound{outbound(n, queueOf("q0"), "again")}); err != nil {
		t.Fatal(err)
	}
	sink.until("the first destination to be reached again", func() bool { return len(sink.sent) == n+1 && sink.sent[n].Refused == nil })
	if len(sink.failed) > 0 {
		t.Errorf("failed: %v", sink.failed)
	}
}

// TestEncode: the bare message goes byte for byte; header and marks are ours.
func TestEncode(t *testing.T) {
	bare := message.NewBuilder()
	bare.Header.Durable, bare.Header.Priority = true, 7
	bare.DeliveryAnnotations = wire.Map{{Key: wire.Symbol("x-opt-theirs"), Value: int32(1)}}
	bare.Annotations = wire.Map{{Key: wire.Symbol("x-opt-jms-dest"), Value: int8(0)}, {Key: wire.Symbol(interop.AnnotationImported), Value: "T;topic:x"}}
	bare.Properties = message.Properties{MessageID: uint64(7), ReplyTo: "temp-queue://back", To: "there"}
	bare.SetProperty("long", int64(5))
	bare.SetValue(nil)
	bare.Footer = wire.Map{{Key: wire.Symbol("sum"), Value: int32(9)}}
	raw := bare.Append(nil)
	for _, c := range []struct {
		name, prefix, reply string
		want                string // reply-to
	}{
		{"as it is", "", "", "temp-queue://back"},
		{"reply", "", "node-1", "node-1"},
		{"prefix", "p.", "", "queue://p.back"},
	} {
		for cut := range len(raw) { // it may lie in pieces
			m, err := message.Index(raw[:cut], [][]byte{raw[cut:]}, nil)
			if cut == 0 {
				m, err = message.Index(raw, nil, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			s := &session{t: &transport{settings: &settings{prefix: c.prefix}}}
			out, err := s.encode(&interop.Outbound{Message: &m, Origin: "gw;T", ReplyTo: c.reply, Expires: time.Now().Add(time.Hour).UnixMilli()})
			if err != nil {
				t.Fatal(err)
			}
			all := append(append([]byte(nil), out.head...), out.first...)
			for _, p := range out.rest {
				all = append(all, p...)
			}
			if len(all) != out.size() {
				t.Fatalf("%d bytes, and it says %d", len(all), out.size())
			}
			got, err := message.Index(all, nil, nil)
			if err != nil {
				t.Fatalf("%s, cut at %d: %v", c.name, cut, err)
			}
			h := got.Header()
			if !h.Durable || h.Priority != 7 || h.TTL.V < 3_500_000 || h.TTL.V > 3_600_000 || h.DeliveryCount != 0 {
				t.Errorf("the header is %+v", h)
			}
			origin, _ := got.Annotation(interop.AnnotationOrigin)
			imported, _ := got.Annotation(interop.AnnotationImported)
			if _, theirs := got.DeliveryAnnotation("x-opt-theirs"); origin != "gw;T" || imported != nil || theirs {
				t.Errorf("the marks are %v, %v, %v", origin, imported, theirs)
			}
			if got.ReplyTo() != c.want {
				t.Errorf("%s: reply-to is %s, not %s", c.name, got.ReplyTo(), c.want)
			}
			if kind, _ := got.Annotation(replyAnnotation); c.reply != "" && kind != int8(temporaryQueue) {
				t.Errorf("the kind of reply-to is %v", kind)
			}
			if c.want == "temp-queue://back" && string(bareOf(&got)) != string(bareOf(&m)) {
				t.Fatalf("%s, cut at %d: the bare message is\n%x, not\n%x", c.name, cut, bareOf(&got), bareOf(&m))
			}
		}
	}
}

// TestOverdue: a message whose time is over goes out with the shortest: what becomes of
// it is the outside's to say.
func TestOverdue(t *testing.T) {
	if got := timeToLive(time.Now().Add(-time.Minute).UnixMilli()); !got.OK || got.V != 1 {
		t.Errorf("its time to live is %v", got)
	}
	if got := timeToLive(0); got.OK {
		t.Errorf("it never expires, and its time to live is %v", got)
	}
}

// TestAddresses: each kind of peer is told of destinations in its own manner.
func TestAddresses(t *testing.T) {
	said := func(pairs ...string) peer {
		o := &frame.Open{}
		for i := 0; i < len(pairs); i += 2 {
			o.Properties = append(o.Properties, wire.Entry{Key: wire.Symbol(pairs[i]), Value: pairs[i+1]})
		}
		return meet(o, false)
	}
	classic := said("product", "ActiveMQ", "queue-prefix", "queue://", "topic-prefix", "topic://")
	rabbit := said("product", "RabbitMQ", "version", "4.1")
	plain := said()
	for _, c := range []struct {
		p       peer
		d       interop.Destination
		sending bool
		want    string
	}{
		{plain, queueOf("a"), true, "p.a"},
		{plain, topicOf("a"), false, "p.a"},
		{classic, queueOf("a"), true, "queue://p.a"},
		{classic, topicOf("a"), false, "topic://p.a"},
		{rabbit, queueOf("a/b c"), true, "/queues/p.a%2Fb%20c"},
		{rabbit, topicOf("a.b"), true, "/exchanges/amq.topic/p.a.b"},
		{rabbit, topicOf("a.b"), false, "p.a.b"},
	} {
		if got := c.p.address(c.d, "p.", c.sending); got != c.want {
			t.Errorf("%s: %v is %s, not %s", c.p.product, c.d, got, c.want)
		}
	}
	if rabbit.name() != "RabbitMQ 4.1" || plain.name() != "the peer" {
		t.Errorf("they are called %q and %q", rabbit.name(), plain.name())
	}
}

// TestSettings: what is wrong is named with its key, without passwords.
func TestSettings(t *testing.T) {
	for _, c := range []struct{ key, value, says string }{
		{"url", "", "url: write amqp://"},
		{"url", "nats://h", "url=nats://h: write amqp://"},
		{"url", "amqp://u:secret@", "it names no host"},
		{"url", "amqp://h,http://u:secret@k", "http://u:xxxxx@k"},
		{"url", "amqp://h:%zz", "cannot be read"},
		{"prefetch", "0", "prefetch=0: write a number from 1"},
		{"prefetch", "many", "prefetch=many"},
		{"encoding", "raw", "encoding=raw"},
		{"ssl_trusted", "/none", "ssl_trusted: "},
	} {
		keys := map[string]string{"url": "amqp://h", c.key: c.value}
		_, err := Factory().New(interop.Settings{Name: "T", Keys: keys})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s=%s: %v, and should say %q", c.key, c.value, err, c.says)
		}
	}
}
