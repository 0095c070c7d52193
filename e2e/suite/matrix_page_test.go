package suite

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/e2e/harness"
)

// The page that a whole run writes or holds to be true, and the same for programs.
const (
	matrixPage = "docs/clients.md"
	matrixJSON = "docs/clients.json"
)

var matrixJoin = flag.String("matrix.join", "", "a run in parts: a file that collects what each saw; with -rewrite all of it makes the page")

// matrixMend is what to do when they are not.
const matrixMend = "go test -count=1 ./e2e/suite -rewrite"

// Matrix is the page for programs.
type Matrix struct {
	Clients   []Library `json:"clients"`
	Scenarios []Chapter `json:"scenarios"`
	Clauses   []Chapter `json:"clauses"` // of JMS, in the order of docs/jms.md
}

// Library is one column.
type Library struct {
	Driver  string `json:"driver"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Chapter is one table.
type Chapter struct {
	Title string `json:"title"`
	Rows  []Row  `json:"rows"`
}

// Row is one scenario, or one clause, with a cell for each library.
type Row struct {
	Tests []string        `json:"tests"`
	Text  string          `json:"text"`
	Cells map[string]Cell `json:"cells"` // by driver
}

// Cell says how much of a row a library shows, and why not all of it.
type Cell struct {
	Shown   string   `json:"shown"` // yes, part, no
	Reasons []string `json:"reasons,omitempty"`
}

// wholeRun says whether every scenario was asked for, in full.
func wholeRun() bool {
	for name, otherwise := range map[string]string{"test.run": "", "test.skip": "", "test.list": "", "test.short": "false"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != otherwise {
			return false
		}
	}
	return true
}

// checkMatrix holds the page against what the run saw, or with -rewrite writes it.
// A part of a run says nothing about the page, unless it is joined with the others.
func checkMatrix() error {
	if *matrixJoin != "" {
		if err := join(*matrixJoin); err != nil || !*rewrite {
			return err
		}
	} else if !wholeRun() {
		return nil
	}
	m, err := newMatrix()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := holds(matrixPage, m.page()); err != nil {
		return err
	}
	return holds(matrixJSON, string(text)+"\n")
}

// join adds what earlier parts of the run saw, and keeps all of it for those that
// follow. What failed is left out: it is to be run again.
func join(path string) error {
	var parts struct {
		Clients map[string]Library          `json:"clients"`
		Cells   map[string]map[string]*cell `json:"cells"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &parts)
	}
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	matrix.Lock()
	defer matrix.Unlock()
	for scenario, row := range matrix.cells { // order: irrelevant
		for name, c := range row {
			if c.Failed {
				delete(row, name)
			}
		}
		if len(row) == 0 {
			delete(matrix.cells, scenario)
		}
	}
	for scenario, row := range parts.Cells {
		if matrix.cells[scenario] == nil {
			matrix.cells[scenario] = map[string]*cell{}
		}
		for name, c := range row {
			if matrix.cells[scenario][name] == nil {
				matrix.cells[scenario][name] = c
			}
		}
	}
	for name, l := range parts.Clients {
		if matrix.clients[name] == (Library{}) {
			matrix.clients[name] = l
		}
	}
	for _, name := range allNames() {
		if d := harness.Declaration(name); d != nil {
			matrix.clients[name] = Library{name, d.Client, d.Version}
		}
	}
	parts.Cells, parts.Clients = matrix.cells, matrix.clients
	if text, err = json.MarshalIndent(parts, "", " "); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// allNames are the columns: the drivers, and Qpid JMS 1.x, which runs the JMS
// program alone.
func allNames() []string { return append(slices.Clone(harness.Names), harness.Javax) }

// holds wants a file to hold this text, or with -rewrite has it so.
func holds(name, text string) error {
	path := filepath.Join(harness.Root(), name)
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if string(old) == text {
		return nil
	}
	if *rewrite {
		return os.WriteFile(path, []byte(text), 0o644)
	}
	was, is := strings.Split(string(old), "\n"), strings.Split(text, "\n")
	i := 0
	for i < min(len(was), len(is)) && was[i] == is[i] {
		i++
	}
	was, is = append(was, "(its end)"), append(is, "(its end)")
	return fmt.Errorf("%s is not what this run saw. Its line %d:\n  %s\nthe run says:\n  %s\nIf the run is right: %s", name, i+1, was[i], is[i], matrixMend)
}

