package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A JSON text is read into a tree that keeps the order of members, and names that stand
// there twice: nil, bool, string, jsonNumber, array or object.
type (
	jsonNumber = json.Number
	array      []any
	object     []member
	member     struct {
		name  string
		value any
	}
)

// get gives the last member of a name.
func (o object) get(name string) (any, bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// nodeName is for error messages.
func nodeName(node any) string {
	switch node.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case jsonNumber:
		return "a number"
	case array:
		return "a list"
	}
	return "an object"
}

// tree reads a whole text. depth and nodes bound what it may make.
type tree struct {
	d     *json.Decoder
	nodes int
}

// A value with its type is an object of two members, and a level of its own.
const (
	nodesPerValue  = 4
	levelsPerValue = 2
	documentLevels = 4 // of the document around a body
)

// parse reads a JSON text, one value.
func (l Limits) parse(text []byte) (any, error) {
	t := tree{json.NewDecoder(bytes.NewReader(text)), nodesPerValue*l.Values + 64}
	t.d.UseNumber()
	v, err := t.value(levelsPerValue*l.Depth + documentLevels)
	if err != nil {
		return nil, err
	}
	if _, err := t.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the end of the JSON text")
	}
	return v, nil
}

func (t *tree) value(depth int) (any, error) {
	token, err := t.d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if t.nodes--; t.nodes < 0 {
		return nil, errors.New("more values than the limit: send them in several messages")
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == 0 {
		return nil, errors.New("deeper than the limit: flatten it")
	}
	if delim == '[' {
		return t.array(depth)
	}
	return t.object(depth)
}

func (t *tree) array(depth int) (any, error) {
	all := array{}
	for t.d.More() {
		v, err := t.value(depth - 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, t.end()
}

func (t *tree) object(depth int) (any, error) {
	all := object{}
	for t.d.More() {
		name, err := t.value(0)
		if err != nil {
			return nil, err
		}
		text, _ := name.(string) // the decoder refuses others
		v, err := t.value(depth - 1)
		if err != nil {
			return nil, err
		}
		all = append(all, member{text, v})
	}
	return all, t.end()
}

// end reads the bracket that closes.
func (t *tree) end() error {
	if _, err := t.d.Token(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("no JSON: %w", err)
	}
	return nil
}
