package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var grammar = NewGrammar([]*Syntax{
	New("create queue NAME [PROPERTIES...]"),
	New("create user NAME [DESCRIPTION] [password=PASSWORD]"),
	New("create bridge source=SOURCE target=TARGET [selector=SELECTOR]"),
	New("create jndiname NEW {topic|queue|jndiname} NAME"),
	New("delete queue NAME"),
	New("delete all queues [PATTERN]"),
	New("grant queue NAME WHO PERMISSIONS..."),
	New("grant admin WHO PERMISSIONS..."),
	New("show queues [PATTERN] [notemp|static|dynamic] [first=N] [next=N] [last=N]"),
	New("show queue NAME"),
	New("show connections [type=q|t|s] [host=HOST] [counts] [full]"),
	New("show stat consumers"),
	New("compact STORE SECONDS"),
	New("echo [on|off]"),
	New("quit"),
})

func parsed(line string) string {
	s, a, err := grammar.Parse(line)
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(s.Name())
	for _, p := range s.parts {
		for _, w := range p.words {
			if p.kind == choice && a.Has(w) {
				b.WriteString(" +" + w)
			}
		}
		if p.kind != choice && a.Has(p.name) {
			b.WriteString(" " + p.name + "<" + a.Get(p.name) + ">")
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{ // order: irrelevant
		"create queue q":                               "create queue name<q>",
		"  CREATE Queue Q.x\t":                         "create queue name<Q.x>",
		"create queue q secure,maxbytes=1MB , trace  ": "create queue name<q> properties<secure,maxbytes=1MB , trace>",
		`create queue "a b" import="RV1,RV2"`:          `create queue name<a b> properties<import="RV1,RV2">`,
		`create user u "A user" password=x`:            "create user name<u> description<A user> password<x>",
		`create user u password=x "A user"`:            "create user name<u> description<A user> password<x>",
		`create user u password=`:                      "create user name<u> password<>",
		`create bridge source=queue:a target=topic:b selector="x > 1 AND y = 'z''"`: "create bridge source<queue:a> target<topic:b> selector<x > 1 AND y = 'z''>",
		"create bridge TARGET=topic:b source=queue:a":                               "create bridge source<queue:a> target<topic:b>",
		"create jndiname jms/q queue q":                                             "create jndiname new<jms/q> +queue name<q>",
		"delete queue >":                                                            "delete queue name<>>",
		"delete all queues":                                                         "delete all queues",
		"delete all queues a.*":                                                     "delete all queues pattern<a.*>",
		"grant queue q group=g send, receive":                                       "grant queue name<q> who<group=g> permissions<send, receive>",
		"grant admin u view-all":                                                    "grant admin who<u> permissions<view-all>",
		"show queues":                                                               "show queues",
		"show queues a.> static first=10":                                           "show queues pattern<a.>> +static first<10>",
		"show queues dynamic":                                                       "show queues +dynamic",
		`show queues "dynamic"`:                                                     "show queues pattern<dynamic>",
		"show connections full type=Q counts":                                       "show connections type<q> +counts +full",
		"compact $sys.failsafe 30":                                                  "compact store<$sys.failsafe> seconds<30>",
		"echo":                                                                      "echo",
		"echo OFF":                                                                  "echo +off",
		"quit":                                                                      "quit",
	} {
		if diff := cmp.Diff(want, parsed(line)); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

// What is wrong says what to write.
func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{ // order: irrelevant
		"":                                "empty",
		"shwo queues":                     `no command "shwo"`,
		"show":                            "write one of connections, queue, queues, stat",
		"show quues":                      `"quues" is not known behind "show": write one of connections, queue, queues, stat`,
		"show stat":                       "write one of consumers",
		"create queue":                    "NAME is missing\nUsage: create queue NAME [PROPERTIES...]",
		"create bridge source=queue:a":    "target= is missing",
		"create bridge source=a source=b": "source= stands there twice",
		"create jndiname x what y":        "write topic or queue or jndiname",
		"create jndiname x":               "one of topic, queue, jndiname is missing",
		"show connections type=x":         "write type=q|t|s",
		"show connections what":           `"what" is too much`,
		"show queues a static dynamic":    "has been said already",
		"show queues first=ten":           "no whole number",
		"compact s -1":                    "no whole number",
		"grant queue q user=u":            "PERMISSIONS is missing",
		"quit now":                        "too much",
		`create user u "no end`:           "not closed",
		"create queue \x00":               "NUL",
		strings.Repeat("x", MaxLine+1):    "at most",
	} {
		_, _, err := grammar.Parse(line)
		if err == nil {
			t.Errorf("%.40q is taken", line)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %q does not say %q", line, err, want)
		}
	}
}

func TestComplete(t *testing.T) {
	for line, want := range map[string]string{ // order: irrelevant
		"":                    "compact create delete echo grant quit show",
		"sh":                  "show",
		"show ":               "connections queue queues stat",
		"show q":              "queue queues",
		"show queue":          "queues",
		"show connections t":  "type=",
		"show connections ":   "counts full host= type=",
		"create jndiname x q": "queue",
		`create user "`:       "",
		"nothing ":            "",
	} {
		if got := strings.Join(grammar.Complete(line), " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestRests(t *testing.T) {
	pairs, err := Pairs(`authorization=enabled log_trace=DEFAULT,+CONNECT selector="a = 'b c'" flag`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Pair{{"authorization", "enabled"}, {"log_trace", "DEFAULT,+CONNECT"}, {"selector", "a = 'b c'"}, {"flag", ""}}
	if diff := cmp.Diff(want, pairs); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(Words("create, delete,modify ,\tpurge"), " "); got != "create delete modify purge" {
		t.Errorf("%q", got)
	}
	for line, want := range map[string]bool{"": true, "  # x": true, " quit": false} { // order: irrelevant
		if Blank(line) != want {
			t.Errorf("%q: blank is %v", line, !want)
		}
	}
}

func TestMasked(t *testing.T) {
	for line, want := range map[string]string{ // order: irrelevant
		`create user u "A b" password=secret`:        `create user u "A b" password=...`,
		`create user u password="with blank"`:        `create user u password=...`,
		"set password u secret":                      "set password u ...",
		"SET Password u":                             "SET Password u",
		"create factory f generic  ssl_password=x\n": "create factory f generic  ssl_password=...\n",
		`create user "a=b" "d"`:                      `create user "a=b" "d"`,
		"set server ft_ssl_password=x statistics=on": "set server ft_ssl_password=... statistics=on",
		"create transport t type=nats url=nats://u:p@a:4222,tls://v@b credentials=u/p daemon=nats://c": "create transport t type=nats url=nats://...@a:4222,tls://...@b credentials=... daemon=nats://c",
		`setprop transport t url="amqp://u:p/@:@h/v" Password=x`:                                       "setprop transport t url=amqp://...@h/v Password=...",
		`unclosed " password=x`: "...",
	} {
		if got := Masked(line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// FuzzParse: no line brings the parser down, and what it takes it takes again.
func FuzzParse(f *testing.F) {
	for _, line := range []string{"show queues a.> static first=10", `create user u "A b" password=x`, "grant queue q user=u send, receive", `"`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		_ = grammar.Complete(line)
		if got, again := parsed(line), parsed(line); got != again {
			t.Errorf("%q: %q, then %q", line, got, again)
		}
	})
}
