package sim

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tidegate/tidegate/amqp/gateway"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

const (
	dir             = "/data"
	logSegments     = 4 // more are spilled
	checkpointBytes = 128 << 10
	checkpointEvery = 5 * time.Second
)

// process is one life of the broker's process. It is its own server.Clock.
type process struct {
	w          *World
	store      *store.Store
	journal    *watched
	server     *server.Server
	gateway    *gateway.Gateway
	socks      []*sock
	soon       bool      // Continue is asked for
	armed      time.Time // Tick is asked for
	checkpoint bool      // is due
	failed     error     // the store has failed: the process ends
	read       bool      // bodies were read from the log
	dead       bool
	left       *vfs.Mem // what a crash inside of a call left
}

var errCrashed = errors.New("the process is dead")

// chance is a source of random bytes that the plan decides.
type chance struct{ r *rand.Rand }

func (c chance) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c.r.Uint32())
	}
	return len(p), nil
}

var _ io.Reader = chance{}

// start makes the next life out of what is on the disk.
func (w *World) start() {
	for tries := 0; ; tries++ {
		p := &process{w: w}
		w.process = p
		w.lives++
		err := p.open()
		switch {
		case err == nil:
			return
		case p.dead: // an armed crash came during recovery
			w.crashed(p)
		case vfs.IsNoSpace(err):
			w.disk.SetLimit(0) // somebody makes room
			w.disk = w.disk.Kill()
		case errors.Is(err, errInjected):
			w.disk = w.disk.Kill()
		default:
			w.fail("the store does not open: %v", err)
		}
		if tries > 20 {
			w.fail("the store does not come up")
		}
	}
}

func (p *process) open() error {
	w := p.w
	var fs vfs.FS = w.disk
	if w.breaks.fs != nil {
		fs = w.breaks.fs(fs)
	}
	st, err := store.Open(store.Options{
		FS: vfs.Inject(fs, p.call), Dir: dir, Manual: true,
		SegmentBytes: w.config.segment, MemoryBytes: w.config.memory,
		LogBytes: logSegments * w.config.segment, CheckpointBytes: checkpointBytes, CheckpointEvery: checkpointEvery,
		Random:       chance{rand.New(rand.NewPCG(uint64(w.lives), 0x67656e))},
		OnStable:     func() { p.tell((*server.Server).Stable) },
		OnFail:       func(err error) { p.failed = err },
		OnCheckpoint: func() { p.checkpoint = true },
		OnSpace:      func(full bool) { p.tell(func(s *server.Server) { s.Full(full) }) },
		OnPressure:   func(pressed bool) { p.tell(func(s *server.Server) { s.Pressed(pressed) }) },
	})
	if err != nil {
		return err
	}
	p.store, p.journal = st, &watched{Store: st, w: w}
	w.tape.recovered(st.Recovered().Last)
	var j server.Journal = p.journal
	if w.breaks.journal != nil {
		j = w.breaks.journal(p.journal)
	}
	s, err := server.New(j, server.Options{
		Name: "sim", StoreNeed: w.config.need, MaxHeld: w.config.held, Clock: p, Spool: st,
		Make: func(f coremessage.Format, b [][]byte) (coremessage.Content, error) { return message.FromBytes(f, b) },
	})
	if err != nil {
		return err
	}
	p.server = s
	if w.config.bridged {
		if err := s.SetBridges(bridgesOf()); err != nil {
			return err
		}
	}
	if err := p.configure(); err != nil {
		return err
	}
	p.gateway = gateway.New(gateway.Options{Broker: s, ContainerID: "sim", MaxMessageSize: 4 << 20, Logger: slog.New(slog.DiscardHandler)})
	p.same()
	return nil
}

func bridgesOf() (all []core.Bridge) {
	end := func(n string) core.Destination {
		if n[0] == 't' {
			return core.Destination{Kind: core.Topic, Name: n}
		}
		return core.Destination{Kind: core.Queue, Name: n}
	}
	for _, b := range bridges {
		all = append(all, core.Bridge{Source: end(b.source), Target: end(b.target), Selector: b.selector})
	}
	return all
}

func (p *process) tell(f func(*server.Server)) {
	if p.server != nil {
		f(p.server)
	}
}

// Now implements server.Clock.
func (p *process) Now() time.Time { return p.w.now }

// Arm implements server.Clock.
func (p *process) Arm(at time.Time) { p.armed = at }

// Soon implements server.Clock.
func (p *process) Soon() { p.soon = true }

// call is the hook in front of each call to the file system: it counts towards
// an armed crash or failure.
func (p *process) call(c vfs.Call) error {
	w := p.w
	if p.dead {
		return errCrashed
	}
	if w.crashIn > 0 {
		if w.crashIn--; w.crashIn == 0 {
			p.dead, p.left = true, w.disk.Kill()
			if w.crashPower {
				p.left = w.disk.PowerLoss(w.crashSeed)
			}
			return errCrashed
		}
	}
	if w.failIn > 0 && c.Op == w.failOp {
		if w.failIn--; w.failIn == 0 {
			return errInjected
		}
	}
	return nil
}

// failing are the calls that "fail" lets fail.
var failing = []string{"write", "sync", "read", "rename", "syncdir", "preallocate"}

var errInjected = errors.New("input/output error")

func (p *process) queues() (all []core.QueueInfo) {
	p.server.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) { all = b.Queues() })
	return all
}

// durable draws the broker's durable half.
func (p *process) durable() (text string) {
	p.server.Do(func(_ time.Time, b *core.Broker, _ *core.Effects) { text = b.Durable() })
	return text
}

// same checks that the broker is what its records say.
func (p *process) same() {
	if p.w.breaks.blind {
		return
	}
	if live, want := p.durable(), p.w.tape.shadow.Durable(); live != want {
		p.w.fail("the live broker is not what its records say:\n%swant:\n%s", live, want)
	}
}

// steps are the process's own: the store's lanes, loads, turns of the server.
const processSteps = int(journal.SpillLane) + 5

// step does one of them; false: there was nothing to do.
func (p *process) step(i int) bool {
	switch {
	case i < int(journal.SpillLane):
		return p.store.Step(journal.Lane(i + 1))
	case i == int(journal.SpillLane):
		loaded := p.store.StepLoad()
		p.read = p.read || loaded
		return loaded
	case i == int(journal.SpillLane)+1:
		if p.soon {
			p.soon = false
			p.server.Continue()
			return true
		}
	case i == int(journal.SpillLane)+2:
		return p.store.StepSpool()
	case i == int(journal.SpillLane)+3:
		return p.store.StepSwap()
	default:
		if p.checkpoint && !p.journal.busy {
			p.checkpoint = false
			p.server.Checkpoint()
			return true
		}
	}
	return false
}

func (p *process) tick() {
	now := p.w.now
	if !p.armed.IsZero() && !p.armed.After(now) {
		p.armed = time.Time{}
		p.server.Tick()
	}
	p.store.Tick(now)
	for _, s := range p.socks {
		s.tick(now)
	}
}
