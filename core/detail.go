package core

import "time"

// Detailed says which details are counted (ems detailed_statistics): by
// destination, what producers without one of their own send, and what comes to
// subscriptions of wildcards.
type Detailed struct {
	Producers, Consumers bool
	// Keep is how long a count stays that does not move; 0: as long as its producer
	// or subscription.
	Keep time.Duration
	// MaxBytes bounds the memory of all counts; what would go beyond is not counted.
	// 0: no limit.
	MaxBytes int64
}

// detailBytes is about what one count takes, besides its name.
const detailBytes = 192

// details are counts by destination; nil: there are none.
type details map[Destination]*detail

type detail struct {
	meter
	seen  uint64 // messages, when last looked at
	moved int64  // ms, when they were last found to be more
}

// DetailView is one count.
type DetailView struct {
	Destination Destination
	Traffic     Traffic
}

// Detail sets what is counted in detail from now on. What is no longer, is
// forgotten.
func (b *Broker) Detail(o Detailed) {
	if !o.Producers {
		b.producers.each(func(p *producer) { b.forgetDetails(&p.details) })
	}
	if !o.Consumers {
		for _, q := range b.all {
			if q.sub != nil {
				b.forgetDetails(&q.sub.details)
			}
		}
	}
	b.detailed = o
}

func (b *Broker) detail(all *details, d Destination, bytes int64) {
	x := (*all)[d]
	if x == nil {
		size := detailBytes + int64(len(d.Name))
		if b.detailed.MaxBytes > 0 && b.detailSize+size > b.detailed.MaxBytes {
			return
		}
		if *all == nil {
			*all = details{}
		}
		b.detailSize += size
		x = &detail{}
		(*all)[d] = x
	}
	x.in.add(bytes)
}

func (b *Broker) forgetDetails(all *details) {
	for d := range *all { // order: irrelevant
		b.detailSize -= detailBytes + int64(len(d.Name))
	}
	*all = nil
}

// sampleDetails makes rates, and forgets what does not move any more.
func (b *Broker) sampleDetails(all *details, at int64) {
	for d, x := range *all { // order: irrelevant
		x.sample(at)
		switch {
		case x.seen != x.in.msgs:
			x.seen, x.moved = x.in.msgs, at
		case b.detailed.Keep > 0 && at-x.moved > b.detailed.Keep.Milliseconds():
			b.detailSize -= detailBytes + int64(len(d.Name))
			delete(*all, d)
		}
	}
}

// views lists counts by name.
func (all details) views() []DetailView {
	names := make([]Destination, 0, len(all))
	for d := range all { // order: irrelevant
		names = append(names, d)
	}
	sortDestinations(names)
	views := make([]DetailView, len(names))
	for i, d := range names {
		views[i] = DetailView{d, all[d].inward()}
	}
	return views
}
