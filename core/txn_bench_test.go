package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
)

// BenchmarkTransaction is ten messages sent in one transaction, and received outside of
// any: what it costs the core lock.
func BenchmarkTransaction(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("durable=%v", durable), func(b *testing.B) {
			k := NewBroker(Options{})
			k.Recovered(0)
			now := time.UnixMilli(1_000_000)
			d := Destination{Kind: Queue, Name: "q"}
			var fx Effects
			c, _ := k.Connect(now, ConnectOptions{}, &fx)
			p, _, _ := k.OpenProducer(now, c, ProducerOptions{Destination: d}, &fx)
			consumer, _ := k.OpenConsumer(now, c, ConsumerOptions{Destination: d}, &fx)
			limit := uint32(1000)
			k.Credit(now, consumer, limit, false, &fx)
			m := message.Envelope{Durable: durable, Priority: 4, Content: &text{size: 100}}
			b.ReportAllocs()
			for b.Loop() {
				fx.Reset()
				t, _ := k.Begin(now, c, &fx)
				limit += 10
				k.Credit(now, consumer, limit, false, &fx)
				for range 10 {
					k.Publish(now, p, Send{Txn: t}, m, &fx)
				}
				k.Discharge(now, c, t, false, 1, &fx)
				for i := 0; i < len(fx.Outs); i++ {
					if o := fx.Outs[i]; o.Kind == OutDeliver {
						k.Wrote(now, consumer, o.Delivery, o.Delivery, &fx)
						k.Settle(now, o.Delivery, 0, Outcome{Kind: Accepted}, false, &fx)
					}
				}
				k.Stable(k.Next()-1, k.Next()-1)
			}
			if q := k.queues["q"]; q.depth != 0 {
				b.Fatalf("depth %d", q.depth)
			}
		})
	}
}
