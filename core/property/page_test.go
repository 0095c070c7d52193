package property

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewritePage = flag.Bool("page", false, "write docs/properties.md anew")

const pageHead = `# Properties of destinations

What a line of queues.conf or topics.conf may say behind a name, and ` + "`create`, `setprop`,\n`addprop`" + ` of the admin tool. This page is written by ` + "`go test ./core/property -run TestPage -page`" + `
from core/property/table.go. Each property's effect is shown by a script that runs the real binary with go-amqp
against it: ` + "`go test ./e2e/suite -run 'TestProperty/NAME$'`" + `; the finer points are in the scripts of core/testdata.
Where a message ends that meets a limit is in [overflow.md](overflow.md).

"Several wildcards": what a destination gets of wildcard lines above it that differ; its own value goes before them.
"Temporary": whether ` + "`$TMP$.>`" + ` can give it to temporary destinations.

| property | of | value | default | several wildcards | temporary | what it does | shown by |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

// scripts of core/testdata about a property.
var pageScripts = map[ID]string{
	MaxMsgs: "limits, limits-topic, limits-txn", MaxBytes: "limits", OverflowPolicy: "limits, limits-topic, limits-txn, undelivered-delay",
	Exclusive: "exclusive", Prefetch: "prefetch", Expiration: "expiration", MaxRedelivery: "undelivered", RedeliveryDelay: "redelivery",
	FlowControl: "flow, bridge-flow", Store: "stores", Failsafe: "stores", Trace: "trace", Secure: "secure, permission",
}

func pageValue(p *Property) string {
	form := [...]string{
		"", "the word alone", "bytes, with KB, MB or GB", "a number", "a time with its unit", "", "a name", "names, separated by commas, in quotes",
	}[p.Form]
	if len(p.Choices) > 0 {
		choices := "`" + strings.Join(p.Choices, "`, `") + "`"
		if form != "" {
			form += ", or "
		}
		form += choices
	}
	if p.Bare && p.Form != Flag {
		form = "the word alone, or " + form
	}
	switch {
	case p.Max == 0 || p.ID == Prefetch:
	case p.Form == Period:
		form += fmt.Sprintf("; 0, or %s to %s", FormatPeriod(p.Min), FormatPeriod(p.Max))
	default:
		form += fmt.Sprintf("; 0, or %d to %d", p.Min, p.Max)
	}
	return form
}

func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for i := range Table {
		p := &Table[i]
		kinds := "queues and topics"
		if p.Kinds != Queue|Topic {
			kinds = p.Kinds.String() + "s"
		}
		temporary := "no"
		if p.Temporary {
			temporary = "yes"
		}
		meaning := p.Meaning
		if p.Obsolete != "" {
			meaning += " Write `" + p.Obsolete + "` instead."
		}
		shown := "`e2e/suite.TestProperty/" + p.Name + "`"
		if s := pageScripts[p.ID]; s != "" {
			shown += ", core/testdata: " + s
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s (%s) | %s |\n", p.Name, kinds, pageValue(p), p.Default, p.Rule, temporary, meaning, p.Source, shown)
	}
	return b.String()
}

// TestPage: docs/properties.md is the table.
func TestPage(t *testing.T) {
	const file = "../../docs/properties.md"
	want := page()
	if *rewritePage {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != want {
		t.Errorf("docs/properties.md is not the table's: go test ./core/property -run TestPage -page (%v)", err)
	}
	for id, names := range pageScripts { // order: irrelevant
		for n := range strings.SplitSeq(names, ", ") {
			if _, err := os.Stat("../testdata/" + n + ".txt"); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
}
