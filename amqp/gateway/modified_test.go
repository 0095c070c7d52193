package gateway_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

func modified(annotations ...wire.Entry) *frame.Modified {
	return &frame.Modified{MessageAnnotations: annotations}
}

func symbolic(key string, value any) wire.Entry {
	return wire.Entry{Key: wire.Symbol(key), Value: value}
}

// TestModifiedAnnotations: what a consumer adds by modified stands among the
// message's annotations when it comes again (amqp 3.4.5), to whomever, over a
// restart.
func TestModifiedAnnotations(t *testing.T) {
	conform(t, func(w *world) {
		b := message.NewBuilder()
		b.SetText("x")
		b.Header.Durable = true
		b.Annotations = wire.Map{{Key: wire.Symbol("own"), Value: uint8(1)}, {Key: wire.Symbol("old"), Value: "was"}}
		w.put("q", b.Append(nil), durable("plain"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 2))
		p.want("transfer text=x own:uint8=1 old:string=was", "transfer text=plain !added")
		p.send(0, settle(0, 0, modified(symbolic("old", "is"), symbolic("added", int16(7)))))
		p.send(0, settle(1, 1, modified(symbolic("added", "a"))))
		p.send(0, flow(0, 2, 2))
		p.want("transfer text=x own:uint8=1 old:string=is added:int16=7", "transfer text=plain added:string=a")
		p.send(0, settle(2, 2, modified(symbolic("added", "b"), symbolic("more", true))))
		p.send(0, settle(3, 3, frame.Released{}))
		p.want()

		w.restart()
		p = w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 2))
		p.want("transfer text=x own:uint8=1 old:string=is added:string=b more:bool=true", "transfer text=plain added:string=a")
		p.send(0, settle(0, 0, modified())) // nothing new: nothing is lost
		p.send(0, flow(0, 2, 1))
		p.want("transfer text=x old:string=is more:bool=true")
		p.send(0, settle(1, 2, frame.Accepted{}))
		p.want()
		w.wantDepth("q", 0)
	})
}

// TestModifiedAnnotationsAreLimited: beyond core.MaxNotes they are left out, and
// the outcome counts all the same.
func TestModifiedAnnotationsAreLimited(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", text("x"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer text=x")
		m := modified(symbolic("big", strings.Repeat("x", core.MaxNotes)))
		m.DeliveryFailed = true
		p.send(0, settle(0, 0, m))
		p.send(0, flow(0, 1, 1))
		p.want("transfer text=x count=1 !big")
	})
}

// TestModifiedAnnotationsInATransaction: they count with its commit.
func TestModifiedAnnotationsInATransaction(t *testing.T) {
	conform(t, func(w *world) {
		w.put("q", durable("small"))
		p := w.attached(receiver(0, "q"))
		p.send(0, flow(0, 0, 1))
		p.want("transfer text=small")
		txn := coordinator(1)
		p.attach(txn)
		id := p.declare(1, 0)
		p.send(0, settle(0, 0, in(id, modified(symbolic("in", "transaction")))))
		p.send(0, transfer(1, 1), control(&frame.Discharge{TxnID: id}))
		p.want("disposition settled=true accepted")
		p.send(0, flow(0, 1, 1))
		p.want("transfer text=small in:string=transaction")
	})
}

// TestUnknownIsNoRefusal: capabilities, properties and filters that are not known
// are passed over, and not echoed (reference 4.3).
func TestUnknownIsNoRefusal(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		o := open("a")
		o.DesiredCapabilities, o.OfferedCapabilities = symbols("flying"), symbols("swimming")
		o.Properties = wire.Map{symbolic("colour", "red")}
		p.send(0, o)
		b := begin()
		b.DesiredCapabilities, b.Properties = symbols("flying"), wire.Map{symbolic("colour", "red")}
		p.send(0, b)
		p.want("AMQP", "open !flying !colour", "begin !flying !colour")
		out := sender(0, "q")
		out.DesiredCapabilities, out.Properties = symbols("flying"), wire.Map{symbolic("colour", "red")}
		out.Target.(*frame.Target).Capabilities = symbols("flying")
		p.send(0, out)
		p.want("attach target address=\"q\" !error !colour", "flow")
		in := selecting(receiver(1, "q"), wire.Entry{Key: wire.Symbol("foo"), Value: wire.Described{Descriptor: uint64(0x99), Value: wire.List{}}},
			symbolic("bar", "bare"))
		in.DesiredCapabilities, in.Properties = symbols("flying"), wire.Map{symbolic("colour", "red")}
		in.Source.Capabilities = symbols("flying")
		p.send(0, in)
		p.want("attach source address=\"q\" !error !foo !bar !colour")
		p.send(0, transfer(0, 0), text("x"))
		p.want("disposition accepted")
	})
}

// TestBadSelectorSaysWhere: an unparsable selector is refused with its position.
func TestBadSelectorSaysWhere(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.refused(selecting(receiver(0, "q"), wire.Entry{
			Key: wire.Symbol("jms-selector"), Value: wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "a = 1 AND AND"},
		}), "invalid-field 11")
	})
}

// TestModifiedAnnotationsOfALargeMessage: its file stays as it is, and what is read
// from it goes behind them.
func TestModifiedAnnotationsOfALargeMessage(t *testing.T) {
	conform(t, func(w *world) {
		body := largeMessage(true, justLarge)
		p := w.connected("a")
		p.attach(sender(0, "q"))
		p.stream(0, 0, nil, body, nil)
		if _, lines := p.arrived(); !strings.Contains(strings.Join(lines, "\n"), "accepted") {
			t.Fatal(lines)
		}
		p.attach(receiver(1, "q"))
		for i, want := range []string{"", "b"} {
			p.send(0, flow(1, uint32(i), 1))
			payload, _ := p.arrived()
			m, err := message.Index(payload[1], nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if v, _ := m.Annotation("a"); v != want && (v != nil || want != "") {
				t.Errorf("delivery %d is annotated with %v", i, v)
			}
			if !bytes.HasSuffix(payload[1], bare(t, body)) {
				t.Errorf("delivery %d is not as it was sent", i)
			}
			p.send(0, settle(uint32(i), uint32(i), modified(symbolic("a", "b"))))
		}
	}, roomy)
}
