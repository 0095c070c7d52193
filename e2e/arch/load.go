package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Package is one folder of Go files, as the go command sees it.
type Package struct {
	Path  string // relative to the module: "core/name"; "." for its root
	Name  string
	Dir   string
	Files []File

	Imports     []string // of production files
	TestImports []string // of _test.go files, both kinds
}

// File is one parsed Go file.
type File struct {
	Path      string // relative to the module
	Test      bool
	Generated bool
	Lines     int
	Syntax    *ast.File
}

// Module is a whole module, parsed but not type-checked.
type Module struct {
	Path     string // "github.com/tidegate/tidegate"
	Dir      string
	Fset     *token.FileSet
	Packages []*Package
}

// listed is the part of `go list -json` that the checks need.
type listed struct {
	Dir, ImportPath, Name              string
	Module                             *struct{ Path, Dir string }
	GoFiles, TestGoFiles, XTestGoFiles []string
	IgnoredGoFiles                     []string
	Imports, TestImports, XTestImports []string
	Error                              *struct{ Err string }
}

// Load asks the go command for every package below dir and parses its files.
// A package that does not parse is an error.
func Load(dir string) (*Module, error) {
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,Module,GoFiles,TestGoFiles,XTestGoFiles,IgnoredGoFiles,Imports,TestImports,XTestImports,Error", "./...")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}
	m := &Module{Fset: token.NewFileSet()}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return m, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list in %s: %w", dir, err)
		}
		if l.Module == nil {
			return nil, fmt.Errorf("%s belongs to no module", l.ImportPath)
		}
		m.Path, m.Dir = l.Module.Path, l.Module.Dir
		p, err := m.parse(l)
		if err != nil {
			return nil, err
		}
		m.Packages = append(m.Packages, p)
	}
}

func (m *Module) parse(l listed) (*Package, error) {
	rel := strings.TrimPrefix(strings.TrimPrefix(l.ImportPath, l.Module.Path), "/")
	if rel == "" {
		rel = "."
	}
	p := &Package{
		Path: rel, Name: l.Name, Dir: l.Dir, Imports: l.Imports,
		TestImports: append(l.TestImports, l.XTestImports...),
	}
	// Files that another system or tag would build are under the same rules.
	names := append(append(append(l.GoFiles, l.IgnoredGoFiles...), l.TestGoFiles...), l.XTestGoFiles...)
	for _, name := range names {
		full := filepath.Join(l.Dir, name)
		src, err := os.ReadFile(full)
		if err != nil {
			return nil, err
		}
		syntax, err := parser.ParseFile(m.Fset, full, src, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		shown, err := filepath.Rel(m.Dir, full)
		if err != nil {
			return nil, err
		}
		p.Files = append(p.Files, File{
			Path: filepath.ToSlash(shown), Test: strings.HasSuffix(name, "_test.go"),
			Generated: ast.IsGenerated(syntax), Lines: strings.Count(string(src), "\n"), Syntax: syntax,
		})
	}
	return p, nil
}

// at renders a position as file:line, relative to the module.
func (m *Module) at(pos token.Pos) string {
	p := m.Fset.Position(pos)
	if rel, err := filepath.Rel(m.Dir, p.Filename); err == nil {
		p.Filename = filepath.ToSlash(rel)
	}
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
