package perf

import (
	"strconv"
	"testing"
)

// BenchmarkWorkload runs each workload of the bench against its own broker, on
// one core with the load on the other: b.N messages, of which ns/op is the
// reciprocal of the rate. For figures to publish use "tidegate bench run", which
// warms up, runs in turn and gives medians (docs/benchmarks.md).
func BenchmarkWorkload(b *testing.B) {
	for _, c := range []struct{ workload, durability string }{
		{"np-windowed", "normal"},
		{"p-windowed", "normal"},
		{"p-windowed", "failsafe"},
		{"wait-1", "failsafe"},
		{"wait-64", "failsafe"},
		{"many", "failsafe"},
	} {
		b.Run(c.workload+"/"+c.durability, func(b *testing.B) {
			r := run(b, 0, "--workload", c.workload, "--durability", c.durability, "--rounds", "1", "--count", strconv.Itoa(b.N))
			f := r.Workloads[0].Rounds[0]
			b.ReportMetric(1e9/f.Rate, "ns/op")
			b.ReportMetric(f.Rate, "msgs/s")
			for unit, v := range map[string]*float64{
				"broker-us/msg": f.BrokerCPU, "load-us/msg": f.LoadCPU, "p99-us": f.P99, "peak-rss-B": f.Peak,
			} {
				if v != nil {
					b.ReportMetric(*v, unit)
				}
			}
		})
	}
}

// BenchmarkSize shows what a message costs by its size, durable and flushed.
func BenchmarkSize(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 16 << 10, 256 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r := run(b, 0, "--workload", "p-windowed", "--rounds", "1", "--size", strconv.Itoa(size), "--backlog", "1000", "--count", strconv.Itoa(b.N))
			f := r.Workloads[0].Rounds[0]
			b.ReportMetric(1e9/f.Rate, "ns/op")
			b.ReportMetric(f.Rate, "msgs/s")
			if f.BrokerCPU != nil {
				b.ReportMetric(*f.BrokerCPU, "broker-us/msg")
			}
		})
	}
}
