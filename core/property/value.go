package property

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits on what a line may say.
const (
	MaxWord  = 255 // bytes of a store's, channel's or transport's name (ems 3.2)
	MaxWords = 64  // transports of one list
)

// DefaultFlowControl is what flowControl without a value means, in bytes (ems 2.1).
const DefaultFlowControl = 256 << 10

// PrefetchNone is the number of prefetch=none (ems 2.1, as the admin API shows it).
const PrefetchNone = -1

// Value is a property with its value.
type Value struct {
	ID     ID
	Bare   bool   // it stands as a word alone
	Number int64  // bytes, a count, milliseconds; 1 for a flag
	Text   string // a choice, a name, or names joined by commas
}

// Error says what is wrong with a property, and where in the text it was read from.
type Error struct {
	Offset, Length int    // of the words at fault, in bytes
	Rule           string // a short name of the kind of mistake
	Message        string
	Fix            string // what to write instead
}

func (e *Error) Error() string {
	if e.Fix == "" {
		return e.Message
	}
	return e.Message + ": " + e.Fix
}

// flagWords are the spellings of a flag with a value (ems 1.1).
var flagWords = map[string]bool{
	"enable": true, "enabled": true, "true": true, "yes": true, "on": true,
	"disable": false, "disabled": false, "false": false, "no": false, "off": false,
}

// ParseFlag reads a boolean in any of EMS's spellings, in any case.
func ParseFlag(text string) (on, ok bool) {
	on, ok = flagWords[strings.ToLower(text)]
	return on, ok
}

// ParseValue reads one property's value; bare says that there is none, only the
// name. Quotes are off already. A flag that says no is a Value with Number 0, and
// means that the property is not set. Errors are *Error, without a place.
func ParseValue(p *Property, k Kind, text string, bare bool) (Value, error) {
	v := Value{ID: p.ID, Bare: bare}
	if !p.Allows(k) {
		return v, kindError(p, k)
	}
	if bare {
		switch {
		case p.Form == Flag:
			v.Number = 1
		case p.ID == FlowControl:
			v.Number = DefaultFlowControl
		case !p.Bare:
			return v, &Error{Rule: "property-value", Message: p.Name + " needs a value", Fix: "write " + p.Name + "=" + example(p)}
		}
		return v, nil
	}
	switch p.Form {
	case Flag:
		on, ok := ParseFlag(text)
		if !ok {
			return v, &Error{Rule: "property-value", Message: fmt.Sprintf("%s is a flag and %q is neither yes nor no", p.Name, text), Fix: "write " + p.Name + " alone, or leave it out"}
		}
		v.Bare = true
		if on {
			v.Number = 1
		}
		return v, nil
	case Size, Count, Period:
		return parseNumber(p, k, v, text)
	case Choice:
		i := slices.IndexFunc(p.Choices, func(c string) bool { return strings.EqualFold(c, text) })
		if i < 0 {
			return v, valueError(p, text, "it is one of "+strings.Join(p.Choices, ", "))
		}
		v.Text = p.Choices[i]
		return v, nil
	}
	return parseWords(p, v, text)
}

func parseNumber(p *Property, k Kind, v Value, text string) (Value, error) {
	if p.ID == Prefetch && strings.EqualFold(text, "none") {
		if k == Topic {
			return v, &Error{Rule: "property-kind", Message: "prefetch=none is for queues only", Fix: "write a number, or 0 for the inherited one"}
		}
		v.Number = PrefetchNone
		return v, nil
	}
	var n int64
	ok := false
	switch p.Form {
	case Size:
		n, ok = ParseSize(text)
	case Period:
		n, ok = parsePeriod(text, p.Units)
	case Count:
		var err error
		n, err = strconv.ParseInt(text, 10, 64)
		ok = err == nil
	}
	if !ok || n < 0 {
		return v, valueError(p, text, expected(p))
	}
	if n != 0 && (n < p.Min || p.Max != 0 && n > p.Max) {
		return v, &Error{Rule: "property-range", Message: fmt.Sprintf("%s=%s is out of range", p.Name, text), Fix: "write 0, or from " + p.number(p.Min) + " to " + p.number(p.Max)}
	}
	v.Number = n
	return v, nil
}

func parseWords(p *Property, v Value, text string) (Value, error) {
	words := []string{text}
	if p.Form == Words {
		words = strings.Split(text, ",")
	}
	if len(words) > MaxWords {
		return v, &Error{Rule: "property-value", Message: fmt.Sprintf("%s has %d names", p.Name, len(words)), Fix: fmt.Sprintf("at most %d are read", MaxWords)}
	}
	for i, w := range words {
		words[i] = strings.TrimSpace(w)
		if words[i] == "" || len(words[i]) > MaxWord || strings.ContainsAny(words[i], "\",=\t ") {
			return v, valueError(p, text, "it is "+expected(p))
		}
	}
	v.Text = strings.Join(words, ",")
	return v, nil
}

func kindError(p *Property, k Kind) error {
	other := Queue
	if k == Queue {
		other = Topic
	}
	return &Error{Rule: "property-kind", Message: fmt.Sprintf("%s is a property of %ss, not of %ss", p.Name, other, k), Fix: "take it out"}
}

func valueError(p *Property, text, fix string) error {
	if text == "" {
		return &Error{Rule: "property-value", Message: p.Name + " has an empty value", Fix: fix}
	}
	return &Error{Rule: "property-value", Message: fmt.Sprintf("%s cannot be %q", p.Name, text), Fix: fix}
}

// expected says what a value looks like.
func expected(p *Property) string {
	switch p.Form {
	case Size:
		return "bytes, a whole number, with KB, MB or GB if you like: " + p.Name + "=" + example(p)
	case Period:
		return "a whole number with " + unitNames(p.Units) + " (seconds if there is none): " + p.Name + "=" + example(p)
	case Count:
		if p.ID == Prefetch {
			return "a whole number, or none: prefetch=10"
		}
		return "a whole number: " + p.Name + "=" + example(p)
	case Words:
		return "a name, or several in quotes: " + p.Name + `="RV1,RV2"`
	}
	return "one name"
}

func example(p *Property) string {
	switch p.Form {
	case Size:
		return "64MB"
	case Period:
		return "30sec"
	case Count:
		return "10"
	case Choice:
		return p.Choices[len(p.Choices)-1]
	}
	return "NAME"
}

func (p *Property) number(n int64) string {
	switch p.Form {
	case Size:
		return FormatSize(n)
	case Period:
		return FormatPeriod(n)
	}
	return strconv.FormatInt(n, 10)
}

// String is the property as it stands in a list: `secure`, `maxbytes=1MB`,
// `import="RV1,RV2"`. Numbers are in the largest unit that loses nothing.
func (v Value) String() string {
	if v.ID == 0 {
		return ""
	}
	name := v.ID.String()
	if v.Bare {
		return name
	}
	text := v.Print()
	if strings.Contains(text, ",") {
		text = `"` + text + `"`
	}
	return name + "=" + text
}

// Print is the value alone, without quotes; a flag's is empty.
func (v Value) Print() string {
	p := v.ID.Row()
	switch {
	case v.ID == Prefetch && v.Number == PrefetchNone:
		return "none"
	case p.Form == Size, p.Form == Count, p.Form == Period:
		return p.number(v.Number)
	}
	return v.Text
}

// Words is the value of import and export as a list.
func (v Value) Words() []string {
	if v.Text == "" {
		return nil
	}
	return strings.Split(v.Text, ",")
}
