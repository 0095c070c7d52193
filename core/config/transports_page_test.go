package config

import (
	"fmt"
	"strings"
	"testing"
)

const transportsHead = `# Transports: import and export

Messages of queues and topics come in from other systems and go out to them by the transports of ` + "`transports.conf`" + ` (in ` + "`tibemsd.json`" + `, the list
` + "`transports`" + `), named by the properties ` + "`import` and `export`" + ` of destinations, as in EMS. What EMS reached over Rendezvous is reached over NATS here.
What is particular to a type has a page of its own: [NATS](transport-nats.md), [RabbitMQ](transport-amqp091.md), [AMQP 1.0 and Azure](transport-amqp10.md). [What transports lose, and what comes twice](transport-losses.md) is measured with both sides killed.
The tables of this page are written from those that the server reads (` + "`go test ./core/config -run TestTransportsPage -rewrite`" + `).

## What replaces what

| EMS | here |
| --- | --- |
| Rendezvous, reliable: ` + "`type = tibrv`" + ` | core NATS: ` + "`type = nats`" + `. What comes while a side is not connected is lost, as with Rendezvous after its 60 seconds, and counted |
| certified messaging: ` + "`type = tibrvcm`" + `, ledgers | JetStream: ` + "`type = natsjs`" + `. The ledger is the stream, a certified listener is a durable consumer, a confirmation is its acknowledgement |
| ` + "`daemon = tcp:host:7500`" + ` | ` + "`url = nats://host:4222`" + `, several with commas; or ` + "`url = embedded`" + `, the NATS server within this process, for those who have none |
| ` + "`service = 7650`" + `: another port is another world | ` + "`subject_prefix = rv.7650.`" + `, or another account of NATS (` + "`credentials`" + `) |
| ` + "`network`" + `: multicast group, interface | none: NATS servers are joined by their own configuration (clusters, gateways, leaf nodes) |
| ` + "`rv_queue_policy`" + ` | ` + "`prefetch`" + ` bounds what is under way; a NATS server cuts off a reader that is too slow, and what it lost is counted |
| distributed queues (RVDQ) between servers that import the same | ` + "`queue_group`" + ` (core NATS), the same ` + "`cm_name`" + ` (JetStream) |
| ` + "`tibrvcm.conf`" + ` | the same file: its listeners are durable consumers that are made before they come |
| FTL, SmartSockets, Pulsar, Kafka | not spoken here. The sections are kept and shown; ` + "`config check`" + ` says what to write |
| (none) | RabbitMQ by AMQP 0-9-1: ` + "`type = amqp091`" + `; any broker of AMQP 1.0: ` + "`type = amqp10`" + `; Azure Service Bus: ` + "`type = azure`" + ` |

A set with Rendezvous begins as it stands, with ` + "`tibrv_transports = enabled`" + ` as EMS wants it, and becomes this when EMS need not read it any more:

` + "```" + `
[RV]                                  [RV]
  type    = tibrv                       type = nats
  service = 7650                        url = nats://nats1:4222,nats://nats2:4222
  daemon  = tcp:rvd1:7500               subject_prefix = rv.7650.
[RVCM]                                [RVCM]
  type     = tibrvcm                    type     = natsjs
  rv_tport = RV                         rv_tport = RV
  ledger_file = ems.ldg                 stream   = EMS_EXPORT
` + "```" + `

The destinations stay as they are: ` + "`prices.> export=RV`, `orders import=RVCM`" + `.
`

