package server

import (
	"sync"

	"github.com/tidegate/tidegate/core"
)

// outbox is what waits to leave for one connection: ready outs in order, and
// behind gates those whose record is not durable yet. An out passes others, but
// never one of its own link.
type outbox struct {
	mu      sync.Mutex
	ready   []core.Out
	waiting []core.Out // in order
	from    int        // waiting[:from] have left
	uniform bool       // waiting has one need, and positions that do not fall
	links   []linkWait // links with something in waiting
	gated   bool       // in Server.gated
}

type linkWait struct {
	link uint64
	n    int
}

func linkOf(o *core.Out) uint64 {
	if o.Consumer != 0 {
		return uint64(o.Consumer)
	}
	return uint64(o.Producer) | 1<<63
}

func open(o *core.Out, written, synced core.Pos) bool {
	return o.After == 0 || (o.Need == core.Sync && o.After <= synced) || (o.Need == core.Write && o.After <= written) || o.Need == core.Ride
}

// push adds an out; false: it has to wait. The caller holds mu.
func (x *outbox) push(o *core.Out, written, synced core.Pos) bool {
	if x.from == len(x.waiting) {
		if open(o, written, synced) {
			x.ready = append(x.ready, *o)
			return true
		}
		x.waiting, x.from, x.uniform = x.waiting[:0], 0, true
	} else if open(o, written, synced) && !o.Barrier && x.waits(linkOf(o)) == nil {
		x.ready = append(x.ready, *o)
		return true
	}
	v := *o
	if n := len(x.waiting); n > x.from {
		last := &x.waiting[n-1]
		if v.Need == core.Ride || v.After == 0 {
			v.Need, v.After = last.Need, last.After
		}
		v.After = max(v.After, last.After)
		if v.Need != last.Need {
			x.uniform = false
		}
	}
	x.waiting = append(x.waiting, v)
	if w := x.waits(linkOf(&v)); w != nil {
		w.n++
	} else {
		x.links = append(x.links, linkWait{linkOf(&v), 1})
	}
	return false
}

func (x *outbox) waits(link uint64) *linkWait {
	for i := range x.links {
		if x.links[i].link == link {
			return &x.links[i]
		}
	}
	return nil
}

// release moves what positions have opened; true: something is ready. The
// caller holds mu.
func (x *outbox) release(written, synced core.Pos) bool {
	before := len(x.ready)
	if x.uniform {
		for x.from < len(x.waiting) && open(&x.waiting[x.from], written, synced) {
			x.leave(&x.waiting[x.from])
			x.from++
		}
	} else {
		x.releaseMixed(written, synced)
	}
	if x.from == len(x.waiting) {
		clear(x.waiting)
		x.waiting, x.from = x.waiting[:0], 0
	}
	return len(x.ready) > before
}

func (x *outbox) releaseMixed(written, synced core.Pos) {
	var blocked []uint64
	kept := x.waiting[:0]
	for i := x.from; i < len(x.waiting); i++ {
		o := x.waiting[i]
		if open(&o, written, synced) && !(o.Barrier && len(kept) > 0) && !contains(blocked, linkOf(&o)) {
			x.leave(&o)
			continue
		}
		blocked = append(blocked, linkOf(&o))
		kept = append(kept, o)
	}
	clear(x.waiting[len(kept):])
	x.waiting, x.from = kept, 0
}

func contains(links []uint64, link uint64) bool {
	for _, l := range links {
		if l == link {
			return true
		}
	}
	return false
}

func (x *outbox) leave(o *core.Out) {
	x.ready = append(x.ready, *o)
	w := x.waits(linkOf(o))
	if w.n--; w.n == 0 {
		*w = x.links[len(x.links)-1]
		x.links = x.links[:len(x.links)-1]
	}
}
