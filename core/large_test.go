package core

import (
	"testing"

	"github.com/tidegate/tidegate/core/message"
)

// TestLargeMessagesCountLittle: a message that is in memory only in part keeps
// neither its connection's other links nor producers waiting for its size.
func TestLargeMessagesCountLittle(t *testing.T) {
	e := newEnv()
	const size = 2 << 30
	var conn ConnID
	var in ProducerID
	var out [2]ConsumerID
	names := [2]string{"large", "small"}
	e.step(func(fx *Effects) {
		var err error
		if conn, err = e.b.Connect(e.now, ConnectOptions{ClientID: "a"}, fx); err != nil {
			t.Fatal(err)
		}
		if in, _, err = e.b.OpenProducer(e.now, conn, ProducerOptions{}, fx); err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if out[i], err = e.b.OpenConsumer(e.now, conn, ConsumerOptions{Destination: Destination{Kind: Queue, Name: name}}, fx); err != nil {
				t.Fatal(err)
			}
		}
	})
	send := func(name string, size int64) []Out {
		return e.step(func(fx *Effects) {
			e.b.PublishTo(e.now, in, Destination{Kind: Queue, Name: name}, Send{}, message.Envelope{Content: &text{label: name, size: size}}, fx)
		})
	}
	send("large", size)
	if held := e.b.HeldBytes(); held != largeHeld {
		t.Errorf("it counts for %d bytes of memory", held)
	}
	delivered := func(outs []Out) (n int) {
		for _, o := range outs {
			if o.Kind == OutDeliver {
				n++
			}
		}
		return n
	}
	var large DeliveryID
	for _, o := range e.step(func(fx *Effects) { e.b.Credit(e.now, out[0], 10, false, fx) }) {
		if o.Kind == OutDeliver {
			large = o.Delivery
			if o.Size != size {
				t.Errorf("delivered as %d bytes", o.Size)
			}
		}
	}
	e.step(func(fx *Effects) { e.b.Credit(e.now, out[1], 10, false, fx) })
	if n := delivered(send("small", 1000)); n != 1 {
		t.Errorf("%d deliveries pass it on its connection", n)
	}
	e.step(func(fx *Effects) { e.b.Settle(e.now, large, 0, Outcome{Kind: Accepted}, false, fx) })
	if held := e.b.HeldBytes(); held != 1000 {
		t.Errorf("%d bytes are held once it is consumed, want the other's 1000", held)
	}
}
