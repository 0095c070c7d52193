package core

import (
	"math/bits"
	"slices"
)

const (
	blockSize = 256 // entries of a block, and of one slice of a scan
	// offeredAhead is how many sequences one offered mark covers: a record for
	// every 4,096 deliveries, and at most so many flagged in vain after a crash.
	offeredAhead = 4096
)

// entry is one message in a ring: 24 bytes, no pointers, so that a long backlog
// costs the collector nothing.
type entry struct {
	id      uint64
	expires int64
	size    uint32
	flags   uint32
}

// Flags of an entry. The last two are of this life only: a connection that ends
// may set them for a million entries in one step, so they are no table.
const (
	entryStored uint32 = 1 << iota // its placement is in the journal
	entrySeen                      // delivered before and not counted
	entryDoubt                     // perhaps: the connection was lost, so it is flagged when it comes again
)

// Above them stand the place's, which the journal has, and above those a number of the
// ring's addresses.
const (
	entryWaiting    = uint32(1) << 4 // for its next delivery: see redelivery.go
	entryMirror     = uint32(1) << 5 // shows one that waits
	entryPlaceShift = 8
	entryPreserve   = uint32(PlacePreserve) << entryPlaceShift
	entryTraced     = uint32(PlaceTrace|PlaceTraceBody) << entryPlaceShift
)

// fewEntries is what a block has room for at first: a queue that is drained as it
// fills stays in the same few cache lines, and ten thousand of them in the cache.
const fewEntries = 8

// block is blockSize sequences.
type block struct {
	entries  []entry                // fewEntries or blockSize; powers of two: an entry is at its sequence modulo the length
	gone     [blockSize / 64]uint64 // removed, or never here
	taken    [blockSize / 64]uint64 // dispatched, or browsing apart: held by a delivery
	volatile [blockSize / 64]uint64 // not stored
	live     int
	earliest int64 // lower bound of the entries' expiry; 0 none
}

// entry is where the entry of a sequence is, if it is not gone.
func (b *block) entry(seq uint64) *entry { return &b.entries[seq&uint64(len(b.entries)-1)] }

// room makes the place of a new entry free.
func (b *block) room(seq uint64) {
	const eighth = 0x0101010101010101 // of a word of bits, the sequences that share a place
	if len(b.entries) == blockSize {
		return
	}
	live := ^(b.gone[0] & b.gone[1] & b.gone[2] & b.gone[3])
	if live&(eighth<<(seq%fewEntries)) == 0 {
		return
	}
	all := make([]entry, blockSize)
	for i := range uint64(blockSize) {
		if b.gone[i/64]>>(i%64)&1 == 0 {
			all[i] = *b.entry(i)
		}
	}
	b.entries = all
}

// hollow stands for a block that everything has left, between others: one message that
// stays must not keep the memory of all that came behind it. Nobody writes to it.
var hollow = &block{entries: make([]entry, fewEntries), gone: allGone}

var allGone = [blockSize / 64]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// pending is a run of placements whose records are not yet known to be durable.
type pending struct {
	seq  uint64
	n    uint64
	pos  Pos // of the first; the others follow one by one, or share it (step 0)
	step Pos
	need Need
}

// ring holds the entries of one queue and priority, in order, under dense
// sequences of its own.
type ring struct {
	queue    *queue
	priority uint8
	base     uint64 // sequence of blocks[0]'s first entry
	next     uint64 // the next sequence
	head     uint64 // nothing below is available
	blocks   []*block
	spare    *block            // the next to be used, made before or emptied; nil: there is none
	counts   map[uint64]uint32 // failed deliveries, only where not 0
	waits    map[uint64]wait   // until when those wait that came back
	notes    map[uint64][]byte // what consumers added, only where they did
	went     *addresses        // nil: the queue says where all of it went
	pending  []pending
	offered  uint64     // logged: may have been delivered below
	offeredP Pos        // where that is logged
	flagged  uint64     // after recovery: may have been delivered below
	slice    *RingState // recovery: the checkpoint of this ring
	ready    int        // available entries
}

// ringStart is a ring with its first block and what points to it in one piece of
// memory: of ten thousand queues that each hold a message now and then, every
// piece is a page to look up.
type ringStart struct {
	ring
	first   block
	entries [fewEntries]entry
	blocks  [1]*block
	order   [1]*ring
}

