package suite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

var rewrite = flag.Bool("rewrite", false, "write the table in e2e/clients/README.md again")

// The table in the drivers' README stands between these lines.
const (
	tableBegins = "<!-- what the drivers say of themselves: go test ./e2e/suite -run TestCapabilities -rewrite -->\n"
	tableEnds   = "<!-- end -->\n"
)

// TestCapabilities: what a library cannot express stands in the drivers' README
// with its reason, so that no scenario is left out unseen.
func TestCapabilities(t *testing.T) {
	path := filepath.Join(harness.Root(), "e2e", "clients", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegins)
	old, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	table := capabilities(t)
	if old == table {
		return
	}
	if !*rewrite {
		t.Fatalf("%s is not what the drivers say (-rewrite mends it):\n%s", path, table)
	}
	if err := os.WriteFile(path, []byte(before+tableBegins+table+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// capabilities is the table: a row a word, a column a driver, and the reasons.
func capabilities(t *testing.T) string {
	t.Helper()
	var head, line, reasons strings.Builder
	rows := make([]strings.Builder, len(harness.Words))
	head.WriteString("\n|")
	line.WriteString("\n|---|")
	for _, name := range harness.Names {
		c := harness.Driver(t, name)
		d := c.Declared()
		fmt.Fprintf(&head, " | %s", d.Client)
		line.WriteString("---|")
		for i, word := range harness.Words {
			can := "yes"
			if reason := d.Cannot[word]; reason != "" {
				can = "no"
				fmt.Fprintf(&reasons, "- %s, `%s`: %s.\n", d.Client, word, reason)
			}
			fmt.Fprintf(&rows[i], " | %s", can)
		}
	}
	var all strings.Builder
	all.WriteString(head.String() + " |" + line.String() + "\n")
	for i, word := range harness.Words {
		fmt.Fprintf(&all, "| `%s`%s |\n", word, rows[i].String())
	}
	return all.String() + "\n" + reasons.String() + "\n"
}
