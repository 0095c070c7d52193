package gateway_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// used is where a sender with that address sends to: "queue NAME" or "topic NAME".
func (w *world) used() string {
	var at []string
	w.do(func(_ time.Time, b *core.Broker, _ *core.Effects) {
		for _, q := range b.Queues() {
			if q.Producers > 0 {
				at = append(at, "queue "+q.Name)
			}
		}
		for _, t := range b.Topics() {
			if t.Producers > 0 {
				at = append(at, "topic "+t.Name)
			}
		}
	})
	return strings.Join(at, ", ")
}

// TestAddresses: the temporary name space, a capability, a prefix, an existing
// queue, an existing topic, and then a queue (reference 3.2, 4.3). "q" is a queue,
// "t" a topic, "both" are both.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ address, capability, want string }{
		{"new", "", "queue new"},
		{"q", "", "queue q"},
		{"t", "", "topic t"},
		{"both", "", "queue both"},
		{"new", "topic", "topic new"},
		{"q", "topic", "topic q"}, // never the queue of that name
		{"t", "queue", "queue t"},
		{"both", "topic", "topic both"},
		{"queue://t", "", "queue t"},
		{"topic://q", "", "topic q"},
		{"/queues/t", "", "queue t"},
		{"/topics/q", "", "topic q"},
		{"/queue/t", "", "queue t"},
		{"/topic/q", "", "topic q"},
		{"/queues/a%2Fb%20%E2%82%AC", "", "queue a/b €"},
		{"/topics/a%2Fb", "", "topic a/b"},
		{"queue://a%2Fb", "", "queue a%2Fb"},
		{"a%2Fb", "", "queue a%2Fb"},
		{"queue://q", "queue", "queue q"},
		{"/topics/a%2Fb", "topic", "topic a/b"},
		{"topic://x", "queue", "queue topic://x"}, // a capability wins, and the prefix is no prefix
		{"/queues/a%2Fb", "topic", "topic /queues/a%2Fb"},
		{"/exchanges/x", "queue", "queue /exchanges/x"},
		{"a/b:c d", "", "queue a/b:c d"},
	} {
		t.Run(c.address+" "+c.capability, func(t *testing.T) {
			conform(t, func(w *world) {
				uses := w.connected("uses")
				uses.attach(receiver(0, "q"))
				uses.attach(receiver(1, "both"))
				for i, name := range []string{"t", "both"} {
					a := receiver(uint32(2+i), name)
					a.Name, a.Source.Capabilities = "topic "+name, symbols("topic")
					uses.attach(a)
				}
				a := sender(0, c.address)
				if c.capability != "" {
					a.Target.(*frame.Target).Capabilities = symbols(c.capability)
				}
				w.attached(a)
				if got := w.used(); got != c.want {
					t.Errorf("it sends to %s, want %s", got, c.want)
				}
			})
		})
	}
}

// TestTemporaryAddresses: a temporary destination is what it is, whatever a
// capability or a prefix says of it.
func TestTemporaryAddresses(t *testing.T) {
	for kind, capability := range map[string]string{"queue": "temporary-queue", "topic": "temporary-topic"} { // order: irrelevant
		t.Run(kind, func(t *testing.T) {
			conform(t, func(w *world) {
				p := w.connected("a")
				address := p.make(dynamic(sender(0, ""), capability))
				other := w.connected("b")
				for i, c := range []string{"", "queue", "topic", "temporary-queue", "temporary-topic"} {
					for j, prefix := range []string{"", "queue://", "temp-topic://", "/topics/"} {
						a := sender(uint32(4*i+j), prefix+address)
						a.Name += c
						if c != "" {
							a.Target.(*frame.Target).Capabilities = symbols(c)
						}
						other.attach(a)
						if got, want := w.used(), kind+" "+address; got != want {
							t.Fatalf("%s with capability %q is taken for %s", a.Name, c, got)
						}
					}
				}
			})
		})
	}
}

// TestAddressMistakes: what cannot be an address is refused, and says how to mend
// it.
func TestAddressMistakes(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(sender(0, "/queues/50%"), "invalid-field %25")
		p.refused(sender(0, "/exchanges/x/key"), "not-found /topics/NAME")
		p.refused(sender(0, "$TMP$.none.1"), "not-found")
		p.refused(sender(0, "a..b"), "invalid-field")
	})
}

// answerTo is a request.
func answerTo(body, to string) *message.Builder {
	b := message.NewBuilder()
	b.SetText(body)
	b.Properties.ReplyTo = to
	return b
}

// TestReplyToKind: a reply-to whose sender did not say what kind it is gets the
// kind that it has, or JMS takes it for the kind of what it receives from
// (reference 3.2). The bare message stays byte by byte.
func TestReplyToKind(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		queue := p.make(dynamic(sender(0, ""), "temporary-queue"))
		again := dynamic(sender(1, ""), "temporary-topic")
		again.Name = "again"
		topic := p.make(again)
		news := receiver(2, "news")
		news.Source.Capabilities = symbols("topic")
		p.attach(news)
		p.attach(sender(3, "news"))
		p.send(0, flow(2, 0, 100))
		for i, c := range []struct{ to, kind string }{
			{queue, "x-opt-jms-reply-to:int8=2"},
			{topic, "x-opt-jms-reply-to:int8=3"},
			{"anything", "x-opt-jms-reply-to:int8=0"},
			{"news", "x-opt-jms-reply-to:int8=1"},
			{"topic://anything", "x-opt-jms-reply-to:int8=1"},
			{"$TMP$.gone.1", "!x-opt"}, // nobody knows
			{"", "!x-opt"},
		} {
			p.send(0, presettled(3, uint32(i)), answerTo("x", c.to).Append(nil))
			p.want("transfer text=x " + c.kind)
		}
		said := answerTo("y", queue)
		said.Annotations = wire.Map{{Key: wire.Symbol("x-opt-jms-reply-to"), Value: int8(1)}}
		p.send(0, presettled(3, 7), said.Append(nil))
		p.want("transfer text=y x-opt-jms-reply-to:int8=1") // who says it knows better
	})
}

func TestReplyToKindLeavesTheBareMessage(t *testing.T) {
	b := answerTo("x", "somewhere")
	b.Header.Durable = true
	b.Annotations = wire.Map{{Key: wire.Symbol("a"), Value: uint16(7)}}
	sent := b.Append(nil)
	m, err := message.Index(sent[:9], [][]byte{sent[9:20], sent[20:]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	with, err := m.WithAnnotations(wire.Map{{Key: wire.Symbol("k"), Value: "v"}})
	if err != nil {
		t.Fatal(err)
	}
	_, from, err := message.SkipHeader(sent, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, behind, err := message.Annotate(nil, sent, nil, from, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := bytes.Join(with.Pieces(nil), nil)
	if !bytes.HasPrefix(got, sent[:from]) || !bytes.HasSuffix(got, sent[behind:]) {
		t.Errorf("% x\nwas % x", got, sent)
	}
	if v, _ := with.Annotation("a"); v != uint16(7) {
		t.Errorf("annotation a is %v now", v)
	}
	if v, _ := with.Annotation("k"); v != "v" || int(with.Size()) != len(got) {
		t.Errorf("annotation k is %v; %d bytes of %d", v, with.Size(), len(got))
	}
}
