package suite

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestQueue: what one library sends to a queue another receives, whole, in
// order and once.
func TestQueue(t *testing.T) {
	s := harness.Start(t)
	pairs(t, nil, nil, func(t *testing.T, a, b *harness.Client) {
		queue := "orders." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 200, "size": 300})
		got := receive(t, b, s, queue, 200)
		inOrder(t, got, a.Name, 1, 300)
		for _, e := range got {
			if !e.Durable || e.Redelivered || e.DeliveryCount != 0 || e.Priority != 4 {
				t.Fatalf("message %d: durable %v, redelivered %v, delivery count %d, priority %d",
					e.Seq, e.Durable, e.Redelivered, e.DeliveryCount, e.Priority)
			}
		}
		empty(t, s, queue)
	})
}

// TestText: bodies of the other kind, properties of every type JSON has, and
// the header's fields cross from library to library.
func TestText(t *testing.T) {
	s := harness.Start(t)
	pairs(t, []string{"text"}, []string{"text"}, func(t *testing.T, a, b *harness.Client) {
		queue := "text." + a.Name + "." + b.Name
		text := "größer: 日本語 \U0001f30a\n"
		properties := map[string]any{"word": "wörd", "yes": true, "whole": 42, "broken": 2.5}
		send(t, a, s, queue, harness.Fields{
			"count": 1, "text": text, "properties": properties, "priority": 7, "durable": false, "ttl_ms": 3_600_000,
		})
		got := receive(t, b, s, queue, 1)[0]
		if got.Text == nil || *got.Text != text {
			t.Errorf("text %v, want %q", got.Text, text)
		}
		want := map[string]any{
			"word": "wörd", "yes": true, "whole": float64(42), "broken": 2.5, "producer": a.Name, "seq": float64(1),
		}
		if !reflect.DeepEqual(got.Properties, want) {
			t.Errorf("properties %v, want %v", got.Properties, want)
		}
		if got.Durable || got.Priority != 7 {
			t.Errorf("durable %v and priority %d, want false and 7", got.Durable, got.Priority)
		}
	})
}

// TestTopic: every subscriber gets every message published while it is there.
func TestTopic(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"topic"}, func(t *testing.T, a *harness.Client) {
		topic := "news." + a.Name
		kind := harness.Fields{"kind": "topic"}
		var subscribers []*harness.Call
		for _, name := range harness.Names {
			subscribers = append(subscribers, receiving(t, harness.Driver(t, name), s, topic, kind, harness.Fields{"count": 50, "idle_ms": 20_000}))
		}
		wild := receiving(t, next(t, a), s, "news.>", kind, harness.Fields{"count": 50, "idle_ms": 20_000, "selector": "producer = '" + a.Name + "'"})
		send(t, a, s, topic, kind, harness.Fields{"count": 50})
		for _, call := range append(subscribers, wild) {
			got := messages(t, call)
			if len(got) != 50 {
				t.Errorf("%s: %d of 50 messages came", call.Client.Name, len(got))
			}
			inOrder(t, got, a.Name, 1, 64)
		}
		// Nobody is there any more: published to nobody, and nothing is kept.
		send(t, a, s, topic, kind, harness.Fields{"count": 1})
		late := receiving(t, a, s, topic, kind, harness.Fields{"idle_ms": 300})
		if got := messages(t, late); len(got) != 0 {
			t.Errorf("%d messages came to a late subscriber", len(got))
		}
	})
}

// TestPriority: higher priorities overtake, equal ones keep their order.
func TestPriority(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "priority." + c.Name
		for i, priority := range []int{0, 4, 9, 4, 9, 0} {
			send(t, c, s, queue, harness.Fields{"count": 1, "first": i + 1, "priority": priority})
		}
		var order []int64
		for _, e := range receive(t, c, s, queue, 6) {
			order = append(order, e.Seq)
		}
		if want := []int64{3, 5, 2, 4, 1, 6}; !reflect.DeepEqual(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

// TestRoundRobin: two ready consumers of a queue share it, and together get all.
func TestRoundRobin(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "shared." + c.Name
		first := receiving(t, c, s, queue, harness.Fields{"count": 50, "credit": 10, "idle_ms": 20_000})
		second := receiving(t, c, s, queue, harness.Fields{"count": 50, "credit": 10, "idle_ms": 20_000})
		send(t, c, s, queue, harness.Fields{"count": 100})
		seen := map[int64]int{}
		for _, e := range append(messages(t, first), messages(t, second)...) {
			seen[e.Seq]++
		}
		if len(seen) != 100 {
			t.Errorf("%d different messages of 100 came", len(seen))
		}
	})
}