func newMatrix() (*Matrix, error) {
	m := &Matrix{}
	for _, name := range allNames() {
		l := matrix.clients[name] // of an earlier part
		if d := harness.Declaration(name); d != nil {
			l = Library{name, d.Client, d.Version}
		}
		if l.Name == "" {
			return nil, fmt.Errorf("the run had nothing for the %s driver to do", name)
		}
		switch name {
		case harness.Javax:
			l.Name += " 1.x"
		case "cpp":
			l.Version = "0.37 or newer" // the system's own: what install.sh takes
		}
		m.Clients = append(m.Clients, l)
	}
	matrix.Lock()
	defer matrix.Unlock()
	var err error
	if m.Scenarios, err = scenarioChapters(); err != nil {
		return nil, err
	}
	m.Clauses, err = clauseChapters()
	return m, err
}

const matrixIntroduction = `# What is shown with which client library

Written by the run of ` + "`e2e/suite`" + `, which fails when this page is not what it saw; ` + "`" + matrixMend + "`" + ` writes it
again. ` + "`docs/clients.json`" + ` says the same to programs.

Unmodified libraries against the real binary: ✓ shown; ◐ shown but for a part; – not shown. Each number is a
reason, at the end. First come the scenarios of ` + "`e2e/suite`" + `, then the clauses of JMS (` + "`docs/jms.md`" + `), which
the other libraries show by those scenarios, as far as they are about the server.

`

// page is the matrix in Markdown.
func (m *Matrix) page() string {
	p := &pageWriter{matrix: m, numbers: map[string]int{}}
	p.WriteString(matrixIntroduction)
	p.WriteString("| library | version | ✓ | ◐ | – |\n|---|---|---|---|---|\n")
	for _, l := range m.Clients[:len(harness.Names)] {
		n := map[string]int{}
		for _, c := range m.Scenarios {
			for _, r := range c.Rows {
				n[r.Cells[l.Driver].Shown]++
			}
		}
		fmt.Fprintf(p, "| %s | %s | %d | %d | %d |\n", l.Name, l.Version, n["yes"], n["part"], n["no"])
	}
	p.WriteString("\n## Scenarios\n")
	for _, c := range m.Scenarios {
		p.chapter(c, true)
	}
	p.WriteString("\n## Clauses of JMS\n")
	for _, c := range m.Clauses {
		p.chapter(c, false)
	}
	p.WriteString("\n## Reasons\n\n")
	for i, reason := range p.reasons {
		fmt.Fprintf(p, "%d. %s\n", i+1, reason)
	}
	return p.String()
}

type pageWriter struct {
	strings.Builder
	matrix  *Matrix
	numbers map[string]int // of reasons, from 1
	reasons []string
}

func (p *pageWriter) chapter(c Chapter, named bool) {
	fmt.Fprintf(p, "\n### %s\n\n| ", c.Title)
	if named {
		p.WriteString("test | ")
	}
	p.WriteString("what is shown |")
	clients := p.matrix.Clients
	if named {
		clients = clients[:len(harness.Names)] // Qpid JMS 1.x runs the JMS program alone
	}
	for _, l := range clients {
		fmt.Fprintf(p, " %s |", l.Name)
	}
	columns := 1 + len(clients)
	if named {
		columns++
	}
	p.WriteString("\n|" + strings.Repeat("---|", columns) + "\n")
	for _, r := range c.Rows {
		if named {
			fmt.Fprintf(p, "| `%s` ", r.Tests[0])
		}
		fmt.Fprintf(p, "| %s |", r.Text)
		for _, l := range clients {
			fmt.Fprintf(p, " %s |", p.cell(l, r.Cells[l.Driver]))
		}
		p.WriteString("\n")
	}
}

func (p *pageWriter) cell(l Library, c Cell) string {
	text := map[string]string{"yes": "✓", "part": "◐", "no": "–"}[c.Shown]
	var numbers []int
	for _, reason := range c.Reasons {
		general, ok := strings.CutPrefix(reason, "* ") // true of every library
		if !ok {
			general = l.Name + ", " + reason
		}
		reason = general
		if p.numbers[reason] == 0 {
			p.reasons = append(p.reasons, reason)
			p.numbers[reason] = len(p.reasons)
		}
		numbers = append(numbers, p.numbers[reason])
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		text += fmt.Sprintf(" %d", n)
	}
	return text
}
