package interop

import (
	"errors"
	"time"

	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
)

// wake is the broker's: outs wait.
func (r *Runner) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// pump takes what the broker has for the runner. It never waits for the outside.
func (r *Runner) pump() {
	var spare []core.Out
	for {
		select {
		case <-r.woken:
		case <-r.ctx.Done():
			return
		}
		outs := r.conn.Take(spare)
		for i := 0; i < len(outs); {
			n := 1
			if outs[i].Kind == core.OutDeliver {
				for i+n < len(outs) && outs[i+n].Kind == core.OutDeliver && outs[i+n].Consumer == outs[i].Consumer {
					n++
				}
				r.deliver(outs[i : i+n])
			} else {
				r.answer(&outs[i])
			}
			i += n
		}
		clear(outs)
		spare = outs[:0]
	}
}

// deliver leads a run of one consumer's deliveries to the session.
func (r *Runner) deliver(outs []core.Out) {
	if outs[0].Consumer == r.ledger.consumer {
		r.readLedger(outs)
		return
	}
	r.mu.Lock()
	o, l := r.consumers[outs[0].Consumer], r.current
	r.mu.Unlock()
	if o == nil {
		return // it is closed: the broker has them back
	}
	if l != nil && l.queue(outs) {
		return
	}
	if r.certified {
		return // the session ends: its outlets are closed, and give them back
	}
	r.counters.lostOut.Add(uint64(len(outs)))
	r.event(core.EventTransportLost, errNotConnected)
	r.conn.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		o.passOn(now, b, outs[len(outs)-1].Delivery, len(outs), fx)
	})
}

var errNotConnected = errors.New("not connected")

// answer is what the broker says beside deliveries.
func (r *Runner) answer(out *core.Out) {
	switch out.Kind {
	case core.OutSettled, core.OutDischarged:
		if out.Producer != 0 && out.Producer == r.streamer {
			r.answered(out)
			return
		}
		r.mu.Lock()
		r.waits.answer(out)
		r.mu.Unlock()
	case core.OutConsumerGone:
		r.mu.Lock()
		delete(r.consumers, out.Consumer)
		r.mu.Unlock()
		r.log.Warn("an exported queue is gone", "transport", r.spec.Name, "err", out.Err)
	default:
	}
}

// readLedger reads rows of the ledger; their bytes may have to be brought into memory.
func (r *Runner) readLedger(outs []core.Out) {
	bodies := r.bytes(outs)
	for i := range outs {
		m, err := index(bodies[i])
		if err != nil {
			r.log.Error("a row of a transport's ledger cannot be read", "transport", r.spec.Name, "err", err)
			continue
		}
		data, _ := m.Bytes()
		r.ledger.take(&outs[i], data)
	}
}

// stored is a message's bytes, or the file that has them.
type stored struct {
	body [][]byte
	file coremessage.File
	ok   bool
}

// bytes gives the bytes of messages, from the disk where they are not in memory. What is
// not ok is gone.
func (r *Runner) bytes(outs []core.Out) []stored {
	all := make([]stored, len(outs))
	var missing []uint64
	for i := range outs {
		all[i].body, all[i].file, all[i].ok = r.conn.Bytes(outs[i].Message)
		if !all[i].ok {
			missing = append(missing, outs[i].Message)
		}
	}
	if missing == nil {
		return all
	}
	found := map[uint64]stored{}
	done := make(chan struct{})
	r.conn.Load(missing, func(id uint64, body [][]byte, file coremessage.File) {
		found[id] = stored{body, file, true}
	}, func() { close(done) })
	<-done
	for i := range outs {
		if !all[i].ok {
			all[i] = found[outs[i].Message]
		}
	}
	return all
}
