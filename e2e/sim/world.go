package sim

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/persist/vfs"
)

// epoch is when every world begins.
var epoch = time.UnixMilli(1_750_000_000_000)

// config is a world's first line.
type config struct {
	need         core.Need
	segment      int64
	memory       int64
	held         int64
	clientWindow uint32
	frame        uint32
	bridged      bool
}

func (c config) failsafe() bool { return c.need == core.Sync }

// World is one run of a plan.
type World struct {
	config   config
	breaks   breaks
	now      time.Time
	disk     *vfs.Mem
	process  *process
	clients  []*client
	ledger   *ledger
	policies *policies
	resting  bool // nothing is sent any more
	draining bool // in the finale's drains
	tape     *tape

	lives     int
	links     int
	events    int64
	delivered int
	powerLost bool // since the store came up last

	crashIn    int // calls to the file system
	crashPower bool
	crashSeed  uint64
	failIn     int
	failOp     string

	aside      *rand.Rand // for what happens during a checkpoint
	asideSteps int
	history    strings.Builder // of all that clients received, to compare runs
}

// Violation is what a checker found.
type Violation struct {
	Action int // index in the plan; len(plan) for the end
	What   string
}

func (v *Violation) Error() string { return fmt.Sprintf("action %d: %s", v.Action, v.What) }

type violation string

func (w *World) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

func (w *World) event() int64 {
	w.events++
	return w.events
}

// Run runs a plan to its end. The error is a *Violation.
func Run(plan []Action) error {
	_, err := run(plan, breaks{})
	return err
}

func newWorld(plan []Action, b breaks) *World {
	n := plan[0].Args
	w := &World{
		config: config{need: core.Write, segment: int64(n[1]), memory: int64(n[2]), held: int64(n[3]), clientWindow: uint32(n[4]), frame: uint32(n[5]), bridged: n[6] == 1},
		breaks: b, now: epoch, disk: vfs.NewMem(),
	}
	if n[0] == 1 {
		w.config.need = core.Sync
	}
	w.ledger, w.tape = newLedger(w), newTape(w)
	var err error
	if w.policies, err = policiesOf(plan); err != nil {
		panic(err) // a plan of properties that contradict each other
	}
	for c := range clients {
		w.clients = append(w.clients, &client{w: w, name: fmt.Sprintf("c%d", c)})
	}
	return w
}

func run(plan []Action, b breaks) (w *World, err error) {
	w = newWorld(plan, b)
	at := 0
	defer func() {
		switch r := recover().(type) {
		case nil:
		case violation:
			err = &Violation{at, string(r)}
		default:
			err = &Violation{at, fmt.Sprintf("panic: %v\n%s", r, debug.Stack())}
		}
	}()
	w.start()
	for i := range plan[1:] {
		at = i + 1
		w.do(plan[at])
		w.mortal()
	}
	at = len(plan)
	w.finale()
	return w, nil
}

// mortal ends the process if something has killed it.
func (w *World) mortal() {
	p := w.process
	switch {
	case p.dead:
		w.crashed(p)
		w.start()
	case p.failed != nil:
		p.dead = true // the process ends itself; the machine goes on
		w.die(w.disk.Kill(), false)
		w.start()
	}
}

// crashed: an armed crash has come.
func (w *World) crashed(p *process) { w.die(p.left, w.crashPower) }

// die ends the process; left is what it leaves.
func (w *World) die(left *vfs.Mem, power bool) {
	w.process.dead = true
	w.disk, w.powerLost = left, w.powerLost || power
	for _, c := range w.clients {
		if c.conn != nil {
			c.conn.lose()
		}
	}
	w.ledger.crash(power)
}

func (w *World) do(a Action) {
	c := w.clients[0]
	if len(a.Args) > 0 && a.Verb != "define" {
		c = w.clients[a.Args[0]%clients]
	}
	switch a.Verb {
	case "connect":
		c.connect()
	case "run":
		w.run(a.Args[0], rand.New(rand.NewPCG(uint64(a.Args[1]), 1)))
		w.mortal()
		w.process.same()
		w.process.limits()
	case "define": // before anything else
	case "tick":
		w.tick(time.Duration(a.Args[0]) * time.Millisecond)
	case "checkpoint":
		w.aside, w.asideSteps = rand.New(rand.NewPCG(uint64(a.Args[1]), 2)), a.Args[0]
		w.process.server.Checkpoint()
		w.aside = nil
	case "kill":
		w.die(w.disk.Kill(), false)
		w.start()
	case "power":
		w.die(w.disk.PowerLoss(uint64(a.Args[0])), true)
		w.start()
	case "stop":
		w.stop()
	case "crashat":
		w.crashIn, w.crashPower, w.crashSeed = a.Args[0], a.Args[1] == 1, uint64(a.Args[2])
	case "fail":
		w.failOp, w.failIn = failing[a.Args[0]%len(failing)], a.Args[1]
	case "full":
		w.disk.SetLimit(w.disk.Used() + int64(a.Args[0]))
	case "room":
		w.disk.SetLimit(0)
	default:
		if c.conn != nil {
			c.conn.do(a.Verb, a.Args[1:])
		}
	}
}

