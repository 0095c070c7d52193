package admin

import (
	"strings"

	"github.com/tidegate/tidegate/core/admin/screen"
)

// newTable makes a table of `name kind Title` columns, separated by semicolons; a
// title may be missing.
func newTable(name, columns string) *screen.Table {
	t := &screen.Table{Name: name}
	for c := range strings.SplitSeq(columns, ";") {
		f := strings.Fields(c)
		t.Columns = append(t.Columns, screen.Column{Name: f[0], Kind: screen.Kind(f[1]), Title: strings.Join(f[2:], " ")})
	}
	return t
}

func shown(tables ...*screen.Table) *screen.Result { return &screen.Result{Tables: tables} }
