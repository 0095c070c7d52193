package suite

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tidegate/tidegate/e2e/harness"
)

// chapters are the page's tables: the scenarios of these files, in their order;
// those of other files follow. jmsProgram's stand in the tables of clauses.
var chapters = []chapter{
	{"Messages and queues", []string{"messages_test.go"}},
	{"Bodies, properties and headers", []string{"types_test.go", "headers_test.go"}},
	{"Selectors and browsing", []string{"selectors_test.go", "browse_test.go"}},
	{"Destinations", []string{"destinations_test.go"}},
	{"Topics and subscriptions", []string{"durable_test.go", "subscriptions_test.go"}},
	{"Outcomes, settlement and flow", []string{"settle_test.go", "delivery_modes_test.go"}},
	{"Transactions", []string{"transactions_test.go", "jms_killed_test.go"}},
	{"Delivery delay", []string{"delay_test.go"}},
	{"Bridges", []string{"bridges_test.go"}},
	{"Restart and crash", []string{"restart_test.go", "ledger_test.go"}},
	{"Connections and security", []string{"connections_test.go", "sasl_test.go", "tls_test.go", "jms_program_test.go"}},
}

type chapter struct {
	title string
	files []string
}

const jmsProgram = "TestJMS"

// merged is one cell made of those of several scenarios.
func merged(driver string, scenarios []string) Cell {
	var ran, left bool
	c := Cell{}
	for _, s := range scenarios {
		seen := matrix.cells[s][driver]
		if seen == nil {
			continue
		}
		ran = ran || seen.Ran
		left = left || len(seen.Reasons) > 0
		for _, reason := range seen.Reasons {
			if !slices.Contains(c.Reasons, reason) {
				c.Reasons = append(c.Reasons, reason)
			}
		}
	}
	slices.Sort(c.Reasons)
	switch {
	case !ran:
		c.Shown = "no"
	case left:
		c.Shown = "part"
	default:
		c.Shown = "yes"
	}
	return c
}

// variants are the scenarios of a test: itself, or its subtests that are some.
func variants(test string) []string {
	var all []string
	for scenario := range matrix.cells {
		if scenario == test || strings.HasPrefix(scenario, test+"/") {
			all = append(all, scenario)
		}
	}
	slices.Sort(all)
	return all
}

// scenarioChapters makes the rows of what the run saw, and wants a place for each.
func scenarioChapters() ([]Chapter, error) {
	var all []Chapter
	placed := map[string]bool{}
	others, err := filesOf()
	if err != nil {
		return nil, err
	}
	for _, c := range chapters {
		others = slices.DeleteFunc(others, func(file string) bool { return slices.Contains(c.files, file) })
	}
	for _, c := range append(slices.Clone(chapters), chapter{"Others", others}) {
		made := Chapter{Title: c.title}
		for _, file := range c.files {
			tests, texts, err := testsOf(file)
			if err != nil {
				return nil, err
			}
			for _, test := range tests {
				if test == jmsProgram {
					continue
				}
				for _, scenario := range variants(test) {
					placed[scenario] = true
					row := Row{Tests: []string{scenario}, Text: texts[test], Cells: map[string]Cell{}}
					for _, name := range harness.Names {
						row.Cells[name] = merged(name, row.Tests)
						if row.Cells[name].Shown == "no" && len(row.Cells[name].Reasons) == 0 {
							return nil, fmt.Errorf("%s says nothing of the %s driver: neither each, shows nor leaves did", scenario, name)
						}
					}
					made.Rows = append(made.Rows, row)
				}
			}
		}
		if len(made.Rows) > 0 {
			all = append(all, made)
		}
	}
	for scenario := range matrix.cells { // order: irrelevant
		if !placed[scenario] && !strings.HasPrefix(scenario, jmsProgram+"/") {
			return nil, fmt.Errorf("%s is not a test of these files, or its name has a client or a step in it", scenario)
		}
	}
	return all, nil
}

// filesOf are the files with tests.
func filesOf() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(harness.Root(), "e2e", "suite", "*_test.go"))
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found, err
}

// testsOf gives a file's tests in their order, and what their comments say they show.
func testsOf(file string) ([]string, map[string]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(harness.Root(), "e2e", "suite", file), nil, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	var tests []string
	texts := map[string]string{}
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		text := strings.Join(strings.Fields(f.Doc.Text()), " ")
		text = strings.TrimPrefix(text, f.Name.Name+": ")
		text, _, _ = strings.Cut(text+" ", ". ")
		first, size := utf8.DecodeRuneInString(text)
		tests = append(tests, f.Name.Name)
		texts[f.Name.Name] = strings.TrimSpace(string(unicode.ToUpper(first)) + text[size:])
	}
	return tests, texts, nil
}

