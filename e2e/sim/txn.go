package sim

// txn is a transaction as its client knows it.
type txn struct {
	w        *World
	k        *conn
	n        int
	id       []byte
	state    int
	event    int64 // when its commit was asked for
	life     int
	poisoned bool // a send was refused
	sends    []*sent
	acks     []*copied
	// binding: the state was learned from something that survives crashes.
	binding bool
}

// States of a transaction.
const (
	txnDeclaring = iota
	txnOpen
	txnDischarging
	txnCommitted
	txnRolledBack
	txnUnknown // the answer to its commit was lost
)

func (l *ledger) newTxn(k *conn) *txn {
	t := &txn{w: k.w, k: k, n: len(l.txns), life: k.w.lives}
	l.txns = append(l.txns, t)
	return t
}

// commit: the broker has said so.
func (t *txn) commit() {
	if t.poisoned {
		t.w.fail("transaction %d is committed although a send in it was refused", t.n)
	}
	if t.state == txnRolledBack {
		t.w.fail("transaction %d is committed although a message acknowledged in it came back", t.n)
	}
	t.committed()
}

func (t *txn) committed() {
	t.state, t.binding = txnCommitted, true
	for _, m := range t.sends {
		if m.surely() {
			m.owe(t.event)
		}
	}
	level := levelWritten
	if t.w.config.failsafe() {
		level = levelSynced
	}
	for _, c := range t.acks {
		if c.txn == t {
			c.txn, c.level = nil, level
		}
	}
}

// rollback: the client knows that nothing of it stays.
func (t *txn) rollback(sure bool) {
	t.state, t.binding = txnRolledBack, sure
	for _, c := range t.acks {
		if c.txn == t {
			c.txn, c.ended, c.holder = nil, settleFail, nil
		}
	}
}

// lost: the answer to a declare or discharge will not come.
func (t *txn) lost(q *request) {
	if q.declare || q.fail || t.state == txnRolledBack {
		t.rollback(true)
		return
	}
	t.state = txnUnknown
}

// visible: a message of the transaction came.
func (t *txn) visible(m *sent, on *target, complain func(string)) {
	switch t.state {
	case txnDeclaring, txnOpen:
		complain("its transaction is open")
	case txnRolledBack:
		complain("its transaction is rolled back")
	case txnUnknown, txnDischarging:
		// The broker has committed. Of what is not stored it may say so before
		// the commit is durable: only what is stored binds it.
		if m.durable && !on.plain {
			t.committed()
		}
	}
}

// cameBack: a message acknowledged in the transaction came again.
func (t *txn) cameBack(c *copied, complain func(string)) {
	switch t.state {
	case txnDeclaring, txnOpen:
		if !t.k.left() && !t.k.closing {
			complain("it is acknowledged in an open transaction")
		}
		t.rollback(true) // its client does not know yet
	case txnDischarging, txnUnknown:
		t.rollback(true)
	}
}

func (t *txn) crash(forgets bool) {
	if forgets && t.state == txnCommitted {
		// The commit may be lost, and its acknowledgements with it.
		t.state = txnUnknown
		for _, c := range t.acks {
			if c.level == levelSent || c.level == levelWritten {
				c.txn, c.level = t, levelNone
			}
		}
	}
}

// whole: at the end, what nobody knows must still be all or nothing.
func (t *txn) whole() {
	if t.state != txnUnknown {
		return
	}
	stays, came := 0, 0
	for _, m := range t.sends {
		for _, dest := range m.dests() {
			if c := m.copies[t.w.ledger.targets[dest]]; m.durable && m.stays(dest) && dest[0] == 'q' && m.surely() {
				stays++
				if c != nil && c.came > 0 {
					came++
				}
			}
		}
	}
	if stays == 0 || came == stays {
		return
	}
	if came > 0 {
		t.w.fail("transaction %d is split: %d of its %d messages came", t.n, came, stays)
	}
	for _, c := range t.acks {
		if c.txn == t && c.owed && !c.gone() {
			t.w.fail("transaction %d is split: its messages are gone, message %d that it acknowledged too", t.n, c.m.uid)
		}
	}
}

// surely says whether the broker had the message before what its client sent
// after it.
func (m *sent) surely() bool { return m.accepted || m.settled && !m.unsure }
