package interop

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/core"
)

// stream brings in what a reliable transport delivers: each message by itself, without
// the outside hearing of it. It waits while the broker holds too many answers back
// (flow control); what the broker refuses is lost.
func (l *link) stream(all []Inbound) error {
	r := l.r
	now, mk := time.Now(), maker{r: r}
	placed := make([]placing, 0, len(all))
	for i := range all {
		p, keep, err := l.place(&all[i], &mk, now)
		if err != nil {
			return err
		}
		if keep {
			p.from = i
			placed = append(placed, p)
		}
	}
	for r.streamed.Load() > maxStreamed {
		select {
		case <-l.allowed:
		case <-l.ctx.Done():
			l.Lost(len(placed), false, context.Cause(l.ctx))
			return nil
		}
	}
	envelopes, forget, err := r.contents(placed)
	defer forget()
	if err != nil {
		return err
	}
	r.streamed.Add(int64(len(placed)))
	r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		for i := range placed {
			b.PublishTo(now, r.streamer, placed[i].to, core.Send{Check: core.CheckAlways}, envelopes[i], fx)
		}
	})
	bytes := int64(0)
	for i := range placed {
		bytes += placed[i].size
	}
	r.counters.imported.Add(uint64(len(placed)))
	r.counters.importedBytes.Add(uint64(bytes))
	return nil
}

// answered takes the broker's answer to one of them.
func (r *Runner) answered(out *core.Out) {
	r.streamed.Add(-1)
	r.mu.Lock()
	l := r.current
	r.mu.Unlock()
	if l != nil {
		notify(l.allowed)
	}
	if out.Err == nil {
		return
	}
	r.counters.imported.Add(^uint64(0))
	r.counters.lostIn.Add(1)
	r.event(core.EventTransportLost, out.Err)
}
