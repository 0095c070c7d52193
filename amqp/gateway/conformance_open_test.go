package gateway_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// greeted is a client that has the AMQP header.
func (w *world) greeted() *peer {
	w.t.Helper()
	p := w.dial()
	p.bytes(header(frame.ProtocolAMQP))
	p.want("AMQP")
	return p
}

func TestConformanceOpenWithoutContainerID(t *testing.T) {
	conform(t, func(w *world) {
		for _, fields := range [][]any{{}, {nil, "host"}} {
			p := w.greeted()
			p.bytes(raw(0, frame.CodeOpen, fields...))
			p.want("open", "close error decode-error")
			p.send(0, &frame.Close{})
			p.want("EOF")
		}
	})
}

func TestConformanceOpen(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(0, open("a"))
		p.want("open container-id=\"gate\" sole-connection-for-container ANONYMOUS-RELAY SHARED-SUBS product version platform")
		p.bytes(frame.Empty[:])
		p.want()
		p.send(0, &frame.Close{})
		p.want("close !error", "EOF")
	})
}

func TestConformanceOpenOnAnotherChannel(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(1, open("a"))
		p.want("open !channel=1", "close framing-error")
	})
}

func TestConformanceOpenMaxFrameSize(t *testing.T) {
	conform(t, func(w *world) {
		for _, size := range []uint32{0, 256, 511} {
			p := w.greeted()
			p.bytes(raw(0, frame.CodeOpen, "a", nil, size))
			p.want("open", "close framing-error")
		}
		p := w.greeted()
		p.send(0, &frame.Open{ContainerID: "a", MaxFrameSize: 512, ChannelMax: 9})
		p.want("open")
	})
}

// Any hostname is taken: there are no virtual hosts.
func TestConformanceOpenUnknownHostname(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		o := open("a")
		o.Hostname = "no.such.host"
		p.send(0, o)
		p.want("open")
	})
}

func TestConformanceOpenIdleTimeOut(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		o := open("a")
		o.IdleTimeOut = 1000
		p.send(0, o)
		p.want("open")
		<-time.After(time.Second)
		if n := len(p.lines()); n == 0 || n > 2 {
			t.Errorf("%d empty frames in a second", n)
		}
	})
}

// A peer is given up after twice the idle time-out that it was told.
func TestConformanceOpenSilentPeer(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(0, open("a"))
		p.want("open idle-time-out=30000")
		<-time.After(59 * time.Second)
		p.want()
		<-time.After(2 * time.Second)
		p.want("close resource-limit-exceeded")
		<-time.After(10 * time.Second)
		p.want("EOF")
	})
}

func TestConformanceBeginWithoutFields(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(0, open("a"))
		p.want("open")
		p.bytes(raw(0, frame.CodeBegin))
		p.want("close decode-error")
	})
}

func TestConformanceBegin(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(0, open("a"))
		p.send(37, begin())
		p.want("open", "begin remote-channel=37 next-outgoing-id=0 incoming-window outgoing-window")
		p.send(37, &frame.End{})
		p.want("end")
		p.send(37, begin()) // the number is free again
		p.want("begin remote-channel=37")
		p.send(0, &frame.Close{})
		p.want("close", "EOF")
	})
}

func TestConformanceBeginAboveChannelMax(t *testing.T) {
	conform(t, func(w *world) {
		p := w.greeted()
		p.send(0, open("a")) // with channel-max 100
		p.send(101, begin())
		p.want("open", "close framing-error")
	})
}

func TestConformanceAttachWithoutFields(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.bytes(raw(0, frame.CodeAttach))
		p.want("close decode-error")
	})
}

func TestConformanceAttachSender(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		a := sender(3, "q")
		a.SndSettleMode, a.RcvSettleMode = frame.SenderSettleModeUnsettled, frame.ReceiverSettleModeSecond
		p.send(0, a)
		p.want("attach name=\"out-q\" role=receiver source target address=\"q\" snd-settle-mode=unsettled rcv-settle-mode=second",
			"flow handle=0 delivery-count=0 link-credit")
		p.send(0, &frame.Detach{Handle: 3, Closed: true})
		p.want("detach closed=true !error")
	})
}

func TestConformanceAttachReceiver(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		a := receiver(3, "q")
		a.SndSettleMode, a.RcvSettleMode = frame.SenderSettleModeSettled, frame.ReceiverSettleModeSecond
		p.send(0, a)
		p.want("attach name=\"in-q\" role=sender source address=\"q\" target snd-settle-mode=settled rcv-settle-mode=second initial-delivery-count=0 " +
			"amqp:accepted:list amqp:rejected:list amqp:released:list amqp:modified:list")
		p.send(0, &frame.Detach{Handle: 3, Closed: true})
		p.want("detach closed=true !error")
	})
}

// A receiver without target, or a sender without source, says nothing that is
// needed here, and is let in. A sender without target goes nowhere.
func TestConformanceAttachNullTermini(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		r := receiver(0, "q")
		r.Target = nil
		p.attach(r)
		s := sender(1, "q")
		s.Source = nil
		p.attach(s)
		s = sender(2, "")
		s.Name, s.Target = "nowhere", nil
		p.refused(s, "invalid-field")
		p.send(0, transfer(2, 0), text("x"))
		p.want("end unattached-handle")
	})
}

func TestConformanceAttachNodePropertiesOfWrongType(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		for i, properties := range []wire.Map{
			{{Key: wire.Symbol("lifetime-policy"), Value: wire.Symbol("amqp:delete-on-close:list")}},
			{{Key: wire.Symbol("lifetime-policy"), Value: wire.Described{Descriptor: uint64(0x2f), Value: wire.List{}}}},
			{{Key: wire.Symbol("supported-dist-modes"), Value: uint32(1)}},
			{{Key: wire.Symbol("supported-dist-modes"), Value: wire.List{int64(7)}}},
		} {
			r := receiver(uint32(i), "")
			r.Source.Dynamic, r.Source.DynamicNodeProperties = true, properties
			p.refused(r, "invalid-field")
			s := sender(uint32(i), "")
			s.Target = &frame.Target{Dynamic: true, DynamicNodeProperties: properties}
			p.refused(s, "invalid-field")
		}
	})
}

func TestConformanceAttachHandleInUse(t *testing.T) {
	conform(t, func(w *world) {
		p := w.attached(sender(0, "q"))
		p.send(0, receiver(0, "q"))
		p.want("end handle-in-use")
	})
}

func TestConformanceAttachAboveHandleMax(t *testing.T) {
	conform(t, func(w *world) {
		p := w.connected("a")
		p.send(0, receiver(5000, "q"))
		p.want("close framing-error")
	})
}
