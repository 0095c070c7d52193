package interop

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/core"
)

// outlet is a consumer whose messages go out: of the transport's own queue, which has
// those of all exported topics, or of an exported queue.
type outlet struct {
	id    core.ConsumerID
	queue string // exported; "": the transport's own
	limit uint32 // as core.Broker.Credit has it
}

// lossyCredit is how many messages a reliable transport's queue has under way: they are
// done with as soon as they are taken.
const lossyCredit = 4096

// openOutlets opens those that are missing, and closes those of queues that are not
// exported any more. A reliable transport has its own at all times.
func (r *Runner) openOutlets(l *link) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	want := map[string]bool{"": true}
	if l != nil {
		for _, q := range r.spec.QueueExports {
			want[q] = true
		}
	}
	for id, o := range r.consumers {
		if want[o.queue] {
			delete(want, o.queue)
			continue
		}
		delete(r.consumers, id)
		r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.CloseConsumer(now, id, fx) })
	}
	var failed error
	for q := range want {
		failed = errors.Join(failed, r.openOutlet(q))
	}
	return failed
}

// openOutlet opens one. The caller holds mu, so that its first delivery finds it.
func (r *Runner) openOutlet(queue string) error {
	o := &outlet{queue: queue, limit: uint32(r.prefetch)}
	n := queue
	if n == "" {
		n = core.ExportQueuePrefix + r.spec.Name
	}
	if !r.certified {
		o.limit = lossyCredit
	}
	var err error
	r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		o.id, err = b.OpenConsumer(now, r.conn.ID(), core.ConsumerOptions{Destination: Destination{Kind: core.Queue, Name: n}, Settled: !r.certified}, fx)
		if err != nil {
			return
		}
		r.consumers[o.id] = o
		b.Credit(now, o.id, o.limit, false, fx)
	})
	return err
}

// closeOutlets closes all: what is not settled returns in order. A reliable transport
// keeps its own, and loses what comes.
func (r *Runner) closeOutlets() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, o := range r.consumers {
		if !r.certified && o.queue == "" {
			continue
		}
		delete(r.consumers, id)
		r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) { b.CloseConsumer(now, id, fx) })
	}
}

// passOn says that deliveries up to one have left the broker's hands; granted is how
// many more a reliable one may have.
func (o *outlet) passOn(now time.Time, b *core.Broker, last core.DeliveryID, granted int, fx *core.Effects) {
	b.Wrote(now, o.id, last, last, fx)
	if granted > 0 {
		o.limit += uint32(granted)
		b.Credit(now, o.id, o.limit, false, fx)
	}
}
