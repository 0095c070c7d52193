package suite

import (
	"slices"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestJMSTransactionsKilled: each transaction takes a message from a queue and
// sends it to two queues and a topic with a durable subscription; whenever the
// server is killed, each was whole or not at all (jms 6.2.7).
func TestJMSTransactionsKilled(t *testing.T) {
	const total, lives, before = 1000, 3, 100
	s := harness.Start(t)
	c := harness.Driver(t, "java")
	durable := harness.Fields{"kind": "topic", "subscription": "sub", "container": "killed"}
	left := func(address string, more ...harness.Fields) []int64 {
		var all []int64
		for _, e := range messages(t, receiving(t, c, s, address, append(more, harness.Fields{"drain": true})...)) {
			all = append(all, e.Seq)
		}
		slices.Sort(all)
		return all
	}
	left("killed.t", durable) // which subscribes
	send(t, c, s, "killed", harness.Fields{"count": total, "window": 100})
	told, killed := 0, 0
	for range lives {
		call := c.Do(t, harness.Fields{"cmd": "move", "url": s.URL, "address": "killed", "count": total})
		for range before {
			call.Until(t, "moved")
		}
		s.Kill(t)
		done, _ := call.Done(t)
		told += done.Accepted
		s.Run(t)
		if done.Reason != "lost" {
			break // all were moved before this kill came
		}
		killed++
	}
	if killed == 0 {
		t.Fatalf("all %d were moved before the first kill: it shows nothing", told)
	}
	a, b, topic, rest := left("killed.a"), left("killed.b"), left("killed.t", durable), left("killed")
	if !slices.Equal(a, b) || !slices.Equal(a, topic) {
		t.Errorf("the queues hold %d and %d, the subscription %d, and not the same", len(a), len(b), len(topic))
	}
	if len(a) < told || len(a) > told+lives {
		t.Errorf("%d commits were answered, %d happened: at most the one under way at each of %d kills may be unanswered", told, len(a), lives)
	}
	all := slices.Concat(a, rest)
	slices.Sort(all)
	for i := range total {
		if i >= len(all) || all[i] != int64(i+1) {
			t.Fatalf("message %d is not exactly once either where it was or where it went: %d and %d", i+1, len(rest), len(a))
		}
	}
	if len(all) != total {
		t.Errorf("%d messages of %d", len(all), total)
	}
	t.Logf("%d moved, %d commits answered, %d left", len(a), told, len(rest))
}
