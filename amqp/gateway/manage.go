package gateway

import (
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
)

// What both ways of managing queues do. Each asks for its own permission.

// purgeSlice is how many messages are removed in one step: others have the broker
// in between.
const purgeSlice = 10_000

func queueNamed(n string) core.Destination { return core.Destination{Kind: core.Queue, Name: n} }

// declareQueue makes a queue, or finds it.
func (x *call) declareQueue(now time.Time, b *core.Broker, fx *core.Effects, n string, life core.Declared) (created bool, err error) {
	if err := b.May(x.c.b.ID(), "create", core.MayCreate, queueNamed(n)); err != nil {
		return false, err
	}
	return b.Declare(now, n, life, fx)
}

// queueInfo finds a queue that clients may see.
func (x *call) queueInfo(b *core.Broker, n string) (core.QueueView, error) {
	if err := b.May(x.c.b.ID(), "view", core.MayView, queueNamed(n)); err != nil {
		return core.QueueView{}, err
	}
	q, ok := b.QueueView(n)
	if !ok || strings.HasPrefix(n, "$") {
		return q, &core.Error{Op: "view", Kind: core.NotFound, Name: n}
	}
	return q, nil
}

// removeQueue deletes a queue, and says how many messages it held.
func (x *call) removeQueue(now time.Time, b *core.Broker, fx *core.Effects, n string) (messages int, err error) {
	if err := b.May(x.c.b.ID(), "delete", core.MayDelete, queueNamed(n)); err != nil {
		return 0, err
	}
	q, ok := b.QueueView(n)
	if !ok || strings.HasPrefix(n, "$") {
		return 0, &core.Error{Op: "delete", Kind: core.NotFound, Name: n}
	}
	return q.Msgs, b.Delete(now, queueNamed(n), fx)
}

// purgeQueue empties a queue slice by slice, and then tells how many messages went;
// done runs within the last step.
func (x *call) purgeQueue(b *core.Broker, n string, done func(now time.Time, b *core.Broker, fx *core.Effects, messages int)) error {
	if err := b.May(x.c.b.ID(), "purge", core.MayPurge, queueNamed(n)); err != nil {
		return err
	}
	purge, err := b.PurgeQueue(n)
	if err != nil {
		return err
	}
	x.later(func() {
		for more := true; more; {
			x.c.b.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
				x.records = len(fx.Records)
				if more = b.Purge(now, purge, purgeSlice, fx); !more {
					done(now, b, fx, purge.Removed)
				}
			})
		}
	})
	return nil
}
