package gateway

import (
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/core"
)

// consumer is a link on which the client receives.
type consumer struct {
	link           *engine.Link
	id             core.ConsumerID
	settled        bool // deliveries go settled
	defaultOutcome core.Outcome
	dynamic        *core.Destination
	client         string // of a durable subscription: a closing detach deletes it
	subscription   *core.SubscriptionOptions
	closed         bool // under conn.mu
	begun, done    uint64
	progressed     bool
}

// lookup is a link that asks for a subscription by name, to delete it
// (reference 3.8).
type lookup struct {
	client, name string
	global       bool
	found        bool
}

func (c *conn) closeConsumer(now time.Time, b *core.Broker, fx *core.Effects, k *consumer, closed bool) *frame.Error {
	c.mu.Lock()
	delete(c.consumers, k.id)
	k.closed = true
	c.mu.Unlock()
	b.CloseConsumer(now, k.id, fx)
	switch {
	case k.dynamic != nil && closed:
		if err := b.DeleteTemporary(now, c.b.ID(), *k.dynamic, fx); err != nil && !isKind(err, core.NotFound) {
			return amqpError(err)
		}
	case closed && k.subscription != nil && k.subscription.Durable:
		if err := b.Unsubscribe(now, k.client, k.subscription.Name, k.subscription.Global, fx); err != nil && !isKind(err, core.NotFound) {
			return amqpError(err)
		}
	}
	return nil
}
