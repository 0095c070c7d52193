package selector_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/selector"
)

var (
	runs = flag.Int("selector.runs", 20_000, "how many random selectors to compare with the naive evaluator")
	seed = flag.Uint64("selector.seed", 1, "the first selector's seed; the next ones count up")
)

// TestRandomSelectorsAgreeWithANaiveEvaluator: a random selector, written in a
// random way, says of a random message what an evaluator says that was written
// from the specification. What is false or unknown shows in NOT.
func TestRandomSelectorsAgreeWithANaiveEvaluator(t *testing.T) {
	var seen [3]int
	source := rand.NewPCG(0, 0)
	g := &generator{Rand: rand.New(source)}
	for i := range uint64(*runs) {
		source.Seed(*seed+i, 0)
		e := g.condition(g.IntN(5))
		m := g.message()
		want := condition(e, m)
		seen[want]++
		text := g.text(e, lowest)
		opposite := "NOT (" + text + ")"
		s, err := selector.Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", *seed+i, text, err)
		}
		no, err := selector.Parse(opposite)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", *seed+i, opposite, err)
		}
		got := isUnknown
		switch a, b := s.Match(content(m)), no.Match(content(m)); {
		case a && b:
			t.Fatalf("seed %d: both pass: %s\nof %v", *seed+i, text, m)
		case a:
			got = isTrue
		case b:
			got = isFalse
		}
		if got != want {
			t.Fatalf("seed %d: %s\nof %v\nis %d, the naive evaluator says %d (0 false, 1 unknown, 2 true)", *seed+i, text, m, got, want)
		}
		equalities, whole := s.Equalities()
		for _, eq := range equalities {
			v, ok := content(m).Property(eq.Property)
			holds := related("=", plain(v, ok), plain(eq.Value, true)) == isTrue
			if want == isTrue && !holds {
				t.Fatalf("seed %d: %s\nof %v\nis true, but not %s = %v", *seed+i, text, m, eq.Property, eq.Value)
			}
			whole = whole && holds
		}
		if whole && want != isTrue {
			t.Fatalf("seed %d: %s\nof %v\nis not true, but %v are, and they are all of it", *seed+i, text, m, equalities)
		}
	}
	for what, n := range seen {
		if n < *runs/20 {
			t.Errorf("of %d selectors only %d are %d (0 false, 1 unknown, 2 true): the generator proves little", *runs, n, what)
		}
	}
}

// content shows a naive message to a selector.
type content map[string]any

func (c content) Property(name string) (message.Value, bool) {
	switch v := c[name].(type) {
	case bool:
		return message.Value{Kind: message.Bool, B: v}, true
	case int64:
		return message.Value{Kind: message.Int, I: v}, true
	case float64:
		return message.Value{Kind: message.Double, F: v}, true
	case string:
		return message.Value{Kind: message.String, Str: v}, true
	case opaque:
		return message.Value{Kind: message.Other}, true
	}
	return message.Value{}, false
}

func plain(v message.Value, ok bool) any {
	switch {
	case !ok:
		return nil
	case v.Kind == message.Bool:
		return v.B
	case v.Kind == message.Int:
		return v.I
	case v.Kind == message.Double:
		return v.F
	case v.Kind == message.String:
		return v.Str
	}
	return opaque{}
}
