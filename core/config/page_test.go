package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core/property"
)

const pageHead = `# EMS configuration files

Tidegate reads an EMS configuration as it stands: ` + "`tibemsd.conf` with the files it names, or `tibemsd.json`" + `.
This page is written from the tables that the server itself reads (` + "`go test ./core/config -run TestPage -rewrite`" + `); ` + "`tidegate.yaml` is in" + `
[configuration.md](configuration.md).

| command | what it does |
| --- | --- |
| ` + "`tidegate config check PATH`" + ` | says what is wrong, with file, line, column and what to write; ` + "`--json`" + ` for programs; exit code 1 if there is an error, 2 if there is no set |
| ` + "`tidegate config show PATH [NAME...]`" + ` | what holds for each destination, and which line each value comes from |
| ` + "`tidegate config convert PATH --out DIR`" + ` | a classic set as ` + "`tibemsd.json`" + `, or the other way round |
| ` + "`tidegate config jndi PATH`" + ` | a ` + "`jndi.properties`" + ` for Qpid JMS: factories, static destinations, aliases |

` + "`check --json` prints `{\"findings\": [{\"file\", \"line\", \"column\", \"severity\", \"rule\", \"text\", \"message\", \"fix\"}]}`: `severity` is `error` or `warning`,\n`column` counts characters from 1, `text` is the words at fault as they stand there, `rule` the kind of mistake." + `

PATH is the main file or its directory. Relative names are relative to the main file. An **error** is what EMS would refuse, or what has no
meaning: that line, value or section does not count, and the rest does. A **warning** is what the server goes on without, or what means something
else here. ` + "`startup_abort_list`" + ` names the kinds of errors that keep the server from starting. When the server writes a file, comments, order, blanks,
byte order mark and line endings stay, and only the lines concerned change.

Limits: a file has at most %s, a line %d bytes, ` + "`tibemsd.json`" + ` %d levels; %d findings are kept.
`

