package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// client is one application; it has a connection, or none.
type client struct {
	w    *World
	name string // container-id
	conn *conn
}

// conn is a client's end of a connection, with a session and, if it asked for one, a
// second: that one's links share the transactions of the first.
type conn struct {
	c           *client
	w           *World
	e           *engine.Conn
	session     *engine.Session
	second      *engine.Session // or nil
	sock        *sock
	up, down    *pipe
	began       bool // the session is answered
	secondBegan bool
	coord       *engine.Link
	senders     []*sender
	receivers   []*receiver
	txns        []*txn // declared, not discharged
	requests    map[uint64]*request
	sent        map[uint64]*sent
	settling    map[settled]*held // settled second, until confirmed
	nextRef     uint64
	closing     bool
	lost        bool
}

// request is a declare or a discharge under way.
type request struct {
	txn     *txn
	declare bool
	fail    bool
}

// sender is a link on which the client sends.
type sender struct {
	l       *engine.Link
	session *engine.Session
	dest    string
	relay   bool
	stream  int
	seq     int
	ready   bool
	gone    bool
	settled []*sent // of what it sent, that
}

func (c *client) connect() {
	if c.conn != nil {
		return
	}
	k := &conn{
		c: c, w: c.w, up: &pipe{}, down: &pipe{},
		requests: map[uint64]*request{}, sent: map[uint64]*sent{}, settling: map[settled]*held{},
	}
	k.e = engine.New(engine.Config{
		Client: true, ContainerID: c.name, MaxFrameSize: c.w.config.frame, IncomingWindow: c.w.config.clientWindow, IdleTimeOut: -1,
	}, c.w.now)
	k.begin()
	k.sock = c.w.process.accept(k.up, k.down)
	c.conn = k
}

func (k *conn) begin() {
	k.session, k.began = k.e.Begin(), false
	k.coord = k.session.Attach(frame.Attach{Name: "coordinator", Role: frame.RoleSender, Source: &frame.Source{}, Target: &frame.Coordinator{}})
}

// endSession ends the session, with all on it, and begins another.
func (k *conn) endSession() {
	if k.closing || !k.began {
		return
	}
	k.session.End(nil)
	k.dropLinks(k.session)
	k.giveUp()
	k.begin()
}

// beginSecond begins a second session.
func (k *conn) beginSecond() {
	if k.closing || !k.began || k.second != nil {
		return
	}
	k.second, k.secondBegan = k.e.Begin(), false
}

// endSecond ends the second session; the transactions in which it had a part go on.
func (k *conn) endSecond() {
	if k.closing || !k.secondBegan {
		return
	}
	k.second.End(nil)
	k.dropLinks(k.second)
	k.second, k.secondBegan = nil, false
}

// dropLinks forgets the links of a session that the client has ended.
func (k *conn) dropLinks(s *engine.Session) {
	k.receivers = slices.DeleteFunc(k.receivers, func(r *receiver) bool {
		if r.session != s {
			return false
		}
		k.dropReceiver(r)
		return true
	})
	k.senders = slices.DeleteFunc(k.senders, func(o *sender) bool {
		if o.session != s {
			return false
		}
		k.dropSender(o)
		return true
	})
	maps.DeleteFunc(k.settling, func(at settled, _ *held) bool { return at.session == s })
}

// next is the session of the next link: in turn, if there are two.
func (k *conn) next() *engine.Session {
	if k.second != nil && k.w.links%2 == 1 {
		return k.second
	}
	return k.session
}

// settled names a delivery that is settled second.
type settled struct {
	session *engine.Session
	id      uint32
}

// giveUp: no answer comes to what was asked of the coordinator, and what is not
// discharged is rolled back.
func (k *conn) giveUp() {
	for _, q := range k.requests { // order: irrelevant
		q.txn.lost(q)
	}
	for _, t := range k.txns {
		t.rollback(true)
	}
	k.requests, k.txns = map[uint64]*request{}, nil
}

// dropSender: its link is over, and nobody knows what became of what it sent.
func (k *conn) dropSender(s *sender) {
	s.gone = true
	for ref, m := range k.sent { // order: irrelevant
		if m.from == s {
			delete(k.sent, ref)
		}
	}
	for _, m := range s.settled {
		m.unsure = true
	}
}