var clauseTest = regexp.MustCompile("`e2e/suite\\.(Test[A-Za-z0-9_]+(?:/[A-Za-z0-9.]+)?)`")

// clauseChapters makes the rows of docs/jms.md: for Qpid JMS by the scenarios of its
// program, for the others by the suite's.
func clauseChapters() ([]Chapter, error) {
	text, err := os.ReadFile(filepath.Join(harness.Root(), "docs", "jms.md"))
	if err != nil {
		return nil, err
	}
	elsewhere, err := readElsewhere()
	if err != nil {
		return nil, err
	}
	var all []Chapter
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			all = append(all, Chapter{Title: title})
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| clause ") || len(cells) != 3 {
			continue
		}
		row, err := clauseRow(cells, elsewhere)
		if err != nil {
			return nil, err
		}
		c := &all[len(all)-1]
		c.Rows = append(c.Rows, row)
	}
	return slices.DeleteFunc(all, func(c Chapter) bool { return len(c.Rows) == 0 }), nil
}

func clauseRow(cells []string, elsewhere elsewhere) (Row, error) {
	row := Row{Text: strings.TrimSpace(cells[0]) + ": " + strings.TrimSpace(cells[1]), Cells: map[string]Cell{}}
	var program, suite []string
	var reason string
	var alone []string // tests that record nothing: Qpid JMS's, and this run passed them
	add := func(test string) error {
		row.Tests = append(row.Tests, test)
		found := variants(test)
		if len(found) == 0 {
			if strings.Contains(test, "/") {
				return fmt.Errorf("%q names %s, which did not run", row.Text, test)
			}
			alone = append(alone, "`"+test+"`")
			return nil
		}
		if strings.HasPrefix(test, jmsProgram+"/") {
			program = append(program, found...)
		} else {
			suite = append(suite, found...)
		}
		return nil
	}
	for _, m := range clauseTest.FindAllStringSubmatch(cells[2], -1) {
		if err := add(m[1]); err != nil {
			return row, err
		}
		place := elsewhere.of(strings.TrimPrefix(m[1], jmsProgram+"/"))
		if reason == "" {
			reason = place.reason
		}
		for _, test := range place.tests {
			if slices.Contains(row.Tests, test) {
				continue
			}
			if err := add(test); err != nil {
				return row, err
			}
		}
	}
	open := strings.HasPrefix(strings.TrimSpace(cells[2]), "open")
	for _, name := range append([]string{harness.Javax}, harness.Names...) {
		switch {
		case open:
			row.Cells[name] = Cell{"no", []string{"* open: docs/jms.md says what is known of it"}}
		case (name == "java" || name == harness.Javax) && len(program) > 0:
			row.Cells[name] = merged(name, program)
		case name == harness.Javax:
			row.Cells[name] = Cell{"no", []string{"* asked with Qpid JMS 2.x, which is the same on the wire"}}
		case len(suite) > 0:
			row.Cells[name] = merged(name, suite)
		case len(alone) > 0 && name == "java":
			row.Cells[name] = Cell{Shown: "yes"}
		case len(alone) > 0:
			row.Cells[name] = Cell{"no", []string{"* asked with Qpid JMS alone, by " + strings.Join(alone, ", ")}}
		case reason != "":
			row.Cells[name] = Cell{"no", []string{"* " + reason}}
		default:
			return row, fmt.Errorf("docs/jms.md, %q: what shows it with the other libraries, or why nothing does, belongs into e2e/suite/%s", row.Text, elsewhereFile)
		}
	}
	return row, nil
}

// elsewhereFile says for the scenarios of the JMS program by which tests the other
// libraries show the same (PATTERN = TEST...), or why they do not (PATTERN - REASON).
// The first line whose pattern fits a name holds.
const elsewhereFile = "testdata/jms_elsewhere.txt"

type elsewhere []elsewhereLine

type elsewhereLine struct {
	pattern string
	tests   []string
	reason  string
}

func readElsewhere() (elsewhere, error) {
	text, err := os.ReadFile(elsewhereFile)
	if err != nil {
		return nil, err
	}
	var all elsewhere
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		l := elsewhereLine{pattern: words[0]}
		_, err := path.Match(l.pattern, "")
		switch {
		case err != nil || len(words) < 3:
		case words[1] == "=":
			l.tests = words[2:]
		case words[1] == "-":
			l.reason = strings.Join(words[2:], " ")
		}
		if l.tests == nil && l.reason == "" {
			return nil, fmt.Errorf("e2e/suite/%s: %q: want PATTERN = TEST... or PATTERN - REASON", elsewhereFile, strings.TrimSpace(line))
		}
		all = append(all, l)
	}
	return all, nil
}

func (e elsewhere) of(scenario string) elsewhereLine {
	for _, l := range e {
		if ok, _ := path.Match(l.pattern, scenario); ok {
			return l
		}
	}
	return elsewhereLine{}
}
