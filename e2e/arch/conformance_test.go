package arch

import (
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const conformancePage = "docs/conformance.md"

var (
	namedTest    = regexp.MustCompile("`([a-z0-9/]+)\\.(Test[A-Za-z0-9_]+)`")
	testFunction = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(t \*testing\.T\)`)
)

// testsOf gives the tests of a package folder.
func testsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	return namesIn(t, folder+"/*_test.go", testFunction, func(_, name string) string { return name })
}

// namesIn finds names in the files of a pattern: what the expression's first group
// matches, as full makes a name of it and of its file's.
func namesIn(t *testing.T, pattern string, name *regexp.Regexp, full func(file, name string) string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top, pattern))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			found[full(filepath.Base(f), m[1])] = true
		}
	}
	return found
}

// clauses goes over the rows of a page's tables, by the number of their line.
func clauses(page string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, line := range strings.Split(page, "\n") {
			if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| clause ") && !yield(i+1, line) {
				return
			}
		}
	}
}

// TestConformancePage: each clause names a test that exists, or says that there
// is none, and each conformance test stands for a clause.
func TestConformancePage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, conformancePage))
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]map[string]bool{}
	named := map[string]bool{}
	rows := 0
	for number, line := range clauses(string(text)) {
		rows++
		tests := namedTest.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 && !strings.HasSuffix(line, "| none |") {
			t.Errorf("%s:%d: no test for this clause", conformancePage, number)
		}
		for _, m := range tests {
			folder, name := m[1], m[2]
			if folders[folder] == nil {
				folders[folder] = testsOf(t, folder)
			}
			if !folders[folder][name] {
				t.Errorf("%s:%d: %s has no test %s", conformancePage, number, folder, name)
			}
			named[name] = true
		}
	}
	if rows < 100 {
		t.Errorf("%s has only %d clauses: its tables cannot be read", conformancePage, rows)
	}
	for name := range testsOf(t, "amqp/gateway") { // order: irrelevant
		if strings.HasPrefix(name, "TestConformance") && !named[name] {
			t.Errorf("%s stands for no clause of %s", name, conformancePage)
		}
	}
}
