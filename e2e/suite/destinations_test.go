package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestQueueAndTopicOfOneName: a queue and a topic of one name are two destinations.
func TestQueueAndTopicOfOneName(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"topic"}, func(t *testing.T, c *harness.Client) {
		name, topic := "one.name."+c.Name, harness.Fields{"kind": "topic"}
		subscriber := receiving(t, c, s, name, topic, harness.Fields{"count": 2, "idle_ms": 20_000})
		send(t, c, s, name, harness.Fields{"count": 3, "producer": "queue"})
		send(t, c, s, name, topic, harness.Fields{"count": 2, "producer": "topic"})
		inOrder(t, messages(t, subscriber), "topic", 1, 64)
		inOrder(t, receive(t, c, s, name, 3), "queue", 1, 64)
		empty(t, s, name)
	})
}

// TestNames: names may have blanks, slashes, colons, letters of any script, and
// differ by case.
func TestNames(t *testing.T) {
	names := []string{"two words ", "a/b/c/", "a:b:", "größe.日本語.", "Case.", "case.", "per%cent&and?", "plus+"}
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		for i, name := range names {
			send(t, c, s, name+c.Name, harness.Fields{"count": 1, "first": i + 1})
		}
		for i, name := range names {
			inOrder(t, receive(t, next(t, c), s, name+c.Name, 1), c.Name, int64(i+1), 64)
			empty(t, s, name+c.Name)
		}
	})
}

// lastTo sends the message with which a temporary destination goes. go-amqp may tell
// a sender that its destination has gone although the message was accepted before.
func lastTo(t *testing.T, s *harness.Server, address, producer string, seq int) {
	t.Helper()
	send(t, harness.Driver(t, "python"), s, address, harness.Fields{"count": 1, "producer": producer, "first": seq})
}

// TestTemporaryTopic: a temporary topic has a name of the server's making, to
// which others publish; it goes with its connection.
func TestTemporaryTopic(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"dynamic", "topic"}, func(t *testing.T, c *harness.Client) {
		call := c.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "dynamic": true, "kind": "temporary-topic", "count": 6, "idle_ms": 20_000})
		attached, _ := call.Until(t, "attached")
		send(t, next(t, c), s, attached.Address, harness.Fields{"kind": "topic", "count": 5, "producer": c.Name})
		lastTo(t, s, attached.Address, c.Name, 6)
		inOrder(t, messages(t, call), c.Name, 1, 64)
		gone := c.Do(t, harness.Fields{"cmd": "send", "url": s.URL, "address": attached.Address, "kind": "topic", "count": 1}).Error(t)
		if gone.Condition != "amqp:not-found" {
			t.Errorf("publishing to it later: %q (%s), want amqp:not-found", gone.Condition, gone.Error)
		}
	})
}

// TestTemporaryOfItsConnection: only the connection that made a temporary queue as
// JMS has it consumes from it; everybody sends.
func TestTemporaryOfItsConnection(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"dynamic"}, func(t *testing.T, c *harness.Client) {
		call := c.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "dynamic": true, "kind": "temporary-queue", "count": 6, "idle_ms": 20_000})
		attached, _ := call.Until(t, "attached")
		for _, other := range everybody(t) {
			e := other.Do(t, harness.Fields{"cmd": "receive", "url": s.URL, "address": attached.Address, "count": 1}).Error(t)
			if e.Condition != "amqp:resource-locked" {
				t.Errorf("%s was refused with %q (%s), want amqp:resource-locked", other.Name, e.Condition, e.Error)
			}
		}
		send(t, next(t, c), s, attached.Address, harness.Fields{"count": 5, "producer": c.Name})
		lastTo(t, s, attached.Address, c.Name, 6)
		inOrder(t, messages(t, call), c.Name, 1, 64)
	})
}

// TestUnknownTemporary: a temporary destination that is not there is refused at attach.
func TestUnknownTemporary(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		for _, cmd := range []string{"send", "receive"} {
			e := c.Do(t, harness.Fields{"cmd": cmd, "url": s.URL, "address": "$TMP$.tidegate.nothing.1", "count": 1}).Error(t)
			if e.Condition != "amqp:not-found" {
				t.Errorf("%s: %q (%s), want amqp:not-found", cmd, e.Condition, e.Error)
			}
		}
	})
}

// TestRelay: a producer without a destination names one in each message, a queue
// or a topic.
func TestRelay(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"relay"}, func(t *testing.T, c *harness.Client) {
		relay := harness.Fields{"relay": true}
		send(t, c, s, "relay."+c.Name, relay, harness.Fields{"count": 20})
		inOrder(t, receive(t, c, s, "relay."+c.Name, 20), c.Name, 1, 64)
		topic := "relay.topic." + c.Name
		subscriber := receiving(t, c, s, topic, harness.Fields{"kind": "topic", "count": 5, "idle_ms": 20_000})
		if c.Name != "java" {
			topic = "topic://" + topic // JMS says so by an annotation
		}
		send(t, c, s, topic, relay, harness.Fields{"kind": "topic", "count": 5})
		inOrder(t, messages(t, subscriber), c.Name, 1, 64)
	})
}

// TestRelayUnknown: what such a producer sends to a destination that is missing is
// rejected with amqp:not-found, and so is the next (Appendix A).
func TestRelayUnknown(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"relay"}, func(t *testing.T, c *harness.Client) {
		done, events := c.Do(t, harness.Fields{
			"cmd": "send", "url": s.URL, "address": "$TMP$.tidegate.nothing.1", "relay": true, "producer": c.Name, "count": 3,
		}).Done(t)
		if done.Refused != 3 {
			t.Errorf("%d of 3 refused", done.Refused)
		}
		told := !leaves(t, c, "conditions")
		for _, e := range events {
			if e.Event == "outcome" && (e.Outcome != "rejected" || told && e.Condition != "amqp:not-found") {
				t.Errorf("message %d %s: %q (%s), want rejected with amqp:not-found", e.Seq, e.Outcome, e.Condition, e.Error)
			}
		}
	})
}
