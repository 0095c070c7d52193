package suite

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/e2e/harness"
)

// idleKiB is what an idle connection with a session and two links may cost
// (performance.md, section 5). What is garbage of connecting is in it, so there
// have to be many.
const idleKiB = 25

// TestIdleConnections: thousands of connections that are idle cost little each.
func TestIdleConnections(t *testing.T) {
	s := harness.Start(t, "--memory", "64MiB") // or the garbage of connecting, which may be a quarter of it, counts as well
	n := min(silent(), 3000)
	before := residentKiB(t, s.PID())
	peers := idle(t, s, n)
	grown := residentKiB(t, s.PID()) - before
	t.Logf("%d connections, %.1f KiB each", n, float64(grown)/float64(n))
	if most := idleKiB * n; grown > most && !raced() && !testing.Short() {
		t.Errorf("%d connections cost %d KiB, at most %d are allowed", n, grown, most)
	}
	for _, p := range peers { // each is still served
		p.frame(0, &frame.End{})
		p.flush()
		until[*frame.End](p)
	}
}

// idle opens connections with a session, a sender and a receiver with credit, and
// leaves them so.
func idle(t testing.TB, s *harness.Server, n int) []*peer {
	t.Helper()
	peers := make([]*peer, n)
	for i := range peers {
		p := openPeer(t, s, 1)
		p.sender(0, 0, "idle")
		p.receiver(0, 1, "idle")
		p.credit(0, 1, 10)
		p.flush()
		until[*frame.Attach](p)
		until[*frame.Attach](p)
		peers[i] = p
	}
	return peers
}
