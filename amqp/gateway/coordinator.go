package gateway

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// coordinatorCredit is how many declares and discharges may be on their way:
// Qpid JMS pipelines two.
const coordinatorCredit = 100

// coordinator is a link to the transaction coordinator (amqp 4.2).
type coordinator struct {
	link    *engine.Link
	rejects bool // the client knows the outcome rejected
}

func txnID(b []byte) core.TxnID {
	if len(b) != 8 {
		return ^core.TxnID(0) // none of ours
	}
	return core.TxnID(binary.BigEndian.Uint64(b))
}

func (c *conn) attachCoordinator(fx *core.Effects, e *engine.Event, t *frame.Coordinator) {
	link := e.Link
	l := &coordinator{link: link, rejects: knowsRejected(e.Attach)}
	link.Ref = l
	s := e.Session
	x, ok := s.Ref.(*sessionState)
	if !ok {
		x = &sessionState{}
		s.Ref = x
	}
	x.coordinators = append(x.coordinators, l)
	r := c.answer(e.Attach)
	r.Target = &frame.Coordinator{Capabilities: append(t.Capabilities[:0:0], "amqp:local-transactions", "amqp:multi-txns-per-ssn", "amqp:multi-ssns-per-txn")}
	c.edge(fx, 0, 0, false, func(*engine.Conn) {
		link.Accept(r)
		link.Grant(coordinatorCredit, false)
	})
}

// transaction takes a declare or a discharge.
func (c *conn) transaction(now time.Time, b *core.Broker, fx *core.Effects, l *coordinator, e *engine.Event) {
	declare, discharge, err := transactionRequest(e)
	switch {
	case err != nil:
		c.failLink(now, b, fx, l.link, &frame.Error{Condition: frame.ConditionDecodeError, Description: err.Error()})
	case declare != nil:
		c.declare(now, b, fx, l, e, declare)
	default:
		c.discharge(now, b, fx, l, e, discharge)
	}
}

func (c *conn) declare(now time.Time, b *core.Broker, fx *core.Effects, l *coordinator, e *engine.Event, d *frame.Declare) {
	switch {
	case e.Settled: // nobody would hear of the transaction
		c.failLink(now, b, fx, l.link, &frame.Error{Condition: frame.ConditionNotAllowed, Description: "a declare must not be sent settled"})
		return
	case d.GlobalID != nil:
		c.reply(now, b, fx, l, e, nil, &frame.Error{Condition: frame.ConditionNotImplemented, Description: "transactions have no global id here"})
		return
	}
	t, err := b.Begin(now, c.b.ID(), fx)
	if err != nil {
		c.reply(now, b, fx, l, e, nil, amqpError(err))
		return
	}
	c.declared[t] = l
	c.reply(now, b, fx, l, e, &frame.Declared{TxnID: binary.BigEndian.AppendUint64(nil, uint64(t))}, nil)
}

// discharge commits or rolls back. What the broker answers becomes the answer on
// the link, in its place: behind the record that it waits for.
func (c *conn) discharge(now time.Time, b *core.Broker, fx *core.Effects, l *coordinator, e *engine.Event, d *frame.Discharge) {
	t := txnID(d.TxnID)
	delete(c.declared, t)
	from := len(fx.Outs)
	b.Discharge(now, c.b.ID(), t, d.Fail, 0, fx)
	out := &fx.Outs[from]
	for i := from; i < len(fx.Outs); i++ { // deliveries may stand beside it
		if fx.Outs[i].Kind == core.OutDischarged {
			out = &fx.Outs[i]
			break
		}
	}
	refused := c.dischargeError(out.Err)
	out.Kind, out.Err = core.OutEdge, nil
	out.Ref = func(*engine.Conn) {}
	if refused == nil {
		out.Ref = l.tell(e, frame.Accepted{})
		return
	}
	c.reply(now, b, fx, l, e, nil, refused)
}

// dischargeError is what a refused discharge is answered with: by AMQP one of the
// three transaction errors (amqp 4.3). A client that takes the right one for doubt
// is told the reason's own condition instead.
func (c *conn) dischargeError(err error) *frame.Error {
	refused := amqpError(err)
	if refused == nil || refused.Condition != frame.ConditionTransactionRollback || !c.quirks.TakesRollbackForDoubt {
		return refused
	}
	refused.Condition = frame.ConditionPreconditionFailed
	if why := (*core.Error)(nil); errors.As(errors.Unwrap(err), &why) {
		refused.Condition = conditions[why.Kind]
	}
	return refused
}

// reply answers a declare or a discharge: with a state, or with an error, for
// which a client that does not know rejected loses the link.
func (c *conn) reply(now time.Time, b *core.Broker, fx *core.Effects, l *coordinator, e *engine.Event, state frame.DeliveryState, refused *frame.Error) {
	switch {
	case refused == nil:
	case !l.rejects && !e.Settled:
		c.failLink(now, b, fx, l.link, refused)
		return
	default:
		state = &frame.Rejected{Error: refused}
	}
	c.edge(fx, 0, 0, false, l.tell(e, state))
}

// tell settles a declare or a discharge, unless it came settled.
func (l *coordinator) tell(e *engine.Event, state frame.DeliveryState) func(*engine.Conn) {
	id, settled := e.ID, e.Settled
	return func(*engine.Conn) {
		if !settled {
			l.link.Session().Settle(id, id, state, true)
		}
		l.refill()
	}
}

func (l *coordinator) refill() {
	if l.link.Live() && l.link.Credit() <= coordinatorCredit/2 {
		l.link.Grant(coordinatorCredit, false)
	}
}

// transactionRequest reads the body of a message to the coordinator.
func transactionRequest(e *engine.Event) (*frame.Declare, *frame.Discharge, error) {
	m, err := message.Index(e.Payload, e.Rest, nil)
	if err != nil {
		return nil, nil, err
	}
	neither := errors.New("neither declare nor discharge")
	if m.BodyKind() != message.BodyValue {
		return nil, nil, neither
	}
	section := joined(m.BodyPieces(nil))
	_, n, err := wire.ReadDescriptor(section)
	if err != nil {
		return nil, nil, err
	}
	value := section[n:]
	code, err := frame.Code(value)
	if err != nil {
		return nil, nil, err
	}
	switch code {
	case frame.CodeDeclare:
		d := new(frame.Declare)
		_, err = d.Decode(value, nil)
		return d, nil, err
	case frame.CodeDischarge:
		d := new(frame.Discharge)
		_, err = d.Decode(value, nil)
		return nil, d, err
	}
	return nil, nil, neither
}

func joined(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// closeCoordinator rolls back what was not discharged (amqp 4.2).
func (c *conn) closeCoordinator(now time.Time, b *core.Broker, fx *core.Effects, l *coordinator) {
	var open []core.TxnID
	for t, owner := range c.declared { // order: sorted below
		if owner == l {
			open = append(open, t)
		}
	}
	slices.Sort(open)
	for _, t := range open {
		delete(c.declared, t)
		b.Discharge(now, c.b.ID(), t, true, 0, fx)
	}
}
