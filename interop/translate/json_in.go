package translate

import (
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// ParseJSONBody reads what JSONBody wrote, or what another program wrote in its place:
// an object becomes the body of a map message, a list that of a stream. Values without a
// type are booleans, strings, ints, longs and doubles as they look, and objects maps.
// The kind of m must be set before. Errors are *Error.
func ParseJSONBody(text []byte, l Limits, m *Message) error {
	r := reader{op: "read a body of JSON", limits: l.filled(), m: m}
	r.values = r.limits.Values
	form := Foreign
	switch m.Kind {
	case message.KindMap:
		form = Fields
	case message.KindStream:
		form = Items
	}
	return r.jsonBody(form, text)
}

// jsonBody reads a body of a form that is JSON.
func (r *reader) jsonBody(form Form, text []byte) error {
	if len(text) > r.limits.Body {
		return r.limits.check(r.op, nil, text)
	}
	node, err := r.limits.parse(text)
	if err != nil {
		return r.fail("body", "%v", err)
	}
	return r.nodeBody(form, node)
}

// nodeBody makes a JSON value the body.
func (r *reader) nodeBody(form Form, node any) error {
	depth := r.limits.Depth
	switch form {
	case Fields:
		o, ok := node.(object)
		if !ok {
			return r.fail("body", "a map message is a JSON object, and this is %s", nodeName(node))
		}
		m, err := r.fields(o, depth, "body")
		r.m.Body = Body{Form: Fields, Map: m}
		return err
	case Items:
		a, ok := node.(array)
		if !ok {
			return r.fail("body", "a stream message is a JSON list, and this is %s", nodeName(node))
		}
		l, err := r.items(a, depth, "body")
		r.m.Body = Body{Form: Items, List: l}
		return err
	}
	v, err := r.value(node, depth, "body")
	if err != nil {
		return err
	}
	r.setForeign(v)
	return nil
}

// setForeign makes a value the body in the form that Read gives it.
func (r *reader) setForeign(v any) {
	switch v := v.(type) {
	case nil:
		r.m.Body = Body{Form: Null}
	case string:
		r.m.Body = Body{Form: Text, Text: v}
	case []byte:
		r.m.setBytes(v)
	default:
		r.m.setValue(v)
	}
}

// take books values against the limit.
func (r *reader) take(where string, n int) error {
	if r.values -= n; r.values < 0 {
		return r.fail(where, "more than %d values in one message, which is the limit: send them in several", r.limits.Values)
	}
	return nil
}

// open books a level and its values.
func (r *reader) open(where string, depth, n int) error {
	if depth < 1 {
		return r.fail(where, "deeper than %d levels, which is the limit: flatten it", r.limits.Depth)
	}
	return r.take(where, n)
}

func (r *reader) fields(o object, depth int, where string) (wire.Map, error) {
	if err := r.open(where, depth, 2*len(o)); err != nil {
		return nil, err
	}
	m := make(wire.Map, len(o))
	for i, e := range o {
		v, err := r.value(e.value, depth-1, where+"."+e.name)
		if err != nil {
			return nil, err
		}
		m[i] = wire.Entry{Key: e.name, Value: v}
	}
	return m, nil
}

func (r *reader) items(a array, depth int, where string) (wire.List, error) {
	if err := r.open(where, depth, len(a)); err != nil {
		return nil, err
	}
	l := make(wire.List, len(a))
	for i, node := range a {
		v, err := r.value(node, depth-1, where+"[]")
		if err != nil {
			return nil, err
		}
		l[i] = v
	}
	return l, nil
}

// value reads a value, with its type or without.
func (r *reader) value(node any, depth int, where string) (any, error) {
	switch node := node.(type) {
	case jsonNumber:
		return untyped(node), nil
	case array:
		return r.items(node, depth, where)
	case object:
		name, value, ok := typedNode(node)
		if !ok {
			return r.fields(node, depth, where)
		}
		v, err := r.typed(name, value, depth, where)
		if err == nil && r.widen {
			v = narrowed(v)
		}
		return v, err
	}
	return node, nil // nil, a boolean, a string
}

// typedNode tells a value with its type from a map: it has t, the name of a type that
// is known, and v and nothing else.
func typedNode(o object) (name string, value any, ok bool) {
	t, ok := o.get("t")
	if !ok {
		return "", nil, false
	}
	if name, ok = t.(string); !ok || !isType(name) {
		return "", nil, false
	}
	value, ok = o.get("v")
	if name == typeNull {
		return name, nil, len(o) == 1 || ok && len(o) == 2
	}
	return name, value, ok && len(o) == 2
}

func (r *reader) typed(name string, node any, depth int, where string) (any, error) {
	switch name {
	case typeNull:
		return nil, nil
	case typeMessage:
		if o, ok := node.(object); ok {
			return r.fields(o, depth, where)
		}
		return nil, r.fail(where, "of type msg must be an object, and is %s", nodeName(node))
	case typeList:
		if a, ok := node.(array); ok {
			return r.items(a, depth, where)
		}
		return nil, r.fail(where, "of type list must be a list, and is %s", nodeName(node))
	case typeString:
		if s, ok := node.(string); ok {
			return s, nil
		}
		return nil, r.fail(where, "of type string must be a string, and is %s", nodeName(node))
	}
	if a, ok := node.(array); ok && len(name) > len(arraySuffix) {
		return r.elements(name[:len(name)-len(arraySuffix)], a, depth, where)
	}
	text, err := scalarText(node)
	if err != nil {
		return nil, r.fail(where, "of type %s cannot be read: %v", name, err)
	}
	v, err := r.scalar(name, text, depth)
	if err != nil {
		return nil, r.fail(where, "%.40q is no value of type %s: %v", text, name, err)
	}
	return v, nil
}

func (r *reader) elements(name string, a array, depth int, where string) (any, error) {
	code, ok := elementConstructors[name]
	if !ok {
		return nil, r.fail(where, "of type %s cannot be a list", name+arraySuffix)
	}
	if err := r.open(where, depth, len(a)); err != nil {
		return nil, err
	}
	values := make([]any, len(a))
	for i, node := range a {
		v, err := r.element(name, node)
		if err != nil {
			return nil, r.fail(where+"[]", "is no value of type %s: %v", name, err)
		}
		values[i] = v
	}
	return wire.Array{Constructor: code, Values: values}, nil
}

// document reads a message of the encoding ems-json. An object without headers,
// properties and body is a map message, as a message of Rendezvous without the fields
// of JMS is (ems 9).
func (r *reader) document(text []byte) error {
	node, err := r.limits.parse(text)
	if err != nil {
		return r.fail("", "%v", err)
	}
	doc, ok := node.(object)
	if !ok {
		return r.fail("", "the message is %s: write a JSON object with headers, properties and body", nodeName(node))
	}
	known := 0
	for _, e := range doc {
		o, isObject := e.value.(object)
		switch e.name {
		case "headers", "properties", "body":
			if !isObject {
				return r.fail(e.name, "is %s and must be an object", nodeName(e.value))
			}
			known++
		}
		switch e.name {
		case "headers":
			err = r.docHeaders(o)
		case "properties":
			err = r.docProperties(o)
		case "body":
			err = r.docBody(o)
		}
		if err != nil {
			return err
		}
	}
	if known == 0 {
		r.m.Kind = message.KindMap
		return r.nodeBody(Fields, doc)
	}
	return nil
}
