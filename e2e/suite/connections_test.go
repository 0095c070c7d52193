package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestClientInUse: a connection that wants to be its client's only one is refused
// while another is there, which does not notice; afterwards the id is free.
func TestClientInUse(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"sole"}, func(t *testing.T, c *harness.Client) {
		id := harness.Fields{"container": "sole-" + c.Name, "sole": true}
		holder := receiving(t, c, s, "sole."+c.Name, id, harness.Fields{"count": 1, "idle_ms": 20_000})
		// Not with connect: a library may call it open before it reads the refusal.
		e := c.Do(t, with(id, harness.Fields{"cmd": "send", "url": s.URL, "address": "sole." + c.Name, "count": 1})).Error(t)
		if e.Condition != "amqp:invalid-field" {
			t.Errorf("refused with %q (%s), want amqp:invalid-field", e.Condition, e.Error)
		}
		send(t, c, s, "sole."+c.Name, harness.Fields{"count": 1})
		inOrder(t, messages(t, holder), c.Name, 1, 64)
		c.Do(t, with(id, harness.Fields{"cmd": "connect", "url": s.URL})).Done(t)
	})
}

// TestSendClose: making a connection and a link for each message works.
func TestSendClose(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		for i := range 20 {
			send(t, c, s, "churn."+c.Name, harness.Fields{"count": 1, "first": i + 1})
		}
		inOrder(t, receive(t, c, s, "churn."+c.Name, 20), c.Name, 1, 64)
	})
}
