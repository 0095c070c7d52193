package admin

import (
	"sync"
	"time"

	"github.com/tidegate/tidegate/core"
)

// The intervals of rates (ems 1.2: server_rate_interval, rate_interval).
const (
	defaultServerRate = time.Second
	defaultRate       = 3 * time.Second
)

// sampler has the broker make rates: the server's own always, those of queues,
// topics, producers and consumers while statistics are enabled.
type sampler struct {
	s *Service

	mu         sync.Mutex
	server     *time.Timer
	each       *time.Timer
	serverRate time.Duration
	rate       time.Duration // 0: off
	disk       diskRates
	stopped    bool
	running    sync.WaitGroup
}

// diskRates are what the store read and wrote a second.
type diskRates struct {
	at         time.Time
	last       Facts
	reads      int64
	readBytes  int64
	writes     int64
	writeBytes int64
}

func (p *sampler) start(s *Service) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.s, p.serverRate, p.rate = s, defaultServerRate, defaultRate
	p.server = time.AfterFunc(p.serverRate, p.sampleServer)
	p.each = time.AfterFunc(p.rate, p.sampleEach)
}

// stop ends both, and waits for what is under way.
func (p *sampler) stop() {
	p.mu.Lock()
	p.stopped = true
	p.server.Stop()
	p.each.Stop()
	p.mu.Unlock()
	p.running.Wait()
}

// begin counts a sampling in; false: it is stopped.
func (p *sampler) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.running.Add(1)
	}
	return !p.stopped
}

// set changes the intervals; 0 turns the rates of single things off.
func (p *sampler) set(server, each time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serverRate, p.rate = server, each
	if !p.stopped {
		p.server.Reset(server)
		if each > 0 {
			p.each.Reset(each)
		} else {
			p.each.Stop()
		}
	}
}

func (p *sampler) sampleServer() {
	if !p.begin() {
		return
	}
	defer p.running.Done()
	p.s.step(func(now time.Time, b *core.Broker, _ *core.Effects) { b.SampleTotals(now) })
	facts := p.s.facts()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.disk.sample(time.Now(), facts)
	if !p.stopped {
		p.server.Reset(p.serverRate)
	}
}

func (d *diskRates) sample(now time.Time, f Facts) {
	if elapsed := now.Sub(d.at).Seconds(); !d.at.IsZero() && elapsed > 0 {
		rate := func(now, before uint64) int64 { return int64(float64(now-before) / elapsed) }
		d.reads, d.readBytes = rate(f.Reads, d.last.Reads), rate(f.ReadBytes, d.last.ReadBytes)
		d.writes, d.writeBytes = rate(f.Writes, d.last.Writes), rate(f.WriteBytes, d.last.WriteBytes)
	}
	d.at, d.last = now, f
}

func (p *sampler) sampleEach() {
	if !p.begin() {
		return
	}
	defer p.running.Done()
	cursor, more := core.SampleCursor{}, true
	for more {
		p.s.step(func(now time.Time, b *core.Broker, _ *core.Effects) { cursor, more = b.Sample(now, cursor, sliceOf) })
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped && p.rate > 0 {
		p.each.Reset(p.rate)
	}
}

func (p *sampler) diskRates() diskRates {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.disk
}

func (s *Service) facts() Facts {
	if s.o.Facts == nil {
		return Facts{State: "active"}
	}
	return s.o.Facts()
}
