package store

import "github.com/tidegate/tidegate/persist/sparse"

// held marks ids of messages that are not stored.
const held = uint64(1) << 63

// content is what is in memory of one id.
type content struct {
	head []byte
	body [][]byte
	size int64 // of both; never 0, so that an empty message counts too
	pins int32 // Loads whose done still runs
	own  bool  // shares no buffer with what may be gone
	// wanted: read or asked for since eviction last came by, which then passes
	// over it once.
	wanted bool
}

// contents are the bytes in memory, by id. The store's lock guards them.
type contents struct {
	stored, held sparse.Table[content]
	bytes        int64      // in memory
	count        int        // ids in memory
	storedCount  int        // of these, stored ones
	heldBytes    int64      // of bytes, of those that are not stored
	total        int64      // bytes ever put: the clock by which contents age
	young        []youngRef // pages not yet aged, oldest first
	hand         uint64     // page of stored at which eviction goes on
}

type youngRef struct {
	page uint64
	held bool
	born int64 // total when the page was made
}

// overhead is what one content costs beside its bytes.
const overhead = 64

func (c *contents) table(id uint64) *sparse.Table[content] {
	if id >= held {
		return &c.held
	}
	return &c.stored
}

func (c *contents) get(id uint64) *content {
	p := c.table(id).Find(id &^ held)
	if p == nil {
		return nil
	}
	e := &p.Slots[id%sparse.PageIDs]
	if e.size == 0 {
		return nil
	}
	return e
}

func (c *contents) put(id uint64, head []byte, body [][]byte, own bool) *content {
	size := int64(overhead + len(head))
	for _, b := range body {
		size += int64(len(b))
	}
	p := c.table(id).At(id &^ held)
	if p.Used == 0 {
		p.Live, p.Ever = 0, 0
		c.remember(youngRef{p.Number, id >= held, c.total})
	}
	p.Live += size
	p.Ever += size
	e := &p.Slots[id%sparse.PageIDs]
	if e.size == 0 {
		p.Used++
		c.count++
		if id < held {
			c.storedCount++
		}
	} else {
		c.account(id, -e.size)
		p.Live -= e.size
	}
	e.head, e.body, e.size, e.own, e.wanted = head, body, size, own, false
	c.account(id, size)
	c.total += size
	return e
}

// account counts bytes that came or went.
func (c *contents) account(id uint64, size int64) {
	c.bytes += size
	if id >= held {
		c.heldBytes += size
	}
}

// remember queues a page to be aged, once: the page of the newest ids empties
// and fills again with every message that is consumed at once.
func (c *contents) remember(ref youngRef) {
	n := len(c.young)
	for i := n - 1; i >= max(0, n-2); i-- {
		if c.young[i].page == ref.page && c.young[i].held == ref.held {
			return
		}
	}
	c.young = append(c.young, ref)
}

// drop lets go of an id's bytes; it says whether there were any.
func (c *contents) drop(id uint64) bool {
	t := c.table(id)
	p := t.Find(id &^ held)
	if p == nil {
		return false
	}
	e := &p.Slots[id%sparse.PageIDs]
	if e.size == 0 {
		return false
	}
	c.account(id, -e.size)
	c.count--
	if id < held {
		c.storedCount--
	}
	wasDense := dense(p)
	p.Live -= e.size
	*e = content{}
	if p.Used--; p.Used == 0 {
		t.Free(p)
	} else if wasDense && !dense(p) { // what is left is to be copied, unless it goes soon
		c.remember(youngRef{p.Number, id >= held, c.total})
	}
	return true
}

// dense says whether a page's contents fill the buffers in which they came well
// enough: copying them out would cost more than the rest is worth.
func dense(p *sparse.Page[content]) bool { return p.Live*sparseShare >= p.Ever }

// sparseShare: with less than half of its bytes alive a page is sparse. It
// bounds what the network's buffers hold for the sake of what lives in them.
const sparseShare = 2

// agedPage says whether the oldest young page is due to be aged: the page that
// came after it is far behind already.
func (c *contents) agedPage() bool {
	return len(c.young) > 1 && c.total-c.young[1].born > youngBytes
}

// age copies what still lives of the oldest young page out of shared buffers, if
// that is little; else the page comes again when it has become so. It looks at slots from at on and does a bounded amount of work; it returns
// where to go on, 0 when the page is done.
func (c *contents) age(at int) int {
	ref := c.young[0]
	t := &c.stored
	if ref.held {
		t = &c.held
	}
	if p := t.Find(ref.page * sparse.PageIDs); p != nil && !dense(p) {
		copied := 0
		for ; at < len(p.Slots); at++ {
			e := &p.Slots[at]
			if e.size == 0 || e.own || e.size >= aloneBytes {
				continue
			}
			if copied >= agedAtOnce {
				return at
			}
			e.unshare()
			copied++
		}
	}
	c.young = c.young[:copy(c.young, c.young[1:])]
	return 0
}

// agedAtOnce is how many contents are copied while the lock is held.
const agedAtOnce = 32

func (e *content) unshare() {
	n := len(e.head)
	for _, b := range e.body {
		n += len(b)
	}
	chunk := append(make([]byte, 0, n), e.head...)
	for _, b := range e.body {
		chunk = append(chunk, b...)
	}
	k := len(e.head)
	e.head, e.own = chunk[:k:k], true
	if len(e.body) > 0 {
		e.body = [][]byte{chunk[k:]}
	}
}

// evict drops stored contents that can be read back, going round from where it
// ended before; what was read or asked for since it last came by stays for
// another round. It looks at one page and says whether anything left; rounds
// counts pages of this pass.
func (c *contents) evict(idle func(id uint64) bool, rounds *int) (left bool) {
	*rounds++
	p := c.stored.Next(c.hand)
	if p == nil {
		if p = c.stored.Next(0); p == nil {
			return false
		}
	}
	c.hand = p.Number + 1
	first, n := p.Number*sparse.PageIDs, p.Used
	for i := range p.Slots {
		if n == 0 {
			break // and not once there is room: half a page would keep the buffers of all of it
		}
		e := &p.Slots[i]
		if e.size == 0 {
			continue
		}
		n--
		if e.wanted {
			e.wanted = false
			continue
		}
		if id := first + uint64(i); e.pins == 0 && idle(id) {
			c.drop(id)
			left = true
		}
	}
	return left
}
