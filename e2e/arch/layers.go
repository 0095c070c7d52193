package arch

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed layers.txt
var layersText string

//go:embed rooms.txt
var roomsText string

// Row says what one package may import of this module.
type Row struct {
	Package string
	Pure    bool
	Imports []string
	Tests   []string // besides Imports, in its _test.go files
}

// Layers is the parsed layers.txt.
type Layers map[string]*Row

// Room says where one foreign import path (and all below it) may be imported.
type Room struct {
	Prefix   string
	Packages []string
	Tests    bool // in _test.go files everywhere
}

// DefaultLayers is this repository's table.
func DefaultLayers() (Layers, error) { return parseLayers(layersText) }

// DefaultRooms is this repository's list of what is not ours.
func DefaultRooms() ([]Room, error) { return parseRooms(roomsText) }

func parseLayers(text string) (Layers, error) {
	layers := Layers{}
	for _, l := range tableLines(text) {
		left, right := l.left, l.right
		switch {
		case len(left) == 2 && left[0] == "test":
			row := layers[left[1]]
			if row == nil {
				return nil, fmt.Errorf("layers line %d: no row for %s above", l.number, left[1])
			}
			row.Tests = right
		case len(left) == 1, len(left) == 2 && left[1] == "pure":
			if layers[left[0]] != nil {
				return nil, fmt.Errorf("layers line %d: second row for %s", l.number, left[0])
			}
			layers[left[0]] = &Row{Package: left[0], Pure: len(left) == 2, Imports: right}
		default:
			return nil, fmt.Errorf("layers line %d: want PACKAGE [pure] : imports", l.number)
		}
	}
	return layers, nil
}

func parseRooms(text string) ([]Room, error) {
	var rooms []Room
	for _, l := range tableLines(text) {
		left, right := l.left, l.right
		if len(left) != 1 {
			return nil, fmt.Errorf("rooms line %d: want PREFIX : packages", l.number)
		}
		r := Room{Prefix: left[0]}
		for _, w := range right {
			if w == "test" {
				r.Tests = true
			} else {
				r.Packages = append(r.Packages, w)
			}
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}

// tableLine is one line of a table: words, a colon, words.
type tableLine struct {
	number      int
	left, right []string
}

// tableLines returns the lines of text that are neither empty nor a comment.
func tableLines(text string) []tableLine {
	var lines []tableLine
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		left, right, _ := strings.Cut(line, ":")
		lines = append(lines, tableLine{n, strings.Fields(left), strings.Fields(right)})
	}
	return lines
}

// covers says whether pattern (a path, or a path ending in /...) names path.
func covers(pattern, path string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return pattern == path
}

func anyCovers(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return covers(p, path) })
}

// CheckLayers returns every import that the tables do not allow, and every
// package without a row.
func CheckLayers(m *Module, layers Layers, rooms []Room) []string {
	var wrong []string
	for _, p := range m.Packages {
		row := layers[p.Path]
		if row == nil {
			wrong = append(wrong, fmt.Sprintf("%s has no row in e2e/arch/layers.txt: say what it may import", p.Path))
			continue
		}
		for _, imp := range p.Imports {
			if why := refused(m, row, rooms, imp, false); why != "" {
				wrong = append(wrong, why)
			}
		}
		for _, imp := range p.TestImports {
			if why := refused(m, row, rooms, imp, true); why != "" {
				wrong = append(wrong, why)
			}
		}
	}
	return wrong
}

// refused says why the package of row may not import imp, or nothing.
func refused(m *Module, row *Row, rooms []Room, imp string, test bool) string {
	where := row.Package
	if test {
		where += " (tests)"
	}
	if ours, ok := strings.CutPrefix(imp, m.Path+"/"); ok {
		allowed := row.Imports
		if test {
			allowed = append(slices.Clone(allowed), row.Tests...)
			allowed = append(allowed, row.Package) // an external test imports its package
		}
		if anyCovers(allowed, ours) {
			return ""
		}
		return fmt.Sprintf("%s imports %s: not in its row of e2e/arch/layers.txt", where, ours)
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		if imp == "unsafe" || imp == "C" || imp == "log" {
			return fmt.Sprintf("%s imports %s: used nowhere here", where, imp)
		}
		return "" // the standard library; pure.go says more about pure packages
	}
	for _, r := range rooms {
		if imp != r.Prefix && !strings.HasPrefix(imp, r.Prefix+"/") {
			continue
		}
		if test && r.Tests || anyCovers(r.Packages, row.Package) {
			return ""
		}
		return fmt.Sprintf("%s imports %s: e2e/arch/rooms.txt keeps it to %s", where, imp, strings.Join(r.Packages, " "))
	}
	return fmt.Sprintf("%s imports %s: no line in e2e/arch/rooms.txt", where, imp)
}