// flush puts what the engine has on the wire.
func (k *conn) flush() bool {
	if k.lost || !k.e.Pending() && !k.e.Done() {
		return false
	}
	moved := false
	for _, b := range k.e.Output(k.w.now, nil) {
		k.up.put(b)
		moved = true
	}
	if k.e.Done() {
		k.ended()
		return true
	}
	return moved
}

// read takes up to n bytes off the wire.
func (k *conn) read(n int) bool {
	if k.lost {
		return false
	}
	if len(k.down.b) == 0 {
		if k.down.closed {
			k.lose()
			return true
		}
		return false
	}
	space := k.e.Space()
	n = k.down.take(space[:min(n, len(space))])
	if err := k.e.Input(k.w.now, n); err != nil {
		k.w.fail("a client finds a fault of the broker's: %v", err)
	}
	for _, e := range k.e.Events() {
		k.event(&e)
	}
	k.promote()
	return true
}

func (k *conn) event(e *engine.Event) {
	switch e.Kind {
	case engine.EventBegin:
		k.began = k.began || e.Session == k.session
		k.secondBegan = k.secondBegan || k.second != nil && e.Session == k.second
	case engine.EventAttach:
		k.attached(e)
	case engine.EventSettle:
		for _, d := range e.Sent {
			k.answered(d.Ref, e.State)
		}
	case engine.EventDelivery:
		if r, ok := e.Link.Ref.(*receiver); ok {
			k.delivered(r, e)
		}
	case engine.EventOutcome:
		k.confirmed(e)
	case engine.EventDetach:
		k.refused(e)
	case engine.EventEnd:
		k.w.fail("the broker ends a session: %v", e.Error)
	case engine.EventClose:
		if e.Local {
			k.w.fail("a client closes for a fault: %v", e.Error)
		}
		if e.Error != nil && e.Error.Condition != frame.ConditionResourceLimitExceeded && e.Error.Condition != frame.ConditionConnectionForced {
			k.w.fail("the broker closes a connection: %v", e.Error)
		}
		k.e.Close(nil)
	case engine.EventOpen, engine.EventFlow:
	}
}

func (k *conn) attached(e *engine.Event) {
	switch l := e.Link.Ref.(type) {
	case *sender:
		l.ready = e.Attach.Target != nil
	case *receiver:
		if e.Attach.Source != nil {
			l.ready = true
			l.target.confirm(k.w)
		}
	}
}

// refused: the broker detached a link of ours.
func (k *conn) refused(e *engine.Event) {
	if e.Local {
		k.w.fail("a client detaches for a fault: %v", e.Error)
	}
	s, sends := e.Link.Ref.(*sender)
	full := sends && e.Error != nil && e.Error.Condition == frame.ConditionResourceLimitExceeded
	if e.Error != nil && !full && e.Error.Condition != frame.ConditionResourceLocked && e.Error.Condition != frame.ConditionResourceDeleted {
		k.w.fail("the broker detaches %s: %v", e.Link.Name, e.Error)
	}
	if sends {
		k.dropSender(s)
	}
	switch l := e.Link.Ref.(type) {
	case *receiver:
		k.dropReceiver(l)
	}
	e.Link.Detach(true, nil)
}

// close asks for an orderly end. From now on the broker may give to others what
// the client holds.
func (k *conn) close() {
	k.closing = true
	k.e.Close(nil)
	for _, r := range k.receivers {
		k.dropReceiver(r)
	}
}

// left says whether the broker has surely noticed the end of the connection.
func (k *conn) left() bool { return k.lost || k.sock.over }

// ended: the connection was closed in good order.
func (k *conn) ended() {
	for _, r := range k.receivers {
		for _, c := range r.acked {
			c.processed()
		}
	}
	k.lose()
}

// lose ends the connection: what was under way is in doubt.
func (k *conn) lose() {
	if k.lost {
		return
	}
	k.lost = true
	k.up.cut(len(k.up.b))
	for _, r := range k.receivers {
		k.dropReceiver(r)
	}
	k.giveUp()
	if k.c.conn == k {
		k.c.conn = nil
	}
}

// declare asks for a transaction.
func (k *conn) declare() {
	if !k.coord.Live() || k.coord.Room() <= 0 {
		return
	}
	t := k.w.ledger.newTxn(k)
	k.ask(&request{txn: t, declare: true}, &frame.Declare{})
}

