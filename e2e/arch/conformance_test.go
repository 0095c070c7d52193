package arch

import (
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
	files, err := filepath.Glob(filepath.Join(top, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
	}
	return found
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
	clauses := 0
	for number, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| clause ") {
			continue
		}
		clauses++
		tests := namedTest.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 && !strings.HasSuffix(line, "| none |") {
			t.Errorf("%s:%d: no test for this clause", conformancePage, number+1)
		}
		for _, m := range tests {
			folder, name := m[1], m[2]
			if folders[folder] == nil {
				folders[folder] = testsOf(t, folder)
			}
			if !folders[folder][name] {
				t.Errorf("%s:%d: %s has no test %s", conformancePage, number+1, folder, name)
			}
			named[name] = true
		}
	}
	if clauses < 100 {
		t.Errorf("%s has only %d clauses: its tables cannot be read", conformancePage, clauses)
	}
	for name := range testsOf(t, "amqp/gateway") { // order: irrelevant
		if strings.HasPrefix(name, "TestConformance") && !named[name] {
			t.Errorf("%s stands for no clause of %s", name, conformancePage)
		}
	}
}