const transportsRules = `
A URL of NATS without a port means 4222, of AMQP 5672 (` + "`amqps` 5671" + `). Passwords in URLs write ` + "`/` as `%%2F` and `@` as `%%40`" + `; no finding shows them. ` + "`tidegate config show PATH NAME`" + `
prints what holds for a transport, key by key, and where each value comes from; it and ` + "`config check`" + ` do not read tidegate.yaml.

## Sections for Rendezvous

- They are opened with ` + "`tibrv_transports = enabled`" + ` alone, as stand-ins: ` + "`tibrv` as `nats`, `tibrvcm` as `natsjs`" + `. A warning at each start and of ` + "`config check`" + ` says so, and where
  to. Types of ours are always opened.
- Where to: the ` + "`daemon`" + ` if it is a URL of NATS; else ` + "`rendezvous.url`" + ` of tidegate.yaml; else the NATS server in this process.
- Names outside are those of the destinations. A ` + "`service`" + ` other than 7500 stands before them as ` + "`rv.SERVICE.`" + `: programs that used that service use these subjects. Sections that
  differ in ` + "`network`" + ` alone reach the same subjects: where one destination imports by both, ` + "`config check`" + ` says that everything comes twice.
- Keys of ours belong to sections of our types: write ` + "`type = nats`" + ` for them. ` + "`rv_tport`" + ` may name a section of either type, above its own; it gives server, credentials, prefix and TLS, but for what
  the section says itself.
- A line of ` + "`tibrvcm.conf`" + ` without a transport, or with ` + "`$RVCM$`" + `, is for the first section of type ` + "`natsjs` or `tibrvcm`" + `.

## What destinations may say

| | queue | topic | why |
| --- | --- | --- | --- |
| ` + "`import`" + ` | yes | yes | by several transports of one type |
| ` + "`import`" + ` of a wildcard | NATS | NATS | only subjects have wildcards that mean the same; children come into being as messages arrive |
| ` + "`export`" + `, also of a wildcard | one queue, by transports with ` + "`allow_queue_export`" + ` | yes | EMS exports topics; a queue's messages go either out or to a consumer here |
| ` + "`$sys.`, `$TMP$.`" + ` | no | no | they are the server's own |

- Of a topic and a queue whose names meet, one may import: outside there is one name for both. A bridge brings the messages to the other.
- What a line says itself takes the place of what wildcards say; what several wildcards say is joined.
- What breaks these rules does not count, and is an error with its place and what to write; ` + "`create`, `setprop` and `addprop`" + ` refuse it in the same words. A transport that a
  destination, an ` + "`rv_tport`" + ` or a listener names cannot be deleted, nor changed so that they could not name it any more.
- ` + "`startup_abort_list = TRANSPORTS`" + ` keeps the server from starting with an error in a section. Otherwise that section is left out, and the others are opened.

## Loops

A message that goes out and comes in again would go round for ever. At load, ` + "`config check`" + ` and every start, the ways that messages can take are followed: out by ` + "`export`" + `, in by ` + "`import`" + `,
over bridges, names with their prefixes, wildcards where they meet. Each loop is a warning (` + "`transport-loop`" + `) at the destination's line that names all of it in order:

` + "```" + `
topics.conf:7:8: warning: a loop: topic a goes out by RV as rv.7650.a, comes in by RV to topic a: take import or export off one of them, ...
` + "```" + `

The shortest loop, one name that is exported and imported by one transport, is told as well: another gateway set up like this one closes it. What the check does not know: what other servers
do (two gateways that hand the same names on to one another, routes), and selectors. Two NATS transports with other credentials are taken to be in accounts of their own. At most %d loops are told;
after %d steps the search ends, and a warning says that it did.
` + "`create`, `setprop`, `addprop` and `create bridge`" + ` make such a change, and their answer has the warning in a line of its own, as long as no more than %d destinations
import or export; with more the next load tells.
While messages go round, the guard drops what comes again (` + "`max_hops`, `export_imported`" + `) and counts it.

## Looking after them

| command | |
| --- | --- |
| ` + "`show transports`, `show transport NAME`" + ` | state, last error, counts, what waits and what a reliable transport lost; each key as it is set and as it holds |
| ` + "`create transport NAME type=... key=value ...`" + ` | takes effect at once, as all changes; ` + "`addprop`, `setprop`, `removeprop`, `delete`" + ` as for routes |
| ` + "`suspend transport NAME`, `resume transport NAME`" + ` | until the next start; what certified ones export waits in ` + "`$sys.export.NAME`" + `, and what reliable ones export meanwhile is lost, and counted |
| ` + "`create rvcmlistener TRANSPORT LISTENER SUBJECT`, `delete rvcmlistener ...`, `show rvcmlisteners`" + ` | lines of tibrvcm.conf, and durable consumers outside |
| ` + "`show rvcmtransportledger TRANSPORT [SUBJECT]`" + ` | for each consumer outside: what waits, what is under way, up to where it has confirmed; whose it is |

They take the permissions ` + "`view-server` and `change-server`" + `. The trace item RVADV logs losses and what the guard against loops stopped, with counts, at most once in ten seconds a transport.
What waits for a transport that is deleted stays in its queue until it is purged, or a transport of that name is there again.
`