// page is docs/ems-configuration.md.
func page() string {
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, property.FormatSize(MaxFile), MaxLine, MaxNested, MaxFindings)
	b.WriteString("\n## Files\n\n| parameter | file if it is not set | in tibemsd.json | a line or section |\n| --- | --- | --- | --- |\n")
	for _, c := range AllClasses() {
		row := classTable[c]
		member := "`" + row.member + "`"
		if c == JNDINames {
			member = "`jndinames` of queues, topics and factories"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", row.parameter, row.file, member, grammarOf[c])
	}
	b.WriteString("\n## Parameters of tibemsd.conf\n\nNames are found in any case, and `tls_` stands for `ssl_`. An empty value is as if the line were not there. Of several lines\nthe last counts, but for those marked *, of which each adds a value. Unknown names are errors, in `tibemsd.json` warnings.\n")
	var groups []string
	for i := range Parameters {
		if g := Parameters[i].Group; len(groups) == 0 || !strings.Contains("\x00"+strings.Join(groups, "\x00")+"\x00", "\x00"+g+"\x00") {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n| parameter | value | default | here |\n| --- | --- | --- | --- |\n", g)
		for i := range Parameters {
			if p := &Parameters[i]; p.Group == g {
				fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s |\n", p.Name, star(p.Repeat), valueOf(p), p.Default, hereOf(p))
			}
		}
	}
	b.WriteString("\n## Destination properties\n\nProperties of a wildcard line hold for every name that matches it. What a name's own line says goes before what it inherits; the column\n\"several parents\" says what holds where two wildcards differ (decision 0050).\n\n| property | of | value | default | several parents | what it does |\n| --- | --- | --- | --- | --- | --- |\n")
	for i := range property.Table {
		p := &property.Table[i]
		kinds := "queues"
		if p.Kinds == property.Topic {
			kinds = "topics"
		} else if p.Kinds != property.Queue {
			kinds = "both"
		}
		meaning := p.Meaning
		if p.Obsolete != "" {
			meaning += " Write `" + p.Obsolete + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", p.Name, kinds, formOf(p), p.Default, p.Rule, meaning)
	}
	return b.String()
}

var grammarOf = map[Class]string{
	Stores:     "`[NAME]`, `type=file`, `file=`, `mode=sync` or `async`",
	Channels:   "`[NAME]`, `address=`, `ttl=`, ...",
	Transports: "`[NAME]`, `type=` first ([transports.md](transports.md))",
	Queues:     "`NAME property,property=value`",
	Topics:     "`NAME property,property=value`",
	Users:      "`NAME:PASSWORD:\"DESCRIPTION\"`",
	Groups:     "`NAME:\"DESCRIPTION\"`, members indented below",
	ACLs:       "`QUEUE=NAME USER=NAME PERM=send,receive`; `TOPIC`, `GROUP`, `ADMIN`",
	Bridges:    "`[queue:NAME]`, `topic=NAME selector=\"...\"`",
	Routes:     "`[SERVER]`, `url=`, `zone_name=`, `outgoing_topic=NAME selector=\"...\"`",
	Factories:  "`[NAME]`, `type=`, `url=`",
	JNDINames:  "`NAME queue TARGET`; `topic`, `factory`, `jndiname` (decision 0051)",
	Durables:   "`TOPIC NAME clientid=ID,nolocal,selector=\"...\"`, or `TOPIC SERVER route`",
	Listeners:  "`TRANSPORT LISTENER SUBJECT`",
}

func star(repeat bool) string {
	if repeat {
		return " *"
	}
	return ""
}

func valueOf(p *Parameter) string {
	if len(p.Words) > 0 {
		return "`" + strings.Join(p.Words, "`, `") + "`"
	}
	return p.Type.String()
}

func hereOf(p *Parameter) string {
	if p.Effect == Honoured {
		return p.Meaning
	}
	return "*" + strings.ToUpper(p.Effect.String()[:1]) + p.Effect.String()[1:] + ".* " + p.Meaning
}

func formOf(p *property.Property) string {
	switch p.Form {
	case property.Flag:
		return "flag"
	case property.Size:
		if p.Bare {
			return "alone, or size"
		}
		return "size"
	case property.Period:
		return "time"
	case property.Word:
		return "name"
	case property.Words:
		return "names"
	}
	s := "number"
	switch {
	case p.Bare:
		s = "alone, or"
	case p.Form == property.Choice:
		s = ""
	}
	for _, c := range p.Choices {
		s += " `" + c + "`"
	}
	return strings.TrimSpace(s)
}

// TestPage: the page says what the tables say.
func TestPage(t *testing.T) {
	golden(t, "../../docs/ems-configuration.md", page())
}

// TestParametersAreWhole: every row can be documented and checked.
func TestParametersAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for i := range Parameters {
		p := &Parameters[i]
		if p.Name == "" || p.Type == 0 || p.Effect == 0 || p.Group == "" || !strings.HasSuffix(p.Meaning, ".") && !strings.HasSuffix(p.Meaning, "`") {
			t.Errorf("%s lacks a column", p.Name)
		}
		if seen[p.Name] || p.Name != canonical(p.Name) {
			t.Errorf("%s stands twice, or cannot be found", p.Name)
		}
		seen[p.Name] = true
		if (p.Type == OneOf || p.Type == ListOf) != (p.Words != nil) {
			t.Errorf("%s: type and words do not agree", p.Name)
		}
		for q := range strings.SplitSeq(p.Quiet, ",") {
			if message, _ := checkValue(p.Type, q, bounds{p.Min, p.Max, p.Zero, p.Words}); q != "" && message != "" {
				t.Errorf("%s: its quiet value %s is refused: %s", p.Name, q, message)
			}
		}
	}
	for _, class := range AllClasses() {
		if !seen[classTable[class].parameter] {
			t.Errorf("no parameter %s names the file of the %s", classTable[class].parameter, class)
		}
	}
}
