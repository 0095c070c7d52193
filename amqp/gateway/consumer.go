package gateway

import (
	"slices"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	amqpmessage "github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// consumer is a link on which the client receives.
type consumer struct {
	link           *engine.Link
	id             core.ConsumerID
	settled        bool // deliveries go settled
	defaultOutcome core.Outcome
	made           *made            // by this link
	replies        *replyKey        // of a link for a service's answers, and
	queue          core.Destination // what stands behind it
	keeps          bool             // a detach that does not close leaves its deliveries unsettled
	suspended      bool             // that is how it is
	client         string           // of a durable subscription: a closing detach deletes it
	subscription   *core.SubscriptionOptions
	closed         bool // under conn.mu
	begun, done    uint64
	recalled       core.DeliveryID // up to here nothing is sent any more; the writer's
	reached        uint64          // begun when its end came
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
	if k.reached != 0 {
		b.Wrote(now, k.id, core.DeliveryID(k.reached), 0, fx)
	}
	b.CloseConsumer(now, k.id, fx)
	switch {
	case k.replies != nil:
		c.forgetReplies(now, b, fx, k)
	case k.made != nil:
		return c.leave(now, b, fx, k.link, k.made, closed)
	case closed && k.subscription != nil && k.subscription.Durable:
		if err := c.unsubscribe(now, b, fx, k.client, k.subscription.Name, k.subscription.Global); err != nil && !isKind(err, core.NotFound) {
			return amqpError(err)
		}
	}
	return nil
}

// unsubscribe deletes a durable subscription, if the client may.
func (c *conn) unsubscribe(now time.Time, b *core.Broker, fx *core.Effects, client, name string, global bool) error {
	if s, found := b.Subscription(client, name, global); found {
		if err := b.May(c.b.ID(), "unsubscribe from", core.MayDurable, core.Destination{Kind: core.Topic, Name: s.Topic}); err != nil {
			return err
		}
	}
	return b.Unsubscribe(now, client, name, global, fx)
}

// suspend is a detach that does not close: what the client has seen it may still
// settle while the session lives (amqp 2.6.6). false: there is nothing.
func (c *conn) suspend(now time.Time, b *core.Broker, fx *core.Effects, k *consumer, begun uint64) bool {
	if !k.keeps || !b.SuspendConsumer(now, k.id, core.DeliveryID(begun), fx) {
		return false
	}
	_ = c.leave(now, b, fx, k.link, k.made, false)
	k.made, k.suspended = nil, true
	c.suspended = append(c.suspended, k)
	return true
}

// resumed ends suspended consumers whose link comes again: deliveries are not
// resumed (docs/decisions/0016-links-are-not-resumed.md).
func (c *conn) resumed(now time.Time, b *core.Broker, fx *core.Effects, link *engine.Link) {
	c.suspended = slices.DeleteFunc(c.suspended, func(k *consumer) bool {
		again := k.link.Session() == link.Session() && k.link.Name == link.Name
		if again {
			c.closeConsumer(now, b, fx, k, false)
			k.link.Ref = nil
		}
		return again
	})
}

// annotated is a modified outcome's annotations together with those that the
// delivery's message has already; nil: there are none.
func annotated(b *core.Broker, id core.DeliveryID, state frame.DeliveryState) []byte {
	m, ok := state.(*frame.Modified)
	if !ok || len(m.MessageAnnotations) == 0 {
		return nil
	}
	return amqpmessage.MergeMaps(nil, b.Notes(id), wire.AppendValue(nil, m.MessageAnnotations))
}

// outcomeOf is what a delivery state says to the broker; false: no outcome.
func outcomeOf(state frame.DeliveryState) (core.Outcome, bool) {
	switch s := state.(type) {
	case frame.Accepted, *frame.Accepted:
		return core.Outcome{Kind: core.Accepted}, true
	case *frame.Rejected:
		return core.Outcome{Kind: core.Rejected}, true
	case frame.Released, *frame.Released:
		return core.Outcome{Kind: core.Released}, true
	case *frame.Modified:
		return core.Outcome{Kind: core.Modified, DeliveryFailed: s.DeliveryFailed, UndeliverableHere: s.UndeliverableHere}, true
	}
	return core.Outcome{}, false
}
