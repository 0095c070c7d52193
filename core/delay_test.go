package core

import (
	"runtime"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/message"
)

// delaying is a broker with messages that are all due at one time.
func delaying(t *testing.T, n int, durable bool) (b *Broker, due time.Time) {
	t.Helper()
	b = NewBroker(Options{})
	b.Recovered(0)
	now := time.UnixMilli(1_000_000)
	due = now.Add(time.Hour)
	var fx Effects
	c, _ := b.Connect(now, ConnectOptions{}, &fx)
	p, _, err := b.OpenProducer(now, c, ProducerOptions{Destination: Destination{Kind: Queue, Name: "q"}}, &fx)
	if err != nil {
		t.Fatal(err)
	}
	m := message.Envelope{Durable: durable, Priority: 4, Due: due.UnixMilli(), Content: &text{size: 100}}
	for range n {
		b.Publish(now, p, Send{}, m, &fx)
		fx.Reset()
		b.Stable(b.Next()-1, b.Next()-1)
	}
	return b, due
}

// TestManyDueAtOnceGoInSlices: no step is long, and all arrive in order.
func TestManyDueAtOnceGoInSlices(t *testing.T) {
	const n = 10 * maxMoves
	b, due := delaying(t, n, true)
	var fx Effects
	b.Expire(due.Add(-time.Millisecond), &fx)
	if len(fx.Records) != 0 || !b.Deadline().Equal(due) {
		t.Fatalf("%d records before the time, and the next is %v, want %v", len(fx.Records), b.Deadline(), due)
	}
	placed, last := 0, uint64(0)
	for step := 0; ; step++ {
		fx.Reset()
		if step == 0 {
			b.Expire(due, &fx)
		} else {
			b.Continue(due, &fx)
		}
		moves := 0
		for _, r := range fx.Records {
			if r.Kind != RecCommit {
				continue
			}
			for _, p := range r.More {
				if p.ID <= last {
					t.Fatalf("message %d is placed behind %d", p.ID, last)
				}
				last = p.ID
				moves++
			}
		}
		if moves > maxMoves {
			t.Errorf("step %d moves %d messages", step, moves)
		}
		placed += moves
		if !fx.More {
			break
		}
	}
	if placed != n || b.queues["q"].depth != n || b.queues[DelayedQueuePrefix+"q"] != nil || len(b.due) != 0 {
		t.Errorf("%d of %d are placed, the queue has %d, and the heap %d", placed, n, b.queues["q"].depth, len(b.due))
	}
}

// TestADelayedMessageCostsLittleMemory: beside its content, an entry and an item.
func TestADelayedMessageCostsLittleMemory(t *testing.T) {
	const n = 200_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	b, due := delaying(t, n, true)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; each > 80 {
		t.Errorf("a delayed message takes %d bytes", each)
	}
	var fx Effects
	for more := true; more; more = fx.More {
		fx.Reset()
		b.Expire(due, &fx)
	}
	if len(b.due) != 0 || cap(b.due) > 2048 {
		t.Errorf("once all are due, the heap has %d and room for %d", len(b.due), cap(b.due))
	}
}

// TestWhatExpiresLeavesTheHeap: messages that are over long before they are due do
// not pile up in it.
func TestWhatExpiresLeavesTheHeap(t *testing.T) {
	b := NewBroker(Options{})
	b.Recovered(0)
	now := time.UnixMilli(1_000_000)
	var fx Effects
	c, _ := b.Connect(now, ConnectOptions{}, &fx)
	p, _, _ := b.OpenProducer(now, c, ProducerOptions{Destination: Destination{Kind: Queue, Name: "q"}}, &fx)
	for range 200 {
		for range 500 {
			m := message.Envelope{Due: now.Add(1000 * time.Hour).UnixMilli(), Expires: now.Add(time.Second).UnixMilli(), Content: &text{size: 1}}
			b.Publish(now, p, Send{}, m, &fx)
		}
		now = now.Add(2 * time.Second)
		b.Expire(now, &fx)
		fx.Reset()
	}
	if len(b.due) > 2*500+1024+500 {
		t.Errorf("the heap has %d items, and nothing is held back", len(b.due))
	}
}
