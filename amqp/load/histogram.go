package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets that are at most 1.6 % wide, from nothing
// to centuries, without allocating. It is not safe for use by several goroutines.
type Histogram struct {
	counts [buckets]uint64
	n      uint64
	max    time.Duration
}

// Below 2^sub ns every value has its bucket; above, each power of two has 2^sub.
const (
	sub     = 6
	buckets = (64 - sub + 1) << sub
)

func bucket(v uint64) int {
	e := max(bits.Len64(v)-sub-1, 0)
	return e<<sub + int(v>>e)
}

// ceiling is the largest value of a bucket.
func ceiling(i int) uint64 {
	e := max(i>>sub-1, 0)
	return (uint64(i-e<<sub)+1)<<e - 1
}

// Add counts a duration; one below zero counts as zero.
func (h *Histogram) Add(d time.Duration) { h.AddN(d, 1) }

// AddN counts n durations of the same length.
func (h *Histogram) AddN(d time.Duration, n uint64) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))] += n
	h.n += n
	h.max = max(h.max, d)
}

// Merge adds what o counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is the duration that the share q of all is not longer than, at most
// 1.6 % too long; 0 where there is none.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := max(uint64(q*float64(h.n)+0.5), 1)
	for i, n := range h.counts {
		if n >= want {
			return min(time.Duration(ceiling(i)), h.max)
		}
		want -= n
	}
	return h.max
}
