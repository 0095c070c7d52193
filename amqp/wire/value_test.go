package wire

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// encodings holds every encoding of every primitive type (amqp 1.6), written
// down by hand. The first of a value's encodings is the one we write.
var encodings = []struct {
	name  string
	value any
	forms []string
}{
	{"null", nil, []string{"40"}},
	{"true", true, []string{"41", "5601"}},
	{"false", false, []string{"42", "5600"}},
	{"ubyte", uint8(200), []string{"50c8"}},
	{"ushort", uint16(0x1234), []string{"601234"}},
	{"uint zero", uint32(0), []string{"43", "5200", "7000000000"}},
	{"uint small", uint32(255), []string{"52ff", "70000000ff"}},
	{"uint", uint32(256), []string{"7000000100"}},
	{"uint max", uint32(math.MaxUint32), []string{"70ffffffff"}},
	{"ulong zero", uint64(0), []string{"44", "5300", "800000000000000000"}},
	{"ulong small", uint64(255), []string{"53ff", "8000000000000000ff"}},
	{"ulong", uint64(1 << 63), []string{"808000000000000000"}},
	{"byte", int8(-2), []string{"51fe"}},
	{"short", int16(-2), []string{"61fffe"}},
	{"int small", int32(-128), []string{"5480", "71ffffff80"}},
	{"int", int32(128), []string{"7100000080"}},
	{"int min", int32(math.MinInt32), []string{"7180000000"}},
	{"long small", int64(127), []string{"557f", "81000000000000007f"}},
	{"long", int64(-129), []string{"81ffffffffffffff7f"}},
	{"float", float32(1.5), []string{"723fc00000"}},
	{"double", float64(-2), []string{"82c000000000000000"}},
	{"decimal32", Decimal32{1, 2, 3, 4}, []string{"7401020304"}},
	{"decimal64", Decimal64{1, 2, 3, 4, 5, 6, 7, 8}, []string{"840102030405060708"}},
	{"decimal128", Decimal128{15: 9}, []string{"9400000000000000000000000000000009"}},
	{"char", Char('€'), []string{"73000020ac"}},
	{"timestamp", Timestamp(-1), []string{"83ffffffffffffffff"}},
	{"uuid", UUID{0: 0xab, 15: 0xcd}, []string{"98ab0000000000000000000000000000cd"}},
	{"binary", []byte{1, 2}, []string{"a0020102", "b0000000020102"}},
	{"binary empty", []byte{}, []string{"a000", "b000000000"}},
	{"string", "hé", []string{"a10368c3a9", "b10000000368c3a9"}},
	{"string empty", "", []string{"a100", "b100000000"}},
	{"symbol", Symbol("amqp"), []string{"a304616d7170", "b300000004616d7170"}},
	{"list empty", List{}, []string{"45", "c00100", "d00000000400000000"}},
	{"list", List{uint32(1), nil}, []string{"c00402520140", "d000000007000000025201" + "40"}},
	{"map empty", Map{}, []string{"c10100", "d10000000400000000"}},
	{
		"map",
		Map{{Symbol("a"), true}, {"b", int32(1)}},
		[]string{"c10a04a3016141a101625401", "d10000000d00000004a3016141a101625401"},
	},
	{
		"map of any keys",
		Map{{uint64(1), nil}, {nil, uint8(1)}},
		[]string{"c1070453014040" + "5001"},
	},
	{
		"described",
		Described{uint64(0x24), List{}},
		[]string{"00532445", "0080000000000000002445", "005324c00100"},
	},
	{
		"described by symbol",
		Described{Symbol("x"), "v"},
		[]string{"00a30178a10176"},
	},
	{
		"described twice",
		Described{Described{uint64(1), uint64(2)}, Described{uint64(3), nil}},
		[]string{"00" + "0053015302" + "00530340"},
	},
}

