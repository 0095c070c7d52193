package core

import "time"

func (c *consumer) attachDelivery(b *Broker, d *delivery) {
	c.held++
	d.prev, d.next = c.last, 0
	if c.last != 0 {
		b.deliveries.get(c.last).next = d.id
	} else {
		c.first = d.id
		if c.readyAt >= 0 {
			c.queue.idle--
		}
	}
	c.last = d.id
}

func (c *consumer) detachDelivery(b *Broker, d *delivery) {
	c.held--
	if d.prev != 0 {
		b.deliveries.get(d.prev).next = d.next
	} else if c.first == d.id {
		c.first = d.next
	}
	if d.next != 0 {
		b.deliveries.get(d.next).prev = d.prev
	} else if c.last == d.id {
		c.last = d.prev
	}
	d.prev, d.next = 0, 0
	if c.first == 0 && c.readyAt >= 0 {
		c.queue.idle++
	}
}

// Settle applies a consumer's outcome to a delivery, at once or within a
// transaction. Deliveries that are unknown or settled are passed over (amqp
// 2.6.12 lets ranges hold them). With confirm an OutConfirmed follows once the
// outcome is durable.
func (b *Broker) Settle(now time.Time, id DeliveryID, in TxnID, o Outcome, confirm bool, fx *Effects) {
	d := b.deliveries.get(id)
	if d == nil || d.txn != nil {
		return
	}
	k := d.consumer
	conn, consumer := k.conn.id, k.id
	if in != 0 {
		t := b.txns[in]
		switch {
		case t != nil && t.conn == k.conn && b.Enlist(in, 1) != nil:
			fx.Outs = append(fx.Outs, Out{Kind: OutConfirmed, Conn: conn, Consumer: consumer, Delivery: id, Txn: in, Err: t.doomed})
			o = Outcome{Kind: Released}
			confirm = false
		case t == nil || t.conn != k.conn:
			fx.Outs = append(fx.Outs, Out{Kind: OutConfirmed, Conn: conn, Consumer: consumer, Delivery: id, Txn: in, Err: &Error{Op: "acknowledge", Kind: UnknownTransaction}})
			o = Outcome{Kind: Released}
			confirm = false
		default:
			b.worked(now, t)
			d.txn = t
			if o.Kind == Accepted {
				t.acks = append(t.acks, id)
			} else {
				t.returns = append(t.returns, txnReturn{id, o})
			}
			if confirm {
				fx.Outs = append(fx.Outs, Out{Kind: OutConfirmed, Conn: conn, Consumer: consumer, Delivery: id, Txn: in})
			}
			return
		}
	}
	before := b.next
	b.settle(d, o, fx)
	if confirm {
		out := Out{Kind: OutConfirmed, Conn: conn, Consumer: consumer, Delivery: id}
		if b.next > before || len(fx.Records) > 0 {
			out.After, out.Need = b.next-1, Sync
			if n := len(fx.Records); n > 0 {
				fx.Records[n-1].Need = Sync
			}
		}
		fx.Outs = append(fx.Outs, out)
	}
	b.dispatchTouched(now, fx)
}

// OldestUnsettled is the first of a consumer's deliveries that is not settled; 0:
// there is none.
func (b *Broker) OldestUnsettled(id ConsumerID) DeliveryID {
	if k := b.consumers.get(uint64(id)); k != nil {
		return k.first
	}
	return 0
}

func (b *Broker) settle(d *delivery, o Outcome, fx *Effects) {
	k, r := d.consumer, d.ring
	if k.browse || k.settled {
		return // nothing to decide
	}
	if o.Kind == Accepted {
		b.consume(d, fx)
		if k.suspended {
			b.dropIdle(r.queue, fx)
		}
		return
	}
	counted := o.Kind == Rejected || (o.Kind == Modified && o.DeliveryFailed)
	if counted {
		b.fail(r, d.seq, fx)
	} else {
		r.noteSeen(d.seq, false)
	}
	if o.Kind == Modified {
		b.note(r, d.seq, o.Notes, fx)
	}
	if o.Kind == Modified && o.UndeliverableHere && k != closedConsumer {
		k.scan()
		if k.skip == nil {
			k.skip = make(map[skipped]struct{})
		}
		if len(k.skip) < MaxSkipped {
			k.skip[skipped{r.priority, d.seq}] = struct{}{}
		}
	}
	b.giveBack(d, counted, fx)
}

// fail counts a failed delivery, durably where the message is stored.
func (b *Broker) fail(r *ring, seq uint64, fx *Effects) {
	e := r.at(seq)
	if e == nil {
		return
	}
	n := r.count(seq) + 1
	if e.flags&entryStored != 0 {
		b.emit(Record{Kind: RecCount, Run: Run{Queue: r.queue.id, Priority: r.priority, First: seq, Count: 1}, Count: n}, fx)
		return
	}
	r.setCount(seq, n)
}

// giveBack returns a delivery's message to its old place. failed: it was perhaps worked
// on, so it may have to wait, or have come back too often.
func (b *Broker) giveBack(d *delivery, failed bool, fx *Effects) {
	k, r := d.consumer, d.ring
	switch {
	case k.browse:
		b.release(d.message, fx)
	case r.queue.deleted:
	case failed && b.exhausted(r, d.seq):
		b.makeAvailable(r, d.seq)
		b.undeliver(r, d.seq, ReasonMaxRedelivery, fx)
	case failed && b.postpone(r, d.seq):
	default:
		b.makeAvailable(r, d.seq)
	}
	k.detachDelivery(b, d)
	b.deliveries.free(d)
}

