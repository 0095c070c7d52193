package frame

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/amqp/wire"
)

// fieldCounts is from the specification, and not from the table.
var fieldCounts = map[uint64]int{
	0x10: 10, 0x11: 8, 0x12: 14, 0x13: 11, 0x14: 11, 0x15: 6, 0x16: 3, 0x17: 1, 0x18: 1, 0x1d: 3,
	0x23: 2, 0x24: 0, 0x25: 1, 0x26: 0, 0x27: 3, 0x28: 11, 0x29: 7, 0x2b: 0, 0x2c: 0, 0x2d: 0, 0x2e: 0,
	0x30: 1, 0x31: 1, 0x32: 2, 0x33: 1, 0x34: 2, 0x40: 1, 0x41: 3, 0x42: 1, 0x43: 1, 0x44: 2, 0x70: 5, 0x73: 13,
}

// mandatory is, for each type, the mandatory fields by index; likewise.
var mandatory = map[uint64][]int{
	0x10: {0}, 0x11: {1, 2, 3}, 0x12: {0, 1, 2}, 0x13: {1, 2, 3}, 0x14: {0}, 0x15: {0, 1}, 0x16: {0},
	0x1d: {0}, 0x23: {0, 1}, 0x32: {0}, 0x33: {0}, 0x34: {0}, 0x40: {0}, 0x41: {0}, 0x42: {0}, 0x43: {0}, 0x44: {0},
}

// each runs f for every type, with a full value of it.
func each(t *testing.T, f func(t *testing.T, code uint64, c Composite)) {
	for _, code := range codes(t) {
		c := full(code)
		t.Run(c.TypeName(), func(t *testing.T) { f(t, code, c) })
	}
}

func TestRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, _ uint64, c Composite) {
		for _, v := range []Composite{c, c} {
			b := v.Append([]byte{})
			got, n, err := DecodeComposite(append(b, 0xff), nil)
			if err != nil || n != len(b) {
				t.Fatalf("%x: took %d of %d: %v", b, n, len(b), err)
			}
			if diff := cmp.Diff(v, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		}
	})
}

func TestOtherEncodings(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		v, _, err := wire.Value(c.Append(nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []form{{wide: true}, {symbolic: true}, {wide: true, symbolic: true}} {
			b := f.encode(nil, v)
			if got, err := Code(b); got != code || err != nil {
				t.Errorf("%+v: Code = %#x, %v", f, got, err)
			}
			got, n, err := DecodeComposite(b, nil)
			if err != nil || n != len(b) {
				t.Fatalf("%+v: took %d of %d: %v", f, n, len(b), err)
			}
			if diff := cmp.Diff(c, got); diff != "" {
				t.Errorf("%+v: -want +got\n%s", f, diff)
			}
		}
	})
}

func TestTruncated(t *testing.T) {
	each(t, func(t *testing.T, _ uint64, c Composite) {
		b := c.Append(nil)
		for i := range b {
			_, _, err := DecodeComposite(b[:i:i], nil)
			var d *DecodeError
			if !errors.As(err, &d) || d.Condition != ConditionDecodeError {
				t.Errorf("%x: %v, want a decode error", b[:i], err)
			}
		}
	})
}

// list gives a type's fields, as many as the specification has.
func list(t *testing.T, code uint64, c Composite) wire.List {
	t.Helper()
	v, _, err := wire.Value(c.Append(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	fields := v.(wire.Described).Value.(wire.List)
	if len(fields) != fieldCounts[code] {
		t.Fatalf("%d fields, want %d", len(fields), fieldCounts[code])
	}
	return fields
}

func decodeFields(code uint64, fields wire.List) (Composite, error) {
	c, _, err := DecodeComposite(wire.AppendValue(nil, wire.Described{Descriptor: code, Value: fields}), nil)
	return c, err
}

// TestShorterLists leaves fields off the end: they take their defaults, and
// mandatory ones are missed by name.
func TestShorterLists(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		fields := list(t, code, c)
		for k := range len(fields) {
			var missed []int
			for _, m := range mandatory[code] {
				if m >= k {
					missed = append(missed, m)
				}
			}
			got, err := decodeFields(code, fields[:k])
			if len(missed) > 0 {
				wantMissing(t, err, c, missed[0])
				continue
			}
			if err != nil {
				t.Fatalf("%d fields: %v", k, err)
			}
			again := list0(t, got)
			if len(again) > k || cmp.Diff(fields[:len(again)], again) != "" {
				t.Errorf("%d fields come back as %v", k, again)
			}
		}
	})
}

