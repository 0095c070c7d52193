package admin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
)

// shownBy are the arguments of commands that show something, where one of that name is
// there.
var shownBy = map[string]string{
	"queue": "q", "topic": "t", "durable": "d", "user": "u", "group": "g", "members": "g", "bridge": "queue:q", "factory": "f", "route": "r",
	"jndiname": "j", "store": "$sys.failsafe", "parents": "t", "consumer": "2", "transaction": "1", "message": "ID:none", "messages": "order", "transport": "v",
	"channel": "c", "rvcmtransportledger": "v",
}

// variants are the lines of a command: without what is optional, with each of it, and
// with all.
func variants(o *Operation) []string {
	line, all := o.Name(), ""
	words := strings.Fields(o.Name())
	var optional []string
	for _, field := range strings.Fields(o.Usage)[len(words):] {
		inside := strings.Trim(field, "[]")
		if inside == field {
			line += " " + shownBy[words[len(words)-1]]
			continue
		}
		key, value, isOption := strings.Cut(inside, "=")
		alternatives := strings.Split(inside, "|")
		several := !slices.ContainsFunc(alternatives, func(a string) bool { return !strings.Contains(a, "=") })
		for i, w := range alternatives {
			if several {
				key, value, isOption = strings.Cut(w, "=")
			}
			switch {
			case isOption && value == strings.ToLower(value):
				_, w, _ = strings.Cut("="+strings.TrimPrefix(w, key+"="), "=")
				w = key + "=" + w
			case isOption && value == "N":
				w = key + "=1"
			case isOption:
				w = key + "=q"
			case inside == strings.ToUpper(inside):
				w = "q"
			}
			optional = append(optional, w)
			if i == 0 {
				all += " " + w
			}
		}
	}
	lines := []string{line, line + all}
	for _, w := range optional {
		lines = append(lines, line+" "+w)
	}
	return lines
}

// Every command that shows something shows it whatever its options are, with rows that
// fit their columns, and what travels is what is printed.
func TestEveryScreen(t *testing.T) {
	o := newOffice(t, memory{
		"queues.conf": ">\nq secure,maxbytes=1MB\n", "topics.conf": ">\nt\n", "users.conf": "u:x:\"U\"\n", "groups.conf": "g:\"G\"\n u\n",
		"acl.conf": "QUEUE=q USER=u PERM=send\nADMIN GROUP=g PERM=view-all\n", "bridges.conf": "[queue:q]\n topic=t selector=\"a=1\"\n",
		"factories.conf": "[f]\n type=generic\n url=tcp://h:1\n", "routes.conf": "[r]\n url=tcp://h:1\n", "durables.conf": "t d clientid=c\n",
		"jndinames.conf": "j queue q\n", "transports.conf": "[v]\n type=natsjs\n url=embedded\n", "channels.conf": "[c]\n address=239.1.1.1:1\n",
	})
	o.o.Transports = &ways{"v": {status: TransportStatus{Certified: true, State: "connected"}}}
	c := o.client("ann")
	o.send(c, "q", 3)
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		for _, d := range []core.Destination{{Kind: core.Queue, Name: "q"}, {Kind: core.Topic, Name: "t"}} {
			if _, err := b.OpenConsumer(now, c.ID(), core.ConsumerOptions{Destination: d}, fx); err != nil {
				t.Error(err)
			}
		}
		if _, err := b.Begin(now, c.ID(), fx); err != nil {
			t.Error(err)
		}
	})
	shown := 0
	for _, op := range Table {
		if op.Local || !strings.HasPrefix(op.Name(), "show") && op.Name() != "info" && op.Name() != "whoami" {
			continue
		}
		for _, line := range variants(op) {
			r, err := o.Do(t.Context(), Request{User: "admin", Command: line})
			if err != nil {
				if KindOf(err) != core.NotFound && !strings.HasPrefix(op.Help, "Not in this version") {
					t.Errorf("%s: %v", line, err)
				}
				continue
			}
			shown++
			var g Gather
			for _, part := range Replies(r, nil) {
				if _, err := g.Add(part); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
			if g.Result.Print() != r.Print() {
				t.Errorf("%s: what comes is\n%s\nof\n%s", line, g.Result.Print(), r.Print())
			}
		}
	}
	if shown < 150 {
		t.Errorf("only %d screens were shown", shown)
	}
}