// transportsPage is docs/transports.md.
func transportsPage() string {
	var b strings.Builder
	b.WriteString(transportsHead)
	b.WriteString("\n## Types\n\n| type | opened as | URLs begin with |\n| --- | --- | --- |\n")
	for i := range transportTable {
		row := &transportTable[i]
		as, urls := row.kind, "`"+strings.Join(withSuffix(row.schemes, "://"), "`, `")+"`"
		switch {
		case row.kind == "":
			as, urls = "not opened", row.instead
		case row.schemes == nil:
			as, urls = "`"+as+"`, its stand-in", "(see below)"
		case row.is&typesOfNATS != 0:
			as, urls = "itself", urls+", or the word `embedded`"
		default:
			as = "itself"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", row.word, as, urls)
	}
	b.WriteString("\n## Keys\n\nBlank: the type does not have the key, and a line with it is an error. A mark means that it has; a star, that it has and that the key has no meaning here.\n\n| key | ")
	words := transportWords(typesOfOurs | typeRV | typeRVCM)
	b.WriteString(strings.Join(words, " | ") + " | value | default | what it does |\n| --- |" + strings.Repeat(" --- |", len(words)+3) + "\n")
	for _, key := range transportKeys {
		if key.Of&(typesOfOurs|typeRV|typeRVCM) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| `%s` |", key.Name)
		for _, w := range words {
			mark := " |"
			if key.Of&transportType(w).is != 0 {
				mark = " x |"
				if key.Meaning != "" {
					mark = " * |"
				}
			}
			b.WriteString(mark)
		}
		fmt.Fprintf(&b, " %s | %s | %s |\n", keyForm(key), keyDefault(key), keyDoes(key))
	}
	b.WriteString("\nKept and shown of types that are not opened: ")
	var kept []string
	for _, key := range transportKeys {
		if key.Of&(typesOfOurs|typeRV|typeRVCM) == 0 {
			kept = append(kept, "`"+key.Name+"`")
		}
	}
	b.WriteString(strings.Join(kept, ", ") + ".\n")
	fmt.Fprintf(&b, transportsRules, maxLoops, maxLoopSteps, maxMoving)
	return b.String()
}

func keyForm(key Key) string {
	switch {
	case key.Name == "type":
		return "see above"
	case len(key.Words) > 0:
		return "`" + strings.Join(key.Words, "`, `") + "`"
	case key.Max > 0 && key.Type == Seconds:
		return fmt.Sprintf("seconds, %d to %d", key.Min/1000, key.Max/1000)
	case key.Type == Seconds:
		return "seconds, or with a unit"
	case key.Max > 0:
		return fmt.Sprintf("%d to %d", key.Min, key.Max)
	}
	return key.Type.String()
}

func keyDefault(key Key) string {
	switch {
	case key.Default == "":
		return ""
	case key.DefaultOf != 0:
		return "`" + key.Default + "`; AMQP: as it came"
	}
	return "`" + key.Default + "`"
}

func keyDoes(key Key) string {
	if key.Meaning != "" {
		return "*No meaning here:* " + strings.ReplaceAll(key.Meaning, " (docs/transports.md)", "") + "."
	}
	return key.Does
}

// TestTransportsPage: the page says what the tables say, and each key does something.
func TestTransportsPage(t *testing.T) {
	golden(t, "../../docs/transports.md", transportsPage())
	opened := typesOfOurs | typeRV | typeRVCM
	seen := map[string]bool{}
	for _, key := range transportKeys {
		if key.Of&opened != 0 && (key.Does == "") == (key.Meaning == "") {
			t.Errorf("%s: what does it do?", key.Name)
		}
		if key.Of == 0 || seen[key.Name] {
			t.Errorf("%s is of no type, or stands twice", key.Name)
		}
		seen[key.Name] = true
		if message, _ := checkValue(key.Type, key.Default, bounds{key.Min, key.Max, key.Zero, key.Words}); key.Default != "" && message != "" {
			t.Errorf("%s: its default %s is refused: %s", key.Name, key.Default, message)
		}
	}
}
