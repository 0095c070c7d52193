package wire

import "testing"

var sink int

func BenchmarkSkip(b *testing.B) {
	v := AppendValue(nil, Map{{Symbol("a"), "value"}, {Symbol("b"), uint64(1)}, {Symbol("c"), List{"x"}}})
	b.ReportAllocs()
	for b.Loop() {
		n, _ := Skip(v)
		sink += n
	}
}

func BenchmarkCheck(b *testing.B) {
	v := AppendValue(nil, Map{{Symbol("a"), "value"}, {Symbol("b"), uint64(1)}, {Symbol("c"), List{"x"}}})
	b.ReportAllocs()
	for b.Loop() {
		n, _ := Check(v, nil)
		sink += n
	}
}

func BenchmarkValue(b *testing.B) {
	v := AppendValue(nil, Map{{Symbol("a"), "value"}, {Symbol("b"), uint64(1)}, {Symbol("c"), List{"x"}}})
	b.ReportAllocs()
	for b.Loop() {
		_, n, _ := Value(v, nil)
		sink += n
	}
}

func BenchmarkAppendUint(b *testing.B) {
	buf := make([]byte, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		sink += len(AppendUint(buf, 1000))
	}
}
