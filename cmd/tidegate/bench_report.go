package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tidegate/tidegate/amqp/load"
)

// benchReport is all that a run of the bench found. Its JSON form is a promise:
// names stay, units stand in them.
type benchReport struct {
	Version     string          `json:"version"`
	Machine     machine         `json:"machine"`
	Broker      benchBroker     `json:"broker"`
	LoadCore    *int            `json:"load_core"` // null: not pinned
	Workloads   []benchWorkload `json:"workloads"`
	Interrupted bool            `json:"interrupted"`
}

// benchBroker says what was loaded.
type benchBroker struct {
	URL        string  `json:"url,omitempty"` // absent: our own
	PID        int     `json:"pid,omitempty"`
	Durability string  `json:"durability,omitempty"` // of our own
	FlushDelay float64 `json:"flush_delay_ms"`
	Core       *int    `json:"core"` // null: not pinned
	// DataInMemory: our own broker's data lies on a tmpfs, whose flushes are free.
	DataInMemory bool `json:"data_in_memory"`
}

type benchWorkload struct {
	Name      string         `json:"name"`
	Delivery  string         `json:"delivery"`
	Producers int            `json:"producers"`
	Consumers int            `json:"consumers"`
	Size      int            `json:"size_bytes"`
	Window    int            `json:"window"`
	Credit    int            `json:"credit"`
	Batch     int            `json:"batch"`
	Backlog   int            `json:"backlog"`
	Queued    uint64         `json:"queued_before"`
	Rate      float64        `json:"offered_per_s"` // 0: as many as go
	Count     uint64         `json:"count"`         // 0: by time
	Rounds    []benchFigures `json:"rounds"`
	// Median has the median of every figure, by itself; absent without rounds.
	Median *benchFigures `json:"median,omitempty"`
}

// benchFigures are one round's. What is not known is null.
type benchFigures struct {
	Seconds  float64 `json:"seconds"`
	Messages float64 `json:"messages"` // received while measured; sent, where nobody receives
	Rate     float64 `json:"msgs_per_s"`
	Sent     float64 `json:"sent_per_s"`
	Settled  float64 `json:"settled_per_s"`
	Received float64 `json:"received_per_s"`

	P50  *float64 `json:"latency_p50_us"`
	P90  *float64 `json:"latency_p90_us"`
	P99  *float64 `json:"latency_p99_us"`
	P999 *float64 `json:"latency_p999_us"`
	Max  *float64 `json:"latency_max_us"`

	// From the send to the settlement; null where messages are sent settled.
	AcceptP50 *float64 `json:"accept_p50_us"`
	AcceptP99 *float64 `json:"accept_p99_us"`
	AcceptMax *float64 `json:"accept_max_us"`

	BrokerCPU    *float64 `json:"broker_cpu_us_per_msg"`
	BrokerUser   *float64 `json:"broker_user_us_per_msg"`
	BrokerSystem *float64 `json:"broker_system_us_per_msg"`
	LoadCPU      *float64 `json:"load_cpu_us_per_msg"`
	IdleRSS      *float64 `json:"broker_idle_rss_bytes"`
	AttachedRSS  *float64 `json:"broker_attached_rss_bytes"` // all connections there, nothing sent
	PeakRSS      *float64 `json:"broker_peak_rss_bytes"`
	Written      *float64 `json:"broker_written_bytes"`

	Redelivered uint64         `json:"redelivered"`
	Foreign     uint64         `json:"foreign"` // messages in the queue that were not ours
	Problems    *load.Problems `json:"problems,omitempty"`
}

func (b *bencher) newReport(plan []workload) *benchReport {
	r := &benchReport{Version: version, Machine: thisMachine()}
	if b.loadCore >= 0 {
		r.LoadCore, r.Broker.Core = &b.loadCore, &b.brokerCore
	}
	r.Broker.PID = b.o.pid
	if b.o.url == "" {
		r.Broker.Durability = b.o.durability
		r.Broker.FlushDelay = float64(b.o.flush) / float64(time.Millisecond)
		r.Broker.DataInMemory = inMemory(cmp.Or(b.o.data, os.TempDir()))
	} else {
		r.Broker.URL = redacted(b.o.url)
	}
	for i := range plan {
		w := &plan[i]
		r.Workloads = append(r.Workloads, benchWorkload{
			Name: w.name, Delivery: w.delivery, Producers: w.producers, Consumers: w.consumers, Size: b.o.size, Window: w.window,
			Credit: w.credit, Batch: w.batch, Backlog: w.backlog, Queued: w.queued, Rate: b.o.rate, Count: b.o.count,
			Rounds: []benchFigures{},
		})
	}
	return r
}

