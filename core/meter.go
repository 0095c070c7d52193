package core

import "time"

// Traffic is what went one way through something since it was made, and each
// second as of the last Sample.
type Traffic struct {
	Msgs, Bytes       uint64
	MsgRate, ByteRate uint64
}

// meter counts what goes in and out. Counting is two additions; rates are made
// aside, by Sample, and only for what has moved.
type meter struct {
	in, out counter
	rates   *rates
}

type counter struct{ msgs, bytes uint64 }

func (c *counter) add(bytes int64) {
	c.msgs++
	c.bytes += uint64(bytes)
}

type rates struct {
	in, out         counter // as they stood
	at              int64   // ms
	inRate, outRate counter // a second
}

// sample makes rates of what was counted since the last call.
func (m *meter) sample(at int64) {
	r := m.rates
	if r == nil {
		if m.in.msgs|m.out.msgs != 0 {
			m.rates = &rates{in: m.in, out: m.out, at: at}
		}
		return
	}
	if r.in == m.in && r.out == m.out && r.inRate.msgs|r.outRate.msgs == 0 {
		r.at = at
		return
	}
	if elapsed := at - r.at; elapsed > 0 {
		r.inRate, r.outRate = perSecond(r.in, m.in, elapsed), perSecond(r.out, m.out, elapsed)
		r.in, r.out, r.at = m.in, m.out, at
	}
}

func perSecond(from, to counter, ms int64) counter {
	return counter{(to.msgs - from.msgs) * 1000 / uint64(ms), (to.bytes - from.bytes) * 1000 / uint64(ms)}
}

func (m *meter) inward() Traffic {
	t := Traffic{Msgs: m.in.msgs, Bytes: m.in.bytes}
	if m.rates != nil {
		t.MsgRate, t.ByteRate = m.rates.inRate.msgs, m.rates.inRate.bytes
	}
	return t
}

func (m *meter) outward() Traffic {
	t := Traffic{Msgs: m.out.msgs, Bytes: m.out.bytes}
	if m.rates != nil {
		t.MsgRate, t.ByteRate = m.rates.outRate.msgs, m.rates.outRate.bytes
	}
	return t
}

// SampleTotals makes the server's own rates.
func (b *Broker) SampleTotals(now time.Time) { b.total.sample(millis(now)) }

// A SampleCursor is how far a Sample got: the zero one begins.
type SampleCursor struct{ stage, at int }

// Sample makes the rates of up to n queues, topics, producers and consumers, and
// says where to go on; false: that was all.
func (b *Broker) Sample(now time.Time, c SampleCursor, n int) (SampleCursor, bool) {
	at := millis(now)
	stages := [...]int{len(b.all), len(b.topicList), len(b.producers.slots), len(b.consumers.slots)}
	for ; n > 0; n-- {
		for c.stage < len(stages) && c.at >= stages[c.stage] {
			c.stage, c.at = c.stage+1, 0
		}
		switch c.stage {
		case 0:
			q := b.all[c.at]
			q.sample(at)
			if q.sub != nil {
				b.sampleDetails(&q.sub.details, at)
			}
		case 1:
			b.topicList[c.at].sample(at)
		case 2:
			if p := b.producers.slots[c.at].v; p != nil {
				p.sample(at)
				b.sampleDetails(&p.details, at)
			}
		case 3:
			if k := b.consumers.slots[c.at].v; k != nil {
				k.sample(at)
			}
		default:
			return c, false
		}
		c.at++
	}
	return c, true
}
