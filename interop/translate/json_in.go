package translate

import (
	"strings"

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
	t, err := r.limits.parse(text)
	if err != nil {
		return r.fail("body", "%v", err)
	}
	r.t = t
	return r.nodeBody(form, 0)
}

// nodeBody makes the value at i the body.
func (r *reader) nodeBody(form Form, i int32) error {
	depth := r.limits.Depth
	switch form {
	case Fields:
		if r.t[i].kind != objectNode {
			return r.fail("body", "a map message is a JSON object, and this is %s", r.t[i].kind)
		}
		m, err := r.fields(i, depth)
		r.m.Body = Body{Form: Fields, Map: m}
		return err
	case Items:
		if r.t[i].kind != listNode {
			return r.fail("body", "a stream message is a JSON list, and this is %s", r.t[i].kind)
		}
		l, err := r.items(i, depth)
		r.m.Body = Body{Form: Items, List: l}
		return err
	}
	v, err := r.value(i, depth)
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

// open books a level and its values.
func (r *reader) open(i int32, depth, n int) error {
	if depth < 1 {
		return r.fail(r.way(i), "deeper than %d levels, which is the limit: flatten it", r.limits.Depth)
	}
	if r.values -= n; r.values < 0 {
		return r.fail(r.way(i), "more than %d values in one message, which is the limit: send them in several", r.limits.Values)
	}
	return nil
}

func (r *reader) fields(i int32, depth int) (wire.Map, error) {
	n := &r.t[i]
	if err := r.open(i, depth, 2*int(n.kids)); err != nil {
		return nil, err
	}
	m := make(wire.Map, 0, n.kids)
	for c := i + 1; c < n.end; c = r.t[c].end {
		v, err := r.value(c, depth-1)
		if err != nil {
			return nil, err
		}
		m = append(m, wire.Entry{Key: r.t[c].name, Value: v})
	}
	return once(m), nil
}

func (r *reader) items(i int32, depth int) (wire.List, error) {
	n := &r.t[i]
	if err := r.open(i, depth, int(n.kids)); err != nil {
		return nil, err
	}
	l := make(wire.List, 0, n.kids)
	for c := i + 1; c < n.end; c = r.t[c].end {
		v, err := r.value(c, depth-1)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
	}
	return l, nil
}

// value reads the value at i, with its type or without.
func (r *reader) value(i int32, depth int) (any, error) {
	n := &r.t[i]
	switch n.kind {
	case nullNode:
		return nil, nil
	case boolNode:
		return n.text == "true", nil
	case numberNode:
		return untyped(n.text), nil
	case stringNode:
		return n.text, nil
	case listNode:
		return r.items(i, depth)
	}
	name, at, ok := r.typedNode(i)
	if !ok {
		return r.fields(i, depth)
	}
	v, err := r.typed(name, at, depth)
	if err == nil && r.widen {
		v = narrowed(v)
	}
	return v, err
}

// typedNode tells a value with its type from a map: it has t, the name of a type that
// is known, and v and nothing else. v of null may be left out.
func (r *reader) typedNode(i int32) (name string, value int32, ok bool) {
	n := &r.t[i]
	if n.kids < 1 || n.kids > 2 {
		return "", 0, false
	}
	t, ok := r.t.member(i, "t")
	if !ok || r.t[t].kind != stringNode || !isType(r.t[t].text) {
		return "", 0, false
	}
	name = r.t[t].text
	value, ok = r.t.member(i, "v")
	return name, value, ok || name == typeNull && n.kids == 1
}

func (r *reader) typed(name string, i int32, depth int) (any, error) {
	n := &r.t[i]
	want := stringNode
	switch name {
	case typeNull:
		return nil, nil
	case typeMessage:
		want = objectNode
	case typeList:
		want = listNode
	case typeString:
	default:
		return r.typedScalar(name, i, depth)
	}
	if n.kind != want {
		return nil, r.fail(r.way(i), "of type %s must be %s, and is %s", name, want, n.kind)
	}
	switch name {
	case typeMessage:
		return r.fields(i, depth)
	case typeList:
		return r.items(i, depth)
	}
	return n.text, nil
}

// typedScalar reads a value that holds no others, or an array of such.
func (r *reader) typedScalar(name string, i int32, depth int) (any, error) {
	n := &r.t[i]
	if element, ok := strings.CutSuffix(name, arraySuffix); ok {
		if n.kind != listNode {
			return nil, r.fail(r.way(i), "of type %s must be a list, and is %s", name, n.kind)
		}
		return r.elements(element, i, depth)
	}
	if n.kind == listNode || n.kind == objectNode || n.kind == nullNode {
		return nil, r.fail(r.way(i), "of type %s cannot be %s", name, n.kind)
	}
	v, err := r.scalar(name, n.text, depth)
	if err != nil {
		return nil, r.fail(r.way(i), "%.40q is no value of type %s: %v", n.text, name, err)
	}
	return v, nil
}

func (r *reader) elements(name string, i int32, depth int) (any, error) {
	n := &r.t[i]
	if err := r.open(i, depth, int(n.kids)); err != nil {
		return nil, err
	}
	values := make([]any, 0, n.kids)
	for c := i + 1; c < n.end; c = r.t[c].end {
		v, err := r.typedScalar(name, c, 0)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return wire.Array{Constructor: elementConstructors[name], Values: values}, nil
}

// way gives the way to a value for an error message: the names of the members around it.
func (r *reader) way(i int32) string {
	var names []string
	for at := int32(0); at < i; {
		if r.t[at].end > i { // around it
			if name := r.t[at].name; name != "" && name != "v" {
				names = append(names, name)
			}
			at++
		} else {
			at = r.t[at].end
		}
	}
	if name := r.t[i].name; name != "" && name != "v" {
		names = append(names, name)
	}
	if len(names) == 0 {
		return "body"
	}
	return strings.Join(names, ".")
}

// document reads a message of the encoding ems-json. An object without headers,
// properties and body is a map message, as a message of Rendezvous without the fields
// of JMS is (ems 9).
func (r *reader) document(text []byte) error {
	t, err := r.limits.parse(text)
	if err != nil {
		return r.fail("", "%v", err)
	}
	r.t = t
	if t[0].kind != objectNode {
		return r.fail("", "the message is %s: write a JSON object with headers, properties and body", t[0].kind)
	}
	known := false
	for i := int32(1); i < t[0].end; i = t[i].end {
		var read func(int32) error
		switch t[i].name {
		case "headers":
			read = r.docHeaders
		case "properties":
			read = r.docProperties
		case "body":
			read = r.docBody
		default:
			continue
		}
		if t[i].kind != objectNode {
			return r.fail(t[i].name, "is %s and must be an object", t[i].kind)
		}
		if err := read(i); err != nil {
			return err
		}
		known = true
	}
	if !known {
		r.m.Kind = message.KindMap
		return r.nodeBody(Fields, 0)
	}
	return nil
}