func (k *conn) discharge(t *txn, fail bool) {
	if !k.coord.Live() || k.coord.Room() <= 0 || k.outruns(t) {
		return
	}
	k.txns = slices.DeleteFunc(k.txns, func(o *txn) bool { return o == t })
	t.state, t.event = txnDischarging, k.w.event()
	if fail {
		t.rollback(true)
	}
	k.ask(&request{txn: t, fail: fail}, &frame.Discharge{TxnID: t.id, Fail: fail})
}

// outruns says whether a discharge might overtake a send of the other session: there is no
// order between sessions, so a client waits for the answers.
func (k *conn) outruns(t *txn) bool {
	for _, m := range k.sent { // order: irrelevant
		if m.txn == t && m.from.session != k.session {
			return true
		}
	}
	return false
}

func (k *conn) ask(q *request, what interface{ Append([]byte) []byte }) {
	b := message.NewBuilder()
	b.SetValue(frame.ToValue(what))
	k.nextRef++
	k.requests[k.nextRef] = q
	k.coord.Send(engine.Delivery{Ref: k.nextRef, Tag: fmt.Appendf(nil, "%d", k.nextRef), First: b.Append(nil)})
}

// answered: the broker settled something that we sent.
func (k *conn) answered(ref uint64, state frame.DeliveryState) {
	if q := k.requests[ref]; q != nil {
		delete(k.requests, ref)
		k.decided(q, state)
		return
	}
	m := k.sent[ref]
	if m == nil {
		k.w.fail("an answer to nothing that was sent: %v", state)
	}
	delete(k.sent, ref)
	if t, ok := state.(*frame.TransactionalState); ok {
		if m.txn == nil {
			k.w.fail("message %d was sent in no transaction and is settled in one", m.uid)
		}
		state = t.Outcome
	}
	if _, ok := state.(frame.Accepted); ok {
		m.accept()
		return
	}
	m.refuse(fmt.Sprint(state))
}

func (k *conn) decided(q *request, state frame.DeliveryState) {
	switch s := state.(type) {
	case *frame.Declared:
		q.txn.id, q.txn.state = slices.Clone(s.TxnID), txnOpen
		k.txns = append(k.txns, q.txn)
	case frame.Accepted:
		if !q.fail {
			q.txn.commit()
		}
	case *frame.Rejected:
		if q.declare {
			k.w.fail("a declare is refused: %v", s.Error)
		}
		q.txn.rollback(true)
	default:
		k.w.fail("a coordinator answers with %v", state)
	}
}

func (k *conn) newSender(dest string, mode int) {
	if k.closing || len(k.senders) >= 8 {
		return
	}
	k.w.links++
	s := &sender{session: k.next(), dest: dest, stream: k.w.links, relay: mode == modeRelay}
	a := frame.Attach{
		Name: fmt.Sprintf("sender-%d", k.w.links), Role: frame.RoleSender, SndSettleMode: frame.SenderSettleModeMixed,
		Source: &frame.Source{}, Target: &frame.Target{Address: dest, Capabilities: capabilities(dest)},
	}
	switch mode {
	case modeRelay:
		a.Target = &frame.Target{}
	case modeNoReject:
		a.Source = &frame.Source{Outcomes: []wire.Symbol{"amqp:accepted:list"}}
	}
	s.l = s.session.Attach(a)
	s.l.Ref = s
	k.senders = append(k.senders, s)
}

func capabilities(dest string) []wire.Symbol {
	if dest[0] == 't' {
		return []wire.Symbol{"topic"}
	}
	return []wire.Symbol{"queue"}
}

// send sends up to n messages, as far as there is credit.
func (k *conn) send(s *sender, n, flags, size, ttl, delay int) {
	for range n {
		if !s.ready || s.gone || !s.l.Live() || s.l.Room() <= 0 {
			return
		}
		var t *txn
		if flags&sendTxn != 0 && len(k.txns) > 0 && (s.session == k.session || flags&sendSettled == 0) {
			t = k.txns[len(k.txns)-1]
		}
		s.seq++
		m := k.w.ledger.send(s, t, flags, size, ttl, delay)
		d := engine.Delivery{Settled: m.settled, First: m.bytes()}
		if t != nil {
			d.State = &frame.TransactionalState{TxnID: t.id}
		}
		k.nextRef++
		d.Ref, d.Tag = k.nextRef, fmt.Appendf(nil, "%d", k.nextRef)
		if m.settled {
			s.settled = append(s.settled, m)
		} else {
			k.sent[d.Ref] = m
		}
		s.l.Send(d)
	}
}
