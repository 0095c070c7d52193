package arch

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// repository is this module, loaded once for all tests.
var repository = sync.OnceValues(func() (*Module, error) { return Load("../..") })

func theRepository(t *testing.T) *Module {
	t.Helper()
	m, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func theLayers(t *testing.T) Layers {
	t.Helper()
	layers, err := DefaultLayers()
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

func report(t *testing.T, wrong []string) {
	t.Helper()
	for _, w := range wrong {
		t.Error(w)
	}
}

func TestLayers(t *testing.T) {
	rooms, err := DefaultRooms()
	if err != nil {
		t.Fatal(err)
	}
	report(t, CheckLayers(theRepository(t), theLayers(t), rooms))
}

func TestPure(t *testing.T) {
	wrong, err := CheckPure(theRepository(t), theLayers(t))
	report(t, wrong)
	if err != nil {
		t.Fatal(err)
	}
}

func TestComments(t *testing.T) { report(t, CheckComments(theRepository(t))) }

func TestSleeps(t *testing.T) { report(t, CheckSleeps(theRepository(t))) }

func TestSizesAndGoroutines(t *testing.T) {
	except, err := DefaultExceptions()
	if err != nil {
		t.Fatal(err)
	}
	report(t, CheckSizes(theRepository(t), except))
	report(t, CheckGoroutines(theRepository(t), except))
	report(t, except.Unused())
}

// TestLayersHaveNoCycle: a table that allowed one would not be a ladder.
func TestLayersHaveNoCycle(t *testing.T) {
	layers := theLayers(t)
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(path string, trail []string)
	visit = func(path string, trail []string) {
		trail = append(trail, path)
		switch state[path] {
		case open:
			t.Fatalf("cycle: %s", strings.Join(trail, " -> "))
		case done:
			return
		}
		state[path] = open
		for _, pattern := range layers[path].Imports {
			for other := range layers {
				if other != path && covers(pattern, other) {
					visit(other, trail)
				}
			}
		}
		state[path] = done
	}
	for path := range layers {
		visit(path, nil)
	}
}

// TestPlanted: each rule catches a mistake made on purpose, and nothing is
// reported for the clean module that the mistakes are planted in.
func TestPlanted(t *testing.T) {
	clean := map[string]string{
		"core/name/name.go":       "// Package name is a planted room.\npackage name\n\n// Parse does nothing.\nfunc Parse() {}\n",
		"core/core.go":            "// Package core is a planted room.\npackage core\n\nimport \"example.test/m/core/name\"\n\nvar _ = name.Parse\n",
		"persist/journal/log.go":  "// Package journal is a planted room.\npackage journal\n",
		"persist/store/store.go":  "// Package store is a planted room.\npackage store\n",
		"cmd/tidegate/main.go":    "// Command tidegate is a planted binary.\npackage main\n\nfunc main() {}\n",
		"core/name/name_test.go":  "package name\n",
		"core/server/server.go":   "// Package server is a planted room.\npackage server\n",
		"persist/record/frame.go": "// Package record is a planted room.\npackage record\n",
	}
	tests := []struct {
		name string
		file string // replaces or joins the clean module
		text string
		want string // what the report must contain; empty: no report
	}{
		{"nothing", "core/name/more.go", "package name\n", ""},
		{"forbidden import", "persist/journal/bad.go", "package journal\n\nimport _ \"example.test/m/core\"\n", "persist/journal imports core: not in its row"},
		{"forbidden import in a test", "persist/store/bad_test.go", "package store\n\nimport _ \"example.test/m/core\"\n", "persist/store (tests) imports core"},
		{"package without a row", "core/extra/extra.go", "// Package extra is new.\npackage extra\n", "core/extra has no row"},
		{"foreign package without a room", "core/server/bad.go", "package server\n\nimport _ \"example.org/anything\"\n", "example.org/anything: no line"},
		{"foreign package outside its room", "core/server/bad.go", "package server\n\nimport _ \"github.com/spf13/viper\"\n", "viper: e2e/arch/rooms.txt keeps it to cmd/tidegate"},
		{"unsafe", "core/server/bad.go", "package server\n\nimport _ \"unsafe\"\n", "unsafe: used nowhere"},
		{"clock in a pure package", "core/bad.go", "package core\n\nimport \"time\"\n\nvar now = time.Now\n", "core/bad.go:5: time.Now in a pure package"},
		{"renamed clock", "core/bad.go", "package core\n\nimport clock \"time\"\n\nvar wait = clock.NewTimer\n", "time.NewTimer in a pure package"},
		{"clock outside", "core/server/fine.go", "package server\n\nimport \"time\"\n\nvar now = time.Now\n", ""},
		{"method of a clock's name", "core/fine.go", "package core\n\nimport \"time\"\n\nfunc later(a, b time.Time) bool { return a.After(b) }\n", ""},
		{"goroutine in a pure package", "core/bad.go", "package core\n\nfunc f() { go f() }\n", "go statement in a pure package"},
		{"lock in a pure package", "core/bad.go", "package core\n\nimport _ \"sync/atomic\"\n", "import of sync/atomic in a pure package"},
		{"log in a pure package", "core/bad.go", "package core\n\nimport _ \"log/slog\"\n", "import of log/slog in a pure package"},
		{"global chance", "core/bad.go", "package core\n\nimport \"math/rand/v2\"\n\nvar dice = rand.IntN\n", "rand.IntN (a global source)"},
		{"seeded chance", "core/fine.go", "package core\n\nimport \"math/rand/v2\"\n\nvar dice = rand.New(rand.NewPCG(1, 2))\n", ""},
		{"map order", "core/bad.go", "package core\n\nfunc f(m map[int]int) (s []int) {\n\tfor k := range m {\n\t\ts = append(s, k)\n\t}\n\treturn s\n}\n", "core/bad.go:4: range over a map"},
		{"map order through maps", "core/bad.go", "package core\n\nimport \"maps\"\n\nfunc f(m map[int]int) (s []int) {\n\tfor k := range maps.Keys(m) {\n\t\ts = append(s, k)\n\t}\n\treturn s\n}\n", "maps.Keys in a pure package"},
		{"map order that cannot be seen", "core/fine.go", "package core\n\nfunc f(m map[int]int) (n int) {\n\tfor _, v := range m { // order: irrelevant\n\t\tn += v\n\t}\n\treturn n\n}\n", ""},
		{"no package comment", "core/name/name.go", "package name\n\n// Parse does nothing.\nfunc Parse() {}\n", "core/name has no package comment"},
		{"wrong package comment", "core/name/name.go", "// Names are parsed here.\npackage name\n\n// Parse does nothing.\nfunc Parse() {}\n", "should begin with \"Package name \""},
		{"long file", "core/name/long.go", "package name\n" + strings.Repeat("\n", maxFile), "core/name/long.go has 601 lines"},
		{"long generated file", "core/name/long.go", "// Code generated by hand. DO NOT EDIT.\n\npackage name\n" + strings.Repeat("\n", maxFile), ""},
		{"long test file", "core/name/name_test.go", "package name\n" + strings.Repeat("\n", maxTestFile), "has 1201 lines"},
		{"long function", "core/name/long.go", "package name\n\nfunc long() {\n" + strings.Repeat("\t_ = 1\n", maxFunc) + "}\n", "long has 82 lines"},
		{"unlisted goroutine", "core/server/bad.go", "package server\n\nfunc f() { go f() }\n", "list the file in e2e/arch/exceptions.txt"},
		{"goroutine of a group", "core/server/bad.go", "package server\n\nimport \"sync\"\n\nfunc f(w *sync.WaitGroup) { w.Go(func() {}) }\n", "call of Go"},
		{"sleep in a test", "core/name/bad_test.go", "package name\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "core/name/bad_test.go:5: time.Sleep in a test"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			plant(t, dir, "go.mod", "module example.test/m\n\ngo 1.26.0\n")
			for file, text := range clean {
				plant(t, dir, file, text)
			}
			plant(t, dir, test.file, test.text)
			got := strings.Join(checkAll(t, dir), "\n")
			if test.want == "" && got != "" {
				t.Errorf("reported without cause: %s", got)
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("reported %q, want %q", got, test.want)
			}
		})
	}
}

func plant(t *testing.T, dir, file, text string) {
	t.Helper()
	full := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkAll runs every rule over the module in dir.
func checkAll(t *testing.T, dir string) []string {
	t.Helper()
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := DefaultRooms()
	if err != nil {
		t.Fatal(err)
	}
	except, err := parseExceptions("")
	if err != nil {
		t.Fatal(err)
	}
	wrong := CheckLayers(m, theLayers(t), rooms)
	pure, err := CheckPure(m, theLayers(t))
	if err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, pure...)
	wrong = append(wrong, CheckComments(m)...)
	wrong = append(wrong, CheckSleeps(m)...)
	wrong = append(wrong, CheckSizes(m, except)...)
	return append(wrong, CheckGoroutines(m, except)...)
}

func TestUnusedExceptions(t *testing.T) {
	except, err := parseExceptions("# comment\ngo a/b.go owns the socket\nsize c.go a table\n")
	if err != nil {
		t.Fatal(err)
	}
	if !except.has("go", "a/b.go") || except.has("go", "c.go") {
		t.Error("an exception holds for exactly its kind and place")
	}
	if got := except.Unused(); len(got) != 1 || !strings.Contains(got[0], "size c.go") {
		t.Errorf("unused = %q", got)
	}
	if _, err := parseExceptions("go a/b.go"); err == nil {
		t.Error("an exception without a reason was taken")
	}
}
