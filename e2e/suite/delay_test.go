package suite

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// onTime takes the next messages of a receive and wants these numbers, in order,
// none flagged, and none before its time.
func onTime(t *testing.T, call *harness.Call, due time.Time, first, last int64) {
	t.Helper()
	for n := first; n <= last; n++ {
		e, _ := call.Until(t, "message")
		if early := time.Until(due); early > 0 {
			t.Errorf("message %d came %v early", e.Seq, early)
		}
		if e.Seq != n || e.Redelivered {
			t.Errorf("message %d came (redelivered %v), want %d", e.Seq, e.Redelivered, n)
		}
	}
}

// TestDelayed: a message is not delivered before its time; those with the same
// delay come as they were sent. (By time in order: TestJMS/Delays.)
func TestDelayed(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "delayed." + c.Name
		call := receiving(t, c, s, queue, harness.Fields{"count": 30, "idle_ms": 20_000})
		began := time.Now()
		send(t, c, s, queue, harness.Fields{"count": 10, "first": 21, "delay_ms": 2000})
		send(t, c, s, queue, harness.Fields{"count": 10, "first": 11, "delay_ms": 1000, "durable": false})
		send(t, c, s, queue, harness.Fields{"count": 10, "first": 1})
		next := [3]int64{1, 11, 21}
		for range 30 {
			e, _ := call.Until(t, "message")
			group := (e.Seq - 1) / 10
			if early := time.Until(began.Add(time.Duration(group) * time.Second)); early > 0 {
				t.Errorf("message %d came %v early", e.Seq, early)
			}
			if e.Seq != next[group] || e.Redelivered {
				t.Errorf("message %d came (redelivered %v), want %d", e.Seq, e.Redelivered, next[group])
			}
			next[group]++
		}
		call.Done(t)
	})
}

// TestDelayedKilled: what is persistent and held back when the server is killed
// comes at its time, once and unflagged; what is not is gone. Messages whose time
// had come stay where they went.
func TestDelayedKilled(t *testing.T) {
	const later = 8 * time.Second
	s := harness.Start(t)
	durable := func(c *harness.Client) harness.Fields {
		return harness.Fields{"kind": "topic", "subscription": "sub", "container": "delayed." + c.Name}
	}
	began := time.Now()
	step(t, "before", func(t *testing.T) {
		each(t, []string{"topic", "durable", "drain"}, func(t *testing.T, c *harness.Client) {
			queue, topic := "delayed."+c.Name, "delayed.t."+c.Name
			messages(t, receiving(t, c, s, topic, durable(c), harness.Fields{"drain": true, "idle_ms": 300})) // which subscribes
			send(t, c, s, queue, harness.Fields{"count": 10, "delay_ms": 20})
			call := receiving(t, c, s, queue, harness.Fields{"count": 10, "idle_ms": 20_000})
			onTime(t, call, began.Add(20*time.Millisecond), 1, 10)
			call.Done(t)
			// Now, so that however slow all this is none of these comes among those.
			send(t, c, s, queue, harness.Fields{"count": 10, "first": 11, "delay_ms": later.Milliseconds()})
			send(t, c, s, topic, harness.Fields{"count": 10, "kind": "topic", "delay_ms": later.Milliseconds()})
			send(t, c, s, queue, harness.Fields{"count": 5, "first": 91, "delay_ms": later.Milliseconds(), "durable": false})
			send(t, c, s, "marker", harness.Fields{"count": 1}) // durable, and so is all before it
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "after", func(t *testing.T) {
		each(t, []string{"topic", "durable", "drain"}, func(t *testing.T, c *harness.Client) {
			queue := "delayed." + c.Name
			held := messages(t, receiving(t, c, s, "$sys.delayed.q."+queue, harness.Fields{"browse": true, "idle_ms": 500, "count": 10}))
			for _, e := range held {
				if e.Seq < 11 || e.Seq > 20 {
					t.Errorf("message %d is held back: it is not persistent, or its time had come", e.Seq)
				}
			}
			fromQueue := receiving(t, c, s, queue, harness.Fields{"count": 10, "idle_ms": 30_000})
			fromTopic := receiving(t, c, s, "delayed.t."+c.Name, durable(c), harness.Fields{"count": 10, "idle_ms": 30_000})
			onTime(t, fromQueue, began.Add(later), 11, 20)
			onTime(t, fromTopic, began.Add(later), 1, 10)
			fromQueue.Done(t)
			fromTopic.Done(t)
			empty(t, s, queue)
		})
	})
}

// TestDelayTransacted: the delay of what is sent in a transaction counts from the
// send; nothing comes if it is rolled back.
func TestDelayTransacted(t *testing.T) {
	const delay = 500 * time.Millisecond
	s := harness.Start(t)
	each(t, []string{"transactions"}, func(t *testing.T, c *harness.Client) {
		queue := "delay.transacted." + c.Name
		began := time.Now()
		later := harness.Fields{"delay_ms": delay.Milliseconds(), "count": 5}
		send(t, c, s, queue, later, harness.Fields{"transaction": "rollback", "producer": "undone"})
		send(t, c, s, queue, later, harness.Fields{"transaction": "commit"})
		call := receiving(t, c, s, queue, harness.Fields{"count": 5, "idle_ms": 20_000})
		onTime(t, call, began.Add(delay), 1, 5)
		call.Done(t)
		empty(t, s, queue)
	})
}
