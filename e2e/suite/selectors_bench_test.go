package suite

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/e2e/harness"
)

// BenchmarkSelectorsAtTheDoor is acceptance 3 of issue 5 through the real binary:
// what the server's processors do for a publish that one of so many subscribers
// wants, each in turn, in microseconds of CPU; the clock says little on a machine
// that others use.
func BenchmarkSelectorsAtTheDoor(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint("subscribers=", n), func(b *testing.B) {
			s := harness.Start(b)
			came := subscribers(b, s, n)
			p := openPeer(b, s, 1)
			p.frame(0, &frame.Attach{
				Name: "news", Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)), SndSettleMode: frame.SenderSettleModeSettled,
				Source: &frame.Source{}, Target: &frame.Target{Address: "topic://prices"},
			})
			p.flush()
			until[*frame.Flow](p)
			go func() { _, _ = io.Copy(io.Discard, p.conn) }() // ends with the connection
			const batch = 100                                  // below the credit that a sender has
			id, at := uint32(0), 0
			publish := func() {
				for range batch {
					m := message.NewBuilder()
					m.SetProperty("id", fmt.Sprint("n", at%n))
					m.SetData(make([]byte, 100))
					p.transfer(0, 0, id, true, m.Append(nil))
					id, at = id+1, at+7919
				}
				p.flush()
				for range batch {
					<-came
				}
			}
			for range max(1, n/batch) {
				publish() // a queue's first message makes its ring
			}
			before := cpuTicks(b, s.PID())
			b.ResetTimer()
			messages := 0
			for b.Loop() {
				publish()
				messages += batch
			}
			const tick = 10_000 // µs: USER_HZ is 100 on Linux
			b.ReportMetric(float64(cpuTicks(b, s.PID())-before)*tick/float64(messages), "cpu-us/msg")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// subscribers attaches n of them to a topic, each with a selector of its own, on a
// few connections, and tells of each message that comes.
func subscribers(b *testing.B, s *harness.Server, n int) <-chan struct{} {
	b.Helper()
	const conns = 4
	came := make(chan struct{}, 1000)
	for c := range min(conns, n) {
		p := openPeer(b, s, 3) // of 1,024 links at most
		mine := 0
		for i := c; i < n; i += conns {
			channel, h := uint16(mine/1000), uint32(mine%1000)
			p.frame(channel, &frame.Attach{
				Name: fmt.Sprint("r", i), Handle: h, Role: frame.RoleReceiver, SndSettleMode: frame.SenderSettleModeSettled,
				Source: &frame.Source{Address: "topic://prices", Filter: wire.Map{{
					Key:   wire.Symbol("jms-selector"),
					Value: wire.Described{Descriptor: wire.Symbol("apache.org:selector-filter:string"), Value: fmt.Sprintf("id = 'n%d'", i)},
				}}},
				Target: &frame.Target{},
			})
			p.credit(channel, h, 1<<30)
			mine++
			if mine%100 == 0 || i+conns >= n { // or both sides' sockets fill
				p.flush()
				for range (mine-1)%100 + 1 {
					until[*frame.Attach](p)
				}
			}
		}
		go func() {
			for {
				f, err := p.next()
				if err != nil {
					return // the benchmark's end
				}
				if _, ok := f.(*frame.Transfer); ok {
					came <- struct{}{}
				}
			}
		}()
	}
	return came
}

// cpuTicks is the processor time of a process.
func cpuTicks(b *testing.B, pid int) int {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, which may have blanks
	f := strings.Fields(rest)
	user, err1 := strconv.Atoi(f[11])
	sys, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		b.Fatalf("no times in %s", stat)
	}
	return user + sys
}
