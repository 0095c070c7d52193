package arch

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// impureImports may not be imported by a pure package, nor anything below them.
var impureImports = []string{"sync", "net", "os", "log", "syscall", "runtime", "math/rand", "unsafe"}

// pureExceptions stand below an impure import but do no I/O.
var pureExceptions = []string{"net/url", "net/netip"}

// clocks are the functions of package time that read or wait for the clock.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// orderMark on a line allows a range over a map there.
const orderMark = "order: irrelevant"

// CheckPure returns what makes the packages that layers calls pure impure: a
// goroutine, channel operation or lock, a clock, input or output, chance, and
// map order that could be seen.
//
// math/rand/v2 may be imported for its generators (a seeded source is data);
// its top-level functions draw on the process's own chance and are refused.
func CheckPure(m *Module, layers Layers) ([]string, error) {
	var wrong []string
	var pure []string
	for _, p := range m.Packages {
		row := layers[p.Path]
		if row == nil || !row.Pure {
			continue
		}
		pure = append(pure, "./"+p.Path)
		for _, f := range p.Files {
			if !f.Test {
				wrong = append(wrong, impureSyntax(m, f)...)
			}
		}
	}
	ranges, err := mapRanges(m, pure)
	return append(wrong, ranges...), err
}

// impureSyntax finds what needs no types.
func impureSyntax(m *Module, f File) []string {
	var wrong []string
	report := func(n ast.Node, what string) {
		wrong = append(wrong, fmt.Sprintf("%s: %s in a pure package", m.at(n.Pos()), what))
	}
	local := map[string]string{} // name in this file -> import path
	for _, spec := range f.Syntax.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if path == "math/rand/v2" {
			name = "rand"
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = path
		if impure(path) {
			report(spec, "import of "+path)
		}
		if name == "." {
			report(spec, "dot import of "+path)
		}
	}
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(n, "go statement")
		case *ast.SelectStmt:
			report(n, "select")
		case *ast.SendStmt:
			report(n, "channel send")
		case *ast.SelectorExpr:
			// Methods of the same name (Time.After) have no package on the left.
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			switch path := local[x.Name]; {
			case path == "time" && slices.Contains(clocks, n.Sel.Name):
				report(n, "time."+n.Sel.Name)
			case path == "math/rand/v2" && !strings.HasPrefix(n.Sel.Name, "New") && ast.IsExported(n.Sel.Name) && globalRand(n.Sel.Name):
				report(n, "rand."+n.Sel.Name+" (a global source)")
			}
		}
		return true
	})
	return wrong
}

// globalRand says whether name is a function of math/rand/v2 rather than a type.
func globalRand(name string) bool {
	return !slices.Contains([]string{"Rand", "Source", "PCG", "ChaCha8", "Zipf"}, name)
}

func impure(path string) bool {
	if path == "math/rand/v2" || slices.Contains(pureExceptions, path) {
		return false
	}
	return slices.ContainsFunc(impureImports, func(bad string) bool {
		return path == bad || strings.HasPrefix(path, bad+"/")
	})
}

// mapRanges finds ranges over maps, for which it needs types.
func mapRanges(m *Module, patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes |
			packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps | packages.NeedExportFile,
		Dir:  m.Dir,
		Fset: m.Fset,
	}, patterns...)
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return wrong, fmt.Errorf("%s does not compile: %w", p.PkgPath, p.Errors[0])
		}
		for _, f := range p.Syntax {
			wrong = append(wrong, rangesIn(m, p.TypesInfo, f)...)
		}
	}
	return wrong, nil
}

// rangesIn finds unmarked ranges over maps in one file, and maps.Keys and its
// like, which are the same thing by another name.
func rangesIn(m *Module, info *types.Info, f *ast.File) []string {
	marked := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.Contains(c.Text, orderMark) {
				marked[m.Fset.Position(c.Pos()).Line] = true
			}
		}
	}
	var wrong []string
	ast.Inspect(f, func(n ast.Node) bool {
		what := ""
		switch n := n.(type) {
		case *ast.RangeStmt:
			if t := info.TypeOf(n.X); t != nil {
				if _, ok := t.Underlying().(*types.Map); ok {
					what = "range over a map"
				}
			}
		case *ast.SelectorExpr:
			if f, ok := info.Uses[n.Sel].(*types.Func); ok && f.Pkg() != nil && f.Pkg().Path() == "maps" {
				switch f.Name() {
				case "Keys", "Values", "All":
					what = "maps." + f.Name()
				}
			}
		}
		if what != "" && !marked[m.Fset.Position(n.Pos()).Line] {
			wrong = append(wrong, fmt.Sprintf("%s: %s in a pure package; sort first, or mark the line // %s", m.at(n.Pos()), what, orderMark))
		}
		return true
	})
	return wrong
}
