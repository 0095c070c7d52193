package selector

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/message"
)

// props are a message's properties.
type props map[string]message.Value

func (p props) Property(n string) (message.Value, bool) { v, ok := p[n]; return v, ok }

func str(s string) message.Value       { return message.Value{Kind: message.String, Str: s} }
func whole(i int64) message.Value      { return message.Value{Kind: message.Int, I: i} }
func fraction(f float64) message.Value { return message.Value{Kind: message.Double, F: f} }

// sample is asked by the tables of clause_test.go.
var sample = props{
	"a": whole(5), "f": fraction(2.5), "s": str("12F3"), "t": truth(true), "no": truth(false), "u": str("it's 100%"),
	"$x_1": str("é"), "bin": {Kind: message.Other}, "single": fraction(float64(float32(0.1))), "big": whole(1<<53 + 1),
	"zero": whole(0), "empty": str(""), "größe": whole(7), "A": whole(50), "min": whole(-1 << 63), "max": whole(1<<63 - 1),
	"JMSPriority": whole(4), "JMSDeliveryMode": str("PERSISTENT"), "JMSTimestamp": whole(1_700_000_000_000), "JMSMessageID": str("ID:1"),
	"JMSXGroupID": str("g"), "JMS_TIBCO_X": whole(1),
}

func TestErrorsNameThePositionAndWhatWasExpected(t *testing.T) {
	for text, want := range map[string]struct {
		at   int
		says string
	}{
		"":                         {1, "expected an identifier, a literal or (, found the end"},
		"   ":                      {4, "found the end"},
		"a =":                      {4, "expected an identifier, a literal or (, found the end"},
		"a = 'x":                   {5, "no closing quote"},
		"a ? 1":                    {3, "'?' cannot stand here"},
		"a != 1":                   {3, "not equal is <>"},
		"a = \"x\"":                {5, "single quotes"},
		"a == 1":                   {4, "found ="},
		"a = 1 b":                  {7, "expected AND, OR or the end, found b"},
		"(a = 1":                   {7, "expected ), found the end"},
		"a = 1)":                   {6, "expected AND, OR or the end, found )"},
		"a IN ()":                  {7, "expected a string, found )"},
		"a IN ('x' 'y')":           {11, "expected , or )"},
		"a IN (1)":                 {7, "expected a string, found 1"},
		"a IN 'x'":                 {6, "expected (, found the string 'x'"},
		"a LIKE 5":                 {8, "expected a pattern in quotes"},
		"a LIKE 'x' ESCAPE 'ab'":   {19, "one character in quotes"},
		"a LIKE 'x' ESCAPE ''":     {19, "one character in quotes"},
		"a LIKE 'x!' ESCAPE '!'":   {8, "ends in its escape character"},
		"5 IN ('x')":               {1, "the left of IN must be an identifier"},
		"a = 1 AND 'x' LIKE 'x'":   {11, "the left of LIKE must be an identifier"},
		"5 IS NULL":                {1, "the left of IS NULL must be an identifier"},
		"a IS 5":                   {6, "expected NULL, found 5"},
		"a NOT = 5":                {7, "expected BETWEEN, IN or LIKE, found ="},
		"a BETWEEN 1":              {12, "expected AND, found the end"},
		"a BETWEEN 1 AND 'x'":      {17, "a bound of BETWEEN must be a number, not a string"},
		"'x' BETWEEN 1 AND 2":      {1, "the left of BETWEEN must be a number, not a string"},
		"1 + 1":                    {1, "the selector must be a condition, not a number"},
		"'x'":                      {1, "the selector must be a condition, not a string"},
		"a = 1 AND 5":              {11, "an operand of AND must be a condition, not a number"},
		"5 OR t":                   {1, "an operand of OR must be a condition, not a number"},
		"NOT":                      {4, "found the end"},
		"NOT 5":                    {5, "the operand of NOT must be a condition, not a number"},
		"NULL = a":                 {1, "found NULL"},
		"a = NULL":                 {5, "found NULL"},
		"like = 1":                 {1, "found LIKE"},
		"s < 'z'":                  {5, "the right of < must be a number, not a string"},
		"'z' >= s":                 {1, "the left of >= must be a number, not a string"},
		"t > FALSE":                {5, "the right of > must be a number, not a condition"},
		"a + 'x' = 1":              {5, "an operand of + must be a number, not a string"},
		"(a = 1) * 2 = 2":          {1, "an operand of * must be a number, not a condition"},
		"a = -'x'":                 {6, "the operand of - must be a number, not a string"},
		"a = 1 = 1":                {7, "found ="},
		"a = NOT t":                {5, "found NOT"},
		"a.b = 1":                  {2, "'.' cannot stand here"},
		"a = 1 /* five */":         {8, "found *"},
		"9223372036854775808 = a":  {1, "does not fit into 64 bits"},
		"9223372036854775809 = a":  {1, "does not fit into 64 bits"},
		"a = -9223372036854775809": {6, "does not fit into 64 bits"},
		"a = 0x10000000000000000":  {5, "does not fit into 64 bits"},
		"12x = 1":                  {3, "a number cannot go on with 'x'"},
		"a = 1.5.2":                {8, "a number cannot go on with '.'"},
		"a = 1.5L":                 {8, "a number cannot go on with 'L'"},
		"a = 0b1f":                 {8, "a number cannot go on with 'f'"},
		"a = 08":                   {5, "08 is not octal"},
		"a = 0x":                   {7, "expected a digit"},
		"a = 0b2":                  {7, "expected a digit"},
		"a = 1_":                   {6, "an underscore stands between digits"},
		"a = 0x1.8":                {10, "expected p and an exponent"},
		"a = 1e":                   {7, "expected a digit of the exponent"},
		"a = 1e+":                  {8, "expected a digit of the exponent"},
		"a = 1e999":                {5, "does not fit into a number of 64 bits"},
		"a = 1e39f":                {5, "does not fit into a number of 32 bits"},
		"a = 'x\xff'":              {7, "the byte 0xff is not UTF-8"},
		"\xc3 = 1":                 {1, "the byte 0xc3 is not UTF-8"},
		"a\u00a0= 1":               {2, "cannot stand here"},
	} {
		_, err := Parse(text)
		var e *Error
		if !errors.As(err, &e) || e.Position != want.at || !strings.Contains(e.Reason, want.says) {
			t.Errorf("%q: %v, want position %d: %s", text, err, want.at, want.says)
		}
	}
}

