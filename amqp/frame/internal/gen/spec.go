package main

import (
	"fmt"
	"slices"
	"strings"
)

// spec is the table, read.
type spec struct {
	aliases map[string]string
	enums   []*enum
	groups  []*group
	types   []*composite
}

type enum struct {
	name, base, clause string
	choices            [][2]string // choice, value
}

type group struct {
	clause     string
	conditions [][3]string // group, name, symbol
}

type composite struct {
	name, code, clause, provides string
	fields                       []*field
}

type field struct {
	name, kind string // kind with aliases resolved
	words      []string
	byDefault  string // "" without default
}

func (f *field) is(word string) bool { return slices.Contains(f.words, word) }

// parse reads the table; a mistake in it names its line.
func parse(text string) (*spec, error) {
	s := &spec{aliases: map[string]string{}}
	var open any
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		var err error
		if line[0] == ' ' {
			err = s.inside(open, words)
		} else {
			open, err = s.begin(words)
		}
		if err != nil {
			return nil, fmt.Errorf("spec.txt:%d: %w", i+1, err)
		}
	}
	return s, nil
}

func (s *spec) begin(words []string) (open any, err error) {
	switch {
	case words[0] == "alias" && len(words) == 3:
		s.aliases[words[1]] = words[2]
		return nil, nil
	case words[0] == "enum" && len(words) == 4:
		e := &enum{name: words[1], base: words[2], clause: words[3]}
		s.enums = append(s.enums, e)
		return e, nil
	case words[0] == "conditions" && len(words) == 2:
		g := &group{clause: words[1]}
		s.groups = append(s.groups, g)
		return g, nil
	case words[0] == "type" && len(words) >= 4:
		c := &composite{name: words[1], code: words[2], clause: words[3]}
		if len(words) > 4 {
			c.provides = words[4]
		}
		s.types = append(s.types, c)
		return c, nil
	}
	return nil, fmt.Errorf("not understood: %q", words)
}

func (s *spec) inside(open any, words []string) error {
	switch open := open.(type) {
	case *enum:
		if len(words) == 2 {
			open.choices = append(open.choices, [2]string(words))
			return nil
		}
	case *group:
		if len(words) == 3 {
			open.conditions = append(open.conditions, [3]string(words))
			return nil
		}
	case *composite:
		if len(words) >= 2 {
			f := &field{name: words[0], kind: words[1], words: words[2:]}
			if to, ok := s.aliases[f.kind]; ok {
				f.kind = to
			}
			for _, w := range f.words {
				if v, ok := strings.CutPrefix(w, "default="); ok {
					f.byDefault = v
				}
			}
			open.fields = append(open.fields, f)
			return nil
		}
	}
	return fmt.Errorf("not understood here: %q", words)
}

func (s *spec) enum(name string) *enum {
	for _, e := range s.enums {
		if e.name == name {
			return e
		}
	}
	return nil
}

// camel makes a Go name of a name of the specification.
func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "-") {
		switch part {
		case "id", "sasl", "ttl":
			b.WriteString(strings.ToUpper(part))
		default:
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
