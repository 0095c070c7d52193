package main

import "fmt"

// kind is how fields of one type are held, tested, written and read in Go.
type kind struct {
	goType   string
	optional bool   // held in wire.Optional unless mandatory, defaulted or zero
	present  string // condition on %s under which a plain field is there; "" always
	append   string // appends %s to b
	read     string // method of reader
}

var kinds = map[string]kind{
	"boolean":          {"bool", true, "%s", "wire.AppendBool(b, %s)", "boolean"},
	"ubyte":            {"uint8", true, "%s != 0", "wire.AppendUbyte(b, %s)", "ubyte"},
	"ushort":           {"uint16", true, "%s != 0", "wire.AppendUshort(b, %s)", "ushort"},
	"uint":             {"uint32", true, "%s != 0", "wire.AppendUint(b, %s)", "uint"},
	"ulong":            {"uint64", true, "%s != 0", "wire.AppendUlong(b, %s)", "ulong"},
	"timestamp":        {"wire.Timestamp", true, "", "wire.AppendTimestamp(b, %s)", "timestamp"},
	"string":           {"string", false, `%s != ""`, "wire.AppendString(b, %s)", "text"},
	"symbol":           {"wire.Symbol", false, `%s != ""`, "wire.AppendSymbol(b, %s)", "symbol"},
	"binary":           {"[]byte", false, "%s != nil", "wire.AppendBinary(b, %s)", "binary"},
	"map":              {"wire.Map", false, "%s != nil", "wire.AppendMap(b, %s)", "mapping"},
	"any":              {"any", false, "%s != nil", "wire.AppendValue(b, %s)", "value"},
	"symbols":          {"[]wire.Symbol", false, "%s != nil", "wire.AppendSymbols(b, %s)", "symbols"},
	"error":            {"*Error", false, "%s != nil", "%s.Append(b)", "amqpError"},
	"source":           {"*Source", false, "%s != nil", "%s.Append(b)", "source"},
	"target-archetype": {"TargetArchetype", false, "%s != nil", "%s.Append(b)", "target"},
	"delivery-state":   {"DeliveryState", false, "%s != nil", "%s.Append(b)", "deliveryState"},
	"outcome":          {"Outcome", false, "%s != nil", "%s.Append(b)", "outcome"},
}

// shape is a field's kind with its words taken into account.
type shape struct {
	kind
	enum      *enum
	mandatory bool
	wrapped   bool   // wire.Optional
	zeroValue string // the default in Go, "" for the type's zero value or none
}

func (s *spec) shape(f *field) (shape, error) {
	name := f.kind
	e := s.enum(name)
	if e != nil {
		name = e.base
	}
	if f.is("multiple") {
		name += "s"
	}
	k, ok := kinds[name]
	if !ok {
		return shape{}, fmt.Errorf("field %s: no such type: %s", f.name, f.kind)
	}
	sh := shape{kind: k, enum: e, mandatory: f.is("mandatory")}
	sh.wrapped = k.optional && !sh.mandatory && f.byDefault == "" && !f.is("zero")
	if e != nil {
		sh.goType = camel(e.name)
		sh.append = fmt.Sprintf(sh.append, goBase(e.base)+"(%s)")
		if f.byDefault != "" {
			sh.zeroValue = choiceName(e, f.byDefault)
		}
	} else if f.byDefault != "" && f.byDefault != "0" && f.byDefault != "false" {
		sh.zeroValue = f.byDefault
	}
	return sh, nil
}

// goBase is the Go type that an enumeration is made of.
func goBase(base string) string { return kinds[base].goType }

// choiceName is the Go name of an enumeration's choice.
func choiceName(e *enum, choice string) string { return camel(e.name) + camel(choice) }
