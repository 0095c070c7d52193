package core

// An exclusive queue serves one receiver, the first that asked for messages; the
// others stand by (ems 2.3 exclusive). Who browses is not concerned.

// setExclusive makes a queue exclusive, or not.
func (b *Broker) setExclusive(q *queue, exclusive bool) {
	if q.exclusive == exclusive {
		return
	}
	q.exclusive, q.owner = exclusive, nil
	for _, k := range q.consumers {
		k.standby = exclusive && !k.browse
	}
	b.elect(q)
	for _, k := range q.consumers {
		b.wake(k)
	}
	b.touch(q)
}

// elect gives an exclusive queue its receiver, if it has none: the first of those
// that have asked for messages.
func (b *Broker) elect(q *queue) {
	if !q.exclusive || q.owner != nil {
		return
	}
	for _, k := range q.consumers {
		if k.browse || !k.active || k.barred {
			continue
		}
		q.owner, k.standby = k, false
		b.wake(k)
		b.touch(q)
		return
	}
}

// abdicate lets another receiver take over from one that leaves.
func (b *Broker) abdicate(q *queue, k *consumer) {
	if q.owner == k {
		q.owner, k.standby = nil, true
		b.elect(q)
	}
}
