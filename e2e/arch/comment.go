package arch

import (
	"fmt"
	"go/ast"
	"strings"
)

// CheckComments returns the packages that do not say what they are. A comment
// begins with "Package NAME "; that of a command with its name or "Command".
func CheckComments(m *Module) []string {
	var wrong []string
	for _, p := range m.Packages {
		var docs []string
		hasCode := false
		for _, f := range p.Files {
			if f.Test {
				continue
			}
			hasCode = true
			if f.Syntax.Doc != nil {
				docs = append(docs, f.Syntax.Doc.Text())
			}
		}
		switch {
		case !hasCode:
			// Only tests: nothing to import, nothing to explain to importers.
		case len(docs) == 0:
			wrong = append(wrong, p.Path+" has no package comment")
		case len(docs) > 1:
			wrong = append(wrong, p.Path+" has more than one package comment")
		case p.Name != "main" && !strings.HasPrefix(docs[0], "Package "+p.Name+" "):
			wrong = append(wrong, fmt.Sprintf("%s: the package comment should begin with %q", p.Path, "Package "+p.Name+" "))
		}
	}
	return wrong
}

// CheckSleeps returns the calls of time.Sleep in tests: a test waits for what
// it expects, with a deadline. In a synctest bubble the clock is false and
// sleeping is how it moves, so files that import testing/synctest may.
func CheckSleeps(m *Module) []string {
	var wrong []string
	for _, f := range m.files() {
		if !f.Test || importsPath(f.Syntax, "testing/synctest") {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
				wrong = append(wrong, m.at(sel.Pos())+": time.Sleep in a test: wait for what is expected instead")
			}
			return true
		})
	}
	return wrong
}

func importsPath(f *ast.File, path string) bool {
	for _, spec := range f.Imports {
		if spec.Path.Value == `"`+path+`"` {
			return true
		}
	}
	return false
}
