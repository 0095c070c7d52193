package sim

import (
	"math/rand/v2"

	"github.com/tidegate/tidegate/core/message"
)

// clients and dests of every world.
const clients = 3

var dests = []string{"q0", "q1", "t0"}

// bridges are those of every world that has any. Nothing is sent to q2 but by them,
// and what comes to t0 by one must not go on there.
var bridges = []bridge{
	{"q0", "q2", "n = 1", func(m *sent) bool { return m.uid%3 == 1 }},
	{"q1", "t0", "", func(*sent) bool { return true }},
	{"t0", "q2", "", func(*sent) bool { return true }},
}

type bridge struct {
	source, target, selector string
	wants                    func(m *sent) bool
}

// Modes of a receiver.
const (
	modePresettled = 1 << iota
	modeSecond     // settles second
	modeKeeps      // a detach that does not close leaves its deliveries unsettled
)

// Modes of a sender.
const (
	modeNoReject = 1 << iota // does not know the outcome rejected
	modeRelay                // the anonymous terminus
)

// Flags of a send.
const (
	sendVolatile = 1 << iota // not durable
	sendSettled
	sendHigh     // priority 9
	sendLow      // priority 1
	sendTxn      // in the newest open transaction
	sendPreserve // if it cannot be delivered, to $sys.undelivered
)

// maxDelay is the longest delivery delay, in ms.
const maxDelay = 3000

// Outcomes of a settle, and its flags.
const (
	settleAccept = iota
	settleRelease
	settleFail
	settleUndeliverable
	settleReject
	settles
)

const (
	settleLast = 1 << iota // the newest first
	settleTxn
)

// Plan makes the plan of a seed.
func Plan(seed uint64) []Action {
	r := rand.New(rand.NewPCG(seed, 0x73696d))
	p := planner{r: r}
	p.add("world", oneOf(r, 1, 1, 1, 0), oneOf(r, 16<<10, 64<<10), oneOf(r, 1, 4<<10, 1<<20), oneOf(r, 8<<10, 1<<20), oneOf(r, 4, 64, 2048), oneOf(r, 512, 4096, 64<<10), int(seed%2))
	if seed%4 == 2 {
		p.define()
	}
	quiet := r.IntN(3) == 0 // without failures
	for c := range clients {
		p.setup(c)
	}
	for range 15 + r.IntN(50) {
		p.next(quiet)
	}
	return p.plan
}

type planner struct {
	r       *rand.Rand
	plan    []Action
	heavy   bool // much is logged: checkpoints, recycling, spilling
	defined bool // destinations have properties
	failing int  // a queue among them
}

func oneOf(r *rand.Rand, of ...int) int { return of[r.IntN(len(of))] }

func (p *planner) add(verb string, args ...int) { p.plan = append(p.plan, Action{verb, args}) }

func (p *planner) setup(c int) {
	p.add("connect", c)
	if p.r.IntN(4) == 0 {
		p.add("run", 20, p.r.IntN(1<<30))
		p.add("session", c)
	}
	if c == 0 || p.r.IntN(3) > 0 {
		p.sender(c)
	}
	if c == 1 || p.r.IntN(3) > 0 {
		p.receiver(c)
	}
	p.run()
	if p.r.IntN(2) == 0 {
		p.add("credit", c, p.r.IntN(4), 1+p.r.IntN(12), 0)
	}
}

func (p *planner) run() { p.add("run", 1+p.r.IntN(60), p.r.IntN(1<<30)) }

func (p *planner) receiver(c int) {
	p.add("receiver", c, p.r.IntN(len(sources)), oneOf(p.r, 0, 0, modeKeeps, modePresettled, modeSecond, modeSecond|modeKeeps))
}

func (p *planner) sender(c int) {
	p.add("sender", c, p.r.IntN(len(dests)), oneOf(p.r, 0, 0, 0, 0, modeNoReject, modeRelay))
}

func (p *planner) send(c int) {
	size := 10 + p.r.IntN(100)
	switch n := p.r.IntN(200); {
	case n < 1:
		size = message.LargeAbove + p.r.IntN(1<<10) // in a file of its own
	case n < 3:
		size = 400 << 10 // a few fill a connection's room
	case n < 8:
		size = 20 << 10 // more than a small segment's room
	case n < 20:
		size = 3 << 10
	}
	if p.heavy && size < 1<<10 {
		size = 1<<10 + p.r.IntN(4<<10)
	}
	flags := oneOf(p.r, 0, 0, 0, 0, sendVolatile, sendVolatile, sendSettled, sendVolatile|sendSettled)
	flags |= oneOf(p.r, 0, 0, 0, sendHigh, sendLow) | oneOf(p.r, 0, 0, sendTxn) | oneOf(p.r, 0, sendPreserve)
	n := 1 + p.r.IntN(6)
	if size > 1<<10 && !p.heavy {
		n = 1 + n/3
	}
	p.add("send", c, p.r.IntN(4), n, flags, size, oneOf(p.r, 0, 0, 0, 0, 0, 50, 2000), oneOf(p.r, 0, 0, 0, 0, 0, 1, 200, maxDelay))
}

