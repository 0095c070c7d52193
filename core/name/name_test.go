package name

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValidate(t *testing.T) {
	for _, n := range []string{"a", "a.b.c", "orders.>", "*.b", "a b", "/x:y", "$sys.admin", ">"} {
		if err := Validate(n); err != nil {
			t.Errorf("%q: %v", n, err)
		}
	}
	for _, n := range []string{"", ".", "a.", ".a", "a..b", "a.>.b", "a\x00", strings.Repeat("x", 250), strings.Repeat("a.", 64) + "a"} {
		if Validate(n) == nil {
			t.Errorf("%q is accepted", n)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a.*", "a.b", true},
		{"a.*", "a", false},
		{"a.*", "a.b.c", false},
		{"*.b", "a.b", true},
		{"a.>", "a.b", true},
		{"a.>", "a.b.c", true},
		{"a.>", "a", false},
		{">", "a.b", true},
		{">", "$sys.x", false},
		{"*.x", "$sys.x", false},
		{"$sys.>", "$sys.x", true},
		{"a*", "ab", false},
	} {
		if got := Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

// The trie finds what Match finds, pattern by pattern.
func TestTrieAgainstMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		element := rapid.SampledFrom([]string{"a", "b", "c", "*"})
		pattern := func(t *rapid.T) string {
			p := strings.Join(rapid.SliceOfN(element, 1, 4).Draw(t, "elements"), ".")
			if rapid.Bool().Draw(t, "tail") {
				p += ".>"
			}
			return p
		}
		var tr Trie[int]
		patterns := map[int]string{}
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			patterns[i] = pattern(t)
			tr.Insert(patterns[i], i)
		}
		for i := range patterns {
			if rapid.IntRange(0, 3).Draw(t, "remove") == 0 {
				tr.Remove(patterns[i], i)
				delete(patterns, i)
			}
		}
		n := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "$d"}), 1, 5).Draw(t, "name"), ".")
		var got, want []int
		tr.Match(n, func(v int) { got = append(got, v) })
		for i, p := range patterns {
			if Match(p, n) {
				want = append(want, i)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) || tr.Len() != len(patterns) {
			t.Fatalf("%q: got %v want %v of %v", n, got, want, patterns)
		}
	})
}

// TestTrieOverlappingAgainstOverlap: it visits what Overlap says of each, once, in a
// fixed order, and stops when told to.
func TestTrieOverlappingAgainstOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := func(label string) string {
			p := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*", "$d"}), 0, 4).Draw(t, label), ".")
			switch {
			case p == "":
				return ">"
			case rapid.Bool().Draw(t, "tail"):
				return p + ".>"
			}
			return p
		}
		var tr Trie[int]
		patterns := make([]string, rapid.IntRange(0, 12).Draw(t, "n"))
		for i := range patterns {
			patterns[i] = pattern("pattern")
			tr.Insert(patterns[i], i)
		}
		asked := pattern("asked")
		var got, again, want []int
		if !tr.Overlapping(asked, func(v int) bool { got = append(got, v); return true }) {
			t.Fatal("stopped by itself")
		}
		for i, p := range patterns {
			if Overlap(p, asked) {
				want = append(want, i)
			}
		}
		stop := rapid.IntRange(0, len(got)).Draw(t, "stop")
		whole := tr.Overlapping(asked, func(v int) bool { again = append(again, v); return len(again) < stop })
		if n := min(max(stop, 1), len(got)); !slices.Equal(again, got[:n]) || whole != (len(got) == 0 || stop > len(got)) {
			t.Fatalf("%q of %q, stopped at %d: %v of %v, whole %v", asked, patterns, stop, again, got, whole)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %v want %v of %q", asked, got, want, patterns)
		}
	})
}

func BenchmarkTrieMatch(b *testing.B) {
	var tr Trie[int]
	for i, p := range []string{"a.b.c", "a.*.c", "a.>", "x.y", "*.b.*"} {
		tr.Insert(p, i)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		tr.Match("a.b.c", func(int) { n++ })
	}
}

// Covers and Overlap are what Match says of all names: small patterns over three
// elements are told apart by names of up to four.
func TestCoversAndOverlapAgainstMatch(t *testing.T) {
	var names []string
	var add func(prefix string, left int)
	add = func(prefix string, left int) {
		for _, e := range []string{"a", "b", "c"} {
			names = append(names, prefix+e)
			if left > 1 {
				add(prefix+e+".", left-1)
			}
		}
	}
	add("", 4)
	rapid.Check(t, func(t *rapid.T) {
		pattern := func(label string) string {
			p := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*"}), 0, 3).Draw(t, label), ".")
			switch {
			case p == "":
				return ">"
			case rapid.Bool().Draw(t, label+" tail"):
				return p + ".>"
			}
			return p
		}
		p, q := pattern("p"), pattern("q")
		covers, overlap := true, false
		for _, n := range names {
			covers = covers && (!Match(q, n) || Match(p, n))
			overlap = overlap || Match(p, n) && Match(q, n)
		}
		if Covers(p, q) != covers {
			t.Fatalf("Covers(%q, %q) = %v", p, q, !covers)
		}
		if Overlap(p, q) != overlap {
			t.Fatalf("Overlap(%q, %q) = %v", p, q, !overlap)
		}
	})
	if Covers(">", "$sys.a") || Overlap(">", "$sys.a") || !Covers("$sys.>", "$sys.a") {
		t.Error("names of the system")
	}
}
