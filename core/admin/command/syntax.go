package command

import (
	"slices"
	"strconv"
	"strings"
)

// Syntax is what one command looks like.
type Syntax struct {
	Usage string
	words []string
	parts []part
}

type partKind uint8

const (
	argument partKind = iota // NAME
	option                   // key=VALUE
	choice                   // a word, or one of several
	rest                     // NAME...
)

// part is one thing behind the words of a command.
type part struct {
	kind     partKind
	name     string   // of an argument or rest, in small letters; an option's key
	words    []string // of a choice; values of an option
	number   bool
	optional bool
	instead  []string // keys of options of which a line has one: [first=N|next=N]
}

// optionOf is the option that key=value stands for in a usage line.
func optionOf(text string) part {
	key, value, _ := strings.Cut(text, "=")
	p := part{kind: option, name: key, number: value == "N" || value == "SECONDS"}
	if value == strings.ToLower(value) {
		p.words = strings.Split(value, "|")
	}
	return p
}

// alternatives are the options of which a line has one; nil where text is not such.
func alternatives(text string) (parts []part) {
	all := strings.Split(text, "|")
	if len(all) < 2 || slices.ContainsFunc(all, func(a string) bool { return !strings.Contains(a, "=") }) {
		return nil
	}
	var keys []string
	for _, a := range all {
		parts = append(parts, optionOf(a))
		keys = append(keys, parts[len(parts)-1].name)
	}
	for i := range parts {
		parts[i].optional, parts[i].instead = true, keys
	}
	return parts
}

// Name is the command's words: "show queues".
func (s *Syntax) Name() string { return strings.Join(s.words, " ") }

// New reads a usage line. It panics where that is none: usage lines are written
// in the operation table.
func New(usage string) *Syntax {
	s := &Syntax{Usage: usage}
	for _, field := range strings.Fields(usage) {
		p := part{}
		if strings.HasPrefix(field, "[") && strings.HasSuffix(field, "]") {
			p.optional = true
			field = field[1 : len(field)-1]
		}
		if several := alternatives(field); p.optional && several != nil {
			s.parts = append(s.parts, several...)
			continue
		}
		braces := strings.HasPrefix(field, "{") && strings.HasSuffix(field, "}")
		inside := strings.Trim(field, "{}")
		key, _, isOption := strings.Cut(inside, "=")
		switch {
		case isOption:
			optional := p.optional
			p = optionOf(inside)
			p.optional = optional
		case strings.HasSuffix(field, "..."):
			p.kind, p.name = rest, strings.ToLower(strings.TrimSuffix(field, "..."))
		case braces || p.optional && key == strings.ToLower(key):
			p.kind, p.words = choice, strings.Split(key, "|")
		case key == strings.ToUpper(key):
			p.kind, p.name, p.number = argument, strings.ToLower(key), key == "N" || key == "SECONDS"
		case len(s.parts) > 0:
			panic("command: a word behind arguments in " + usage)
		default:
			s.words = append(s.words, key)
			continue
		}
		s.parts = append(s.parts, p)
	}
	return s
}

// Args are what a command line gives to a command.
type Args struct {
	values map[string]string
	said   map[string]bool
}

// Get is the value of an argument, option or rest; "" where it is missing.
func (a *Args) Get(name string) string { return a.values[name] }

// Has says whether an argument, option, rest or word stands in the line.
func (a *Args) Has(name string) bool {
	if a.said[name] {
		return true
	}
	_, ok := a.values[name]
	return ok
}

// Int is a whole number that the syntax has checked; 0 where it is missing.
func (a *Args) Int(name string) int { n, _ := number(a.values[name]); return n }

// number reads digits, without a sign.
func number(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int(n), err == nil
}

// parse reads what stands behind the words of the command.
func (s *Syntax) parse(line string, list []token) (*Args, *Error) {
	a := &Args{values: map[string]string{}, said: map[string]bool{}}
	for i, t := range list {
		p, err := s.place(a, t)
		if err != nil {
			return nil, err
		}
		value := t.text
		switch p.kind {
		case option:
			_, value, _ = strings.Cut(t.text, "=")
			if p.words != nil && !slices.Contains(p.words, strings.ToLower(value)) {
				return nil, fault(s.Usage, "%s=%s: write %s=%s", p.name, value, p.name, strings.Join(p.words, "|"))
			}
			if p.words != nil {
				value = strings.ToLower(value)
			}
		case choice:
			a.said[strings.ToLower(t.text)] = true
			continue
		case rest:
			a.values[p.name] = strings.TrimSpace(line[t.from:])
			return a, s.complete(a)
		case argument:
		}
		if _, ok := number(value); p.number && !ok {
			return nil, fault(s.Usage, "%q, word %d, is no whole number", t.text, i+1+len(s.words))
		}
		a.values[p.name] = value
	}
	return a, s.complete(a)
}

// place finds what a word is: an option by its key, a required argument in its
// turn, a word of the syntax, an optional argument, the rest.
func (s *Syntax) place(a *Args, t token) (*part, *Error) {
	key, _, hasKey := strings.Cut(t.text, "=")
	for i := range s.parts {
		if p := &s.parts[i]; hasKey && p.kind == option && strings.EqualFold(p.name, key) {
			if a.Has(p.name) {
				return nil, fault(s.Usage, "%s= stands there twice", p.name)
			}
			if slices.ContainsFunc(p.instead, a.Has) {
				return nil, fault(s.Usage, "write one of %s=", strings.Join(p.instead, "=, "))
			}
			return p, nil
		}
	}
	for i := range s.parts { // required ones in order, words among them
		p := &s.parts[i]
		switch {
		case p.optional || p.kind == option:
		case p.kind == choice && !a.anyOf(p.words):
			if !slices.Contains(p.words, strings.ToLower(t.text)) {
				return nil, fault(s.Usage, "%q: write %s", t.text, strings.Join(p.words, " or "))
			}
			return p, nil
		case p.kind == argument && !a.Has(p.name), p.kind == rest:
			return p, nil
		}
	}
	for i := range s.parts {
		p := &s.parts[i]
		if p.kind == choice && p.optional && !t.quoted && slices.Contains(p.words, strings.ToLower(t.text)) {
			if a.anyOf(p.words) {
				return nil, fault(s.Usage, "%q: one of %s has been said already", t.text, strings.Join(p.words, ", "))
			}
			return p, nil
		}
	}
	for i := range s.parts {
		p := &s.parts[i]
		if p.optional && (p.kind == argument && !a.Has(p.name) || p.kind == rest) {
			return p, nil
		}
	}
	return nil, fault(s.Usage, "%q is too much, or not known here", t.text)
}

func (a *Args) anyOf(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return a.said[w] })
}

// complete says what is missing.
func (s *Syntax) complete(a *Args) *Error {
	for i := range s.parts {
		p := &s.parts[i]
		switch {
		case p.optional:
		case p.kind == choice && !a.anyOf(p.words):
			return fault(s.Usage, "one of %s is missing", strings.Join(p.words, ", "))
		case p.kind == option && !a.Has(p.name):
			return fault(s.Usage, "%s= is missing", p.name)
		case (p.kind == argument || p.kind == rest) && !a.Has(p.name):
			return fault(s.Usage, "%s is missing", strings.ToUpper(p.name))
		}
	}
	return nil
}