// newFigures makes a round's figures; rates are of what happened between first
// and last.
func newFigures(s *span, res *load.Result) *benchFigures {
	first, last := &s.first, &s.last
	f := &benchFigures{Seconds: last.at.Sub(first.at).Seconds(), Redelivered: res.Totals.Redelivered, Foreign: res.Totals.Foreign}
	per := func(n uint64) float64 { return float64(n) / f.Seconds }
	sent, received := last.totals.Sent-first.totals.Sent, last.totals.Received-first.totals.Received
	f.Sent, f.Settled, f.Received = per(sent), per(last.totals.Settled-first.totals.Settled), per(received)
	messages := max(received, last.totals.Foreign-first.totals.Foreign)
	if messages == 0 {
		messages = sent
	}
	f.Messages, f.Rate = float64(messages), per(messages)
	us := func(d time.Duration) *float64 { return some(float64(d) / 1e3) }
	if h := &res.Accepted; h.Count() > 0 {
		f.AcceptP50, f.AcceptP99, f.AcceptMax = us(h.Quantile(.5)), us(h.Quantile(.99)), us(h.Max())
	}
	if h := &res.Latency; h.Count() > 0 {
		f.P50, f.P90, f.P99, f.P999, f.Max = us(h.Quantile(.5)), us(h.Quantile(.9)), us(h.Quantile(.99)), us(h.Quantile(.999)), us(h.Max())
	}
	each := func(d time.Duration) *float64 {
		if messages == 0 {
			return nil
		}
		return some(float64(d) / 1e3 / float64(messages))
	}
	f.LoadCPU = each(last.load - first.load)
	if first.known {
		cpu, user := last.broker.cpu-first.broker.cpu, last.broker.user-first.broker.user
		user = min(max(user, 0), cpu)
		f.BrokerCPU, f.BrokerUser, f.BrokerSystem = each(cpu), each(user), each(cpu-user)
		f.IdleRSS, f.AttachedRSS, f.PeakRSS = some(float64(s.idle.broker.rss)), some(float64(s.attached.broker.rss)), some(float64(s.end.broker.peak))
		if first.broker.written >= 0 {
			f.Written = some(float64(last.broker.written - first.broker.written))
		}
	}
	if res.Problems.Any() {
		f.Problems = &res.Problems
	}
	return f
}

func some(v float64) *float64 { return &v }

// finish fills in the medians.
func (r *benchReport) finish() {
	for i := range r.Workloads {
		if w := &r.Workloads[i]; len(w.Rounds) > 0 {
			w.Median = medians(w.Rounds)
		}
	}
}

// columns are the figures of which medians are taken.
func (f *benchFigures) columns() []**float64 {
	return []**float64{&f.P50, &f.P90, &f.P99, &f.P999, &f.Max, &f.AcceptP50, &f.AcceptP99, &f.AcceptMax, &f.BrokerCPU, &f.BrokerUser, &f.BrokerSystem, &f.LoadCPU, &f.IdleRSS, &f.AttachedRSS, &f.PeakRSS, &f.Written}
}

func medians(rounds []benchFigures) *benchFigures {
	m := &benchFigures{}
	plain := func(f *benchFigures) []*float64 {
		return []*float64{&f.Seconds, &f.Messages, &f.Rate, &f.Sent, &f.Settled, &f.Received}
	}
	for i, to := range plain(m) {
		var all []float64
		for j := range rounds {
			all = append(all, *plain(&rounds[j])[i])
		}
		*to = median(all)
	}
	for i, to := range m.columns() {
		var all []float64
		for j := range rounds {
			if v := *rounds[j].columns()[i]; v != nil {
				all = append(all, *v)
			}
		}
		if len(all) > 0 {
			*to = some(median(all))
		}
	}
	for _, f := range rounds {
		m.Redelivered += f.Redelivered
		m.Foreign += f.Foreign
	}
	return m
}