func newRing(q *queue, priority uint8) *ring {
	s := &ringStart{ring: ring{queue: q, priority: priority}}
	s.first.entries = s.entries[:]
	s.ring.spare, s.ring.blocks = &s.first, s.blocks[:0]
	if q.order == nil {
		q.order = s.order[:0]
	}
	return &s.ring
}

func (r *ring) block(seq uint64) *block {
	if seq < r.base || seq >= r.base+uint64(len(r.blocks))*blockSize {
		return nil
	}
	return r.blocks[(seq-r.base)/blockSize]
}

func (r *ring) at(seq uint64) *entry {
	b := r.block(seq)
	if b == nil || b.gone[seq%blockSize/64]>>(seq%64)&1 != 0 {
		return nil
	}
	return b.entry(seq)
}

// grow makes seq the last sequence given; those skipped are gone.
func (r *ring) grow(seq uint64) *block {
	if len(r.blocks) == 0 {
		r.base = seq - seq%blockSize
		r.head = max(r.head, r.base)
		if r.next < r.base {
			r.next = r.base
		}
	}
	if first := seq - seq%blockSize; first < r.base { // a replay may find what is older later
		r.blocks = append(slices.Repeat([]*block{hollow}, int((r.base-first)/blockSize)), r.blocks...)
		r.base = first
	}
	for r.base+uint64(len(r.blocks))*blockSize <= seq {
		if r.base+uint64(len(r.blocks)+1)*blockSize <= seq { // skipped, perhaps a year's
			r.blocks = append(r.blocks, hollow)
			continue
		}
		b := r.spare
		if r.spare = nil; b == nil {
			n := fewEntries
			if len(r.blocks) > 0 { // a backlog goes on: it will be full as well
				n = len(r.blocks[len(r.blocks)-1].entries)
			}
			b = &block{entries: make([]entry, n)}
		}
		b.gone, b.volatile, b.earliest = allGone, [blockSize / 64]uint64{}, 0
		r.blocks = append(r.blocks, b)
	}
	if seq >= r.next {
		r.next = seq + 1
	}
	b := &r.blocks[(seq-r.base)/blockSize]
	if *b == hollow {
		*b = &block{entries: make([]entry, fewEntries), gone: allGone}
	}
	return *b
}

func (r *ring) put(seq uint64, e entry) {
	b := r.grow(seq)
	i := seq % blockSize
	b.room(seq)
	b.gone[i/64] &^= 1 << (i % 64)
	if e.flags&entryStored == 0 {
		b.volatile[i/64] |= 1 << (i % 64)
	}
	*b.entry(seq) = e
	b.live++
	r.ready++
	if e.expires != 0 && (b.earliest == 0 || e.expires < b.earliest) {
		b.earliest = e.expires
	}
	if seq < r.head {
		r.head = seq
	}
}

func (r *ring) isTaken(seq uint64) bool {
	b := r.block(seq)
	return b != nil && b.taken[seq%blockSize/64]>>(seq%64)&1 != 0
}

func (r *ring) take(seq uint64) {
	b := r.block(seq)
	b.taken[seq%blockSize/64] |= 1 << (seq % 64)
	r.ready--
}

// untake makes an entry available again, at its old place.
func (r *ring) untake(seq uint64) {
	b := r.block(seq)
	if b == nil || b.taken[seq%blockSize/64]>>(seq%64)&1 == 0 {
		return
	}
	b.taken[seq%blockSize/64] &^= 1 << (seq % 64)
	r.ready++
	if seq < r.head {
		r.head = seq
	}
}

// remove forgets an entry; false if it is not there.
func (r *ring) remove(seq uint64) (entry, bool) {
	b := r.block(seq)
	if b == nil {
		return entry{}, false
	}
	w, bit := seq%blockSize/64, uint64(1)<<(seq%64)
	if b.gone[w]&bit != 0 {
		return entry{}, false
	}
	if b.taken[w]&bit != 0 {
		b.taken[w] &^= bit
	} else {
		r.ready--
	}
	b.gone[w] |= bit
	b.live--
	e := *b.entry(seq)
	if r.counts != nil {
		delete(r.counts, seq)
	}
	if b.live == 0 {
		r.emptied(b, (seq-r.base)/blockSize)
	}
	return e, true
}

