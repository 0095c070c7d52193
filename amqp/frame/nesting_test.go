package frame

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// nested wraps inner into so many described lists with its bytes in front.
func nested(code byte, before, inner []byte, levels int) []byte {
	// From the inside out the sizes are known: count the bytes first.
	head := 3 + 9 + len(before)
	b := make([]byte, 0, levels*head+len(inner))
	for level := range levels {
		size := (levels-level)*head + len(inner) - 3 - 5
		b = append(b, 0x00, 0x53, code, 0xd0)
		b = binary.BigEndian.AppendUint32(b, uint32(size))
		b = binary.BigEndian.AppendUint32(b, uint32(bytes.Count(before, []byte{0x40})+2))
		b = append(b, before...)
	}
	return append(b, inner...)
}

// A transactional state holds an outcome, and a transactional state is none:
// the first one inside of another is refused, whatever else it holds.
func TestTransactionalStateDoesNotNest(t *testing.T) {
	once := (&TransactionalState{TxnID: []byte{}, Outcome: Accepted{}}).Append(nil)
	if _, _, err := DecodeState(once, nil); err != nil {
		t.Fatal(err)
	}
	// txn-id empty, then the outcome.
	bomb := nested(0x34, []byte{0xa0, 0}, Accepted{}.Append(nil), 1<<20)
	if n, err := wire.Skip(bomb); n != len(bomb) || err != nil {
		t.Fatalf("the bomb is no value: %d of %d bytes, %v", n, len(bomb), err)
	}
	var state TransactionalState
	allocs := testing.AllocsPerRun(1, func() {
		if _, err := state.Decode(bomb, nil); ConditionOf(err) != ConditionInvalidField {
			t.Fatalf("got %v", err)
		}
	})
	if allocs > 10 {
		t.Errorf("%v allocations: it was read on after its first level", allocs)
	}
	transfer := Transfer{}
	if _, _, err := Parse(append(transfer.Append(nil), bomb...), nil); err != nil {
		t.Errorf("as payload it is nobody's business: %v", err)
	}
}

// The same through the other field that holds an outcome.
func TestDefaultOutcomeDoesNotNest(t *testing.T) {
	source := Source{Address: "q", DefaultOutcome: &Rejected{}}
	if _, err := new(Source).Decode(source.Append(nil), nil); err != nil {
		t.Fatal(err)
	}
	fields := wire.List{"q", nil, nil, nil, nil, nil, nil, nil, wire.Described{
		Descriptor: CodeTransactionalState, Value: wire.List{[]byte{1}},
	}}
	b := wire.AppendValue(nil, wire.Described{Descriptor: CodeSource, Value: fields})
	if _, err := new(Source).Decode(b, nil); ConditionOf(err) != ConditionInvalidField {
		t.Errorf("got %v", err)
	}
}

// Maps within performatives are as deep as the limit says, and no deeper.
func TestMapsNestToTheLimit(t *testing.T) {
	for _, c := range []struct {
		depth int
		ok    bool
	}{{3, true}, {4, true}, {5, false}} {
		value := any(wire.Map{})
		for range c.depth - 1 {
			value = wire.Map{{Key: wire.Symbol("k"), Value: value}}
		}
		open := Open{ContainerID: "c", Properties: value.(wire.Map)}
		_, _, err := Parse(open.Append(nil), &wire.Limits{Depth: 4})
		if c.ok != (err == nil) || err != nil && ConditionOf(err) != ConditionDecodeError {
			t.Errorf("depth %d of 4: %v", c.depth, err)
		}
	}
}

// Four billion elements of no width are refused before there is room for them.
func TestCountBombInAField(t *testing.T) {
	array := []byte{0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40}
	fields := append([]byte{0xc1, 15, 2, 0xa3, 1, 'k'}, array...)
	open := append([]byte{0x00, 0x53, 0x10, 0xc0, 0, 10, 0xa1, 1, 'c'}, bytes.Repeat([]byte{0x40}, 8)...)
	open = append(open, fields...)
	open[4] = byte(len(open) - 5)
	if _, _, err := Parse(open, nil); ConditionOf(err) != ConditionDecodeError {
		t.Errorf("got %v", err)
	}
}