// TestBrowse: a browser sees what is there and takes nothing.
func TestBrowse(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse"}, func(t *testing.T, c *harness.Client) {
		queue := "browse." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 30})
		for range 2 {
			got := messages(t, receiving(t, c, s, queue, toTheEnd, harness.Fields{"browse": true}))
			if len(got) != 30 {
				t.Fatalf("the browser saw %d of 30 messages", len(got))
			}
			inOrder(t, got, c.Name, 1, 64)
		}
		inOrder(t, receive(t, c, s, queue, 30), c.Name, 1, 64)
		empty(t, s, queue)
	})
}

// TestSelector: a consumer gets what it selects, in order; the rest stays.
func TestSelector(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"selector"}, func(t *testing.T, c *harness.Client) {
		queue := "selector." + c.Name
		for i := range 20 {
			send(t, c, s, queue, harness.Fields{"count": 1, "first": i + 1, "properties": map[string]any{"colour": []string{"red", "blue"}[i%2]}})
		}
		got := receive(t, c, s, queue, 5, harness.Fields{"selector": "colour = 'blue' AND seq > 10"})
		for i, e := range got {
			if want := int64(12 + 2*i); e.Seq != want {
				t.Errorf("selected message %d is %d, want %d", i, e.Seq, want)
			}
		}
		if left := receive(t, c, s, queue, 15); left[0].Seq != 1 || left[14].Seq != 19 {
			t.Errorf("left were %d … %d", left[0].Seq, left[14].Seq)
		}
	})
}

// TestBadSelector: one that does not parse is refused at attach.
func TestBadSelector(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"selector"}, func(t *testing.T, c *harness.Client) {
		e := c.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "address": "q", "selector": "colour = = 'blue'"}).Error(t)
		// Qpid JMS parses selectors itself and never asks.
		if c.Name != "java" && e.Condition != "amqp:invalid-field" {
			t.Errorf("refused with %q (%s), want amqp:invalid-field", e.Condition, e.Error)
		}
	})
}

// TestExpired: a message past its time to live is not delivered.
func TestExpired(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "expired." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 5, "ttl_ms": 1})
		send(t, c, s, queue, harness.Fields{"count": 1, "first": 6})
		if got := receive(t, c, s, queue, 1); got[0].Seq != 6 {
			t.Errorf("message %d came, want 6", got[0].Seq)
		}
	})
}

// TestSettled: pre-settled sends and deliveries work, in both directions at once.
func TestSettled(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"settled"}, func(t *testing.T, c *harness.Client) {
		queue := "settled." + c.Name
		call := receiving(t, c, s, queue, harness.Fields{"settled": true, "count": 100, "idle_ms": 20_000})
		done, _ := c.Do(t, harness.Fields{
			"cmd": "send", "url": s.URL, "address": queue, "producer": c.Name, "count": 100, "settled": true, "durable": false, "window": 10,
		}).Done(t)
		if done.Accepted != 100 {
			t.Errorf("the library let go of %d of 100", done.Accepted)
		}
		got := messages(t, call)
		if len(got) != 100 {
			t.Fatalf("%d of 100 messages came", len(got))
		}
		inOrder(t, got, c.Name, 1, 64)
		empty(t, s, queue)
	})
}

// TestLarge: what comes in many frames crosses from each library to the next
// unaltered, over a crash.
func TestLarge(t *testing.T) {
	const size = 10 << 20
	s := harness.Start(t)
	step(t, "sent", func(t *testing.T) {
		each(t, nil, func(t *testing.T, c *harness.Client) {
			send(t, c, s, "large."+c.Name, harness.Fields{"count": 1, "size": size})
		})
	})
	s.Kill(t)
	s.Run(t)
	step(t, "received", func(t *testing.T) {
		each(t, nil, func(t *testing.T, c *harness.Client) {
			queue := "large." + c.Name
			inOrder(t, receive(t, next(t, c), s, queue, 1, harness.Fields{"credit": 1}), c.Name, 1, size)
			empty(t, s, queue)
		})
	})
}

// TestVeryLarge: the same at 64 MiB, half of what --max-message-size is.
func TestVeryLarge(t *testing.T) {
	const size = 64 << 20
	s := harness.Start(t)
	c := harness.Driver(t, "go")
	only(t, "* not asked to: one pair of libraries is enough for so large a message, all pass TestLarge", c, next(t, c))
	send(t, c, s, "large", harness.Fields{"count": 1, "size": size})
	s.Kill(t)
	s.Run(t)
	inOrder(t, receive(t, next(t, c), s, "large", 1, harness.Fields{"credit": 1}), c.Name, 1, size)
	empty(t, s, "large")
}

