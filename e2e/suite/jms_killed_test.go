package suite

import (
	"flag"
	"maps"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

var (
	jmsBatches = flag.Int("jms.batches", 400, "transacted batches that are put and taken")
	jmsKills   = flag.Int("jms.kills", 3, "kills while they are put, and as many while they are taken")
	jmsSize    = flag.Int("jms.size", 3, "messages of a batch to each of its destinations")
)

// TestJMSTransactionsKilled: each batch is sent to two queues and a topic with a
// durable subscription in one transaction, and taken from the three in another, that
// sends a receipt. Whenever the server is killed, each of both was whole or not at
// all (jms 6.2.7); only the one under way at a kill may be either.
func TestJMSTransactionsKilled(t *testing.T) {
	s := harness.Start(t)
	taker := harness.Driver(t, "java")
	only(t, "* not asked to: the crash is the server's, and JMS brings the transactions", taker)
	durable := harness.Fields{"kind": "topic", "subscription": "sub", "container": "killed"}
	left := func(address string, more ...harness.Fields) []int64 { // the batches of what is left, each as often as it has messages
		var all []int64
		for _, e := range messages(t, receiving(t, taker, s, address, append(more, harness.Fields{"drain": true})...)) {
			all = append(all, e.Seq)
		}
		return all
	}
	left("killed.t", durable) // which subscribes

	put := batches{command: harness.Fields{"cmd": "put", "size": *jmsSize}, numbered: true}
	put.run(t, harness.Driver(t, harness.Javax), s)
	a, b := browsed(t, s, taker, "killed.a"), browsed(t, s, taker, "killed.b")
	if !maps.Equal(a, b) {
		t.Errorf("the queues hold %d and %d batches, and not the same", len(a), len(b))
	}
	for batch, n := range a { // order: irrelevant
		if n != *jmsSize {
			t.Errorf("batch %d: %d messages of %d", batch, n, *jmsSize)
		}
		if !put.told[batch] && !put.doubt[batch] {
			t.Errorf("batch %d is there, and was never under way at a kill", batch)
		}
	}
	for batch := range put.told { // order: irrelevant
		if a[batch] == 0 {
			t.Errorf("the commit of batch %d was answered, and it is not there", batch)
		}
	}

	take := batches{command: with(harness.Fields{"cmd": "take", "size": *jmsSize}, durable)}
	take.run(t, taker, s)
	receipts := left("killed.receipts")
	slices.Sort(receipts)
	if want := slices.Sorted(maps.Keys(a)); !slices.Equal(receipts, want) {
		t.Errorf("%d receipts for %d batches, or not one for each", len(receipts), len(want))
	}
	for batch := range take.told { // order: irrelevant
		if _, found := slices.BinarySearch(receipts, batch); !found {
			t.Errorf("the commit of batch %d's taking was answered, and its receipt is not there", batch)
		}
	}
	if n := len(left("killed.a")) + len(left("killed.b")) + len(left("killed.t", durable)); n != 0 {
		t.Errorf("%d messages are left of batches that were taken", n)
	}
	if put.kills == 0 || take.kills == 0 {
		t.Errorf("killed %d times while they were put and %d times while they were taken: it shows nothing", put.kills, take.kills)
	}
	t.Logf("%d batches of %d messages put, %d commits answered, %d kills; %d taken, %d commits answered, %d kills",
		len(a), 3**jmsSize, len(put.told), put.kills, len(receipts), len(take.told), take.kills)
}

// batches is a command that commits batch after batch while the server is killed.
type batches struct {
	command     harness.Fields
	numbered    bool // it wants to be told where to go on
	told, doubt map[int64]bool
	kills       int
}

// run gives the command as many lives as there are kills, and one to end in.
func (b *batches) run(t *testing.T, c *harness.Client, s *harness.Server) {
	t.Helper()
	b.told, b.doubt = map[int64]bool{}, map[int64]bool{}
	total, next := int64(*jmsBatches), int64(1)
	early := *jmsBatches / (*jmsKills + 1) / 4 // the command does not wait for the kill
	for life := 0; ; life++ {
		f := harness.Fields{"url": s.URL, "address": "killed", "timeout_ms": 600_000}
		if b.numbered {
			f["first"], f["count"] = next, total-next+1
		}
		call := c.Do(t, with(b.command, f))
		reason, killed := "", false
		for n := 1; reason == ""; n++ {
			switch e := call.Next(t); e.Event {
			case "committed":
				b.told[e.Seq], next = true, e.Seq+1
			case "done":
				reason = e.Reason
			default:
				t.Fatalf("life %d: %s", life, e.Error)
			}
			if life < *jmsKills && n == early {
				s.Kill(t)
				killed = true
			}
		}
		if killed {
			s.Run(t)
		}
		if reason != "lost" {
			return
		}
		if !killed {
			t.Fatal("the connection was lost without a kill")
		}
		b.kills++
		b.doubt[next] = true
		next++ // its number is not used again
	}
}

// browsed is how many messages of each batch a queue has.
func browsed(t *testing.T, s *harness.Server, c *harness.Client, queue string) map[int64]int {
	t.Helper()
	found := map[int64]int{}
	for _, e := range messages(t, receiving(t, c, s, queue, harness.Fields{"browse": true})) {
		found[e.Seq]++
	}
	return found
}
