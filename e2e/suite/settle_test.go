package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestOutcomes: what a consumer says about a message decides what becomes of it.
func TestOutcomes(t *testing.T) {
	s := harness.Start(t)
	tests := []struct {
		name, ack string
		failed    int // delivery-count told at the second delivery
		needs     []string
		more      harness.Fields
	}{
		{"released", "release", 0, nil, nil},             // never reached the application (amqp 3.4.4)
		{"failed", "modify", 1, []string{"modify"}, nil}, // delivery-failed (amqp 3.4.5)
		{"modified", "modify", 0, []string{"modify-plain"}, harness.Fields{"failed": false}},
		{"rejected", "reject", 1, nil, nil},
	}
	each(t, nil, func(t *testing.T, c *harness.Client) {
		for _, test := range tests {
			if leaves(t, c, test.needs...) {
				continue
			}
			queue := test.name + "." + c.Name
			send(t, c, s, queue, harness.Fields{"count": 1})
			receive(t, c, s, queue, 1, harness.Fields{"ack": test.ack, "credit": 1}, test.more)
			got := receive(t, c, s, queue, 1, harness.Fields{"credit": 1})[0]
			failed := test.failed
			if test.ack == "release" && c.Name == "java" {
				failed = 1 // what a JMS program was shown counts (docs/decisions/0034-a-listener-that-throws.md)
			}
			if got.DeliveryCount != failed || got.Redelivered != (failed > 0) {
				t.Errorf("after %s: delivery count %d, redelivered %v, want %d failed deliveries", test.name, got.DeliveryCount, got.Redelivered, failed)
			}
			empty(t, s, queue)
		}
	})
}

// TestUndeliverable: what a consumer calls undeliverable at its link does not come
// back to that link; it stays for others.
func TestUndeliverable(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"undeliverable"}, func(t *testing.T, c *harness.Client) {
		queue := "undeliverable." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 4})
		// Each of the four comes once, and none again.
		inOrder(t, receive(t, c, s, queue, 4, harness.Fields{"ack": "modify", "undeliverable": true, "credit": 1}), c.Name, 1, 64)
		for _, e := range receive(t, c, s, queue, 4, harness.Fields{"credit": 1}) {
			if e.DeliveryCount != 1 {
				t.Errorf("message %d: %d failed deliveries, want 1", e.Seq, e.DeliveryCount)
			}
		}
		empty(t, s, queue)
	})
}

// TestModifiedAnnotations: what a consumer adds to a message's annotations is there at
// its next delivery, beside those of the sender (amqp 3.4.5).
func TestModifiedAnnotations(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"annotations", "modify-annotations"}, func(t *testing.T, c *harness.Client) {
		queue := "annotated." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 1, "annotations": map[string]any{"x-opt-a": "string:first", "x-opt-b": "int:1"}})
		receive(t, c, s, queue, 1, harness.Fields{"ack": "modify", "credit": 1, "modify_annotations": map[string]any{"x-opt-b": "int:2", "x-opt-c": "boolean:true"}})
		got := receive(t, c, s, queue, 1, harness.Fields{"typed": true})[0]
		want := map[string]any{"x-opt-a": "string:first", "x-opt-b": "int:2", "x-opt-c": "boolean:true"}
		if !same(want, got.Annotations, c) {
			t.Errorf("annotations %v, want %v", got.Annotations, want)
		}
	})
}

// TestGivenBack: what a consumer gives back goes ahead of what came in the meantime,
// in order, to whoever comes next.
func TestGivenBack(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"batch"}, func(t *testing.T, c *harness.Client) {
		queue := "back." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 10})
		receive(t, c, s, queue, 5, harness.Fields{"ack": "release", "batch": 5, "credit": 5})
		send(t, c, s, queue, harness.Fields{"count": 5, "first": 11})
		inOrder(t, receive(t, next(t, c), s, queue, 15), c.Name, 1, 64)
		empty(t, s, queue)
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
	step(t, "confirmed", func(t *testing.T) {
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
	step(t, "after a crash", func(t *testing.T) {
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
		if got := messages(t, receiving(t, c, s, queue, atTheEnd)); len(got) != 0 {
			t.Errorf("%d messages from an empty queue", len(got))
		}
		send(t, c, s, queue, harness.Fields{"count": 30})
		got := messages(t, receiving(t, c, s, queue, toTheEnd))
		if len(got) != 30 {
			t.Errorf("%d of 30 messages drained", len(got))
		}
		inOrder(t, got, c.Name, 1, 64)
		if got := messages(t, receiving(t, c, s, queue, atTheEnd)); len(got) != 0 {
			t.Errorf("%d messages from an emptied queue", len(got))
		}
	})
}