// emptied lets go of a block that can never fill again: all but the one that is being
// filled. One is used again, so that a queue that is drained as it fills stays in the
// same memory; a full-size one only while there are others.
func (r *ring) emptied(b *block, i uint64) {
	if r.base+(i+1)*blockSize <= r.next {
		r.blocks[i], r.spare = hollow, b
	}
	r.shrink()
	if r.spare != nil && len(r.spare.entries) > fewEntries && len(r.blocks) <= 1 {
		r.spare = nil
	}
}

// shrink drops the empty blocks at the front.
func (r *ring) shrink() {
	n := 0
	for n < len(r.blocks) && r.blocks[n].live == 0 && r.base+uint64(n+1)*blockSize <= r.next {
		n++
	}
	if n == 0 {
		return
	}
	r.blocks = dropFront(r.blocks, n)
	r.base += uint64(n) * blockSize
	r.head = max(r.head, r.base)
}

// available finds the first available sequence from seq on, looking at no more
// than limit entries; found says whether there is one, else seq is where the
// look ended.
func (r *ring) available(seq uint64, limit int) (at uint64, found bool) {
	seq = max(seq, r.base)
	end := min(r.next, seq+uint64(limit))
	for seq < end {
		b := r.blocks[(seq-r.base)/blockSize]
		i := seq % blockSize
		w := (b.gone[i/64] | b.taken[i/64]) >> (i % 64)
		if w != ^uint64(0)>>(i%64) {
			seq += uint64(bits.TrailingZeros64(^w))
			return seq, seq < r.next
		}
		seq += 64 - i%64
	}
	return min(seq, r.next), false
}

// from finds the first entry from seq on, whoever holds it.
func (r *ring) from(seq uint64) (at uint64, found bool) {
	for seq = max(seq, r.base); seq < r.next; {
		b := r.blocks[(seq-r.base)/blockSize]
		i := seq % blockSize
		if b.live == 0 {
			seq += blockSize - i
			continue
		}
		if live := ^b.gone[i/64] >> (i % 64); live != 0 {
			return seq + uint64(bits.TrailingZeros64(live)), true
		}
		seq += 64 - i%64
	}
	return r.next, false
}

// first gives the first available sequence, moving head to it.
func (r *ring) first() (uint64, bool) {
	if r.ready == 0 {
		return 0, false
	}
	at, ok := r.available(r.head, int(r.next-r.head)+blockSize)
	r.head = at
	return at, ok
}

// placed remembers which record covers a new entry.
func (r *ring) placed(seq uint64, pos Pos, need Need, step Pos) {
	if n := len(r.pending); n > 0 {
		p := &r.pending[n-1]
		if p.need == need && p.seq+p.n == seq && (p.step == step || p.n == 1) && p.pos+Pos(p.n)*step == pos {
			p.step = step
			p.n++
			return
		}
	}
	if len(r.pending) == cap(r.pending) { // nobody asks here: forget what is durable
		r.covers(seq, r.queue.broker.written, r.queue.broker.synced)
	}
	r.pending = append(r.pending, pending{seq: seq, n: 1, pos: pos, step: step, need: need})
}

// covers names the record that places seq, or zero when it is durable.
func (r *ring) covers(seq uint64, written, synced Pos) (Pos, Need) {
	done := 0
	for done < len(r.pending) {
		p := &r.pending[done]
		last := p.pos + Pos(p.n-1)*p.step
		if (p.need == Sync && last > synced) || (p.need != Sync && last > written) {
			break
		}
		done++
	}
	if done > 0 {
		r.pending = r.pending[:copy(r.pending, r.pending[done:])]
	}
	lo, hi := 0, len(r.pending)
	for lo < hi {
		m := (lo + hi) / 2
		if p := &r.pending[m]; p.seq+p.n <= seq {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == len(r.pending) || seq < r.pending[lo].seq {
		return 0, Ride
	}
	p := &r.pending[lo]
	return p.pos + Pos(seq-p.seq)*p.step, p.need
}

func (r *ring) count(seq uint64) uint32 { return r.counts[seq] }

func (r *ring) setCount(seq uint64, n uint32) {
	if r.counts == nil {
		r.counts = make(map[uint64]uint32)
	}
	r.counts[seq] = n
}

// noteSeen remembers that an entry was delivered before: its next delivery is
// not the first. doubt: whether it was is not known (the connection was lost),
// so it is flagged as redelivered, though not counted towards maxRedelivery.
func (r *ring) noteSeen(seq uint64, doubt bool) {
	e := r.at(seq)
	if e == nil {
		return
	}
	e.flags |= entrySeen
	if doubt {
		e.flags |= entryDoubt
	}
}
