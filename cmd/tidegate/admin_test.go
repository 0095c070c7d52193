package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/term"

	"github.com/tidegate/tidegate/core/admin/screen"
)

// EMS's options, with one dash and two (ems 10.1).
func TestAdminOptions(t *testing.T) {
	o, err := parseAdminOptions(strings.Fields("-server ssl://h:1 -user u -password p -pwdfile none -ignore --json -ssl_trusted a.pem -ssl_trusted b.pem -ssl_ciphers x -module_path /lib -ssl_trace show queues a.>"))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := o.secret(); o.server != "ssl://h:1" || o.user != "u" || p != "p" || !o.ignore || !o.json || len(o.trusted) != 2 || strings.Join(o.command, " ") != "show queues a.>" {
		t.Errorf("%+v", o)
	}
	o, err = parseAdminOptions(strings.Fields("--server=h:1 -password= -ssl_trusted=a.pem -ssl_issuer=x show server"))
	if err != nil || o.server != "h:1" || !o.hasPassword || strings.Join(o.trusted, " ") != "a.pem" || strings.Join(o.command, " ") != "show server" {
		t.Errorf("with equals signs: %+v, %v", o, err)
	}
	for _, bad := range []string{"-server", "-what", "-ssl_trusted", "-ssl_issuer"} {
		if _, err := parseAdminOptions([]string{bad}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestAdminAddresses(t *testing.T) {
	for server, want := range map[string]string{ // order: irrelevant
		"tcp://localhost:7222":       "amqp://localhost:7222",
		"tcp://7333":                 "amqp://localhost:7333",
		"tcp://host":                 "amqp://host:7222",
		"ssl://host":                 "amqps://host:7243",
		"host:1":                     "amqp://host:1",
		"tcp://a:1, tcp://b:2":       "amqp://a:1 amqp://b:2",
		"tcp://[::1]:5":              "amqp://[::1]:5",
		"amqp://127.0.0.1:5672":      "amqp://127.0.0.1:5672",
		"http://host":                "",
		"wss://host/x,ssl://other:9": "wss://host/x amqps://other:9",
	} {
		list, err := addresses(server)
		var got []string
		for _, a := range list {
			got = append(got, a[0])
		}
		if (err != nil) != (want == "") || want != "" && strings.Join(got, " ") != want {
			t.Errorf("%s: %v %v, want %s", server, got, err, want)
		}
	}
}

// What the shell has cut is put together so that it is read as it was meant.
func TestAdminQuoting(t *testing.T) {
	for want, words := range map[string][]string{ // order: irrelevant
		"show queues":                      {"show", "queues"},
		"create queue q a,b":               {"create queue q a,b"},
		`create user u "A b" password=x`:   {"create", "user", "u", "A b", "password=x"},
		`create bridge selector="a > 'b'"`: {"create", "bridge", "selector=a > 'b'"},
		`set password u ""`:                {"set", "password", "u", ""},
	} {
		if got := quoted(words); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

// Tab finishes what is sure and lists what is not.
func TestAdminCompletion(t *testing.T) {
	for _, c := range []struct{ line, want, lists string }{
		{"shut", "shutdown ", ""},
		{"sh", "sh", "show  showacl  shutdown"},
		{"show queues na", "show queues na", ""},
		{"show stat cons", "show stat consumers ", ""},
		{"show q", "show queue", ""},
		{"show queue", "show queues ", ""},
		{"create ", "create ", "bridge  durable  factory"},
		{"show connections ty", "show connections type=", ""},
	} {
		var out bytes.Buffer
		got, pos, _ := completed(&out, c.line, len(c.line))
		if got != c.want || pos != len(got) || !strings.HasPrefix(out.String(), c.lists) || (c.lists == "") != (out.Len() == 0) {
			t.Errorf("%q: %q at %d, lists %q", c.line, got, pos, out.String())
		}
	}
	if got, pos, _ := completed(new(bytes.Buffer), "show durabl x", 11); got != "show durable x" || pos != 12 {
		t.Errorf("in the middle: %q at %d", got, pos)
	}
}

// keyboard is what is typed, and what is seen.
type keyboard struct {
	io.Reader
	bytes.Buffer
}

func (k *keyboard) Read(b []byte) (int, error) { return k.Reader.Read(b) }

// At a terminal: tab completes, the arrow brings the last line back, what deletes
// asks before, a session that never connected says so.
func TestAdminAtTheTerminal(t *testing.T) {
	typed := "ec\toff\r" + // echo off
		"\x1b[A\x7f\x7f\x7fon\r" + // the line before, its last word typed anew
		"delete queue q\rno\r" +
		"delete queue q\ryes\r" +
		"shwo\r" +
		"help whoami\r" +
		"quit\r" +
		"never\r"
	k := &keyboard{Reader: strings.NewReader(typed)}
	s := newAdminSession(&adminOptions{server: defaultServer}, nil, nil)
	editor := term.NewTerminal(k, "")
	sized(editor, 0, 0) // a program's terminal
	s.converse(t.Context(), editor)
	seen := k.String()
	at := 0
	for _, want := range []string{
		"Type 'help' for commands help, 'exit' to exit:\r\n", "Echo is off\r\n> echo", "Echo is on\r\n",
		"Are you sure? [y/N] no\r\nNothing has been done\r\n",
		"Are you sure? [y/N] yes\r\nError: not connected to a server", `Error: there is no command "shwo"`,
		"whoami\r\n    Who you are to the server.\r\n", "bye\r\n",
	} {
		i := strings.Index(seen[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing in %q", want, seen[at:])
		}
		at += i + len(want)
	}
	if strings.Contains(seen, "never") {
		t.Error("it went on behind quit")
	}
}

// Under the names of EMS's programs the binary takes their options.
func TestCalledAs(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"/opt/bin/tibemsadmin -server tcp://h:1 -script f", "admin -server tcp://h:1 -script f"},
		{"tibemsd -config /etc/tibemsd.conf -trace DEFAULT,+CONNECT -secondary -ssl_password x", "serve --config /etc/tibemsd.conf --trace DEFAULT,+CONNECT --secondary"},
		{"tibemsd --data d", "serve --data d"},
		{"tibemsd64.exe -help", "serve --help"},
		{"tibemsd -config", "serve --config"},
		{"tibemsd -config f -colour", "serve --config f -colour"},
	} {
		got, ok := calledAs(strings.Fields(c.args), io.Discard)
		if diff := cmp.Diff(strings.Fields(c.want), got); !ok || diff != "" {
			t.Errorf("%s: %s", c.args, diff)
		}
	}
	if _, ok := calledAs([]string{"tidegate", "serve"}, io.Discard); ok {
		t.Error("our own name is taken for EMS's")
	}
	t.Chdir(t.TempDir())
	var notes strings.Builder
	if got, _ := calledAs(strings.Fields("tibemsd -ft_active tcp://b:7222 -license x"), &notes); !slices.Equal(got, []string{"serve"}) ||
		notes.String() != "tibemsd: -ft_active has no effect: there is no pair yet: the server runs alone\ntibemsd: there is no tibemsd.conf in this directory: the server begins without a configuration; -config FILE names one\n" {
		t.Errorf("%q, said %q", got, notes.String())
	}
	if err := os.WriteFile("tibemsd.conf", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := calledAs(strings.Fields("tibemsd -trace NONE"), io.Discard); !slices.Equal(got, strings.Fields("serve --config tibemsd.conf --trace NONE")) {
		t.Errorf("without -config: %q", got)
	}
}

// What a server says of its queues is taken as far as it says it.
func TestLiveQueues(t *testing.T) {
	table := &screen.Table{Name: "queues", Columns: []screen.Column{{Name: "msgs", Kind: screen.Count}, {Name: "name", Kind: screen.Text}}}
	for _, row := range [][]any{{int64(3), "q"}, {int64(0), ">"}, {int64(0), "$sys.admin"}, {int64(1), "$sys.undelivered"}, {nil, ""}} {
		table.Add(row...)
	}
	got := liveQueues(&screen.Result{Tables: []*screen.Table{table, {Name: "odd", Rows: [][]any{{}}}}})
	if want := "[{q 3 0 0} {$sys.undelivered 1 0 0} { 0 0 0} { 0 0 0}]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