// arrays do not come back in the form they had, but as the same values.
var arrays = []struct {
	name, form string
	value      Array
}{
	{"nothing at all", "e00200" + "40", Array{Constructor: 0x40, Values: []any{}}},
	{"symbols", "e00602a3016101" + "62", Array{Constructor: 0xa3, Values: []any{Symbol("a"), Symbol("b")}}},
	{"wide symbols", "f00000000f00000002b3" + "0000000161" + "0000000162", Array{Constructor: 0xb3, Values: []any{Symbol("a"), Symbol("b")}}},
	{"small uints", "e0040252ff01", Array{Constructor: 0x52, Values: []any{uint32(255), uint32(1)}}},
	{"zero uints", "e0020343", Array{Constructor: 0x43, Values: []any{uint32(0), uint32(0), uint32(0)}}},
	{"zero ulongs", "e0020144", Array{Constructor: 0x44, Values: []any{uint64(0)}}},
	{"trues", "e0020241", Array{Constructor: 0x41, Values: []any{true, true}}},
	{"falses", "e0020142", Array{Constructor: 0x42, Values: []any{false}}},
	{"booleans", "e00402560100", Array{Constructor: 0x56, Values: []any{true, false}}},
	{"small ints", "e0040254ff01", Array{Constructor: 0x54, Values: []any{int32(-1), int32(1)}}},
	{"small longs", "e0030155ff", Array{Constructor: 0x55, Values: []any{int64(-1)}}},
	{"strings", "e00502a1" + "0161" + "00", Array{Constructor: 0xa1, Values: []any{"a", ""}}},
	{"binaries", "e00401a0" + "0101", Array{Constructor: 0xa0, Values: []any{[]byte{1}}}},
	{"empty lists", "e0020245", Array{Constructor: 0x45, Values: []any{List{}, List{}}}},
	{"lists", "e00801c0" + "0502" + "5201" + "5202", Array{Constructor: 0xc0, Values: []any{List{uint32(1), uint32(2)}}}},
	{"maps", "e00801c1" + "0502" + "5201" + "5202", Array{Constructor: 0xc1, Values: []any{Map{{uint32(1), uint32(2)}}}}},
	{"arrays", "e00701e0" + "0401" + "50" + "0707"[:2] + "", Array{}},
	{"described", "e0080200" + "a30178" + "50" + "0102", Array{Constructor: 0x50, Descriptors: []any{Symbol("x")}, Values: []any{uint8(1), uint8(2)}}},
	{"described twice", "e0090100" + "5301" + "00" + "5302" + "50" + "07", Array{Constructor: 0x50, Descriptors: []any{uint64(1), uint64(2)}, Values: []any{uint8(7)}}},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("hex %q: %v", s, err)
	}
	return b
}

func TestEveryEncodingDecodes(t *testing.T) {
	for _, c := range encodings {
		t.Run(c.name, func(t *testing.T) {
			for _, form := range c.forms {
				b := unhex(t, form)
				decodesTo(t, append(b, 0x99), len(b), c.value)
				truncated(t, b)
			}
			if got := hex.EncodeToString(AppendValue(nil, c.value)); got != c.forms[0] {
				t.Errorf("encoded as %s, want %s", got, c.forms[0])
			}
		})
	}
}

func decodesTo(t *testing.T, b []byte, size int, want any) {
	t.Helper()
	v, n, err := Value(b, nil)
	if err != nil {
		t.Fatalf("Value(%x): %v", b, err)
	}
	if n != size {
		t.Errorf("Value(%x) took %d bytes, want %d", b, n, size)
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("Value(%x): -want +got\n%s", b, diff)
	}
	if n, err := Skip(b); n != size || err != nil {
		t.Errorf("Skip(%x) = %d, %v; want %d", b, n, err, size)
	}
	if n, err := Check(b, nil); n != size || err != nil {
		t.Errorf("Check(%x) = %d, %v; want %d", b, n, err, size)
	}
}

// truncated checks that a value cut anywhere is refused by everyone.
func truncated(t *testing.T, b []byte) {
	t.Helper()
	for i := range b {
		if v, _, err := Value(b[:i:i], nil); err == nil {
			t.Errorf("Value(%x), cut from %x, gives %v", b[:i], b, v)
		}
		if _, err := Skip(b[:i:i]); err == nil {
			t.Errorf("Skip(%x), cut from %x, is content", b[:i], b)
		}
		if _, err := Check(b[:i:i], nil); err == nil {
			t.Errorf("Check(%x), cut from %x, is content", b[:i], b)
		}
	}
}

