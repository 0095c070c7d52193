package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/journal"
)

// Races between a connection's reader and writer that the simulation found, step
// by step: what is behind the first line of each is what goroutines did.

// race is a world with a sender at the first client and a receiver at the second,
// both on q0.
type race struct {
	*World
	from, to *conn
	sender   *sender
	receiver *receiver
}

func newRace(t *testing.T, mode int) *race {
	t.Helper()
	plan, err := ParseScript("world failsafe=1 segment=65536 memory=1048576 held=1048576 window=2048 frame=65536")
	if err != nil {
		t.Fatal(err)
	}
	r := &race{World: newWorld(plan, breaks{})}
	r.start()
	for _, c := range r.clients[:2] {
		c.connect()
	}
	r.from, r.to = r.clients[0].conn, r.clients[1].conn
	r.from.newSender("q0", 0)
	r.receiver = r.to.newReceiver(source{dest: "q0"}, mode)
	r.rest()
	r.sender = r.from.senders[0]
	return r
}

// send lets the broker read one message that is not stored.
func (r *race) send() {
	r.from.send(r.sender, 1, sendVolatile, 10, 0, 0)
	r.reads(r.from)
}

// reads lets the broker's reader take what a client has to say.
func (r *race) reads(k *conn) {
	k.flush()
	k.sock.read(message.LargeAbove, false)
}

func (r *race) credit(n int) {
	r.receiver.credit(n, false)
	r.reads(r.to)
}

// end settles the accounts; what a checker finds fails the test.
func (r *race) end(t *testing.T) {
	t.Helper()
	defer func() {
		t.Helper()
		if v := recover(); v != nil {
			t.Fatal(v)
		}
	}()
	r.finale()
}

// seen lets a message reach the client while the writer has not yet told the
// broker that it is written.
func (r *race) seen(t *testing.T) {
	t.Helper()
	r.credit(1)
	r.send()
	for range 3 {
		if r.to.sock.write(); len(r.to.down.b) > 0 {
			break
		}
	}
	if r.to.read(message.LargeAbove); r.receiver.got != 1 || !r.to.sock.wrote {
		t.Fatalf("%d messages came", r.receiver.got)
	}
}

func TestASessionThatEndsBeforeTheWritersReport(t *testing.T) {
	for _, mode := range []int{0, modePresettled} {
		r := newRace(t, mode)
		r.seen(t)
		r.to.endSession()
		r.reads(r.to)
		r.end(t)
	}
}

func TestALinkThatEndsBeforeTheWritersReport(t *testing.T) {
	for _, mode := range []int{0, modePresettled, modeKeeps} {
		r := newRace(t, mode)
		r.seen(t)
		r.receiver.detach(false)
		r.reads(r.to)
		r.end(t)
	}
}

func TestWhatIsUnsentIsNotOvertaken(t *testing.T) {
	r := newRace(t, 0)
	r.credit(1)
	r.send() // dispatched, and not yet written
	r.credit(0)
	r.to.sock.write() // and unsent, of which the broker does not know yet
	r.credit(2)
	r.send()
	r.rest()
	if r.receiver.got != 2 {
		t.Errorf("%d messages came", r.receiver.got)
	}
	r.end(t)
}

// TestALargeMessageThatIsOverIsReadToItsEnd: out of $sys.undelivered a message begins
// with what was added to it, before its file is opened; settled beforehand, it is
// nobody's any more from then on.
func TestALargeMessageThatIsOverIsReadToItsEnd(t *testing.T) {
	for _, flags := range []int{sendPreserve, sendPreserve | sendVolatile} {
		r := newRace(t, 0)
		late := r.to.newReceiver(source{dest: core.UndeliveredQueue}, modePresettled)
		r.from.send(r.sender, 1, flags, message.LargeAbove+10, 50, 1)
		r.rest()
		r.tick(2 * time.Second)
		r.rest()
		late.credit(1, false)
		r.reads(r.to)
		for range 50 { // it begins, and the disk does all that it has to do but read
			r.to.sock.write()
			r.process.store.StepLoad()
			for l := range journal.SpillLane + 1 {
				r.process.store.Step(l)
			}
		}
		if len(r.to.down.b) == 0 {
			t.Fatalf("the message does not begin: %+v", r.process.queues())
		}
		if r.rest(); late.got != 1 {
			t.Errorf("flags %d: %d messages came", flags, late.got)
		}
		r.end(t)
	}
}

// TestARefusedCommitGivesBackBeforeItIsAnswered: a send finds its queue full, so that the
// commit rolls back; another client has the acknowledged message before the one that
// settles second hears of it.
func TestARefusedCommitGivesBackBeforeItIsAnswered(t *testing.T) {
	plan, err := ParseScript(fmt.Sprintf(`
		world failsafe=0 segment=16384 memory=4096 held=1048576 window=4 frame=4096
		define dest=0 msgs=1
		connect client=1
		connect client=2
		sender client=2 dest=0
		receiver client=2 source=0 mode=%d
		run steps=28 seed=0
		send client=2 link=0 n=1
		credit client=2 link=0 n=1
		receiver client=1 source=0
		run steps=14 seed=0
		credit client=1 link=0 n=1
		begin client=2
		run steps=9 seed=0
		send client=2 link=0 n=1 flags=%d
		settle client=2 link=0 n=1 how=%d flags=%d
		discharge client=2 txn=0`, modeSecond, sendTxn, settleAccept, settleTxn))
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(plan); err != nil {
		t.Fatal(err)
	}
}