// median sorts v.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// measured tells whether there is a figure to print.
func (r *benchReport) measured() bool {
	return slices.ContainsFunc(r.Workloads, func(w benchWorkload) bool { return len(w.Rounds) > 0 })
}

// problems counts all of them.
func (r *benchReport) problems() (n uint64) {
	for _, w := range r.Workloads {
		for _, f := range w.Rounds {
			if p := f.Problems; p != nil {
				n += p.Lost + p.Repeated + p.Reordered + p.Corrupt + p.Refused + p.Unsettled
			}
		}
	}
	return n
}

func (r *benchReport) print(out io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.table(out)
}

// table prints a line a workload: medians, and the range of the rate.
func (r *benchReport) table(out io.Writer) error {
	fmt.Fprintf(out, "tidegate %s, %s, %d cores (%s), %s\n", r.Version, r.where(), r.Machine.Cores, r.Machine.CPU, r.Machine.Kernel)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "workload\trounds\tmsgs/s\tlowest\thighest\tp50 ms\tp90\tp99\tp99.9\tmax\taccepted p50\tp99\tbroker us/msg\tuser\tsystem\tload us/msg\tidle MiB\tpeak MiB\twritten B/msg\t")
	for i := range r.Workloads {
		r.Workloads[i].row(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, w := range r.Workloads {
		for n, f := range w.Rounds {
			if p := f.Problems; p != nil {
				fmt.Fprintf(out, "%s, round %d: lost %d, repeated %d, reordered %d, changed %d, refused %d, not settled %d\n  %s\n",
					w.Name, n+1, p.Lost, p.Repeated, p.Reordered, p.Corrupt, p.Refused, p.Unsettled, strings.Join(p.Examples, "\n  "))
			}
		}
		if m := w.Median; m != nil && m.Foreign > 0 {
			fmt.Fprintf(out, "%s: %d messages in the queue were not of this run\n", w.Name, m.Foreign)
		}
	}
	if r.Interrupted {
		fmt.Fprintln(out, "interrupted: these are the figures up to then, and nothing was checked to the end in the last round")
	}
	return nil
}

// where says what was loaded, and on which cores.
func (r *benchReport) where() string {
	what := r.Broker.URL
	if what == "" {
		what = "own broker, " + r.Broker.Durability
		if r.Broker.FlushDelay > 0 {
			what += fmt.Sprintf(", flush +%g ms", r.Broker.FlushDelay)
		}
	}
	if r.Broker.DataInMemory {
		what += ", data in memory (tmpfs: flushes cost nothing; see --data)"
	}
	if r.LoadCore != nil {
		what += fmt.Sprintf(", broker on core %d, load on %d", *r.Broker.Core, *r.LoadCore)
	}
	return what
}

func (b *benchWorkload) row(w io.Writer) {
	m := b.Median
	if m == nil {
		fmt.Fprintf(w, "%s\t0%s\n", b.Name, strings.Repeat("\t-", 17)+"\t")
		return
	}
	low, high := m.Rate, m.Rate
	for _, f := range b.Rounds {
		low, high = min(low, f.Rate), max(high, f.Rate)
	}
	const ms, mib = 1e3, 1 << 20
	cell := func(v *float64, unit float64, digits int) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.*f", digits, *v/unit)
	}
	cells := []string{
		b.Name, fmt.Sprint(len(b.Rounds)), fmt.Sprintf("%.0f", m.Rate), fmt.Sprintf("%.0f", low), fmt.Sprintf("%.0f", high),
		cell(m.P50, ms, 2), cell(m.P90, ms, 2), cell(m.P99, ms, 2), cell(m.P999, ms, 2), cell(m.Max, ms, 2), cell(m.AcceptP50, ms, 2), cell(m.AcceptP99, ms, 2),
		cell(m.BrokerCPU, 1, 2), cell(m.BrokerUser, 1, 2), cell(m.BrokerSystem, 1, 2), cell(m.LoadCPU, 1, 2),
		cell(m.IdleRSS, mib, 1), cell(m.PeakRSS, mib, 1), cell(m.Written, max(m.Messages, 1), 0),
	}
	fmt.Fprintln(w, strings.Join(cells, "\t")+"\t")
}