func pick[T any](of []T, i int) (v T, ok bool) {
	if len(of) == 0 {
		return v, false
	}
	return of[i%len(of)], true
}

func (k *conn) do(verb string, a []int) {
	switch verb {
	case "close":
		k.close()
	case "cut":
		k.up.cut(a[0])
		k.down.cut(a[1])
	case "sender":
		k.newSender(dests[a[0]%len(dests)], a[1])
	case "receiver":
		k.newReceiver(sources[a[0]%len(sources)], a[1])
	case "send":
		if s, ok := pick(k.senders, a[0]); ok {
			k.send(s, a[1], a[2], a[3], a[4], a[5])
		}
	case "credit":
		if r, ok := pick(k.receivers, a[0]); ok {
			r.credit(a[1], a[2] == 1)
		}
	case "settle":
		if r, ok := pick(k.receivers, a[0]); ok {
			r.settle(a[1], a[2]%settles, a[3])
		}
	case "begin":
		k.declare()
	case "discharge":
		if t, ok := pick(k.txns, a[0]); ok {
			k.discharge(t, a[1] == 1)
		}
	case "unlink":
		if s, ok := pick(k.senders, a[0]); ok && s.ready && !s.gone {
			k.dropSender(s)
			s.l.Detach(true, nil)
		}
	case "end":
		if a[0] == 1 {
			k.endSecond()
		} else {
			k.endSession()
		}
	case "session":
		k.beginSecond()
	case "detach":
		if r, ok := pick(k.receivers, a[0]); ok {
			r.detach(a[1] == 1)
		}
	}
}

// run lets n things happen that can happen next.
func (w *World) run(n int, r *rand.Rand) {
	for range n {
		if w.process.dead || w.process.failed != nil {
			return
		}
		w.step(r)
	}
}

const stepsOfClient = 4

// step does one thing; false: there is nothing to do.
func (w *World) step(r *rand.Rand) bool {
	all := processSteps + stepsOfClient*clients + len(w.process.socks)
	for i, at := 0, r.IntN(all); i < all; i, at = i+1, (at+1)%all {
		if w.stepAt(at, r) {
			return true
		}
	}
	return false
}

func (w *World) stepAt(i int, r *rand.Rand) bool {
	if i < processSteps {
		return w.process.step(i)
	}
	i -= processSteps
	if i >= stepsOfClient*clients { // ends of connections that their clients have left
		s := w.process.socks[i-stepsOfClient*clients]
		if r.IntN(2) == 0 {
			return s.read(w.some(r), false) || s.write()
		}
		return s.write() || s.read(w.some(r), false)
	}
	k := w.clients[i/stepsOfClient].conn
	if k == nil {
		return false
	}
	switch i % stepsOfClient {
	case 0:
		return k.flush()
	case 1:
		return k.read(w.some(r))
	case 2:
		return k.sock.read(w.some(r), r.IntN(4) == 0)
	}
	return k.sock.write()
}

// some is how many bytes a read finds.
func (w *World) some(r *rand.Rand) int {
	if r.IntN(4) == 0 {
		return 1 + r.IntN(100)
	}
	return 1 << 20
}

// meanwhile lets others run in the middle of a checkpoint.
func (w *World) meanwhile() {
	if w.aside == nil || w.asideSteps == 0 {
		return
	}
	r, n := w.aside, w.aside.IntN(w.asideSteps+1)
	w.asideSteps -= n
	w.aside = nil
	w.run(n, r)
	w.aside = r
}

func (w *World) tick(d time.Duration) {
	w.now = w.now.Add(d)
	w.process.tick()
	for _, c := range w.clients {
		if k := c.conn; k != nil {
			if at := k.e.Deadline(); !at.IsZero() && !at.After(w.now) {
				_ = k.e.Tick(w.now)
			}
		}
	}
}

// stop ends the process in good order.
func (w *World) stop() {
	p := w.process
	for _, s := range p.socks {
		if !s.over {
			s.h.Shutdown()
		}
	}
	w.run(200, rand.New(rand.NewPCG(1, 1)))
	if p.dead || p.failed != nil {
		return // the crash or failure came first
	}
	for _, s := range p.socks {
		if !s.over {
			s.close()
		}
	}
	w.disk.SetLimit(0)
	p.server.Checkpoint()
	p.server.Close()
	_ = p.store.Close() // the process ends, whatever could not be written
	if p.dead {
		return
	}
	w.die(w.disk.Kill(), false)
	w.start()
}