// A name that is empty in a file is no name, and nothing that lists names falls over it.
func TestEmptyNames(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": "q\n", "topics.conf": "t\n", "jndinames.conf": "\"\" queue q\nj queue q\nk queue q\n", "users.conf": "\"\":x:\nb:x:\n"})
	if got := o.does("show jndinames"); strings.Count(got, "\n") != 3 {
		t.Error(got)
	}
	o.does("show users")
	for _, line := range []string{`create queue ""`, `create user ""`, `create group ""`, `create jndiname "" queue q`, `create factory "" generic`, `create durable t ""`, `create bridge source=queue: target=queue:q`} {
		if _, err := o.Do(t.Context(), Request{Command: line}); KindOf(err) != core.Invalid {
			t.Errorf("%s: %v", line, err)
		}
	}
	if compareNames("", "a") >= 0 || compareNames(">", "a") >= 0 || compareNames("*.x", "") >= 0 || compareNames("*x", ">") <= 0 {
		t.Error("the order of names")
	}
}

// Whatever words a command has, nothing ends the server, and what is refused is the
// fault of who asks, not the server's; what was taken can be read again from the files.
func TestOddWords(t *testing.T) {
	words := []string{
		`""`, ">", "*", "a..b", "a.>", "q", "t", "u", "g", "$sys.admin", "$TMP$.>", "$admin", "admin", "all", "queue:", "queue:q", "topic:>", "queue:q@r", "q@r",
		"user=", "user=u", "group=g", "group=nobody", "=", "=x", "x=", "url=tcp://h:1", "type=generic", "selector=\"a = 'b'\"", "selector=\"=\"", "1", "0",
		"99999999999999999999", "secure,maxbytes=1KB", "secure,", "import=\"a,b\"", "expiration=1day", "+CONNECT", "log_trace=+CONNECT", "server=x", "é", "\u2028",
		strings.Repeat("n", 300), "send,receive", "all,*", "view-all", "nolocal,clientid=c", "route", "type=nats", "type=natsjs", "url=embedded", "n", "js", "import=n",
	}
	names := make([]string, len(Table))
	for i, o := range Table {
		names[i] = o.Name()
	}
	rapid.Check(t, func(rt *rapid.T) {
		files := memory{
			"tibemsd.conf": "server = test\n", "queues.conf": ">\nq\n", "topics.conf": ">\nt\n", "users.conf": "u:x:\n", "groups.conf": "g:\"\"\n u\n", "durables.conf": "t d clientid=c\n",
			"bridges.conf": "[queue:q]\n topic=t\n", "factories.conf": "[f]\n type=generic\n url=tcp://h:1\n", "jndinames.conf": "j queue q\n",
			"transports.conf": "[n]\n type=nats\n url=embedded\n[js]\n type=natsjs\n rv_tport=n\n",
		}
		if rapid.Bool().Draw(rt, "as tibemsd.json") {
			files = asJSON(rt, files)
		}
		o := newOffice(t, files)
		o.o.Transports = &ways{"n": {}, "js": {status: TransportStatus{State: "connected", Certified: true}}}
		for range 20 {
			line := rapid.SampledFrom(names).Draw(rt, "operation")
			for range rapid.IntRange(0, 5).Draw(rt, "words") {
				line += " " + rapid.SampledFrom(words).Draw(rt, "word")
			}
			r, err := o.Do(t.Context(), Request{User: "admin", Command: line, Save: true})
			switch {
			case err != nil && KindOf(err) == core.Internal:
				rt.Fatalf("%s: %v", line, err)
			case err == nil:
				_ = r.Print()
			}
		}
		c, err := config.Load(o.files, o.files.main(), config.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		for _, f := range c.Findings {
			if f.Severity == config.Error {
				rt.Fatalf("what was written has an error: %v\n%v", f, o.files)
			}
		}
	})
}

// asJSON is a classic set as one tibemsd.json.
func asJSON(t *rapid.T, files memory) memory {
	c, err := config.Load(files, config.MainFile, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	converted, _, err := c.Convert()
	if err != nil || len(converted) != 1 {
		t.Fatal(len(converted), err)
	}
	return memory{converted[0].Path: string(converted[0].Bytes)}
}
