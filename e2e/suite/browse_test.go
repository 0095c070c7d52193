package suite

import (
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// toTheEnd has a receiver take what there is, or a browser look at it: the server tells
// the end. go-amqp alone waits before it asks: its drain takes the credit back as well.
var toTheEnd = harness.Fields{"drain": true, "credit": 100, "idle_ms": 3_000}

// atTheEnd is the same where nothing is expected, for which nobody need wait long.
var atTheEnd = with(toTheEnd, harness.Fields{"idle_ms": 300})

// TestBrowseMany: a browser sees a queue of any length in its order.
func TestBrowseMany(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse"}, func(t *testing.T, c *harness.Client) {
		queue := "browse.many." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 1000, "window": 500})
		inOrder(t, receive(t, c, s, queue, 1000, harness.Fields{"browse": true, "credit": 50}), c.Name, 1, 64)
	})
}

// TestBrowseSelector: a browser sees what its selector lets through.
func TestBrowseSelector(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse", "selector"}, func(t *testing.T, c *harness.Client) {
		queue := "browse.selector." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 30})
		got := receive(t, c, s, queue, 6, harness.Fields{"browse": true, "selector": "seq BETWEEN 11 AND 15 OR seq = 30"})
		inOrder(t, got[:5], c.Name, 11, 64)
		if got[5].Seq != 30 {
			t.Errorf("behind 15 came %d, want 30", got[5].Seq)
		}
	})
}

// TestBrowseEmpty: browsing an empty queue ends, with nothing.
func TestBrowseEmpty(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse"}, func(t *testing.T, c *harness.Client) {
		if got := messages(t, receiving(t, c, s, "browse.empty."+c.Name, atTheEnd, harness.Fields{"browse": true})); len(got) != 0 {
			t.Errorf("%d messages were seen in an empty queue", len(got))
		}
	})
}

// TestBrowseBlocksNobody: a browser keeps nothing from a consumer that comes while
// it is open.
func TestBrowseBlocksNobody(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse"}, func(t *testing.T, c *harness.Client) {
		queue := "browse.blocks." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 20})
		browser := receiving(t, c, s, queue, harness.Fields{"browse": true, "credit": 20, "idle_ms": 300})
		inOrder(t, receive(t, c, s, queue, 20), c.Name, 1, 64)
		messages(t, browser) // as many as it met
		empty(t, s, queue)
	})
}

// TestBrowseAcquired: what another consumer holds is not taken from it by a browser.
func TestBrowseAcquired(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"browse"}, func(t *testing.T, c *harness.Client) {
		queue := "browse.acquired." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 10})
		// It answers all ten at once, once the eleventh is there.
		holder := receiving(t, next(t, c), s, queue, harness.Fields{"count": 11, "batch": 11, "credit": 11, "idle_ms": 20_000})
		messages(t, receiving(t, c, s, queue, harness.Fields{"browse": true, "idle_ms": 200}))
		send(t, c, s, queue, harness.Fields{"count": 1, "first": 11})
		inOrder(t, messages(t, holder), c.Name, 1, 64)
		empty(t, s, queue)
	})
}
