package frame

import (
	"errors"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

func hotTransfer() *Transfer {
	return &Transfer{
		Handle: 1, DeliveryID: wire.Some(uint32(100000)), DeliveryTag: []byte{0, 0, 0, 0, 0, 1, 0, 2},
		MessageFormat: wire.Some(uint32(0)), Settled: wire.Some(false), State: Accepted{},
	}
}

// The hot frames must cost no allocation either way.
func TestHotFramesDoNotAllocate(t *testing.T) {
	transfer := hotTransfer()
	b := make([]byte, 0, 256)
	transfers := transfer.Append(nil)
	disposition := Disposition{Role: RoleReceiver, First: 1, Last: wire.Some(uint32(9)), Settled: true, State: Accepted{}}
	dispositions := disposition.Append(nil)
	flow := Flow{NextIncomingID: wire.Some(uint32(5)), Handle: wire.Some(uint32(1)), LinkCredit: wire.Some(uint32(1000))}
	flows := flow.Append(nil)
	if n := testing.AllocsPerRun(1000, func() {
		b = transfer.Append(b[:0])
		b = disposition.Append(b)
		b = flow.Append(b)
		_, err1 := transfer.Decode(transfers, nil)
		_, err2 := disposition.Decode(dispositions, nil)
		_, err3 := flow.Decode(flows, nil)
		_, err4 := Code(flows)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

func BenchmarkTransferAppend(b *testing.B) {
	x, buf := hotTransfer(), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		buf = x.Append(buf[:0])
	}
}

func BenchmarkTransferDecode(b *testing.B) {
	buf := hotTransfer().Append(nil)
	var x Transfer
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Decode(buf, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDispositionDecode(b *testing.B) {
	buf := (&Disposition{Role: RoleReceiver, First: 1, Last: wire.Some(uint32(9)), Settled: true, State: Accepted{}}).Append(nil)
	var x Disposition
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Decode(buf, nil); err != nil {
			b.Fatal(err)
		}
	}
}