// TestTooLarge: a message past --max-message-size is refused and harms nobody.
func TestTooLarge(t *testing.T) {
	s := harness.Start(t, "--max-message-size", fmt.Sprint(1<<20))
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "too.large." + c.Name
		call := c.Do(t, harness.Fields{"cmd": "send", "url": s.URL, "address": queue, "producer": c.Name, "count": 1, "size": 2 << 20})
		for {
			e := call.Next(t)
			if e.Event == "error" || e.Event == "outcome" && e.Outcome == "rejected" {
				break // go-amqp refuses by itself: the limit was told at attach
			}
			if e.Event == "done" {
				t.Fatalf("accepted: %+v", e)
			}
		}
		send(t, c, s, queue, harness.Fields{"count": 3, "size": 1 << 19})
		inOrder(t, receive(t, c, s, queue, 3), c.Name, 1, 1<<19)
	})
}

// TestSmallFrames: with frames of 512 bytes everything is multi-frame.
func TestSmallFrames(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"frame-size"}, func(t *testing.T, c *harness.Client) {
		small := harness.Fields{"max_frame_size": 512}
		send(t, c, s, "small."+c.Name, small, harness.Fields{"count": 50, "size": 20_000})
		inOrder(t, receive(t, c, s, "small."+c.Name, 50, small), c.Name, 1, 20_000)
	})
}

// TestDynamicAddress: a node of the server's making lives as long as the
// connection that asked for it, and can be sent to by others meanwhile.
func TestDynamicAddress(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"dynamic"}, func(t *testing.T, c *harness.Client) {
		const from = 5 // messages from each other library
		all := from * (len(harness.Names) - 1)
		call := c.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "dynamic": true, "count": all, "idle_ms": 20_000})
		attached, _ := call.Until(t, "attached")
		if attached.Address == "" {
			t.Fatal("no address was made")
		}
		for _, name := range harness.Names {
			if name != c.Name {
				send(t, harness.Driver(t, name), s, attached.Address, harness.Fields{"count": from, "durable": false})
			}
		}
		if got := messages(t, call); len(got) != all {
			t.Errorf("%d of %d messages came", len(got), all)
		}
		gone := c.Do(t, harness.Fields{"cmd": "send", "url": s.URL, "address": attached.Address, "count": 1}).Error(t)
		if gone.Condition != "amqp:not-found" {
			t.Errorf("sending to it later: %q (%s), want amqp:not-found", gone.Condition, gone.Error)
		}
	})
}

// TestRequestReply: over temporary queues, between all libraries.
func TestRequestReply(t *testing.T) {
	s := harness.Start(t)
	pairs(t, []string{"request"}, []string{"respond"}, func(t *testing.T, a, b *harness.Client) {
		queue := "service." + a.Name + "." + b.Name
		service := b.Do(t, harness.Fields{"cmd": "respond", "url": s.URL, "address": queue, "count": 20})
		service.Until(t, "attached")
		_, events := a.Do(t, harness.Fields{
			"cmd": "request", "url": s.URL, "address": queue, "producer": a.Name, "count": 20, "size": 500,
		}).Done(t)
		n := int64(0)
		for _, e := range events {
			if e.Event != "reply" {
				continue
			}
			n++
			if e.Seq != n || e.SHA256 != harness.Sum(harness.Filling(a.Name, n, 500)) {
				t.Errorf("reply %d: number %d, %d bytes", n, e.Seq, e.Size)
			}
		}
		if n != 20 {
			t.Errorf("%d of 20 replies came", n)
		}
		service.Done(t)
	})
}

// TestRequestOverATopicAnsweredByJMS: a library that says nothing of the kind of its
// reply-to is answered at its temporary queue, though the JMS service hears its
// requests by a topic.
func TestRequestOverATopicAnsweredByJMS(t *testing.T) {
	s := harness.Start(t)
	service := harness.Driver(t, "java")
	each(t, []string{"request"}, func(t *testing.T, c *harness.Client) {
		topic := harness.Fields{"url": s.URL, "address": "questions." + c.Name, "kind": "topic", "count": 5}
		answers := service.Do(t, with(topic, harness.Fields{"cmd": "respond"}))
		answers.Until(t, "attached")
		done, _ := c.Do(t, with(topic, harness.Fields{"cmd": "request", "producer": c.Name, "size": 50})).Done(t)
		if done.Received != 5 {
			t.Errorf("%d of 5 replies came", done.Received)
		}
		answers.Done(t)
	})
}
