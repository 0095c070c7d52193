package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestOutcomes: what a consumer says about a message decides what becomes of it.
func TestOutcomes(t *testing.T) {
	s := harness.Start(t)
	tests := []struct {
		ack    string
		failed int // delivery-count told at the second delivery
		needs  []string
	}{
		{"release", 0, nil},               // never reached the application (amqp 3.4.4)
		{"modify", 1, []string{"modify"}}, // delivery-failed (amqp 3.4.5)
		{"reject", 1, nil},
	}
	each(t, nil, func(t *testing.T, c *harness.Client) {
		for _, test := range tests {
			if reason := c.Cannot(test.needs...); reason != "" {
				t.Logf("%s cannot %s", c.Name, reason)
				continue
			}
			queue := test.ack + "." + c.Name
			send(t, c, s, queue, harness.Fields{"count": 1})
			receive(t, c, s, queue, 1, harness.Fields{"ack": test.ack, "credit": 1})
			got := receive(t, c, s, queue, 1, harness.Fields{"credit": 1})[0]
			failed := test.failed
			if test.ack == "release" && c.Name == "java" {
				failed = 1 // what a JMS program was shown counts (docs/decisions/0034-a-listener-that-throws.md)
			}
			if got.DeliveryCount != failed || got.Redelivered != (failed > 0) {
				t.Errorf("after %s: delivery count %d, redelivered %v, want %d failed deliveries", test.ack, got.DeliveryCount, got.Redelivered, failed)
			}
			empty(t, s, queue)
		}
	})
}

// TestUnsettled: what a consumer left unanswered comes back, in order.
func TestUnsettled(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "unsettled." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 20})
		receive(t, c, s, queue, 10, harness.Fields{"ack": "none", "credit": 10})
		inOrder(t, receive(t, c, s, queue, 20), c.Name, 1, 64)
		empty(t, s, queue)
	})
}

// TestSettleSecond: the receiver's answer is confirmed before it counts
// (exactly once, amqp 2.6.12).
func TestSettleSecond(t *testing.T) {
	s := harness.Start(t)
	t.Run("confirmed", func(t *testing.T) {
		each(t, []string{"settle-second"}, func(t *testing.T, c *harness.Client) {
			queue := "second." + c.Name
			second := harness.Fields{"settle": "second"}
			send(t, c, s, queue, harness.Fields{"count": 100})
			inOrder(t, receive(t, c, s, queue, 60, second), c.Name, 1, 64)
			// Many answers under way at once, confirmed in ranges.
			inOrder(t, receive(t, c, s, queue, 40, second, harness.Fields{"batch": 20}), c.Name, 61, 64)
			empty(t, s, queue)
		})
	})
	// What was confirmed is gone for good: the confirmation waits for the disk.
	s.Kill(t)
	s.Run(t)
	t.Run("after a crash", func(t *testing.T) {
		each(t, []string{"settle-second"}, func(t *testing.T, c *harness.Client) { empty(t, s, "second."+c.Name) })
	})
}

// TestBatch: sends with many unanswered, answers given many at once.
func TestBatch(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"batch"}, func(t *testing.T, c *harness.Client) {
		queue := "batch." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 1000, "window": 500})
		inOrder(t, receive(t, c, s, queue, 1000, harness.Fields{"batch": 100, "credit": 500}), c.Name, 1, 64)
		empty(t, s, queue)
	})
}

// TestDrain: draining ends at once, with what was there, and leaves the link
// without credit.
func TestDrain(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"drain"}, func(t *testing.T, c *harness.Client) {
		queue := "drain." + c.Name
		drain := harness.Fields{"drain": true, "credit": 50, "idle_ms": 300}
		if got := messages(t, receiving(t, c, s, queue, drain)); len(got) != 0 {
			t.Errorf("%d messages from an empty queue", len(got))
		}
		send(t, c, s, queue, harness.Fields{"count": 30})
		got := messages(t, receiving(t, c, s, queue, drain))
		if len(got) != 30 {
			t.Errorf("%d of 30 messages drained", len(got))
		}
		inOrder(t, got, c.Name, 1, 64)
		if got := messages(t, receiving(t, c, s, queue, drain)); len(got) != 0 {
			t.Errorf("%d messages from an emptied queue", len(got))
		}
	})
}
