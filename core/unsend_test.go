package core

import (
	"testing"

	"github.com/tidegate/tidegate/core/message"
)

// TestADrainUsesUpTheCreditOfWhatIsUnsentAfterIt: broker and engine must go on
// from the same delivery-count (amqp 2.6.7).
func TestADrainUsesUpTheCreditOfWhatIsUnsentAfterIt(t *testing.T) {
	e := newEnv()
	d := Destination{Kind: Queue, Name: "q"}
	c, _ := e.b.Connect(e.now, ConnectOptions{}, &e.fx)
	p, _, _ := e.b.OpenProducer(e.now, c, ProducerOptions{Destination: d}, &e.fx)
	k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d}, &e.fx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.step(func(fx *Effects) {
			e.b.Publish(e.now, p, Send{}, message.Envelope{Content: &text{size: 1}}, fx)
		})
	}
	outs := e.step(func(fx *Effects) { e.b.Credit(e.now, k, 2, true, fx) })
	if last := outs[len(outs)-1]; len(outs) != 3 || last.Kind != OutDrained || last.Limit != 2 {
		t.Fatalf("the drain gives %+v", outs)
	}
	// The client has taken its credit back before they were sent.
	e.step(func(fx *Effects) { e.b.Unsend(e.now, []DeliveryID{outs[0].Delivery, outs[1].Delivery}, fx) })
	if outs := e.step(func(fx *Effects) { e.b.Credit(e.now, k, 3, false, fx) }); len(outs) != 1 {
		t.Errorf("one credit behind a drain at 2 gives %d deliveries", len(outs))
	}
}

// TestWhatIsUnsentKeepsItsOrder: although there is credit again as it comes back.
func TestWhatIsUnsentKeepsItsOrder(t *testing.T) {
	e := newEnv()
	d := Destination{Kind: Queue, Name: "q"}
	c, _ := e.b.Connect(e.now, ConnectOptions{}, &e.fx)
	p, _, _ := e.b.OpenProducer(e.now, c, ProducerOptions{Destination: d}, &e.fx)
	k, err := e.b.OpenConsumer(e.now, c, ConsumerOptions{Destination: d}, &e.fx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.step(func(fx *Effects) {
			e.b.Publish(e.now, p, Send{}, message.Envelope{Content: &text{size: 1}}, fx)
		})
	}
	outs := e.step(func(fx *Effects) { e.b.Credit(e.now, k, 3, false, fx) })
	again := e.step(func(fx *Effects) {
		e.b.Unsend(e.now, []DeliveryID{outs[2].Delivery, outs[1].Delivery}, fx)
	})
	if len(again) != 2 || again[0].Message != outs[1].Message || again[1].Message != outs[2].Message {
		t.Errorf("unsent %d and %d, then came %+v", outs[1].Message, outs[2].Message, again)
	}
}
