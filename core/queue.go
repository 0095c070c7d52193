package core

import "github.com/tidegate/tidegate/core/property"

const priorities = 10

// queue holds messages for consumers: a JMS queue, or what a topic's
// subscription has yet to receive.
type queue struct {
	// What every message asks for, close together: of many queues each line is a far
	// look.
	broker      *Broker
	id          QueueID
	sub         *subscription
	temp        *conn    // creator of a temporary one
	asks        bool     // sub must be asked about messages, beyond its place in the index: spares a far look
	arriving    bool     // a commit is about to place messages in it
	open        bool     // a temporary one that every connection may consume from
	life        Declared // of one that a client declared: Lasting or Fleeting
	recorded    bool     // defined in the journal: its stored messages are
	changed     bool
	deleted     bool
	static      bool   // an administrator defined it: it stays
	wasStatic   bool   // the journal says so
	exclusive   bool   // owner alone is served
	exports     bool   // what it has goes out by a transport
	lossy       bool   // and is lost with the process
	traces      bool   // its policy does
	need        Need   // what its persistent messages wait for
	prefetch    int32  // who holds fewer is served first; 0: all are equal
	policyAt    uint64 // as of which change of the definitions; see Broker.policy
	depth       int
	bytes       int64
	resumeAt    int64 // at so many bytes some of withheld may go; -1: there are none
	stored      int   // of depth: in the journal
	storedBytes int64
	earliest    int64 // lower bound of expiry over all entries; 0 none
	meter
	holds    Destination // whose messages it holds back until they are due; Kind 0: an ordinary queue
	order    []*ring     // highest priority first
	ready    []*consumer // those with credit and room, without a cursor
	scanners []*consumer // those with a cursor: selector, skip list, browse
	turn     int         // whose turn it is, of ready
	given    int         // messages in this turn
	turnStep uint64      // the step in which it began
	idle     int         // of ready: who has nothing unsettled
	rings    [priorities]*ring

	dest      Destination       // for a subscription, its topic (maybe with wildcards)
	delays    map[uint64]*Delay // by message: for whom
	policy    *property.Policy
	outlets   []*outlet // bridges that begin here
	owner     *consumer
	withheld  []withheld // answers to its producers
	lost      *Losses    // nil: none
	at        Pos        // recovery: contained up to here in the checkpoint
	consumers []*consumer
	producers int
}

func (q *queue) ring(priority uint8) *ring {
	if priority >= priorities {
		priority = priorities - 1
	}
	r := q.rings[priority]
	if r == nil {
		r = newRing(q, priority)
		q.rings[priority] = r
		i := 0
		for i < len(q.order) && q.order[i].priority > priority {
			i++
		}
		q.order = append(q.order, nil)
		copy(q.order[i+1:], q.order[i:])
		q.order[i] = r
	}
	return r
}

func (q *queue) available() int {
	n := 0
	for _, r := range q.order {
		n += r.ready
	}
	return n
}

func (q *queue) removeConsumer(c *consumer) {
	q.consumers = without(q.consumers, c)
	q.scanners = without(q.scanners, c)
	q.unready(c)
}

func (q *queue) makeReady(c *consumer) {
	if c.cursor != nil || c.readyAt >= 0 {
		return
	}
	c.readyAt = len(q.ready)
	q.ready = append(q.ready, c)
	if c.first == 0 {
		q.idle++
	}
}

func (q *queue) unready(c *consumer) {
	i := c.readyAt
	if i < 0 {
		return
	}
	if c.first == 0 {
		q.idle--
	}
	if q.turn == i {
		q.given = 0 // the next one's
	}
	copy(q.ready[i:], q.ready[i+1:])
	q.ready = q.ready[:len(q.ready)-1]
	for ; i < len(q.ready); i++ {
		q.ready[i].readyAt = i
	}
	if q.turn > c.readyAt {
		q.turn--
	}
	c.readyAt = -1
}

func without[T comparable](s []T, x T) []T {
	for i, y := range s {
		if x == y {
			return append(s[:i], s[i+1:]...)
		}
	}
	return s
}
