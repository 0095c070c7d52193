package core

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core/property"
)

// manyQueues are lines of queues.conf: n static queues, each fifth with properties, below
// wildcards that give all of them some.
func manyQueues(n int) []property.Definition {
	read := func(text string) (s property.Set) {
		items, _ := property.ParseList(property.Queue, text)
		for _, i := range items {
			s = s.With(i.Value)
		}
		return s
	}
	all := []property.Definition{{Name: ">", Set: read("maxbytes=1GB")}, {Name: "app.>", Set: read("prefetch=10")}}
	for i := range n {
		d := property.Definition{Name: fmt.Sprintf("app.%d.queue.%d", i%100, i)}
		if i%5 == 0 {
			d.Set = read("maxmsgs=1000,overflowPolicy=discardOld")
		}
		all = append(all, d)
	}
	return all
}

// BenchmarkConfigure is what defining 100,000 static queues costs the broker, and what
// each of them keeps of memory while it is idle (issue 6: under 3 s, under 1 KiB).
func BenchmarkConfigure(b *testing.B) {
	const n = 100_000
	queues := manyQueues(n)
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		broker := NewBroker(Options{})
		broker.Recovered(0)
		var fx Effects
		if _, err := broker.Configure(time.UnixMilli(1), Configuration{Queues: queues}, &fx); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.StartTimer()
		runtime.KeepAlive(broker)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "bytes/queue")
}

// TestAnIdleQueueIsSmall: an idle static queue keeps less than 1 KiB (issue 6).
func TestAnIdleQueueIsSmall(t *testing.T) {
	const n = 20_000
	queues := manyQueues(n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	broker := NewBroker(Options{})
	broker.Recovered(0)
	var fx Effects
	if _, err := broker.Configure(time.UnixMilli(1), Configuration{Queues: queues}, &fx); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (after.HeapAlloc - before.HeapAlloc) / n; each >= 1024 {
		t.Errorf("%d bytes a queue", each)
	}
	if got := broker.Totals(); got.Queues != n {
		t.Errorf("%d queues", got.Queues)
	}
	runtime.KeepAlive(broker)
}
