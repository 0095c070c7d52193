package core

import "time"

// sliceBudget is how many slices of a scan one step may look at before it lets
// others have the broker (Effects.More).
const sliceBudget = 64

// dispatchTouched serves the queues that changed in this call.
func (b *Broker) dispatchTouched(now time.Time, fx *Effects) {
	if len(b.returned) > 0 {
		b.postponeAll(now, fx)
	}
	for i := 0; i < len(b.touched); i++ {
		if q := b.touched[i]; !q.deleted {
			b.dispatch(now, q, fx)
		}
	}
	clear(b.touched)
	b.touched = b.touched[:0]
	if len(b.unblocked) > 0 {
		b.answerDrains(fx)
	}
}

// answerDrains answers what waited for room on connections that have some again:
// others may have taken the messages it waited for.
func (b *Broker) answerDrains(fx *Effects) {
	for _, c := range b.unblocked {
		for _, id := range sortedKeys(c.consumers) {
			b.answerDrain(c.consumers[id], fx)
		}
	}
	clear(b.unblocked)
	b.unblocked = b.unblocked[:0]
}

func (b *Broker) dispatch(now time.Time, q *queue, fx *Effects) {
	if q.bytes <= q.resumeAt {
		b.resume(q, fx)
	}
	if len(q.scanners) > 0 {
		for _, k := range q.scanners {
			b.scanFor(now, k, fx)
		}
	}
	for len(q.ready) > 0 {
		r, seq, ok := b.head(now, q, fx)
		if !ok {
			break
		}
		k := q.whoseTurn(b.step)
		if !k.canTake() { // another queue used its connection's room up
			b.wake(k)
			continue
		}
		b.deliver(k, r, seq, fx)
		q.takeTurn(k.first <= b.before)
		b.wake(k)
		if k.drain && k.credit() == 0 {
			b.answerDrain(k, fx)
		}
	}
}

// A consumer that was at work before this step may get several messages in one turn where
// many share a queue: a thousand that get one each cost a write and a read for
// every message. Few go round one by one.
const (
	turnBatch = 16 // at most
	turnShare = 4  // one message more for so many consumers
)

// whoseTurn names the ready consumer that is next. A turn ends with its step, so
// that messages which come one by one go round one by one.
func (q *queue) whoseTurn(step uint64) *consumer {
	if q.turnStep != step {
		if q.given > 0 {
			q.turn++
		}
		q.turnStep, q.given = step, 0
	}
	if q.turn >= len(q.ready) {
		q.turn = 0
	}
	if q.prefetch > 0 && q.ready[q.turn].held >= q.prefetch {
		q.preferHungry()
	}
	return q.ready[q.turn]
}

// hungryProbes is how many consumers are looked at for one that holds less than the
// queue's prefetch.
const hungryProbes = 64

// preferHungry gives the turn to the next consumer that holds less than the queue's
// prefetch, if there is one: who asked for more than it can work on waits behind those
// that have nothing to do (ems 2.3 prefetch; amqp credit is the consumer's word, so
// nothing is kept from anybody).
func (q *queue) preferHungry() {
	for i := 1; i <= min(hungryProbes, len(q.ready)-1); i++ {
		if at := (q.turn + i) % len(q.ready); q.ready[at].held < q.prefetch {
			q.turn, q.given = at, 0
			return
		}
	}
}

// takeTurn counts one message of the turn of a consumer that is at work, or was
// not before this step. While most wait for work, nobody gets a batch.
func (q *queue) takeTurn(atWork bool) {
	if q.given++; !atWork || 2*q.idle > len(q.ready) || q.given >= min(turnBatch, len(q.ready)/turnShare) {
		q.turn, q.given = q.turn+1, 0
	}
}

// head finds the first available message, letting expired ones go.
func (b *Broker) head(now time.Time, q *queue, fx *Effects) (*ring, uint64, bool) {
	for _, r := range q.order {
		for r.ready > 0 {
			seq, ok := r.first()
			if !ok {
				break
			}
			if e := r.at(seq); e.expires != 0 && e.expires <= millis(now) {
				b.undeliver(r, seq, ReasonExpired, fx)
				continue
			}
			return r, seq, true
		}
	}
	return nil, 0, false
}

