package core

import (
	"fmt"
	"testing"
)

// BenchmarkTransaction is ten messages sent in one transaction, and received outside of
// any: what it costs the core lock.
func BenchmarkTransaction(b *testing.B) {
	for _, durable := range []bool{false, true} {
		b.Run(fmt.Sprintf("durable=%v", durable), func(b *testing.B) {
			const sends = 10
			s := newStream(durable)
			b.ReportAllocs()
			for b.Loop() {
				t, _ := s.b.Begin(s.now, s.conn, &s.fx)
				s.credit(sends)
				for range sends {
					s.b.Publish(s.now, s.producer, Send{Txn: t}, s.m, &s.fx)
				}
				s.b.Discharge(s.now, s.conn, t, false, 1, &s.fx)
				s.receive()
			}
			s.empty(b)
		})
	}
}
