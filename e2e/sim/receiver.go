package sim

import (
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// source is what a receiver may receive from.
type source struct {
	dest    string
	sub     string // name of the subscription; "" none
	shared  bool
	durable bool
	where   string // selector
	browse  bool
}

// sources are what receivers of a plan choose from.
var sources = []source{
	{dest: "q0"},
	{dest: "q0"},
	{dest: "q1"},
	{dest: "q2"},
	{dest: "t0", sub: "d0", durable: true},
	{dest: "t0", sub: "s0", durable: true, shared: true},
	{dest: "t0"},
	{dest: "q0", where: "n = 1"},
	{dest: "q0", browse: true},
	{dest: core.UndeliveredQueue},
}

// receiver is a link on which the client receives.
type receiver struct {
	k          *conn
	l          *engine.Link
	session    *engine.Session
	target     *target
	src        source
	presettled bool
	keeps      bool
	suspended  bool // detached, but what is held can still be settled
	second     bool
	ready      bool
	gone       bool
	limit      uint32 // the most that credit ever allowed
	got        uint32
	held       []*held
	acked      []*copied // accepted, settled first, and not known to be processed
	closes     bool      // detached with closed
}

// held is a delivery that the client has not settled, or whose settlement is
// not confirmed.
type held struct {
	r       *receiver
	c       *copied
	id      uint32
	pending bool // its outcome is sent
	inTxn   bool
	how     int
}

func (k *conn) newReceiver(src source, mode int) *receiver {
	if k.closing || len(k.receivers) >= 8 {
		return nil
	}
	k.w.links++
	r := &receiver{
		k: k, session: k.next(), src: src, presettled: mode&modePresettled != 0 || src.browse,
		second: mode&modeSecond != 0, keeps: mode&modeKeeps != 0 && src.dest[0] != 't',
	}
	a := frame.Attach{Name: fmt.Sprintf("receiver-%d", k.w.links), Role: frame.RoleReceiver, Target: &frame.Target{}}
	s := &frame.Source{Address: src.dest, Capabilities: capabilities(src.dest), ExpiryPolicy: frame.TerminusExpiryPolicyLinkDetach}
	switch {
	case src.where != "":
		s.Filter = wire.Map{{Key: wire.Symbol("jms-selector"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: src.where}}}
	case src.browse:
		s.DistributionMode = "copy"
	}
	if r.keeps {
		s.ExpiryPolicy = frame.TerminusExpiryPolicySessionEnd
	}
	if src.durable {
		a.Name = src.sub
		s.Durable, s.ExpiryPolicy, s.DistributionMode = frame.TerminusDurabilityUnsettledState, frame.TerminusExpiryPolicyNever, "copy"
		if src.shared {
			a.Name = fmt.Sprintf("%s|global%d", src.sub, k.w.links)
			s.Capabilities = append(s.Capabilities, wire.Symbol("shared"), wire.Symbol("global"))
		} else if slices.ContainsFunc(k.receivers, func(o *receiver) bool { return o.l.Name == a.Name && !o.l.Ended() }) {
			return nil // one link of a name
		}
	}
	a.Source = s
	if r.presettled {
		a.SndSettleMode = frame.SenderSettleModeSettled
	}
	if r.second {
		a.RcvSettleMode = frame.ReceiverSettleModeSecond
	}
	r.target = k.w.ledger.target(src, k.c.name, k.w.links)
	if !src.browse {
		r.target.open(r)
	}
	r.l = r.session.Attach(a)
	r.l.Ref = r
	k.receivers = append(k.receivers, r)
	return r
}

func (r *receiver) credit(n int, drain bool) {
	if !r.ready || !r.l.Live() {
		return
	}
	r.l.Grant(uint32(n), drain)
	r.limit = max(r.limit, r.l.Count()+uint32(n))
}

// over says whether the broker has surely forgotten the link.
func (r *receiver) over() bool { return r.l.Ended() || r.k.sock.over || r.k.sock.p.dead }

// delivered: a message came.
func (k *conn) delivered(r *receiver, e *engine.Event) {
	r.got++
	if e.Settled != r.presettled {
		k.w.fail("a delivery on %s came with settled %v", r.l.Name, e.Settled)
	}
	c := k.w.ledger.delivered(r, e)
	if c != nil && !r.presettled {
		c.holder = &held{r: r, c: c, id: e.ID}
		r.held = append(r.held, c.holder)
	}
}

// settle settles up to n deliveries.
func (r *receiver) settle(n, how, flags int) {
	var t *txn
	if flags&settleTxn != 0 && how == settleAccept && len(r.k.txns) > 0 {
		t = r.k.txns[len(r.k.txns)-1]
	}
	if !r.l.Live() && !r.suspended {
		return
	}
	for range n {
		free := slices.DeleteFunc(slices.Clone(r.held), func(h *held) bool { return h.pending })
		if len(free) == 0 {
			return
		}
		h := free[0]
		if flags&settleLast != 0 {
			h = free[len(free)-1]
		}
		r.settleOne(h, how, t)
	}
}

func (r *receiver) settleOne(h *held, how int, t *txn) {
	var state frame.DeliveryState = frame.Accepted{}
	switch how {
	case settleRelease:
		state = frame.Released{}
	case settleFail:
		state = &frame.Modified{DeliveryFailed: true}
	case settleUndeliverable:
		state = &frame.Modified{DeliveryFailed: true, UndeliverableHere: true}
	case settleReject:
		state = &frame.Rejected{}
	}
	if t != nil {
		state = &frame.TransactionalState{TxnID: t.id, Outcome: frame.Accepted{}}
	}
	switch {
	case t != nil:
		h.c.attempts.told++ // if it is rolled back
	case how == settleFail || how == settleUndeliverable || how == settleReject:
		h.c.attempts.failed(h)
	}
	r.session.Settle(h.id, h.id, state, !r.second)
	h.pending, h.how = true, how
	switch {
	case t != nil:
		h.inTxn, h.c.txn = true, t
		t.acks = append(t.acks, h.c)
	case how == settleAccept:
		h.c.level, h.c.by = max(h.c.level, levelSent), r
		if !r.second {
			r.acked = append(r.acked, h.c)
		}
	}
	if r.second {
		r.k.settling[settled{r.session, h.id}] = h
		if how != settleAccept {
			h.c.end(h, how) // others may have it before we hear that
		}
		return
	}
	h.c.end(h, how)
	r.held = slices.DeleteFunc(r.held, func(o *held) bool { return o == h })
}

// confirmed: the broker has settled as well.
func (k *conn) confirmed(e *engine.Event) {
	if e.Session != k.session && e.Session != k.second {
		return // of one that was ended
	}
	for id := e.ID; ; id++ {
		at := settled{e.Session, id}
		if h := k.settling[at]; h != nil && e.Settled {
			delete(k.settling, at)
			h.r.held = slices.DeleteFunc(h.r.held, func(o *held) bool { return o == h })
			h.c.end(h, h.how)
			h.c.attempts.confirmed(h)
			if h.how == settleAccept && !h.inTxn && h.c.by == h.r {
				h.c.level = levelSynced
			}
		} else if h == nil {
			k.w.fail("the broker confirms delivery %d, which was not settled", id)
		}
		if id == e.Last {
			return
		}
	}
}

// detach ends a receiver from the client's side.
func (r *receiver) detach(closed bool) {
	if !r.ready || !r.l.Live() {
		return
	}
	r.closes = closed
	if r.suspended = r.keeps && !closed && !r.presettled; !r.suspended {
		r.k.dropReceiver(r)
	}
	if closed && r.target.sub {
		r.target.unsubscribe()
	}
	r.l.Detach(closed, nil)
}

// dropReceiver: its link is over, what it held goes back.
func (k *conn) dropReceiver(r *receiver) {
	if r.gone {
		return
	}
	r.gone = true
	for _, h := range r.held {
		h.c.attempts.told++ // if the connection is lost first
		h.c.end(h, endDoubt(h, k.lost || k.closing))
	}
	if !r.src.browse && r.limit > r.got {
		r.target.losses++
		if !k.w.resting {
			r.target.risks++
		}
	}
	r.held = nil
	r.suspended = false
	if r.presettled && !r.src.browse && r.limit > r.got {
		r.target.allowance += int(r.limit - r.got)
	}
}

// endDoubt is how a delivery ends that its client did not settle, or not
// surely.
func endDoubt(h *held, lost bool) int {
	if lost || h.pending && h.how != settleRelease {
		return settleFail
	}
	return settleRelease
}

// promote: behind a detach that is answered, acknowledgements are processed,
// and a subscription that was closed is gone.
func (k *conn) promote() {
	k.receivers = slices.DeleteFunc(k.receivers, func(r *receiver) bool {
		if !r.l.Ended() {
			return false
		}
		for _, c := range r.acked {
			c.processed()
		}
		r.acked = nil
		if r.suspended && len(r.held) > 0 {
			return false
		}
		if r.closes && r.target.exclusive {
			r.target.purge()
		}
		return true
	})
}
