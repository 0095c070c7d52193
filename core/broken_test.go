package core

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/message"
)

// TestAStoredSelectorThatIsNone: an earlier version may have taken a selector that
// this one refuses. The broker comes up, the subscription keeps what it had and
// gets nothing, and subscribing anew mends it.
func TestAStoredSelectorThatIsNone(t *testing.T) {
	e := newEnv()
	topic := Destination{Kind: Topic, Name: "t"}
	c, _ := e.b.Connect(e.now, ConnectOptions{ClientID: "c"}, &e.fx)
	p, _, _ := e.b.OpenProducer(e.now, c, ProducerOptions{Destination: topic}, &e.fx)
	publish := func() {
		e.step(func(fx *Effects) {
			e.b.Publish(e.now, p, Send{}, message.Envelope{Durable: true, Content: &text{size: 1}}, fx)
		})
	}
	subscribe := func(selector string) (k ConsumerID, err error) {
		e.step(func(fx *Effects) {
			o := ConsumerOptions{Destination: topic, Selector: selector, Subscription: &SubscriptionOptions{Name: "d", Durable: true}}
			k, err = e.b.OpenConsumer(e.now, c, o, fx)
		})
		return k, err
	}
	k, err := subscribe("x = 0 or true")
	if err != nil {
		t.Fatal(err)
	}
	publish()
	e.step(func(fx *Effects) { e.b.CloseConsumer(e.now, k, fx) })
	for i := range e.log {
		if d := e.log[i].r.Define; d != nil {
			broken := *d
			broken.Selector = "x = = 0"
			e.log[i].r.Define = &broken
		}
	}
	e.b = e.rebuilt() // the live one had another selector
	if err := e.crash(); err != nil {
		t.Fatal(err)
	}
	all := e.b.Broken()
	if len(all) != 1 || !strings.Contains(all[0].Error(), `x = = 0`) || !strings.Contains(all[0].Error(), "unsubscribed") {
		t.Fatalf("the broker says %v", all)
	}
	c, _ = e.b.Connect(e.now, ConnectOptions{ClientID: "c"}, &e.fx)
	p, _, _ = e.b.OpenProducer(e.now, c, ProducerOptions{Destination: topic}, &e.fx)
	publish()
	if s, ok := e.b.Subscription("c", "d", false); !ok || s.Messages != 1 {
		t.Errorf("found %v, %+v; want the message it had", ok, s)
	}
	if _, err := subscribe("x = = 0"); err == nil {
		t.Error("what is no selector is taken")
	}
	if _, err := subscribe(""); err != nil {
		t.Fatal(err)
	}
	publish()
	if s, _ := e.b.Subscription("c", "d", false); s.Messages != 1 || len(e.b.Broken()) != 0 {
		t.Errorf("made anew it has %+v, and still broken is %v", s, e.b.Broken())
	}
	if err := e.check(); err != nil {
		t.Error(err)
	}
}
