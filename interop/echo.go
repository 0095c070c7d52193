package interop

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
)

const (
	maxEchoes = 8192             // messages that went out and are remembered
	echoTime  = 60 * time.Second // for how long
)

// echoes remember what went out by a transport that cannot carry an origin
// (encoding=raw), so that what comes back is at least seen (Counts.LoopSuspect). Two
// senders may say the same, so nothing is dropped for it.
type echoes struct {
	mu   sync.Mutex
	seed maphash.Seed
	at   map[uint64]echo
	ring []uint64
	next int
}

// echo is when a message went out last, and where in the ring that is.
type echo struct {
	at   time.Time
	slot int
}

func (e *echoes) hash(to Destination, m *message.Message) uint64 {
	if e.at == nil {
		e.seed, e.at = maphash.MakeSeed(), map[uint64]echo{}
	}
	var h maphash.Hash
	h.SetSeed(e.seed)
	_, _ = h.WriteString(to.Name)
	_ = h.WriteByte(0)
	if b, ok := m.Bytes(); ok {
		_, _ = h.Write(b)
	} else {
		for _, p := range m.BodyPieces(nil) {
			_, _ = h.Write(p)
		}
	}
	return h.Sum64()
}

// went remembers a message.
func (e *echoes) went(to Destination, m *message.Message, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	h := e.hash(to, m)
	slot := e.next
	if len(e.ring) < maxEchoes {
		e.ring = append(e.ring, h)
	} else {
		if old := e.ring[slot]; e.at[old].slot == slot {
			delete(e.at, old)
		}
		e.ring[slot] = h
	}
	e.next = (slot + 1) % maxEchoes
	e.at[h] = echo{now, slot}
}

// seen says whether a message like this one went out lately.
func (e *echoes) seen(to Destination, m *message.Message, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	was, ok := e.at[e.hash(to, m)]
	return ok && now.Sub(was.at) < echoTime
}
