package core

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/property"
)

// TestLossesAreCounted: what limits, expiration and maxRedelivery do to messages is
// counted by its reason, where it happened and in all.
func TestLossesAreCounted(t *testing.T) {
	e := newEnv()
	to := Destination{Kind: Queue, Name: "q"}
	define := func(text string) {
		t.Helper()
		items, wrong := property.ParseList(property.Queue, text)
		if len(wrong) > 0 {
			t.Fatal(wrong[0])
		}
		d := property.Definition{Name: to.Name}
		for _, item := range items {
			d.Set = d.Set.With(item.Value)
		}
		e.step(func(fx *Effects) {
			if err := e.b.SetDefinition(e.now, Queue, d, fx); err != nil {
				t.Fatal(err)
			}
		})
	}
	var conn ConnID
	var prod ProducerID
	tag := uint64(0)
	send := func(n int, change func(m *message.Envelope)) {
		for range n {
			m := message.Envelope{Durable: true, Priority: 4, Content: &text{label: "m", size: 100}}
			if change != nil {
				change(&m)
			}
			tag++
			e.step(func(fx *Effects) { e.b.Publish(e.now, prod, Send{Tag: tag}, m, fx) })
		}
	}
	define("maxmsgs=2,maxRedelivery=2")
	e.step(func(fx *Effects) {
		conn, _ = e.b.Connect(e.now, ConnectOptions{ClientID: "c"}, fx)
		prod, _, _ = e.b.OpenProducer(e.now, conn, ProducerOptions{Destination: to}, fx)
	})
	send(5, nil) // 3 refused
	define("maxmsgs=2,maxRedelivery=2,overflowPolicy=discardOld")
	send(4, func(m *message.Envelope) { // 4 discarded
		m.Expires = e.now.UnixMilli() + 1000
		m.Marks |= message.PreserveUndelivered
	})
	e.now = e.now.Add(2 * time.Second)
	e.step(func(fx *Effects) { e.b.Expire(e.now, fx) }) // 2 expired, kept
	send(1, nil)
	var k ConsumerID
	e.step(func(fx *Effects) { k, _ = e.b.OpenConsumer(e.now, conn, ConsumerOptions{Destination: to}, fx) })
	for i := range uint32(2) { // 1 delivered too often
		for _, o := range e.step(func(fx *Effects) { e.b.Credit(e.now, k, i+1, false, fx) }) {
			if o.Kind == OutDeliver {
				e.step(func(fx *Effects) { e.b.Settle(e.now, o.Delivery, 0, Outcome{Kind: Rejected}, false, fx) })
			}
		}
	}
	want := Losses{Refused: 3, Discarded: 4, Expired: 2, MaxRedelivery: 1, Undelivered: 2}
	if v, _ := e.b.QueueView("q"); v.Losses != want || v.Msgs != 0 {
		t.Errorf("the queue tells %+v with %d messages left, want %+v", v.Losses, v.Msgs, want)
	}
	if got := e.b.Losses(); got != want || got.Lost() != 5 {
		t.Errorf("in all %+v (%d lost), want %+v (5)", got, got.Lost(), want)
	}
}
