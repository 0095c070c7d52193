package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramQuantilesAreAtMostOneBucketTooLong(t *testing.T) {
	var h Histogram
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(rnd.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, .01, .5, .9, .99, .999, 1} {
		exact := all[max(int(q*float64(len(all))+.5), 1)-1]
		got := h.Quantile(q)
		if got < exact || float64(got) > float64(exact)*(1+1.0/64)+1 {
			t.Errorf("quantile %v: %v, of the exact %v", q, got, exact)
		}
	}
	if h.Max() != all[len(all)-1] || h.Count() != uint64(len(all)) {
		t.Errorf("max %v, count %d", h.Max(), h.Count())
	}
}

func TestHistogramTakesEveryDuration(t *testing.T) {
	var a, b Histogram
	if a.Quantile(.5) != 0 {
		t.Error("an empty histogram has a quantile")
	}
	a.Add(-time.Second)
	a.AddN(1<<63-1, 2)
	b.AddN(0, 3)
	a.Merge(&b)
	if a.Count() != 6 || a.Quantile(.5) != 0 || a.Quantile(1) != 1<<63-1 {
		t.Errorf("count %d, %v, %v", a.Count(), a.Quantile(.5), a.Quantile(1))
	}
	for _, v := range []uint64{0, 1, 63, 64, 127, 128, 129, 255, 256, 1<<63 - 1, 1<<64 - 1} {
		i := bucket(v)
		if ceiling(i) < v || i > 0 && ceiling(i-1) >= v || i >= buckets {
			t.Errorf("%d is in bucket %d, up to %d", v, i, ceiling(i))
		}
	}
}