func list0(t *testing.T, c Composite) wire.List {
	t.Helper()
	v, _, err := wire.Value(c.Append(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return v.(wire.Described).Value.(wire.List)
}

func wantMissing(t *testing.T, err error, c Composite, field int) {
	t.Helper()
	var d *DecodeError
	if !errors.As(err, &d) || d.Condition != ConditionDecodeError || d.Reason != "mandatory but missing" {
		t.Fatalf("error %v, want a missing field", err)
	}
	if d.Type != c.TypeName() || d.Field == "" {
		t.Errorf("error of %q.%q, want field %d of %s", d.Type, d.Field, field, c.TypeName())
	}
}

// TestNulls sets each field to null in turn: the default, or missed by name.
func TestNulls(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		fields := list(t, code, c)
		for i := range fields {
			with := append(wire.List{}, fields...)
			with[i] = nil
			got, err := decodeFields(code, with)
			isMandatory := false
			for _, m := range mandatory[code] {
				isMandatory = isMandatory || m == i
			}
			if isMandatory {
				wantMissing(t, err, c, i)
				continue
			}
			if err != nil {
				t.Fatalf("field %d null: %v", i, err)
			}
			again := append(list0(t, got), make(wire.List, len(fields))...)[:len(fields)]
			if diff := cmp.Diff(with, again); diff != "" {
				t.Errorf("field %d null: -want +got\n%s", i, diff)
			}
		}
	})
}

// TestLongerLists adds fields of a later version.
func TestLongerLists(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		fields := append(list(t, code, c), nil, "later", wire.Described{Descriptor: uint64(1), Value: wire.List{nil}})
		got, err := decodeFields(code, fields)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// TestWrongTypes gives each field a value that no field may have.
func TestWrongTypes(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		fields := list(t, code, c)
		for i := range fields {
			if code == CodeProperties && (i == 0 || i == 5) {
				continue // any type, looked at where it is used
			}
			with := append(wire.List{}, fields...)
			with[i] = wire.Char('x')
			_, err := decodeFields(code, with)
			var d *DecodeError
			if !errors.As(err, &d) || d.Field == "" || d.Condition != ConditionDecodeError {
				t.Errorf("field %d a char: %v", i, err)
			}
		}
	})
}

// TestDecodeOverwrites reads into a struct that was used before.
func TestDecodeOverwrites(t *testing.T) {
	each(t, func(t *testing.T, code uint64, c Composite) {
		minimal := newComposite(code)
		fields := list(t, code, c)
		k := 0
		for _, m := range mandatory[code] {
			k = m + 1
		}
		b := wire.AppendValue(nil, wire.Described{Descriptor: code, Value: fields[:k]})
		if _, err := minimal.Decode(b, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Decode(b, nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(minimal, c); diff != "" {
			t.Errorf("something of the old value is left: -want +got\n%s", diff)
		}
	})
}

func TestEnumsAreClosed(t *testing.T) {
	for _, c := range []struct {
		code  uint64
		field int
		value any
	}{
		{CodeAttach, 3, uint8(3)},
		{CodeAttach, 4, uint8(2)},
		{CodeTransfer, 6, uint8(2)},
		{CodeSource, 1, uint32(3)},
		{CodeTarget, 2, wire.Symbol("now")},
		{CodeSASLOutcome, 0, uint8(5)},
	} {
		fields := list(t, c.code, full(c.code))
		fields[c.field] = c.value
		_, err := decodeFields(c.code, fields)
		if ConditionOf(err) != ConditionInvalidField {
			t.Errorf("%#x field %d = %v: %v", c.code, c.field, c.value, err)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	each(t, func(t *testing.T, _ uint64, c Composite) {
		b := c.Append([]byte("before"))
		if !bytes.HasPrefix(b, []byte("before")) || !bytes.Equal(b[6:], c.Append(nil)) {
			t.Errorf("%x", b)
		}
	})
}
