package suite

import (
	"testing"
	"time"
)

// BenchmarkHostile says how much the well-behaved client of TestHostilePeers does
// beside each hostile peer, against how much it does alone on the same server:
// `go test -run '^$' -bench Hostile ./e2e/suite`. The peers share the machine
// with the server, so part of what is lost is theirs.
func BenchmarkHostile(b *testing.B) {
	for _, m := range misdeeds() {
		b.Run(m.name, func(b *testing.B) {
			s, honest := m.start(b)
			if m.before != nil {
				m.before(b, s)
			}
			honest.begin()
			alone := honest.rate(func() { <-time.After(2 * time.Second) })
			b.ResetTimer()
			beside := honest.rate(func() {
				for b.Loop() {
					m.do(b, s)
				}
			})
			b.StopTimer()
			honest.end()
			b.ReportMetric(alone, "alone-msgs/s")
			b.ReportMetric(beside, "beside-msgs/s")
			b.ReportMetric(alone/beside, "times-slower")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// rate is how many messages a second are done while do runs.
func (c *steady) rate(do func()) float64 {
	before, began := c.done.Load(), time.Now()
	do()
	return float64(c.done.Load()-before) / time.Since(began).Seconds()
}