func (p *planner) settle(c int) {
	how := oneOf(p.r, settleAccept, settleAccept, settleAccept, settleAccept, settleRelease, settleFail, settleUndeliverable, settleReject)
	p.add("settle", c, p.r.IntN(4), 1+p.r.IntN(8), how, oneOf(p.r, 0, 0, settleLast)|oneOf(p.r, 0, 0, settleTxn))
}

// next adds one action, or a few that make sense together.
func (p *planner) next(quiet bool) {
	c := p.r.IntN(clients)
	switch n := p.r.IntN(100); {
	case n < 4 && p.heavy:
		p.add("checkpoint", p.r.IntN(20), p.r.IntN(1<<30))
		p.add("tick", 100)
	case n < 16:
		p.run()
	case n < 34:
		p.send(c)
		p.maybeRun()
	case n < 37:
		if p.defined {
			p.misfortune(c, quiet)
			return
		}
		p.wobble(c)
	case n < 45:
		p.add("credit", c, p.r.IntN(4), p.r.IntN(12), oneOf(p.r, 0, 0, 0, 1))
		p.maybeRun()
	case n < 58:
		p.settle(c)
		p.maybeRun()
	case n < 70:
		p.transaction(c)
	case n < 73:
		p.sender(c)
	case n < 78:
		p.receiver(c)
		p.maybeRun()
	case n < 80:
		p.add("detach", c, p.r.IntN(4), p.r.IntN(2))
		if p.r.IntN(2) == 0 {
			p.settle(c)
		}
	case n < 81:
		p.add("unlink", c, p.r.IntN(4))
	case n < 82:
		p.add("end", c, p.r.IntN(2))
	case n < 83:
		p.add("close", c)
	case n < 87:
		p.setup(c)
	case n < 91:
		p.add("tick", oneOf(p.r, 1, 100, 100, 1100, 6000))
	case n < 93:
		p.add("checkpoint", p.r.IntN(20), p.r.IntN(1<<30))
	case !quiet:
		p.disaster(c)
	}
}

// wobble gives credit, takes it back and gives it again while messages are on
// their way.
func (p *planner) wobble(c int) {
	link := p.r.IntN(4)
	for range 2 + p.r.IntN(3) {
		p.add("credit", c, link, oneOf(p.r, 0, 1, 2, 8, 8), oneOf(p.r, 0, 0, 0, 0, 1))
		p.add("run", 1+p.r.IntN(12), p.r.IntN(1<<30))
		if p.r.IntN(2) == 0 {
			p.send(p.r.IntN(clients))
		}
	}
}

func (p *planner) maybeRun() {
	if p.r.IntN(2) == 0 {
		p.run()
	}
}

// transaction adds what a client does in one, or a part of it.
func (p *planner) transaction(c int) {
	if p.r.IntN(3) > 0 {
		p.add("begin", c)
		p.run()
	}
	for range p.r.IntN(3) {
		p.send(c)
		last := &p.plan[len(p.plan)-1]
		last.Args[3] |= sendTxn
	}
	if p.r.IntN(2) == 0 {
		p.add("settle", c, p.r.IntN(4), 1+p.r.IntN(4), settleAccept, settleTxn)
	}
	p.maybeRun()
	if p.r.IntN(3) > 0 {
		p.add("discharge", c, p.r.IntN(2), oneOf(p.r, 0, 0, 0, 1))
		p.maybeRun()
	}
}

func (p *planner) disaster(c int) {
	switch n := p.r.IntN(20); {
	case n < 5:
		p.add("cut", c, p.r.IntN(200), p.r.IntN(200))
	case n < 8:
		p.add("kill")
	case n < 11:
		p.add("power", p.r.IntN(1<<30))
	case n < 12:
		p.add("stop")
	case n < 15:
		p.add("crashat", 1+p.r.IntN(30), p.r.IntN(2), p.r.IntN(1<<30))
	case n < 17:
		p.add("fail", p.r.IntN(len(failing)), 1+p.r.IntN(5))
	case n < 19:
		p.add("full", p.r.IntN(64<<10))
	default:
		p.add("room")
	}
	for range p.r.IntN(clients + 1) {
		p.setup(p.r.IntN(clients))
	}
}
