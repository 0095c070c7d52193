package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestTransactedSend: what is sent in a transaction is there when it is committed,
// over a crash, and never if it is rolled back.
func TestTransactedSend(t *testing.T) {
	s := harness.Start(t)
	step(t, "before", func(t *testing.T) {
		each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
			queue := "transacted." + c.Name
			send(t, c, s, queue, harness.Fields{"count": 20, "transaction": "rollback", "producer": "undone"})
			send(t, c, s, queue, harness.Fields{"count": 20, "transaction": "commit"})
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
			inOrder(t, receive(t, c, s, "transacted."+c.Name, 20), c.Name, 1, 64)
			empty(t, s, "transacted."+c.Name)
		})
	})
}

// TestTransactedReceive: commit takes what was received for good; rollback gives it
// back in order, counted, ahead of what came in the meantime.
func TestTransactedReceive(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "transacted.receive." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 10})
		inOrder(t, receive(t, c, s, queue, 4, harness.Fields{"transaction": "commit", "credit": 4}), c.Name, 1, 64)
		for range 2 {
			inOrder(t, receive(t, c, s, queue, 4, harness.Fields{"transaction": "rollback", "credit": 4}), c.Name, 5, 64)
		}
		send(t, c, s, queue, harness.Fields{"count": 2, "first": 11})
		got := receive(t, c, s, queue, 8, harness.Fields{"transaction": "commit", "credit": 8})
		inOrder(t, got, c.Name, 5, 64)
		for _, e := range got {
			if failed := e.Seq <= 8; failed != e.Redelivered || failed != (e.DeliveryCount == 2) {
				t.Errorf("message %d comes redelivered %v with %d failed deliveries", e.Seq, e.Redelivered, e.DeliveryCount)
			}
		}
		empty(t, s, queue)
	})
}

// TestTransactedOther: what was rolled back may come to another consumer.
func TestTransactedOther(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "transacted.other." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 10})
		receive(t, c, s, queue, 5, harness.Fields{"transaction": "rollback", "credit": 5})
		inOrder(t, receive(t, next(t, c), s, queue, 10), c.Name, 1, 64)
	})
}

// TestTransactedLost: a connection that goes with a transaction open rolls it back:
// what it sent is gone, what it received comes again.
func TestTransactedLost(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "transacted.lost." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 5})
		send(t, c, s, queue, harness.Fields{"count": 5, "transaction": "open", "producer": "undone"})
		receive(t, c, s, queue, 5, harness.Fields{"transaction": "open", "credit": 5})
		got := receive(t, c, s, queue, 5)
		inOrder(t, got, c.Name, 1, 64)
		for _, e := range got {
			if !e.Redelivered {
				t.Errorf("message %d comes again unflagged", e.Seq)
			}
		}
		empty(t, s, queue)
	})
}

// TestTransactedSideBySide: transactions that are open at once do not touch each other.
func TestTransactedSideBySide(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "transacted.side." + c.Name
		var calls []*harness.Call
		for _, how := range []string{"commit", "rollback", "commit", "rollback"} {
			calls = append(calls, c.Do(t, harness.Fields{
				"cmd": "send", "url": s.URL, "address": queue, "producer": how, "count": 50, "window": 10, "transaction": how,
			}))
		}
		for _, call := range calls {
			call.Done(t)
		}
		for _, e := range receive(t, c, s, queue, 100) {
			if e.Producer != "commit" {
				t.Fatalf("message %d came, of a transaction that was rolled back", e.Seq)
			}
		}
		empty(t, s, queue)
	})
}

// TestTransactedMove: a receive and sends to two queues and a topic are one unit.
func TestTransactedMove(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "transacted.move." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 20})
		subscriber := receiving(t, c, s, queue+".t", harness.Fields{"kind": "topic", "count": 20, "idle_ms": 20_000})
		if done, _ := c.Do(t, harness.Fields{"cmd": "move", "url": s.URL, "address": queue, "count": 20}).Done(t); done.Accepted != 20 {
			t.Errorf("%d of 20 were moved", done.Accepted)
		}
		inOrder(t, messages(t, subscriber), c.Name, 1, 64)
		for _, to := range []string{".a", ".b"} {
			inOrder(t, receive(t, c, s, queue+to, 20), c.Name, 1, 64)
		}
		empty(t, s, queue)
	})
}

// TestTransactedDurable: transactions on a durable subscription roll back like a queue's.
func TestTransactedDurable(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"transactions", "durable"}, func(t *testing.T, c *harness.Client) {
		u := subscriptionOf(s, c, "transacted-durable")
		u.begin(t)
		u.publish(t, 1, 6)
		inOrder(t, messages(t, u.attach(t, 6, harness.Fields{"transaction": "rollback", "credit": 6})), c.Name, 1, 64)
		got := messages(t, u.attach(t, 6, harness.Fields{"transaction": "commit", "credit": 6}))
		inOrder(t, got, c.Name, 1, 64)
		for _, e := range got {
			if e.DeliveryCount != 1 {
				t.Errorf("message %d: %d failed deliveries, want 1", e.Seq, e.DeliveryCount)
			}
		}
		u.gets(t, 7, 0)
	})
}