// consume removes a delivery's message for good.
func (b *Broker) consume(d *delivery, fx *Effects) {
	r := d.ring
	if !r.queue.deleted {
		if r.queue.traces || b.marked {
			b.traceOut(TraceAcknowledged, d.consumer, r, r.at(d.seq), ReasonNone, fx)
		}
		b.remove(r, d.seq, fx)
	}
	d.consumer.detachDelivery(b, d)
	b.deliveries.free(d)
}

// remove takes an entry out of its ring, with a record where it is stored; runs
// within a step become one record.
func (b *Broker) remove(r *ring, seq uint64, fx *Effects) {
	e := r.at(seq)
	if e == nil {
		return
	}
	if e.flags&entryStored == 0 {
		b.drop(r, seq, fx)
		return
	}
	if n := len(fx.Records); n > 0 {
		last := &fx.Records[n-1]
		if last.Kind == RecRemove && last.Run.Queue == r.queue.id && last.Run.Priority == r.priority && last.Run.First+last.Run.Count == seq {
			last.Run.Count++
			b.drop(r, seq, fx)
			return
		}
	}
	id := e.id
	b.hold(id) // Apply releases without effects: the last holder must be here
	b.emit(Record{Kind: RecRemove, Need: Write, Run: Run{Queue: r.queue.id, Priority: r.priority, First: seq, Count: 1}}, fx)
	b.release(id, fx)
}

// drop is the one way an entry leaves a ring.
func (b *Broker) drop(r *ring, seq uint64, fx *Effects) {
	e, ok := r.remove(seq)
	if !ok {
		return
	}
	b.dropNotes(r, seq)
	if r.went != nil {
		r.unaddress(seq, e.flags)
	}
	q := r.queue
	if e.flags&entryMirror != 0 { // it counts where it stands
		b.pendingMsgs++
		b.pendingBytes += int64(e.size)
		b.heldBytes += heldSize(e.size)
	}
	if e.flags&entryWaiting != 0 {
		b.endWait(r, seq, fx)
	}
	q.depth--
	q.bytes -= int64(e.size)
	b.pendingMsgs--
	b.pendingBytes -= int64(e.size)
	if q.bytes <= q.resumeAt {
		b.touch(q)
	}
	if e.flags&entryStored != 0 {
		q.stored--
		q.storedBytes -= int64(e.size)
		b.markChanged(q)
	} else {
		b.heldBytes -= heldSize(e.size)
	}
	if q.holds.Kind != 0 {
		b.delayed--
		delete(q.delays, e.id)
		b.pruneDue()
	}
	b.release(e.id, fx)
}

// Deadline is when Expire wants to be called; zero: not at all.
func (b *Broker) Deadline() time.Time {
	at := int64(0)
	if b.sweepAt != 0 {
		at = max(b.sweepAt, b.lastSweep+1000)
	}
	if len(b.due) > 0 && (at == 0 || b.due[0].due < at) {
		at = max(b.due[0].due, 1)
	}
	if t := b.firstTimed; t != nil && (at == 0 || t.due < at) {
		at = t.due
	}
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// Expire does what is due: it lets go of messages whose delivery time has come, rolls
// transactions back whose time is up, and sweeps expired messages out of the queues,
// at most once a second.
func (b *Broker) Expire(now time.Time, fx *Effects) {
	b.mature(now, fx)
	b.timeOut(now, fx)
	b.sweepAll(now, fx)
	b.dispatchTouched(now, fx)
}

func (b *Broker) sweepAll(now time.Time, fx *Effects) {
	at := millis(now)
	if b.sweepAt == 0 || at < b.sweepAt || at < b.lastSweep+1000 && b.lastSweep != 0 {
		return
	}
	b.lastSweep = at
	next := int64(0)
	var empty []*queue
	for _, q := range b.all {
		if q.earliest == 0 {
			continue
		}
		if q.earliest <= at {
			q.earliest = 0
			for _, r := range q.order {
				b.sweep(q, r, at, fx)
			}
		}
		if q.holds.Kind != 0 && q.depth == 0 {
			empty = append(empty, q)
		}
		if q.earliest != 0 && (next == 0 || q.earliest < next) {
			next = q.earliest
		}
	}
	b.sweepAt = next
	for _, q := range empty { // nobody else would see that it is idle
		b.dropIdle(q, fx)
	}
}

func (b *Broker) sweep(q *queue, r *ring, at int64, fx *Effects) {
	for i := 0; i < len(r.blocks); i++ {
		blk := r.blocks[i]
		if blk.earliest == 0 || blk.live == 0 {
			continue
		}
		if blk.earliest <= at {
			blk.earliest = 0
			for j := range blockSize {
				seq := r.base + uint64(i)*blockSize + uint64(j)
				e := r.at(seq)
				if e == nil || e.expires == 0 {
					continue
				}
				if e.expires > at || r.isTaken(seq) {
					if blk.earliest == 0 || e.expires < blk.earliest {
						blk.earliest = max(e.expires, at+1000)
					}
					continue
				}
				base := r.base
				b.undeliver(r, seq, ReasonExpired, fx)
				i -= int((r.base - base) / blockSize) // blocks at the front went
				i = max(i, -1)                        // many at once, where a restart left sequences out
				if i < 0 || i >= len(r.blocks) || r.blocks[i] != blk {
					break
				}
			}
		}
		if blk.earliest != 0 && (q.earliest == 0 || blk.earliest < q.earliest) {
			q.earliest = blk.earliest
		}
	}
}
