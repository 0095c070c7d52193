package wire

import (
	"bytes"
	"strings"
	"testing"
)

// TestNestingBomb opens levels by every kind of bracket.
func TestNestingBomb(t *testing.T) {
	for name, step := range map[string]func(inner []byte) []byte{ // order: irrelevant
		"list":      func(in []byte) []byte { return append([]byte{codeList32, 0, 0, 0, 0, 0, 0, 0, 1}, in...) },
		"described": func(in []byte) []byte { return append([]byte{0x00, 0x53, 0x01}, in...) },
		"descriptor": func(in []byte) []byte {
			return append(append([]byte{0x00}, in...), codeNull)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := []byte{codeNull}
			for range 10000 {
				b = step(b)
				if b[0] == codeList32 {
					putSize(b)
				}
			}
			if _, _, err := Value(b, nil); err == nil || !strings.Contains(err.Error(), reasonDepth) {
				t.Errorf("Value: %v", err)
			}
			if _, err := Check(b, nil); err == nil || !strings.Contains(err.Error(), reasonDepth) {
				t.Errorf("Check: %v", err)
			}
			if n, err := Skip(b); n != len(b) || err != nil {
				t.Errorf("Skip = %d, %v; want %d: it does not nest", n, err, len(b))
			}
		})
	}
}

func putSize(b []byte) {
	n := len(b) - 5
	b[1], b[2], b[3], b[4] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

// TestCountBomb claims four billion elements that take no bytes.
func TestCountBomb(t *testing.T) {
	for _, constructor := range []byte{codeNull, codeTrue, codeFalse, codeUint0, codeUlong0, codeList0} {
		b := []byte{codeArray32, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, constructor}
		allocated := testing.AllocsPerRun(10, func() {
			if _, _, err := Value(b, nil); err == nil {
				t.Fatal("four billion elements are decoded")
			}
			if _, _, err := Symbols(b, nil); err == nil {
				t.Fatal("four billion symbols are decoded")
			}
		})
		if allocated > 8 {
			t.Errorf("%v allocations to refuse %x", allocated, b)
		}
		if n, err := Skip(b); n != len(b) || err != nil {
			t.Errorf("Skip = %d, %v", n, err)
		}
		if n, err := Check(b, nil); n != len(b) || err != nil {
			t.Errorf("Check = %d, %v", n, err)
		}
	}
}

// TestValuesAddUp nests arrays that each keep the limit.
func TestValuesAddUp(t *testing.T) {
	const count = 1000
	array := []byte{codeArray32, 0, 0, 0, 5, 0, 0, count >> 8, count & 0xff, codeUint0}
	b, mark := BeginList(nil)
	b = append(b, bytes.Repeat(array, 100)...)
	b = EndList(b, mark, 100)
	if _, _, err := Value(b, &Limits{Count: count, Values: 100*count + 100}); err != nil {
		t.Errorf("within the limit: %v", err)
	}
	if _, _, err := Value(b, &Limits{Count: count, Values: 100*count + 99}); err == nil {
		t.Error("more values than the limit are made")
	}
	if _, _, err := Value(b, &Limits{Count: count - 1}); err == nil {
		t.Error("more elements than the limit are made")
	}
}

func TestNamedLimits(t *testing.T) {
	text := strings.Repeat("x", 300)
	for _, c := range []struct {
		name  string
		value any
		lim   Limits
	}{
		{"symbol", Symbol(text), Limits{Symbol: 299}},
		{"string", text, Limits{String: 299}},
		{"binary", []byte(text), Limits{Binary: 299}},
		{"symbol in array", Array{Values: []any{Symbol(text)}}, Limits{Symbol: 299}},
		{"string in array", Array{Values: []any{text}}, Limits{String: 299}},
		{"binary in array", Array{Values: []any{[]byte(text)}}, Limits{Binary: 299}},
		{"depth", List{List{List{}}}, Limits{Depth: 2}},
		{"depth of arrays", Array{Values: []any{Array{Values: []any{List{}}}}}, Limits{Depth: 2}},
		{"depth of maps", Map{{nil, Map{{Map{}, nil}}}}, Limits{Depth: 2}},
		{"count", make(List, 11), Limits{Count: 10}},
		{"count of keys and values", make(Map, 6), Limits{Count: 10}},
	} {
		b := AppendValue(nil, c.value)
		if _, _, err := Value(b, &c.lim); err == nil {
			t.Errorf("%s: not refused", c.name)
		}
		c.lim = Limits{Symbol: 300, String: 300, Binary: 300, Depth: 3, Count: 12}
		if _, _, err := Value(b, &c.lim); err != nil {
			t.Errorf("%s: refused at the limit: %v", c.name, err)
		}
	}
}
