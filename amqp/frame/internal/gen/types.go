package main

import (
	"fmt"
	"strings"
)

// byValue lists the types without fields that are put into interfaces as
// values, which costs no allocation.
var byValue = map[string]bool{
	"accepted": true, "released": true, "delete-on-close": true, "delete-on-no-links": true,
	"delete-on-no-messages": true, "delete-on-no-links-or-messages": true,
}

// writeType writes a composite type with its methods.
func (s *spec) writeType(c *composite) *file {
	f := &file{}
	name, receiver := camel(c.name), "*"+camel(c.name)
	if byValue[c.name] {
		receiver = camel(c.name)
	}
	s.writeStruct(f, c)
	info := strings.ToLower(name[:1]) + name[1:] + "Type"
	if strings.HasPrefix(name, "SASL") {
		info = "sasl" + name[4:] + "Type"
	}
	f.line("var %s = typeInfo{name: %q, code: %s, fields: []string{", info, c.name, c.code)
	for _, fd := range c.fields {
		f.line("%q,", fd.name)
	}
	f.line("}}\n")
	f.line("// TypeName is %q, as in the specification.", c.name)
	f.line("func (%s) TypeName() string { return %s.name }\n", receiver, info)
	for _, method := range marks(c) {
		f.line("func (%s) %s() {}\n", receiver, method)
	}
	s.writeReset(f, c)
	s.writeAppend(f, c, receiver)
	s.writeDecode(f, c, info)
	s.writeTrace(f, c, receiver)
	return f
}

// marks are the methods by which a type belongs to the closed interfaces.
func marks(c *composite) []string {
	switch c.provides {
	case "delivery-state":
		return []string{"deliveryState"}
	case "outcome":
		return []string{"deliveryState", "outcome"}
	case "target":
		return []string{"targetArchetype"}
	case "lifetime":
		return []string{"lifetimePolicy"}
	}
	return nil
}

func (s *spec) writeStruct(f *file, c *composite) {
	f.line("// %s is the %s of the specification (amqp %s).", camel(c.name), c.name, c.clause)
	if len(c.fields) == 0 {
		f.line("type %s struct{}\n", camel(c.name))
		return
	}
	f.line("type %s struct {", camel(c.name))
	for _, fd := range c.fields {
		sh := s.mustShape(fd)
		typ, remark := sh.goType, ""
		if sh.wrapped {
			typ = "wire.Optional[" + typ + "]"
		}
		switch {
		case sh.mandatory:
			remark = " // mandatory"
		case fd.byDefault != "":
			remark = " // default " + fd.byDefault
		case fd.is("zero"):
			remark = " // 0: absent"
		}
		f.line("%s %s%s", camel(fd.name), typ, remark)
	}
	f.line("}\n")
}

func (s *spec) mustShape(fd *field) shape {
	sh, err := s.shape(fd)
	if err != nil {
		panic(err)
	}
	return sh
}

func (s *spec) writeReset(f *file, c *composite) {
	name := camel(c.name)
	if len(c.fields) == 0 {
		return
	}
	var set []string
	for _, fd := range c.fields {
		if sh := s.mustShape(fd); sh.zeroValue != "" {
			set = append(set, camel(fd.name)+": "+sh.zeroValue)
		}
	}
	f.line("// Reset makes every field absent or its default.")
	f.line("func (x *%s) Reset() { *x = %s{%s} }\n", name, name, strings.Join(set, ", "))
}

// presence is the condition under which a field is written; "" for always.
func presence(sh shape, fd *field, x string) string {
	switch {
	case sh.mandatory:
		return ""
	case sh.wrapped:
		return x + ".OK"
	case fd.byDefault == "" && sh.present != "":
		return fmt.Sprintf(sh.present, x)
	case sh.enum != nil && sh.enum.base == "symbol":
		return fmt.Sprintf("%s != \"\" && %s != %s", x, x, sh.zeroValue)
	case sh.goType == "bool":
		return x
	case sh.zeroValue != "":
		return x + " != " + sh.zeroValue
	}
	return x + " != 0"
}

