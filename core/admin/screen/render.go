package screen

import (
	"encoding/json"
	"strings"
)

// Print is a result as EMS's tool prints it: the message's line, then the
// tables, with an empty line between two.
func (r *Result) Print() string {
	var b strings.Builder
	if r.Message != "" {
		b.WriteString(r.Message + "\n")
	}
	for i, t := range r.Tables {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch {
		case len(t.Rows) == 0 && t.Empty != "":
			b.WriteString(t.Empty + "\n")
		case t.Single:
			l := t.labels()
			for _, cells := range t.Rows {
				l.render(&b, row{t, cells})
			}
		default:
			t.grid().render(&b, t)
		}
	}
	return b.String()
}

// JSON is a result for programs, on one line: its tables by name, each a list of
// objects by column.
func (r *Result) JSON() ([]byte, error) {
	out := object{}
	if r.Message != "" {
		out.add("message", r.Message)
	}
	for _, t := range r.Tables {
		rows := make([]object, 0, len(t.Rows))
		for _, cells := range t.Rows {
			o := object{}
			for i, c := range t.Columns {
				o.add(c.Name, cells[i])
			}
			rows = append(rows, o)
		}
		if t.Single && len(rows) == 1 {
			out.add(t.Name, rows[0])
		} else {
			out.add(t.Name, rows)
		}
	}
	if r.Last != "" {
		out.add("last", r.Last)
		out.add("more", r.More)
	}
	return json.Marshal(out)
}

// object is a JSON object whose members keep their order.
type object struct {
	names  []string
	values []any
}

func (o *object) add(name string, v any) {
	o.names, o.values = append(o.names, name), append(o.values, v)
}

// MarshalJSON is json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, n := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(n)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[i])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}
