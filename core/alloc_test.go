package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
)

// A message through the broker, beyond its content, may cost one allocation at
// the most (issue 3): publish, deliver, written, settled, released, for one queue
// and one consumer, one at a time and behind a backlog. What there is are pages of
// rings and records of offered marks, so the test holds it to a tenth of that.
func TestAMessageThroughTheBrokerAllocatesNothingOfItsOwn(t *testing.T) {
	for _, backlog := range []int{0, 10_000} {
		for _, durable := range []bool{false, true} {
			t.Run(fmt.Sprintf("durable=%v behind %d", durable, backlog), func(t *testing.T) {
				b := NewBroker(Options{})
				b.Recovered(0)
				now := time.UnixMilli(1_000_000)
				d := Destination{Kind: Queue, Name: "q"}
				var fx Effects
				if err := b.SetBridges(now, []Bridge{{Source: Destination{Kind: Queue, Name: "other.>"}, Target: d}}, &fx); err != nil { // elsewhere
					t.Fatal(err)
				}
				conn, _ := b.Connect(now, ConnectOptions{}, &fx)
				producer, _, _ := b.OpenProducer(now, conn, ProducerOptions{Destination: d}, &fx)
				consumer, _ := b.OpenConsumer(now, conn, ConsumerOptions{Destination: d}, &fx)
				content := &text{size: 100}
				publish := func() {
					b.Publish(now, producer, Send{}, message.Envelope{Durable: durable, Priority: 4, Content: content}, &fx)
				}
				end := func() {
					fx.Reset()
					b.Stable(b.Next()-1, b.Next()-1)
				}
				for range backlog {
					publish()
					end()
				}
				limit, settled := uint32(0), 0
				one := func() {
					publish()
					limit++
					b.Credit(now, consumer, limit, false, &fx)
					for i := range fx.Outs {
						if o := &fx.Outs[i]; o.Kind == OutDeliver {
							id := o.Delivery
							b.Wrote(now, consumer, id, id, &fx)
							b.Settle(now, id, 0, Outcome{Kind: Accepted}, false, &fx)
							settled++
							break
						}
					}
					end()
				}
				for range 100 {
					one()
				}
				// In hundreds: AllocsPerRun rounds down.
				if n := testing.AllocsPerRun(50, func() {
					for range 100 {
						one()
					}
				}); n > 10 {
					t.Errorf("%v allocations for 100 messages", n)
				}
				if want := 100 + 51*100; settled != want || b.queues["q"].depth != backlog {
					t.Errorf("%d of %d were settled, depth %d", settled, want, b.queues["q"].depth)
				}
			})
		}
	}
}

// TestATopicsMessageAllocatesNothingOfItsOwn: for no subscriber, once their queues have
// been through a block.
func TestATopicsMessageAllocatesNothingOfItsOwn(t *testing.T) {
	const subscribers = 100
	c := newCrowd(t, subscribers, func(int) string { return "" })
	m := message.Envelope{Content: &text{size: 100}}
	hundred := func() {
		for range 100 {
			if n := c.publish(m); n != subscribers {
				t.Fatalf("%d got it", n)
			}
		}
	}
	for range 2 * blockSize / 100 {
		hundred()
	}
	if n := testing.AllocsPerRun(10, hundred); n > 0 {
		t.Errorf("%v allocations for 100 messages to %d subscribers", n, subscribers)
	}
}
