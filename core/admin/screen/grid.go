package screen

import (
	"strings"
	"unicode/utf8"
)

// A column of a screen. Tools find columns by the position of their title
// (ems 10.4), so that a column is widened as a whole, title and all rows.
type column struct {
	title string
	left  bool
	gap   int // blanks before it
	width int // at least; of the cell without its suffix
	// suffix is the width of what stands behind the aligned cell (" Kb", "*"),
	// over: the title ends above the suffix, not before it.
	suffix int
	over   bool
	cell   func(r row) (text, suffix string)
	only   string // table column without which there is no such column
	unless string // table column beside which there is no such column
}

// heading stands above the title of a column.
type heading struct {
	column int
	text   string
}

type grid struct {
	mark     func(r row) string // in the two places before the first column
	columns  []column
	headings []heading
}

// render writes titles and rows.
func (g *grid) render(b *strings.Builder, t *Table) {
	columns := make([]column, 0, len(g.columns))
	headings := map[int]string{}
	for i, c := range g.columns {
		if c.only != "" && !t.has(c.only) || c.unless != "" && t.has(c.unless) {
			continue
		}
		for _, h := range g.headings {
			if h.column == i {
				headings[len(columns)] = h.text
			}
		}
		columns = append(columns, c)
	}
	type cell struct{ text, suffix string }
	rows := make([][]cell, len(t.Rows))
	for i := range columns {
		c := &columns[i]
		title := utf8.RuneCountInString(c.title)
		if c.over {
			title -= c.suffix
		}
		c.width = max(c.width, title)
		apart := 0 // a wide number keeps off the column before it
		if !c.left && c.gap == 0 && i > 0 {
			apart = 1
		}
		for j := range t.Rows {
			text, suffix := c.cell(row{t, t.Rows[j]})
			rows[j] = append(rows[j], cell{text, suffix})
			c.width = max(c.width, utf8.RuneCountInString(text)+apart)
		}
	}
	var top, titles strings.Builder
	for i := range columns {
		c := &columns[i]
		at := utf8.RuneCountInString(titles.String())
		if i == 0 && g.mark != nil {
			titles.WriteString("  ")
		}
		if c.over {
			write(&titles, c.gap, c.width+c.suffix, 0, c.left, c.title, "")
		} else {
			write(&titles, c.gap, c.width, c.suffix, c.left, c.title, "")
		}
		if h, ok := headings[i]; ok {
			from := at + c.gap
			if !c.left {
				from += c.width - utf8.RuneCountInString(c.title)
			}
			top.WriteString(strings.Repeat(" ", max(0, from-utf8.RuneCountInString(top.String()))))
			top.WriteString(h)
		}
	}
	if top.Len() > 0 {
		line(b, top.String())
	}
	line(b, titles.String())
	var l strings.Builder
	for j := range rows {
		l.Reset()
		if g.mark != nil {
			l.WriteString(g.mark(row{t, t.Rows[j]}))
		}
		for i, c := range columns {
			write(&l, c.gap, c.width, c.suffix, c.left, rows[j][i].text, rows[j][i].suffix)
		}
		line(b, l.String())
	}
}

func write(b *strings.Builder, gap, width, suffixWidth int, left bool, text, suffix string) {
	pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
	b.WriteString(strings.Repeat(" ", gap))
	if left {
		b.WriteString(text + pad)
	} else {
		b.WriteString(pad + text)
	}
	b.WriteString(suffix)
	b.WriteString(strings.Repeat(" ", max(0, suffixWidth-utf8.RuneCountInString(suffix))))
}

func line(b *strings.Builder, s string) {
	b.WriteString(strings.TrimRight(s, " "))
	b.WriteByte('\n')
}

func (t *Table) has(name string) bool { return t.column(name) >= 0 }
