package gateway_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing/synctest"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// What a well-behaved client says; tests change a field and send it.

func open(container string) *frame.Open {
	return &frame.Open{ContainerID: container, MaxFrameSize: 1 << 16, ChannelMax: 100}
}

func begin() *frame.Begin {
	return &frame.Begin{IncomingWindow: 1000, OutgoingWindow: 1000, HandleMax: 100}
}

var allOutcomes = []wire.Symbol{"amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"}

// sender is the attach of a link on which the client sends.
func sender(handle uint32, address string) *frame.Attach {
	return &frame.Attach{
		Name: "out-" + address, Handle: handle, Role: frame.RoleSender, InitialDeliveryCount: wire.Some(uint32(0)),
		SndSettleMode: frame.SenderSettleModeMixed,
		Source:        &frame.Source{Address: "client", Outcomes: allOutcomes}, Target: &frame.Target{Address: address},
	}
}

// receiver is the attach of a link on which the client receives.
func receiver(handle uint32, address string) *frame.Attach {
	return &frame.Attach{
		Name: "in-" + address, Handle: handle, Role: frame.RoleReceiver, SndSettleMode: frame.SenderSettleModeMixed,
		Source: &frame.Source{Address: address}, Target: &frame.Target{Address: "client"},
	}
}

func coordinator(handle uint32) *frame.Attach {
	a := sender(handle, "")
	a.Name, a.Target = "coordinator", &frame.Coordinator{Capabilities: []wire.Symbol{"amqp:local-transactions"}}
	return a
}

func transfer(handle, id uint32) *frame.Transfer {
	return &frame.Transfer{
		Handle: handle, DeliveryID: wire.Some(id), DeliveryTag: binary.BigEndian.AppendUint32(nil, id), MessageFormat: wire.Some(uint32(0)),
	}
}

func presettled(handle, id uint32) *frame.Transfer {
	t := transfer(handle, id)
	t.Settled = wire.Some(true)
	return t
}

// in puts a transfer or a disposition's state into a transaction.
func in(txn []byte, outcome frame.Outcome) *frame.TransactionalState {
	return &frame.TransactionalState{TxnID: txn, Outcome: outcome}
}

// text is a message; to, where there is one, its address.
func text(body string, to ...string) []byte {
	b := message.NewBuilder()
	b.SetText(body)
	if len(to) > 0 {
		b.Properties.To = to[0]
	}
	return b.Append(nil)
}

func durable(body string, to ...string) []byte {
	b := message.NewBuilder()
	b.SetText(body)
	b.Header.Durable = true
	if len(to) > 0 {
		b.Properties.To = to[0]
	}
	return b.Append(nil)
}

// control is a message to the coordinator.
func control(value interface{ Append([]byte) []byte }) []byte {
	return value.Append([]byte{0x00, 0x53, 0x77})
}

func flow(handle, count, credit uint32) *frame.Flow {
	return &frame.Flow{
		NextIncomingID: wire.Some(uint32(0)), IncomingWindow: 1000, OutgoingWindow: 1000,
		Handle: wire.Some(handle), DeliveryCount: wire.Some(count), LinkCredit: wire.Some(credit),
	}
}

func settle(first, last uint32, state frame.DeliveryState) *frame.Disposition {
	return &frame.Disposition{Role: frame.RoleReceiver, First: first, Last: wire.Some(last), Settled: true, State: state}
}

func unsettled(id uint32, state frame.DeliveryState) *frame.Disposition {
	return &frame.Disposition{Role: frame.RoleReceiver, First: id, State: state}
}

// connected is a client past open and one begin, whose answers are checked.
func (w *world) connected(container string) *peer {
	w.t.Helper()
	p := w.dial()
	p.bytes(header(frame.ProtocolAMQP))
	p.send(0, open(container))
	p.send(0, begin())
	p.want("AMQP", "open container-id=\"gate\"", "begin remote-channel=0")
	return p
}

// attach sends an attach and takes the answer for what it should be.
func (p *peer) attach(a *frame.Attach) {
	p.t.Helper()
	p.send(0, a)
	if a.Role == frame.RoleReceiver {
		p.want("attach role=sender !error")
	} else {
		p.want("attach role=receiver !error", "flow")
	}
}

// refused sends an attach that is to be refused with a condition.
func (p *peer) refused(a *frame.Attach, condition string) {
	p.t.Helper()
	p.send(0, a)
	missing := "!source="
	if a.Role == frame.RoleSender {
		missing = "!target="
	}
	p.want("attach "+missing, "detach closed=true "+condition)
	p.send(0, &frame.Detach{Handle: a.Handle, Closed: true})
	p.want()
}

// put fills a queue from a connection of its own.
func (w *world) put(address string, bodies ...[]byte) {
	w.t.Helper()
	p := w.connected("filler")
	p.attach(sender(0, address))
	for i, b := range bodies {
		p.send(0, transfer(0, uint32(i)), b)
	}
	for _, line := range p.lines() {
		if !matches(line, "disposition role=receiver settled=true accepted") && !matches(line, "flow") {
			w.t.Fatal("filling ", address, ": ", line)
		}
	}
	p.send(0, &frame.Close{})
	p.want("close", "EOF")
}

// declare begins a transaction on a coordinator's link.
func (p *peer) declare(handle, id uint32) []byte {
	p.t.Helper()
	p.send(0, transfer(handle, id), control(&frame.Declare{}))
	lines := p.lines()
	if len(lines) != 1 || !matches(lines[0], "disposition settled=true") {
		p.t.Fatal("declare: ", lines)
	}
	_, digits, _ := strings.Cut(lines[0], "txn-id=0x")
	txn, err := hex.DecodeString(strings.TrimRight(digits, "}"))
	if err != nil || len(txn) == 0 {
		p.t.Fatal("declare: ", lines)
	}
	return txn
}

func symbols(names ...string) []wire.Symbol {
	var s []wire.Symbol
	for _, n := range names {
		s = append(s, wire.Symbol(n))
	}
	return s
}

// saslBody takes the one SASL frame that came apart.
func (p *peer) saslBody(of func(frame.Performative) []byte) []byte {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	b := p.got
	p.got = nil
	p.mu.Unlock()
	f, _, err := frame.ParseSASL(b[frame.HeaderSize:], nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return of(f)
}

// attached is a connected client with a link.
func (w *world) attached(a *frame.Attach) *peer {
	w.t.Helper()
	p := w.connected("a")
	p.attach(a)
	return p
}

// draining, within and more change one thing about a frame.
func draining(f *frame.Flow) *frame.Flow {
	f.Drain = true
	return f
}

func within(txn []byte, f *frame.Transfer) *frame.Transfer {
	f.State = in(txn, nil)
	return f
}

func more(f *frame.Transfer) *frame.Transfer {
	f.More = true
	return f
}
