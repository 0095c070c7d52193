package suite

import (
	"flag"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

var (
	ledgerSeed     = flag.Uint64("ledger.seed", 0, "seed of the crash ledger's kills; 0: a new one")
	ledgerMessages = flag.Int("ledger.messages", 0, "messages that each client library sends; 0: enough for the kills")
	ledgerKills    = flag.Int("ledger.kills", 12, "kills while each client library sends")
	ledgerWindow   = flag.Int("ledger.window", 100, "most sends without an answer")
)

// ledgerInFlight is the least share of kills that must hit unanswered sends: a
// kill between sends proves little.
const ledgerInFlight = 0.8

// With fewer messages than these the last kills might find nothing left to send:
// a driver may be ahead by what its reader's room and a pipe hold, some 1,500.
const (
	ledgerLeast   = 10_000
	ledgerPerKill = 2_000
	ledgerRoom    = 256 // events
)

// TestLedger is the crash ledger: each client library sends persistent messages
// while the server is killed with SIGKILL at random moments and started again,
// reconnecting as its users would. A different library receives afterwards.
//
// Nothing that was accepted may be lost, nothing altered, nothing out of order,
// and only what was unanswered at a kill may come twice.
func TestLedger(t *testing.T) {
	seed := *ledgerSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if *ledgerMessages == 0 {
		*ledgerMessages = max(ledgerLeast, ledgerPerKill**ledgerKills)
	}
	if testing.Short() { // the same, with fewer kills
		*ledgerKills /= 4
	}
	t.Logf("seed %d: repeat with -ledger.seed=%d", seed, seed)
	var kills, inFlight atomic.Int64
	step(t, "libraries", func(t *testing.T) {
		for i, sender := range harness.Names {
			receiver := harness.Names[(i+1)%len(harness.Names)]
			step(t, sender+" to "+receiver, func(t *testing.T) {
				t.Parallel()
				shows(t, harness.Driver(t, sender), harness.Driver(t, receiver))
				l := &ledger{
					server:   harness.Start(t),
					sender:   harness.Driver(t, sender),
					receiver: harness.Driver(t, receiver),
					random:   rand.New(rand.NewPCG(seed, uint64(i))),
					lost:     map[int64]int{},
				}
				l.send(t)
				l.check(t)
				kills.Add(int64(l.kills))
				inFlight.Add(int64(l.inFlight))
			})
		}
	})
	t.Logf("%d kills, %d of them with sends in flight", kills.Load(), inFlight.Load())
	if float64(inFlight.Load()) < ledgerInFlight*float64(kills.Load()) {
		t.Errorf("only %d of %d kills hit sends in flight", inFlight.Load(), kills.Load())
	}
}

// ledger is one library's account.
type ledger struct {
	server           *harness.Server
	sender, receiver *harness.Client
	random           *rand.Rand

	lost     map[int64]int // by number: at how many kills it was unanswered
	kills    int
	inFlight int // kills with unanswered sends
}

const (
	ledgerQueue = "ledger"
	ledgerSize  = 256
)

// send has the library send everything, killing the server meanwhile.
func (l *ledger) send(t *testing.T) {
	call := l.sender.DoPaced(t, ledgerRoom, harness.Fields{
		"cmd": "send", "url": l.server.URL, "address": ledgerQueue, "producer": l.sender.Name,
		"count": *ledgerMessages, "size": ledgerSize, "window": *ledgerWindow, "reconnect": true, "timeout_ms": 600_000 + 5_000**ledgerKills,
	})
	// Kills come when so many were accepted, anywhere in the run, but never
	// while the library is still away from the last one.
	var due []int
	for range *ledgerKills {
		due = append(due, *ledgerMessages/100+l.random.IntN(*ledgerMessages*9/10))
	}
	slices.Sort(due)
	accepted := map[int64]bool{}
	away, counted := false, false // since the last kill: not back yet; found in flight
	for {
		e := call.Next(t)
		switch e.Event {
		case "attached":
			away = false
		case "outcome":
			if e.Outcome != "accepted" {
				t.Fatalf("message %d %s: %s %s", e.Seq, e.Outcome, e.Condition, e.Error)
			}
			if accepted[e.Seq] {
				t.Fatalf("message %d was accepted twice", e.Seq)
			}
			accepted[e.Seq] = true
			if len(due) > 0 && len(accepted) >= due[0] && !away {
				due, away, counted = due[1:], true, false
				l.kills++
				l.server.Kill(t)
				l.server.Run(t)
			}
		case "lost":
			// Only the first loss after a kill with something unanswered counts:
			// a second one, while the library dials, is no second kill.
			if away && !counted && len(e.Unanswered) > 0 {
				counted = true
				l.inFlight++
			}
			for _, seq := range e.Unanswered {
				if accepted[seq] {
					t.Fatalf("message %d was accepted, yet the driver counts it as unanswered", seq)
				}
				l.lost[seq]++
			}
		case "error":
			t.Fatalf("%s driver: %s %s", l.sender.Name, e.Condition, e.Error)
		case "done":
			if len(accepted) != *ledgerMessages {
				t.Fatalf("done with %d of %d accepted", len(accepted), *ledgerMessages)
			}
			if l.kills != *ledgerKills {
				t.Fatalf("only %d of %d kills came before the end", l.kills, *ledgerKills)
			}
			return
		}
	}
}

// check crashes the server once more, now that all is accepted, and has the
// other library receive everything.
func (l *ledger) check(t *testing.T) {
	l.server.Kill(t)
	l.server.Run(t)
	held := openConsole(t, l.server, "admin", "").counts("show queue " + ledgerQueue)["msgs"]
	got := receive(t, l.receiver, l.server, ledgerQueue, int(held), harness.Fields{"idle_ms": 60_000, "credit": 500, "timeout_ms": 600_000})
	empty(t, l.server, ledgerQueue)

	times := map[int64]int{}
	altered, outOfOrder, unexplained, flagged := 0, 0, 0, 0
	last := int64(0)
	for _, e := range got {
		times[e.Seq]++
		if e.Producer != l.sender.Name || e.SHA256 != harness.Sum(harness.Filling(l.sender.Name, e.Seq, ledgerSize)) {
			altered++
		}
		if e.Redelivered {
			flagged++
		}
		if times[e.Seq] > 1 {
			// A copy for each send: the first, and one for each kill that left
			// it unanswered.
			if times[e.Seq] > 1+l.lost[e.Seq] {
				unexplained++
			}
			continue
		}
		if e.Seq < last && l.lost[e.Seq] == 0 {
			outOfOrder++
		}
		last = max(last, e.Seq)
	}
	lost := 0
	for seq := range int64(*ledgerMessages) {
		if times[seq+1] == 0 {
			lost++
		}
	}
	t.Logf("%s to %s: %d kills (%d with sends in flight, %d sends unanswered), %d messages sent, %d received (%d twice or more), lost %d, altered %d, out of order %d, duplicates without cause %d",
		l.sender.Name, l.receiver.Name, l.kills, l.inFlight, len(l.lost), *ledgerMessages, len(got), len(got)-len(times), lost, altered, outOfOrder, unexplained)
	if lost+altered+outOfOrder+unexplained > 0 {
		t.Error("the ledger does not balance")
	}
	if flagged > 0 {
		t.Errorf("%d messages came flagged as redelivered though none had been offered", flagged)
	}
}
