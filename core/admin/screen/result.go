// Package screen is what an administrative operation answers, and how EMS's
// administration tool prints it: results are small tables, and a layout says
// where a table's columns stand on a screen (docs/admin-screens.md). It is pure.
package screen

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Kind says what the cells of a column are.
type Kind string

// The kinds of cell, with the Go type of a value.
const (
	Text   Kind = "text"   // string
	Count  Kind = "count"  // int64
	Bytes  Kind = "bytes"  // int64
	Millis Kind = "millis" // int64: a length of time
	Bool   Kind = "bool"   // bool
	List   Kind = "list"   // []string
)

// Column is one column of a table. Name is for machines, Title stands above it.
type Column struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	Kind  Kind   `json:"kind"`
}

// Table is a list of rows of one kind. Its name chooses the layout.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Single is a table of one thing: printed a line a column, and in JSON an
	// object instead of a list.
	Single bool `json:"single,omitempty"`
	// Empty is what is said in place of a table without rows.
	Empty string `json:"empty,omitempty"`
}

// Add appends a row; a nil is an empty cell. It panics where the number of cells
// is not that of the columns: that is a mistake in an operation.
func (t *Table) Add(cells ...any) {
	if len(cells) != len(t.Columns) {
		panic(fmt.Sprintf("screen: table %s has %d columns, the row %d cells", t.Name, len(t.Columns), len(cells)))
	}
	for i, c := range cells {
		if l, ok := c.([]string); ok && l == nil {
			cells[i] = []string{} // an empty list is no empty cell
		}
	}
	t.Rows = append(t.Rows, cells)
}

// Result is what an operation answers.
type Result struct {
	// Message is what EMS's tool says when something was done, a line or several.
	Message string   `json:"message,omitempty"`
	Tables  []*Table `json:"tables,omitempty"`
	// Last is the name behind which `next=N` goes on; More says that there is
	// something.
	Last string `json:"last,omitempty"`
	More bool   `json:"more,omitempty"`
	// Changed says that definitions changed which a commit has to save; Saved,
	// that they have been saved.
	Changed bool `json:"changed,omitempty"`
	Saved   bool `json:"saved,omitempty"`
}

// Said is a result without a table.
func Said(format string, args ...any) *Result { return &Result{Message: fmt.Sprintf(format, args...)} }

// UnmarshalJSON gives the cells back the types that their column's kind has.
func (t *Table) UnmarshalJSON(b []byte) error {
	type plain Table
	var p struct {
		plain
		Rows [][]json.RawMessage `json:"rows"`
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*t = Table(p.plain)
	t.Rows = make([][]any, 0, len(p.Rows))
	for _, raw := range p.Rows {
		if len(raw) != len(t.Columns) {
			return fmt.Errorf("table %s: a row of %d cells under %d columns", t.Name, len(raw), len(t.Columns))
		}
		row := make([]any, len(raw))
		for i, cell := range raw {
			v, err := decode(t.Columns[i].Kind, cell)
			if err != nil {
				return fmt.Errorf("table %s, column %s: %w", t.Name, t.Columns[i].Name, err)
			}
			row[i] = v
		}
		t.Rows = append(t.Rows, row)
	}
	return nil
}

func decode(k Kind, cell json.RawMessage) (any, error) {
	if string(cell) == "null" {
		return nil, nil
	}
	switch k {
	case Count, Bytes, Millis:
		return decoded[int64](cell)
	case Bool:
		return decoded[bool](cell)
	case List:
		return decoded[[]string](cell)
	case Text:
		return decoded[string](cell)
	}
	return nil, fmt.Errorf("the kind %q is not known", k)
}

func decoded[V any](cell json.RawMessage) (v V, err error) {
	err = json.Unmarshal(cell, &v)
	return v, err
}

// Cell is a cell of a row by its column; nil for an empty one, and for none.
func (t *Table) Cell(cells []any, column string) any {
	if i := t.column(column); i >= 0 {
		return cells[i]
	}
	return nil
}

// column is the place of a column; below 0: there is none.
func (t *Table) column(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// row reads one row's cells by column.
type row struct {
	t     *Table
	cells []any
}

func (r row) cell(name string) any { return r.t.Cell(r.cells, name) }

// plain is a cell's text where no layout says otherwise.
func (r row) plain(name string) string {
	if i := r.t.column(name); i >= 0 {
		return plain(r.t.Columns[i].Kind, r.cells[i])
	}
	return ""
}

func (r row) text(name string) string { s, _ := r.cell(name).(string); return s }
func (r row) int(name string) int64   { return number(r.cell(name)) }
func (r row) bool(name string) bool   { b, _ := r.cell(name).(bool); return b }

func (r row) has(name string) bool { return r.cell(name) != nil }

// number is an integer cell's value, of whatever integer type an operation gave.
func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case int:
		return int64(n)
	case uint64:
		return int64(n)
	case uint32:
		return int64(n)
	}
	return 0
}