func (s *spec) writeAppend(f *file, c *composite, receiver string) {
	if len(c.fields) == 0 {
		f.line("// Append appends the type's encoding, descriptor included.")
		f.line("func (%s) Append(b []byte) []byte { return appendEmpty(b, %s) }\n", receiver, c.code)
		return
	}
	f.line("// Append appends the type's encoding, descriptor included.")
	f.line("func (x %s) Append(b []byte) []byte {", receiver)
	f.line("b, mark := begin(b, %s)", c.code)
	f.line("n := 0")
	for i, fd := range c.fields {
		sh := s.mustShape(fd)
		x := "x." + camel(fd.name)
		value := x
		if sh.wrapped {
			value += ".V"
		}
		condition := presence(sh, fd, x)
		if condition != "" {
			f.line("if %s {", condition)
		}
		switch {
		case i == 0:
			f.line("b, n = %s, 1", fmt.Sprintf(sh.append, value))
		case condition == "" && s.allMandatory(c, i):
			f.line("b, n = %s, %d", fmt.Sprintf(sh.append, value), i+1)
		default:
			f.line("b = pad(b, %d-n)", i)
			f.line("b, n = %s, %d", fmt.Sprintf(sh.append, value), i+1)
		}
		if condition != "" {
			f.line("}")
		}
	}
	f.line("return wire.EndList(b, mark, n)")
	f.line("}\n")
}

// allMandatory tells whether every field in front of the i-th is mandatory.
func (s *spec) allMandatory(c *composite, i int) bool {
	for _, fd := range c.fields[:i] {
		if !fd.is("mandatory") {
			return false
		}
	}
	return true
}

func (s *spec) writeDecode(f *file, c *composite, info string) {
	f.line("// Decode reads the type from the start of b, where its descriptor begins, and")
	f.line("// gives the bytes it took. Binaries alias b. Its errors are *DecodeError.")
	f.line("func (x *%s) Decode(b []byte, lim *wire.Limits) (n int, err error) {", camel(c.name))
	if len(c.fields) > 0 {
		f.line("x.Reset()")
	}
	f.line("var r reader")
	f.line("r.open(b, lim, &%s)", info)
	for _, fd := range c.fields {
		sh := s.mustShape(fd)
		value := "r." + sh.read + "()"
		if sh.enum != nil {
			value = sh.goType + "(" + value + ")"
		}
		if sh.wrapped {
			value = "wire.Some(" + value + ")"
		}
		f.line("if r.next() {")
		f.line("x.%s = %s", camel(fd.name), value)
		if sh.enum != nil && sh.enum.name != "role" {
			get := "x." + camel(fd.name)
			if sh.wrapped {
				get += ".V"
			}
			f.line("r.check(%s.valid())", get)
		}
		if sh.mandatory {
			f.line("} else {\nr.missing()")
		}
		f.line("}")
	}
	f.line("return r.close()")
	f.line("}\n")
}

func (s *spec) writeTrace(f *file, c *composite, receiver string) {
	if len(c.fields) == 0 {
		f.line("// String is the form used in logs and transcripts.")
		f.line("func (%s) String() string { return %q }", receiver, c.name)
		return
	}
	f.line("// String is the form used in logs and transcripts.")
	f.line("func (x %s) String() string {", receiver)
	f.line("t := trace{name: %q}", c.name)
	for _, fd := range c.fields {
		sh := s.mustShape(fd)
		x := "x." + camel(fd.name)
		value := x
		if sh.wrapped {
			value += ".V"
		}
		call := "field"
		if fd.is("secret") {
			call = "secret"
		}
		if condition := presence(sh, fd, x); condition != "" {
			f.line("if %s {", condition)
			f.line("t.%s(%q, %s)", call, fd.name, value)
			f.line("}")
		} else {
			f.line("t.%s(%q, %s)", call, fd.name, value)
		}
	}
	f.line("return t.String()")
	f.line("}")
}