func TestArrays(t *testing.T) {
	for _, c := range arrays {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.form)
			if c.name == "arrays" {
				// An array of one array of one ubyte.
				b = unhex(t, "e00501e0"+"03"+"01"+"50"+"07")
				b[1] = byte(len(b) - 2)
				c.value = Array{Constructor: 0xe0, Values: []any{Array{Constructor: 0x50, Values: []any{uint8(7)}}}}
			}
			decodesTo(t, b, len(b), c.value)
			truncated(t, b)
			again := AppendValue(nil, c.value)
			v, n, err := Value(again, nil)
			if err != nil || n != len(again) {
				t.Fatalf("Value(%x) took %d: %v", again, n, err)
			}
			wide := c.value
			wide.Constructor = widest(wide.Constructor)
			for i, inner := range wide.Values {
				if inner, ok := inner.(Array); ok {
					inner.Constructor = widest(inner.Constructor)
					wide.Values[i] = inner
				}
			}
			if diff := cmp.Diff(wide, v); diff != "" {
				t.Errorf("encoded again as %x: -want +got\n%s", again, diff)
			}
		})
	}
}

// TestWideForms crosses the border at 255 bytes and 255 elements.
func TestWideForms(t *testing.T) {
	many := make(List, 256)
	manyPairs := make(Map, 128)
	for i := range manyPairs {
		manyPairs[i] = Entry{Key: Symbol(strings.Repeat("k", i)), Value: nil}
	}
	for _, n := range []int{252, 253, 254, 255, 256, 70000} {
		text := strings.Repeat("x", n)
		for _, v := range []any{
			text, Symbol(text[:min(n, MaxSymbol)]), []byte(text),
			List{text},
			Map{{text, text}},
			Array{Constructor: 0xb1, Values: []any{text, ""}},
			Described{uint64(n), List{many, manyPairs}},
		} {
			b := AppendValue(nil, v)
			decodesTo(t, b, len(b), v)
		}
	}
}

func TestInvalid(t *testing.T) {
	for _, c := range []struct{ name, form, reason string }{
		{"no bytes", "", "end before"},
		{"unknown constructor", "57", "unknown constructor 0x57"},
		{"unknown constructor of an array", "e0020157", "unknown constructor 0x57"},
		{"boolean of two", "5602", "neither 0 nor 1"},
		{"char beyond Unicode", "7300110000", "no Unicode"},
		{"list too small for its count", "c000", ""},
		{"list8 of size zero", "c00000", "size"},
		{"list of more elements than bytes", "c0020340", "more elements"},
		{"list with bytes behind", "c003014040", "size"},
		{"map with a lone key", "c1020140", "key without"},
		{"map with bytes behind", "c10402404040", "size"},
		{"array without constructor", "e00100", "size"},
		{"array described and no more", "e004010053" + "01", ""},
		{"array of more bytes than elements", "e00401500102", "size"},
		{"array of fewer bytes than elements", "e0030250" + "01", "size"},
		{"array of strings with bytes behind", "e00501a1" + "0161" + "00", "size"},
		{"described without value", "005301", "end before"},
		{"list of four billion", "d0ffffffffffffffff", "end before"},
		{"map of four billion", "d1ffffffffffffffff", "end before"},
		{"string of four billion", "b1ffffffff", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.form)
			_, _, err := Value(b, nil)
			if _, ok := err.(*Error); !ok || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("Value: %v, want an *Error with %q", err, c.reason)
			}
			if _, err := Check(b, nil); err == nil {
				t.Error("Check is content")
			}
		})
	}
}

func TestErrorOffset(t *testing.T) {
	_, _, err := Value(unhex(t, "c00602"+"5201"+"c00101"), nil)
	if e, ok := err.(*Error); !ok || e.Offset != 5 {
		t.Errorf("error %v, want one at byte 5", err)
	}
}
