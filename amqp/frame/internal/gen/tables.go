package main

import (
	"fmt"
	"strings"
)

// writeEnums writes the enumerations with their names and their test.
func (s *spec) writeEnums() *file {
	f := &file{}
	for _, e := range s.enums {
		name := camel(e.name)
		f.line("// %s is the %s of the specification (amqp %s).", name, e.name, e.clause)
		f.line("type %s %s\n", name, goBase(e.base))
		f.line("// The values of %s.", name)
		f.line("const (")
		for _, c := range e.choices {
			value := c[1]
			if e.base == "symbol" {
				value = fmt.Sprintf("%q", value)
			}
			f.line("%s %s = %s", choiceName(e, c[0]), name, value)
		}
		f.line(")\n")
		s.writeEnumMethods(f, e)
	}
	return f
}

func (s *spec) writeEnumMethods(f *file, e *enum) {
	name := camel(e.name)
	f.line("// String is the choice's name in the specification.")
	f.line("func (v %s) String() string {", name)
	switch e.base {
	case "symbol":
		f.line("return string(v)")
	default:
		f.line("switch v {")
		for _, c := range e.choices {
			f.line("case %s:\nreturn %q", choiceName(e, c[0]), c[0])
		}
		f.line("}")
		if e.base == "boolean" {
			f.line("return \"\"")
		} else {
			f.line("return number(uint64(v))")
		}
	}
	f.line("}\n")
	if e.base == "boolean" {
		return
	}
	names := make([]string, 0, len(e.choices))
	for _, c := range e.choices {
		names = append(names, choiceName(e, c[0]))
	}
	f.line("func (v %s) valid() bool {", name)
	f.line("switch v {\ncase %s:\nreturn true\n}\nreturn false\n}\n", strings.Join(names, ", "))
}

// writeConditions writes the error conditions.
func (s *spec) writeConditions() *file {
	f := &file{}
	f.line("// Condition names what went wrong, to the peer.")
	f.line("type Condition = wire.Symbol\n")
	for _, g := range s.groups {
		f.line("// Conditions of (amqp %s).", g.clause)
		f.line("const (")
		for _, c := range g.conditions {
			f.line("Condition%s Condition = %q", camel(c[1]), c[2])
		}
		f.line(")\n")
	}
	return f
}

// writeCodes writes the descriptors, both ways, and the makers of each kind.
func (s *spec) writeCodes() *file {
	f := &file{}
	f.line("// Descriptors of the composite types (amqp 1.1.2).")
	f.line("const (")
	for _, c := range s.types {
		f.line("Code%s uint64 = %s", camel(c.name), c.code)
	}
	f.line(")\n")
	f.line("// codeOf gives the number of a descriptor that came as a symbol.")
	f.line("func codeOf(symbol []byte) (code uint64, ok bool) {")
	f.line("switch string(symbol) {")
	for _, c := range s.types {
		f.line("case \"amqp:%s:list\":\nreturn Code%s, true", c.name, camel(c.name))
	}
	f.line("}\nreturn 0, false\n}\n")
	s.writeMaker(f, "newPerformative", "Performative", "frame")
	s.writeMaker(f, "newSASL", "Performative", "sasl")
	s.writeMaker(f, "newState", "decodableState", "delivery-state", "outcome")
	s.writeMaker(f, "newTarget", "decodableTarget", "target")
	s.writeMaker(f, "newLifetime", "decodableLifetime", "lifetime")
	s.writeIsOutcome(f)
	s.writeAll(f)
	return f
}

// writeIsOutcome writes the test that is made before an outcome is read: a
// transactional state may hold an outcome, but no transactional state.
func (s *spec) writeIsOutcome(f *file) {
	var codes []string
	for _, c := range s.types {
		if c.provides == "outcome" {
			codes = append(codes, "Code"+camel(c.name))
		}
	}
	f.line("// isOutcome tells whether the type with that code is an outcome.")
	f.line("func isOutcome(code uint64) bool {")
	f.line("switch code {\ncase %s:\nreturn true\n}\nreturn false\n}\n", strings.Join(codes, ", "))
}

func (s *spec) writeMaker(f *file, fn, result string, provides ...string) {
	f.line("// %s makes an empty value of the type with that code, or nil.", fn)
	f.line("func %s(code uint64) %s {", fn, result)
	f.line("switch code {")
	for _, c := range s.types {
		for _, p := range provides {
			if c.provides == p {
				f.line("case Code%s:\nreturn new(%s)", camel(c.name), camel(c.name))
			}
		}
	}
	f.line("}\nreturn nil\n}\n")
}

func (s *spec) writeAll(f *file) {
	f.line("// newComposite makes an empty value of any type in the table, or nil.")
	f.line("func newComposite(code uint64) Composite {")
	f.line("switch code {")
	for _, c := range s.types {
		f.line("case Code%s:\nreturn new(%s)", camel(c.name), camel(c.name))
	}
	f.line("}\nreturn nil\n}")
}
