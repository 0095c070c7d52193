package frame

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidegate/tidegate/amqp/wire"
)

// TestBytes reads bytes written down by hand and prints what they mean, and how
// we would write that where it differs.
func TestBytes(t *testing.T) {
	datadriven.RunTest(t, "testdata/bytes.txt", func(t *testing.T, d *datadriven.TestData) string {
		b, err := assemble(d.Input)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		parse := map[string]func([]byte, *wire.Limits) (Performative, []byte, error){
			"amqp": Parse, "sasl": ParseSASL, "any": parseAny,
		}[d.Cmd]
		p, rest, err := parse(b, nil)
		if err != nil {
			return fmt.Sprintf("%s: %v\n", ConditionOf(err), err)
		}
		out := p.String() + "\n"
		if again := p.Append(nil); string(again) != string(b[:len(b)-len(rest)]) {
			out += fmt.Sprintf("ours %x\n", again)
		}
		if len(rest) > 0 {
			out += fmt.Sprintf("payload %x\n", rest)
		}
		return out
	})
}

func parseAny(b []byte, lim *wire.Limits) (Performative, []byte, error) {
	c, n, err := DecodeComposite(b, lim)
	if err != nil {
		return nil, nil, err
	}
	return c, b[n:], nil
}

// TestTraces shows every type with every field, as logs do.
func TestTraces(t *testing.T) {
	datadriven.RunTest(t, "testdata/traces.txt", func(t *testing.T, _ *datadriven.TestData) string {
		var out strings.Builder
		for _, code := range codes(t) {
			fmt.Fprintln(&out, full(code))
		}
		return out.String()
	})
}

func TestTraceIsBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	deep := any(wire.List{})
	for range 30 {
		deep = wire.List{deep}
	}
	many := make(wire.Map, 1000)
	e := &Error{Condition: wire.Symbol(long), Description: long, Info: append(many,
		wire.Entry{Key: long, Value: deep}, wire.Entry{Key: []byte(long), Value: wire.Array{Values: make([]any, 1000)}})}
	if n := len(e.String()); n > 4096 {
		t.Errorf("an error's trace of %d bytes", n)
	}
}

func TestStates(t *testing.T) {
	for _, s := range []DeliveryState{
		Accepted{},
		Released{},
		&Rejected{Error: &Error{Condition: ConditionNotFound}},
		&Modified{DeliveryFailed: true}, &Received{SectionNumber: 1}, &Declared{TxnID: []byte{1}},
		&TransactionalState{TxnID: []byte{1}, Outcome: Accepted{}},
	} {
		got, ok := StateOf(ToValue(s), nil)
		if !ok || got.String() != s.String() {
			t.Errorf("%s came back as %v", s, got)
		}
	}
	for _, v := range []any{nil, "accepted", wire.Described{Descriptor: CodeOpen, Value: wire.List{}}} {
		if s, ok := StateOf(v, nil); ok {
			t.Errorf("%v is taken for %s", v, s)
		}
	}
	if s, _, err := DecodeState([]byte{0x00, 0x53, 0x24, 0x45}, nil); s != DeliveryState(Accepted{}) || err != nil {
		t.Errorf("accepted came as %T, %v", s, err)
	}
	p, ok := LifetimePolicyOf(ToValue(DeleteOnNoLinks{}), nil)
	if !ok || p.TypeName() != "delete-on-no-links" {
		t.Errorf("lifetime policy %v, %v", p, ok)
	}
	if _, ok := LifetimePolicyOf(ToValue(Accepted{}), nil); ok {
		t.Error("accepted is taken for a lifetime policy")
	}
}
