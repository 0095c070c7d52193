package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSymbols(t *testing.T) {
	long := Symbol(strings.Repeat("s", 256))
	for _, c := range []struct {
		name, form string
		want       []Symbol
	}{
		{"null", "40", nil},
		{"bare", "a30161", []Symbol{"a"}},
		{"bare, wide", "b30000000161", []Symbol{"a"}},
		{"array8", "e00602a301610162", []Symbol{"a", "b"}},
		{"array32", "f00000000f00000002b300000001610000000162", []Symbol{"a", "b"}},
		{"empty array", "e00200a3", nil},
		{"empty array of another type", "e0020040", nil},
	} {
		b := unhex(t, c.form)
		got, n, err := Symbols(b, nil)
		if err != nil || n != len(b) {
			t.Fatalf("%s: took %d of %d: %v", c.name, n, len(b), err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
	for _, form := range []string{"", "a10161", "e00401a10161", "e0020143", "e00602a3016100ff", "41"} {
		if _, _, err := Symbols(unhex(t, form), nil); err == nil {
			t.Errorf("%s is taken for symbols", form)
		}
	}
	for _, v := range [][]Symbol{{}, {"a"}, {"", "b"}, {long}, {"a", long}, make([]Symbol, 300)} {
		b := AppendSymbols(nil, v)
		got, n, err := Symbols(b, nil)
		if err != nil || n != len(b) || len(got) != len(v) || len(v) > 0 && cmp.Diff(v, got) != "" {
			t.Errorf("%d symbols came back as %d, %d of %d bytes: %v", len(v), len(got), n, len(b), err)
		}
	}
}

func TestReadDescriptor(t *testing.T) {
	for _, c := range []struct {
		form string
		want string
		n    int
	}{
		{"00531040", "0x10", 3},
		{"0080000000000000001040", "0x10", 10},
		{"004440", "0x0", 2},
		{"00a3026f6b40", "ok", 5},
		{"00b3000000026f6b40", "ok", 8},
	} {
		b := unhex(t, c.form)
		d, n, err := ReadDescriptor(b)
		if err != nil || n != c.n || d.String() != c.want {
			t.Errorf("%s: %v, %d, %v", c.form, d, n, err)
		}
		for i := range c.n {
			if _, _, err := ReadDescriptor(b[:i]); err == nil {
				t.Errorf("%x is taken for a descriptor", b[:i])
			}
		}
	}
	for _, form := range []string{"40", "00a10161", "0040", "005201", "0000"} {
		if _, _, err := ReadDescriptor(unhex(t, form)); err == nil {
			t.Errorf("%s is taken for a descriptor", form)
		}
	}
}

// TestReadersRefuseOtherTypes gives each reader every other type's encodings.
func TestReadersRefuseOtherTypes(t *testing.T) {
	readers := map[string]func([]byte) error{
		"boolean":   func(b []byte) error { _, _, err := Bool(b); return err },
		"ubyte":     func(b []byte) error { _, _, err := Ubyte(b); return err },
		"ushort":    func(b []byte) error { _, _, err := Ushort(b); return err },
		"uint":      func(b []byte) error { _, _, err := Uint(b); return err },
		"ulong":     func(b []byte) error { _, _, err := Ulong(b); return err },
		"byte":      func(b []byte) error { _, _, err := Byte(b); return err },
		"short":     func(b []byte) error { _, _, err := Short(b); return err },
		"int":       func(b []byte) error { _, _, err := Int(b); return err },
		"long":      func(b []byte) error { _, _, err := Long(b); return err },
		"float":     func(b []byte) error { _, _, err := Float(b); return err },
		"double":    func(b []byte) error { _, _, err := Double(b); return err },
		"char":      func(b []byte) error { _, _, err := ReadChar(b); return err },
		"timestamp": func(b []byte) error { _, _, err := ReadTimestamp(b); return err },
		"uuid":      func(b []byte) error { _, _, err := ReadUUID(b); return err },
		"binary":    func(b []byte) error { _, _, err := Binary(b, nil); return err },
		"string":    func(b []byte) error { _, _, err := String(b, nil); return err },
		"symbol":    func(b []byte) error { _, _, err := ReadSymbol(b, nil); return err },
		"list":      func(b []byte) error { _, _, _, err := ListHead(b); return err },
		"map":       func(b []byte) error { _, _, _, err := MapHead(b); return err },
	}
	for op, read := range readers { // order: irrelevant
		for _, c := range encodings {
			for _, form := range c.forms {
				err := read(unhex(t, form))
				if mine := TypeName(c.value) == op; mine != (err == nil) {
					t.Errorf("%s reader on %s (%s): %v", op, c.name, form, err)
				}
			}
		}
	}
}

func TestMap(t *testing.T) {
	m := Map{{Symbol("a"), 1}, {"b", 2}, {uint64(7), 3}, {"a", 4}}
	for name, want := range map[string]any{"a": 4, "b": 2, "c": nil} { // order: irrelevant
		if got, ok := m.Get(name); got != want || ok != (want != nil) {
			t.Errorf("Get(%q) = %v, %v", name, got, ok)
		}
	}
	m = m.Set(Symbol("b"), 5).Set(uint64(7), 6).Set("z", 7)
	want := Map{{Symbol("a"), 1}, {"b", 5}, {uint64(7), 6}, {"a", 4}, {"z", 7}}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, n, err := ReadMap([]byte{codeNull}, nil); got != nil || n != 1 || err != nil {
		t.Errorf("null map: %v, %d, %v", got, n, err)
	}
}

func TestUUIDText(t *testing.T) {
	const text = "00112233-4455-6677-8899-aabbccddeeff"
	u, ok := ParseUUID(strings.ToUpper(text))
	if !ok || u.String() != text {
		t.Errorf("%v, %v", u, ok)
	}
	for _, bad := range []string{"", text[1:], text + "0", strings.Replace(text, "-", "0", 1), strings.Replace(text, "a", "g", 1)} {
		if _, ok := ParseUUID(bad); ok {
			t.Errorf("%q is taken for a uuid", bad)
		}
	}
}

func TestInteger(t *testing.T) {
	for _, v := range []any{int8(5), int16(5), int32(5), int64(5), uint8(5), uint16(5), uint32(5), uint64(5), Timestamp(5)} {
		if n, ok := Integer(v); n != 5 || !ok {
			t.Errorf("Integer(%T) = %d, %v", v, n, ok)
		}
	}
	for _, v := range []any{uint64(1 << 63), "5", 5.0, nil} {
		if _, ok := Integer(v); ok {
			t.Errorf("Integer(%T %v)", v, v)
		}
	}
}

func TestSkipAndCheckDoNotAllocate(t *testing.T) {
	b := AppendValue(nil, Map{{Symbol("a"), List{"x", uint64(1), Described{uint64(1), []byte("y")}}}})
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Skip(b); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(b, nil); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