func TestLimitsOfSizeAndDepth(t *testing.T) {
	deep := func(n int, before, after string) string {
		return strings.Repeat(before, n) + "t" + strings.Repeat(after, n)
	}
	minuses := func(n int) string { return "a = " + strings.Repeat("- ", n) + "1" }
	list := func(words int) string { return "t" + strings.Repeat(" OR t", words/2-1) + " " } // and one word for each
	for _, c := range []struct {
		fits, tooMuch, says string
	}{
		{deep(MaxDepth, "(", ")"), deep(MaxDepth+1, "(", ")"), "nested more than 200 deep"},
		{deep(MaxDepth, "NOT ", ""), deep(MaxDepth+1, "NOT ", ""), "nested more than 200 deep"},
		{minuses(MaxDepth), minuses(MaxDepth + 1), "nested more than 200 deep"},
		{list(MaxTokens), list(MaxTokens) + "OR t", "more than 10000 words"},
		{strings.Repeat("x", MaxLength), strings.Repeat("x", MaxLength+1), "65537 bytes, the limit is 65536"},
	} {
		if _, err := Parse(c.fits); err != nil {
			t.Errorf("%.20s…: %v", c.fits, err)
		}
		if _, err := Parse(c.tooMuch); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.20s…: %v, want %q", c.tooMuch, err, c.says)
		}
	}
	if _, err := Parse("a = 1 " + strings.Repeat("x", 1000)); err == nil || len(err.Error()) > 200 {
		t.Errorf("an error repeats what a client sent: %v", err)
	}
}

func TestEqualities(t *testing.T) {
	x := func(name string, v message.Value) []Equality { return []Equality{{name, v}} }
	for text, want := range map[string][]Equality{
		"id = 'n'":                         x("id", str("n")),
		"'n' = id":                         x("id", str("n")),
		"((id = 'n'))":                     x("id", str("n")),
		"id = 5":                           x("id", whole(5)),
		"id = -5":                          x("id", whole(-5)),
		"id = 0x10":                        x("id", whole(16)),
		"id = 1.5":                         x("id", fraction(1.5)),
		"id = TRUE":                        x("id", truth(true)),
		"id":                               x("id", truth(true)),
		"id IN ('n')":                      x("id", str("n")),
		"id = 'n' AND x > 1":               x("id", str("n")),
		"x > 1 AND (y < 2 AND (id = 'n'))": x("id", str("n")),
		"a = 1 AND b = 'x' AND c":          {{"a", whole(1)}, {"b", str("x")}, {"c", truth(true)}},
		"(x = 1 OR y = 2) AND id = 'n'":    x("id", str("n")),
		"id = 'n' OR x = 1":                nil,
		"NOT id = 'n'":                     nil,
		"NOT (id = 'n' AND x = 1)":         nil,
		"id <> 'n'":                        nil,
		"id >= 5":                          nil,
		"id = x":                           nil,
		"id + 1 = 5":                       nil,
		"(id = 'n') = TRUE":                nil,
		"id IN ('n', 'm')":                 nil,
		"id NOT IN ('n')":                  nil,
		"id LIKE 'n'":                      nil,
		"id BETWEEN 1 AND 1":               nil,
		"id IS NULL":                       nil,
		"'x' = 'x'":                        nil,
		"id NOT BETWEEN 1 AND 2 AND other = 'one'": x("other", str("one")),
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, _ := s.Equalities(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	for text, want := range map[string]bool{
		"id = 'n'": true, "id": true, "id IN ('n')": true, "(id = 1) AND b": true, "id = 1 AND b > 1": false, "id = 1 AND NOT b": false, "id > 1": false, "id = 1 OR id = 2": false,
	} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, whole := s.Equalities(); whole != want {
			t.Errorf("%s: whole %v", text, whole)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a = 5", "s LIKE '12%' ESCAPE '!'", "a BETWEEN -1 AND 0x7f OR NOT t", "x IN ('a','b') AND y IS NOT NULL", "1.5e3 * -f <> .5",
		"a = 1_0.5_0e-1_0f AND 0x.8p-2d < f", "größe = 0b1_1L OR (((t)))", "- - -9223372036854775808 = min",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		var e *Error
		switch {
		case err == nil:
			passes := s.Match(sample)
			equalities, whole := s.Equalities()
			for _, e := range equalities {
				v, ok := sample[e.Property]
				holds := ok && (&compare{l: &literal{v}, r: &literal{e.Value}}).eval(sample) == truth(true)
				if passes && !holds {
					t.Errorf("a message passes whose %s is %+v, not %+v", e.Property, v, e.Value)
				}
				whole = whole && holds
			}
			if whole && !passes {
				t.Errorf("a message does not pass %q though %+v hold", text, equalities)
			}
		case !errors.As(err, &e) || e.Position < 1 || e.Position > len(text)+1 || len(e.Reason) > 300:
			t.Errorf("%q: error %#v", text, err)
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
		if !s.Match(sample) {
			b.Fatal("no match")
		}
	}
}
