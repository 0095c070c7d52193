package selector

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/message"
)

var sample = map[string]message.Value{
	"a": {Kind: message.Int, I: 5}, "f": {Kind: message.Double, F: 2.5}, "s": {Kind: message.String, Str: "12F3"},
	"t": {Kind: message.Bool, B: true}, "JMSPriority": {Kind: message.Int, I: 4}, "u": {Kind: message.String, Str: "it's 100%"},
	"$x_1": {Kind: message.String, Str: "é"}, "bin": {Kind: message.Other},
}

func property(n string) (message.Value, bool) { v, ok := sample[n]; return v, ok }

func TestMatch(t *testing.T) {
	for text, want := range map[string]bool{
		"a = 5": true, "a <> 5": false, "a > 4.9": true, "a >= 5 AND f < 3": true, "a = 5.0": true, "a = '5'": false,
		"NOT a = '5'": false, "missing = 1": false, "NOT missing = 1": false, "missing IS NULL": true, "a IS NOT NULL": true,
		"missing = 1 OR a = 5": true, "missing = 1 AND a = 5": false, "t": true, "NOT t": false, "t = TRUE": true, "t <> false": true, "t > FALSE": false,
		"s LIKE '12%3'": true, "s LIKE '12_3'": true, "s NOT LIKE '1%'": false, "missing LIKE '%'": false, "u LIKE '%100\\%' ESCAPE '\\'": true, "u = 'it''s 100%'": true,
		"s IN ('x', '12F3')": true, "s NOT IN ('x')": true, "missing IN ('x')": false, "a BETWEEN 1 AND 5": true, "a NOT BETWEEN 1 AND 5": false,
		"a + 1 = 6": true, "a * 2 - 1 = 9": true, "-a = -5": true, "a / 2 = 2": true, "a / 0 = 1": false, "f * 2 = 5": true, "a/2.0 = 2.5": true,
		"(a = 4 OR a = 5) and f = 2.5": true, "a = 5 or a = 4 and f = 0": true, "0x10 = 16": true, "1e3 = 1000": true, "5L = a": true, "010 = 8": true,
		"JMSPriority < 5": true, "$x_1 = 'é'": true, "bin = 1": false, "bin IS NULL": false, "-9223372036854775808 < 0": true, "'a' = 'a'": true, "s < 'z'": false,
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := s.Match(property); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestErrorsNameThePosition(t *testing.T) {
	for text, at := range map[string]int{
		"": 1, "a =": 4, "a = 'x": 5, "a ? 1": 3, "a = 1 b": 7, "(a = 1": 7, "a IN ()": 7, "a LIKE 5": 8, "5 IN ('x')": 6, "a BETWEEN 1": 12,
		"a LIKE 'x!' ESCAPE '!'": 8, "1 + 1": 1, "9223372036854775808 = a": 1, "12x = 1": 3, "a IS 5": 6, "NOT": 4, "a = 1 AND 5": 12,
	} {
		_, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || e.Position != at {
			t.Errorf("%q: %v, want position %d", text, err, at)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("(", 1000) + "a=1" + strings.Repeat(")", 1000), strings.Repeat("NOT ", 5000) + "t", strings.Repeat("x", MaxLength+1),
		"a = " + strings.Repeat("-", 5000) + "1", strings.Repeat("a=1 OR ", 20000) + "a=1",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("accepted: %.20s…", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a = 5", "s LIKE '12%' ESCAPE '!'", "a BETWEEN -1 AND 0x7f OR NOT t", "x IN ('a','b') AND y IS NOT NULL", "1.5e3 * -f <> .5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := Parse(text); err == nil {
			s.Match(property)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	s, err := Parse("a > 4 AND s LIKE '12%' AND f BETWEEN 1 AND 3")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Match(property) {
			b.Fatal("no match")
		}
	}
}
