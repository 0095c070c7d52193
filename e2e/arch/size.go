package arch

import (
	_ "embed"
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

//go:embed exceptions.txt
var exceptionsText string

// The sizes past which a file or function needs a stated reason, in lines.
// Generated files are exempt.
const (
	maxFile     = 600
	maxTestFile = 1200
	maxFunc     = 80 // in production files
)

// Exceptions are the places where a rule does not hold, by kind and place.
type Exceptions struct {
	reasons map[string]string
	used    map[string]bool
}

// DefaultExceptions is this repository's list.
func DefaultExceptions() (*Exceptions, error) { return parseExceptions(exceptionsText) }

func parseExceptions(text string) (*Exceptions, error) {
	e := &Exceptions{reasons: map[string]string{}, used: map[string]bool{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 || !slices.Contains([]string{"go", "size", "func"}, words[0]) {
			return nil, fmt.Errorf("exceptions: %q: want KIND PLACE reason", line)
		}
		e.reasons[words[0]+" "+words[1]] = strings.Join(words[2:], " ")
	}
	return e, nil
}

// has says whether the rule of kind does not hold at place.
func (e *Exceptions) has(kind, place string) bool {
	key := kind + " " + place
	e.used[key] = true
	return e.reasons[key] != ""
}

// Unused returns the exceptions that no check asked for.
func (e *Exceptions) Unused() []string {
	var unused []string
	for key := range e.reasons {
		if !e.used[key] {
			unused = append(unused, "exception no longer needed: "+key)
		}
	}
	slices.Sort(unused)
	return unused
}

// CheckSizes returns the files and functions that are too long.
func CheckSizes(m *Module, except *Exceptions) []string {
	var wrong []string
	for _, f := range m.files() {
		if f.Generated {
			continue
		}
		limit := maxFile
		if f.Test {
			limit = maxTestFile
		}
		if f.Lines > limit && !except.has("size", f.Path) {
			wrong = append(wrong, fmt.Sprintf("%s has %d lines, more than %d: split it", f.Path, f.Lines, limit))
		}
		if f.Test {
			continue
		}
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := m.Fset.Position(fn.End()).Line - m.Fset.Position(fn.Pos()).Line + 1
			if lines > maxFunc && !except.has("func", f.Path+":"+fn.Name.Name) {
				wrong = append(wrong, fmt.Sprintf("%s: %s has %d lines, more than %d", m.at(fn.Pos()), fn.Name.Name, lines, maxFunc))
			}
		}
	}
	return wrong
}

// CheckGoroutines returns the go statements outside the files listed for them.
// Tests and e2e start what they like.
func CheckGoroutines(m *Module, except *Exceptions) []string {
	var wrong []string
	for _, f := range m.files() {
		if f.Test || strings.HasPrefix(f.Path, "e2e/") {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			var what string
			switch n := n.(type) {
			case *ast.GoStmt:
				what = "go statement"
			case *ast.CallExpr: // sync.WaitGroup.Go, errgroup.Group.Go
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" {
					what = "call of Go"
				}
			}
			if what != "" && !except.has("go", f.Path) {
				wrong = append(wrong, fmt.Sprintf("%s: %s: list the file in e2e/arch/exceptions.txt and say what the goroutine owns and when it ends", m.at(n.Pos()), what))
			}
			return true
		})
	}
	return wrong
}

// files returns every file of the module.
func (m *Module) files() []File {
	var all []File
	for _, p := range m.Packages {
		all = append(all, p.Files...)
	}
	return all
}
