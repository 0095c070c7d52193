package gateway

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/tidegate/tidegate/amqp/engine"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
)

// coordinatorCredit is how many declares and discharges may be on their way:
// Qpid JMS pipelines two.
const coordinatorCredit = 100

// coordinator is a link to the transaction coordinator (amqp 4.2).
type coordinator struct {
	link     *engine.Link
	declared map[core.TxnID]bool // not discharged
}

func txnID(b []byte) core.TxnID {
	if len(b) != 8 {
		return ^core.TxnID(0) // none of ours
	}
	return core.TxnID(binary.BigEndian.Uint64(b))
}

func (c *conn) attachCoordinator(fx *core.Effects, e *engine.Event, t *frame.Coordinator) {
	link := e.Link
	l := &coordinator{link: link, declared: map[core.TxnID]bool{}}
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
	link, id, settled := l.link, e.ID, e.Settled
	switch {
	case err != nil:
		refused := &frame.Error{Condition: frame.ConditionDecodeError, Description: err.Error()}
		c.edge(fx, 0, 0, false, func(*engine.Conn) { link.Detach(true, refused) })
	case declare:
		t := b.Begin(now, c.b.ID(), fx)
		l.declared[t] = true
		c.edge(fx, 0, 0, false, func(*engine.Conn) {
			link.Session().Settle(id, id, &frame.Declared{TxnID: binary.BigEndian.AppendUint64(nil, uint64(t))}, true)
			l.refill()
		})
	default:
		t := txnID(discharge.TxnID)
		delete(l.declared, t)
		b.Discharge(now, c.b.ID(), t, discharge.Fail, 0, fx)
		out := &fx.Outs[len(fx.Outs)-1]
		for i := len(fx.Outs) - 1; i >= 0; i-- { // dispatch may have added deliveries behind it
			if fx.Outs[i].Kind == core.OutDischarged && fx.Outs[i].Txn == t {
				out = &fx.Outs[i]
				break
			}
		}
		refused := amqpError(out.Err)
		out.Kind, out.Err = core.OutEdge, nil
		out.Ref = func(*engine.Conn) {
			var state frame.DeliveryState = frame.Accepted{}
			if refused != nil {
				state = &frame.Rejected{Error: refused}
			}
			if !settled {
				link.Session().Settle(id, id, state, true)
			}
			l.refill()
		}
	}
}

func (l *coordinator) refill() {
	if l.link.Live() && l.link.Credit() <= coordinatorCredit/2 {
		l.link.Grant(coordinatorCredit, false)
	}
}

// transactionRequest reads the body of a message to the coordinator.
func transactionRequest(e *engine.Event) (declare bool, d frame.Discharge, err error) {
	m, err := message.Index(e.Payload, e.Rest, nil)
	if err != nil {
		return false, d, err
	}
	body := joined(m.BodyPieces(nil))
	const section = 3 // 0x00 0x53 0x77
	if m.BodyKind() != message.BodyValue || len(body) < section {
		return false, d, errors.New("neither declare nor discharge")
	}
	value := body[section:]
	if body[1] != 0x53 {
		return false, d, errors.New("the body's descriptor has an unusual form")
	}
	code, err := frame.Code(value)
	if err != nil {
		return false, d, err
	}
	switch code {
	case frame.CodeDeclare:
		return true, d, nil
	case frame.CodeDischarge:
		_, err = d.Decode(value, nil)
		return false, d, err
	}
	return false, d, errors.New("neither declare nor discharge")
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
	for len(l.declared) > 0 {
		least := core.TxnID(0)
		for t := range l.declared { // order: irrelevant
			if least == 0 || t < least {
				least = t
			}
		}
		delete(l.declared, least)
		b.Discharge(now, c.b.ID(), least, true, 0, fx)
	}
}
