package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const jmsPage = "docs/jms.md"

var (
	jmsTest     = regexp.MustCompile("`e2e/suite\\.(Test[A-Za-z0-9_]+)(?:/([A-Za-z0-9.]+))?`")
	jmsScenario = regexp.MustCompile(`@Scenario\s+void ([A-Za-z0-9]+)\(\)`)
	jmsCount    = regexp.MustCompile(`\*\*(\d+) rows, (\d+) of them open\.\*\*`)
)

// jmsScenarios gives the scenarios of the JMS program, CLASS.METHOD.
func jmsScenarios(t *testing.T) map[string]bool {
	t.Helper()
	found := namesIn(t, "e2e/clients/java/src/main/java/org/tidegate/e2e/jms/*.java", jmsScenario, func(file, method string) string {
		return strings.TrimSuffix(file, ".java") + "." + method
	})
	if len(found) == 0 {
		t.Fatal("the JMS program has no scenarios: its sources cannot be read")
	}
	return found
}

// TestJMSPage: each row names a test that runs Qpid JMS against the binary, or
// says that it is open; each scenario stands in a row; the count at the top is
// true.
func TestJMSPage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, jmsPage))
	if err != nil {
		t.Fatal(err)
	}
	tests, scenarios := testsOf(t, "e2e/suite"), jmsScenarios(t)
	named := map[string]bool{}
	rows, open := 0, 0
	for number, line := range clauses(string(text)) {
		rows++
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if len(cells) != 3 {
			t.Errorf("%s:%d: %d cells, want clause, behaviour, test", jmsPage, number, len(cells))
			continue
		}
		found := jmsTest.FindAllStringSubmatch(cells[2], -1)
		switch isOpen := strings.HasPrefix(strings.TrimSpace(cells[2]), "open"); {
		case isOpen:
			open++
		case len(found) == 0:
			t.Errorf("%s:%d: names no test, and does not say that it is open", jmsPage, number)
		}
		for _, m := range found {
			test, scenario := m[1], m[2]
			if !tests[test] {
				t.Errorf("%s:%d: e2e/suite has no test %s", jmsPage, number, test)
			}
			if test == "TestJMS" && !scenarios[scenario] {
				t.Errorf("%s:%d: the JMS program has no scenario %q", jmsPage, number, scenario)
			}
			named[scenario] = true
		}
	}
	for name := range scenarios { // order: irrelevant
		if !named[name] {
			t.Errorf("scenario %s stands in no row of %s", name, jmsPage)
		}
	}
	if want := fmt.Sprintf("**%d rows, %d of them open.**", rows, open); jmsCount.FindString(string(text)) != want {
		t.Errorf("%s must say %q at its top", jmsPage, want)
	}
}
