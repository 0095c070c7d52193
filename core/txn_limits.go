package core

import (
	"cmp"
	"errors"
	"strconv"
	"time"
)

// Defaults of TransactionLimits.
const (
	DefaultMaxTransactions      = 10_000
	DefaultMaxTransactionWork   = 1_000_000
	DefaultMaxTransactionBytes  = 1 << 30
	DefaultMaxTransactionSpread = 8_000_000
)

// TransactionLimits bound what a client keeps open; 0 takes the default. Messages of
// refusals name the options of `tidegate serve` that set them.
type TransactionLimits struct {
	Open  int   // transactions that one connection may have open
	Work  int   // sends, acknowledgements and acquired deliveries in one
	Bytes int64 // of the messages sent in one
	// Spread is how many messages one may become at its commit, in all queues and
	// subscriptions: they are one record, which has an end (2^24 of them), and is made in
	// memory.
	Spread int
	// TimeOut is how long after its first send or acknowledgement a transaction is
	// rolled back; 0: never, as in EMS. Before there is work in it it has no time-out:
	// Qpid JMS declares the next one as soon as the last has ended.
	TimeOut time.Duration
}

func (l TransactionLimits) orDefaults() TransactionLimits {
	l.Open = cmp.Or(l.Open, DefaultMaxTransactions)
	l.Work = cmp.Or(l.Work, DefaultMaxTransactionWork)
	l.Bytes = cmp.Or(l.Bytes, DefaultMaxTransactionBytes)
	l.Spread = cmp.Or(l.Spread, DefaultMaxTransactionSpread)
	return l
}

func (t *txn) work() int { return len(t.sends) + len(t.acks) + len(t.returns) + len(t.acquired) }

// room says whether more work with so many bytes fits a transaction.
func (b *Broker) room(t *txn, work int, bytes int64) error {
	l := &b.o.Transactions
	if t.conn.own {
		return nil
	}
	if t.work()+work > l.Work {
		return errors.New("the transaction has as many sends and acknowledgements as it may, " + strconv.Itoa(l.Work) + " (max-transaction-work)")
	}
	if t.bytes+bytes > l.Bytes {
		return errors.New("the transaction would hold more bytes than it may, " + strconv.FormatInt(l.Bytes, 10) + " (max-transaction-bytes)")
	}
	return nil
}

// spreads says whether a commit's messages go to more than they may.
func (b *Broker) spreads(c *committing) *Error {
	if most := b.o.Transactions.Spread; len(c.r.More)+len(c.held) > most {
		return &Error{Op: "commit", Kind: Limit, Err: errors.New("its messages would be more than " + strconv.Itoa(most) + " in all queues and subscriptions that they go to")}
	}
	return nil
}

// Enlist says whether a transaction takes n more acknowledgements. Where it does
// not, it can only be rolled back. Errors: Limit.
func (b *Broker) Enlist(in TxnID, n int) error {
	t := b.txns[in]
	if t == nil {
		return nil
	}
	if err := b.room(t, n, 0); err != nil {
		e := &Error{Op: "acknowledge", Kind: Limit, Err: err}
		t.doom(e)
		return e
	}
	return nil
}

// worked notes a transaction's first work, from which its time-out counts.
func (b *Broker) worked(now time.Time, t *txn) {
	if t.due != 0 || t.late || t.conn.own || b.o.Transactions.TimeOut <= 0 {
		return
	}
	t.due = millis(now.Add(b.o.Transactions.TimeOut))
	if t.before = b.lastTimed; t.before != nil {
		t.before.behind = t
	} else {
		b.firstTimed = t
	}
	b.lastTimed = t
}

// untimed takes a transaction out of those with a time-out.
func (b *Broker) untimed(t *txn) {
	if t.due == 0 {
		return
	}
	if t.before != nil {
		t.before.behind = t.behind
	} else {
		b.firstTimed = t.behind
	}
	if t.behind != nil {
		t.behind.before = t.before
	} else {
		b.lastTimed = t.before
	}
	t.due, t.before, t.behind = 0, nil, nil
}

// timeOut rolls back the transactions that are due. Each stays declared, and is told
// so at its discharge: what comes in it meanwhile ends with it.
func (b *Broker) timeOut(now time.Time, fx *Effects) {
	for t := b.firstTimed; t != nil && t.due <= millis(now); t = b.firstTimed {
		b.untimed(t)
		t.late = true
		e := &Error{Op: "transact", Kind: TimedOut, Err: errors.New("it was rolled back " + b.o.Transactions.TimeOut.String() + " after its first work (transaction-timeout)")}
		t.doom(e)
		fx.Events = append(fx.Events, Event{Kind: EventTransactionLate, Name: t.conn.clientID, Err: e})
		b.undo(t, fx)
	}
}