// deliver hands one entry to one consumer.
func (b *Broker) deliver(k *consumer, r *ring, seq uint64, fx *Effects) {
	e := r.at(seq)
	d := b.deliveries.add()
	d.consumer, d.ring, d.seq, d.message = k, r, seq, e.id
	k.attachDelivery(b, d)
	after, need := r.covers(seq, b.written, b.synced)
	count := r.count(seq)
	first := !k.browse
	if !k.browse {
		r.take(seq)
		if e.flags&entryStored != 0 {
			if seq >= r.offered {
				b.emit(Record{Kind: RecOffered, Need: r.queue.need, Run: Run{Queue: r.queue.id, Priority: r.priority, First: seq + offeredAhead}}, fx)
				r.offeredP = b.next - 1
			}
			if !b.durable(r.offeredP, r.queue.need) && r.offeredP > after {
				after, need = r.offeredP, max(need, r.queue.need)
			}
		}
		if count == 0 && (seq < r.flagged || e.flags&entryDoubt != 0) {
			count = 1
		}
		first = count == 0 && e.flags&entrySeen == 0
	} else {
		b.hold(e.id)
	}
	if r.queue.traces || e.flags&entryTraced != 0 {
		b.traceOut(TraceSent, k, r, e, ReasonNone, fx)
	}
	k.count++
	k.out.add(int64(e.size))
	r.queue.out.add(int64(e.size))
	b.total.out.add(int64(e.size))
	if k.topic != nil {
		k.topic.out.add(int64(e.size))
	}
	txn := TxnID(0)
	if k.acquire != 0 && !k.browse && !k.settled {
		txn = b.acquired(k, d)
	}
	size := roomSize(e.size) + dispatchOverhead
	k.inflight = append(k.inflight, flight{d.id, size})
	k.conn.inflight += size
	var notes any
	if n := r.notes[seq]; n != nil {
		notes = n
	}
	flags := placeFlags(e.flags)
	var to *Destination
	if flags&PlaceBridged != 0 {
		to = r.addressee(seq)
	}
	fx.Outs = append(fx.Outs, Out{
		Kind: OutDeliver, To: to, Overridden: flags&(PlaceExpiry|PlaceReason) != 0, Reason: Reason(flags & PlaceReason >> placeReasonShift), Ref: notes, Need: need, After: after, Settled: k.settled, First: first, Conn: k.conn.id, Consumer: k.id,
		Delivery: d.id, Message: e.id, Expires: e.expires, Size: int64(e.size), Count: count, Txn: txn,
	})
}

func (b *Broker) durable(p Pos, n Need) bool {
	return p == 0 || (n == Sync && p <= b.synced) || (n == Write && p <= b.written)
}

// answerDrain answers a drain once nothing more can be given (amqp 2.6.7): what
// credit is left is used up.
func (b *Broker) answerDrain(k *consumer, fx *Effects) {
	if !k.drain {
		return
	}
	if k.credit() > 0 && b.servable(k) {
		return // for want of room or bytes: Wrote, Loaded or Continue come back here
	}
	if k.credit() > 0 { // a limit below the count takes nothing back
		k.count = k.limit
	}
	k.drain, k.drained = false, b.deliveries.last
	b.wake(k)
	fx.Outs = append(fx.Outs, Out{Kind: OutDrained, Conn: k.conn.id, Consumer: k.id, Limit: k.count})
}

// servable says whether there may be something for k now.
func (b *Broker) servable(k *consumer) bool {
	if k.barred || k.standby {
		return false
	}
	if k.cursor == nil {
		return k.queue.available() > 0
	}
	for _, r := range k.queue.order {
		if max(k.cursor[r.priority], r.base) < r.next {
			return true
		}
	}
	return false
}

// scanFor serves a consumer with a cursor.
func (b *Broker) scanFor(now time.Time, k *consumer, fx *Effects) {
	slices := 0
	for _, r := range k.queue.order {
		at := max(k.cursor[r.priority], r.base)
		for at < r.next {
			if !k.canTake() {
				k.cursor[r.priority] = at
				k.conn.blocked = k.conn.blocked || k.credit() > 0 && !k.barred
				if k.credit() <= 0 || k.barred {
					b.answerDrain(k, fx)
				}
				return
			}
			if slices++; slices > sliceBudget*blockSize {
				k.cursor[r.priority] = at
				b.wait(k)
				fx.More = true
				return
			}
			seq, ok := b.nextFor(k, r, at)
			if !ok {
				at = seq
				continue
			}
			if e := r.at(seq); e.expires != 0 && e.expires <= millis(now) {
				if !r.isTaken(seq) {
					b.undeliver(r, seq, ReasonExpired, fx)
				}
				at = seq + 1
				continue
			}
			match, absent := b.matches(k, r, seq, fx)
			if absent {
				k.cursor[r.priority] = seq
				b.wait(k)
				return
			}
			at = seq + 1
			if match {
				b.deliver(k, r, seq, fx)
			}
		}
		k.cursor[r.priority] = at
	}
	if k.drain {
		b.answerDrain(k, fx)
	}
}

func (b *Broker) nextFor(k *consumer, r *ring, at uint64) (uint64, bool) {
	if k.browse {
		return r.from(at)
	}
	return r.available(at, blockSize)
}

func (b *Broker) matches(k *consumer, r *ring, seq uint64, fx *Effects) (match, absent bool) {
	if _, no := k.skip[skipped{r.priority, seq}]; no {
		return false, false
	}
	if k.selector == nil {
		return true, false
	}
	id := r.at(seq).id
	c, ok := b.o.Contents.Content(id)
	if !ok {
		fx.Needs = append(fx.Needs, id)
		return false, true
	}
	return k.selector.Match(c), false
}

func (b *Broker) wait(k *consumer) {
	if !k.stuck {
		k.stuck = true
		b.waiting = append(b.waiting, k)
	}
}

// Loaded answers Needs: the bytes of ids are in memory until the step ends.
func (b *Broker) Loaded(now time.Time, _ []uint64, fx *Effects) { b.Continue(now, fx) }

// Continue answers More.
func (b *Broker) Continue(now time.Time, fx *Effects) {
	b.mature(now, fx)
	waiting := b.waiting
	b.waiting = nil
	for _, k := range waiting {
		k.stuck = false
		if b.consumers.get(uint64(k.id)) == k && k.cursor != nil {
			b.scanFor(now, k, fx)
		}
	}
	b.dispatchTouched(now, fx)
}
