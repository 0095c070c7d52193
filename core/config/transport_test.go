package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/core/property"
)

// harbour is a set with a transport of each type.
func harbour(t *testing.T, o Options) *Config {
	t.Helper()
	c, err := Load(disk{}, "testdata/sets/harbour", o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTransportsAreResolved: what a section says, what rv_tport gives it, what a stand-in
// is made of, and every default (docs/transports.md).
func TestTransportsAreResolved(t *testing.T) {
	all, notes := harbour(t, Options{}).OpenTransports(TransportOptions{})
	var b strings.Builder
	for i := range all {
		tr := &all[i]
		fmt.Fprintf(&b, "%s is %s of %s, stand-in %v, base %q, line %d\n", tr.Name, tr.Kind, tr.Type, tr.StandIn, tr.Base, tr.At.Line)
		settings := tr.Settings()
		for _, k := range tr.Keys() {
			fmt.Fprintf(&b, "  %s = %q, shown %s, %s\n", k, settings[k], tr.Shown(k), tr.Origin(k))
		}
	}
	b.WriteString("notes\n  " + strings.Join(notes, "\n  ") + "\n")
	golden(t, "testdata/sets/harbour/opened.txt", b.String())
	if strings.Contains(b.String(), "shown amqps://desk:p%40ss@") {
		t.Error("a password is shown")
	}
}

// TestWhereStandInsGo: a daemon that is a URL of NATS, rendezvous.url, or the server in
// this process, in this order; and nowhere without tibrv_transports.
func TestWhereStandInsGo(t *testing.T) {
	for _, row := range []struct {
		daemon, atLoad, later string
		want                  string
	}{
		{"", "", "", EmbeddedURL},
		{"tcp:h:7500", "", "", EmbeddedURL},
		{"7500", "nats://r:4222", "", "nats://r:4222"},
		{"", "nats://r:4222", "tls://s", "tls://s"},
		{"nats://d", "nats://r:4222", "tls://s", "nats://d"},
		{"nats://d,tls://e:1", "", "", "nats://d,tls://e:1"},
		{"ws://d", "", "", "ws://d"},
		{"Embedded", "nats://r", "", EmbeddedURL},
		{"nats://", "nats://r", "", "nats://r"}, // no host
	} {
		m := mem{
			"d/tibemsd.conf":    "server = S\ntibrv_transports = on\n",
			"d/transports.conf": "[V]\ntype=tibrv\nservice=7500\ndaemon=" + row.daemon + "\n[C]\ntype=tibrvcm\nrv_tport=V\n",
		}
		c, err := Load(m, "d", Options{RendezvousURL: row.atLoad})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"V", "C"} {
			tr, ok := c.OpenTransport(n, TransportOptions{RendezvousURL: row.later})
			if !ok || tr.String("url") != row.want || !tr.StandIn || tr.String("subject_prefix") != "" {
				t.Errorf("%+v: %s goes to %s with the prefix %q, %v", row, n, tr.String("url"), tr.String("subject_prefix"), ok)
			}
		}
		if row.later == "" && !strings.Contains(fmt.Sprint(c.Findings), whereabouts(row.want)) {
			t.Errorf("%+v: the finding does not say %s: %v", row, whereabouts(row.want), c.Findings)
		}
		m["d/tibemsd.conf"] = "server = S\n"
		if all, notes := load(t, m).OpenTransports(TransportOptions{}); len(all) > 0 || len(notes) != 2 {
			t.Errorf("without tibrv_transports %v is opened: %v", all, notes)
		}
	}
}

// TestGetters of values that are written, at their default, and of no form.
func TestGetters(t *testing.T) {
	c := load(t, mem{"d/tibemsd.conf": "server = S\n", "d/transports.conf": "[N]\ntype=nats\nurl=tls://a, tls://b\nmax_reconnect_delay=1500msec\nprefetch=7\nexport_headers=No\nencoding=RAW\nssl_trusted=x\nssl_trusted=y\n"})
	tr, ok := c.OpenTransport("N", TransportOptions{})
	if !ok {
		t.Fatal(c.Findings)
	}
	if tr.Int("prefetch") != 7 || tr.Int("max_hops") != 1 || tr.Int("nothing") != 0 || tr.Bool("export_headers") || !tr.Bool("export_properties") || tr.Bool("nothing") {
		t.Error("numbers or flags")
	}
	if tr.Duration("max_reconnect_delay") != 1500*time.Millisecond || tr.Duration("temp_destination_timeout") != 10*time.Minute || tr.Duration("nothing") != 0 {
		t.Error("times")
	}
	if !slices.Equal(tr.List("url"), []string{"tls://a", "tls://b"}) || !slices.Equal(tr.List("ssl_trusted"), []string{"x", "y"}) || tr.List("nothing") != nil {
		t.Error("lists")
	}
	if tr.Word("encoding") != "raw" || tr.String("encoding") != "RAW" || tr.Has("exchange") || tr.Has("credentials") {
		t.Error("words, or keys of other types")
	}
	if s := tr.Settings(); s["max_reconnect_delay"] != "2" || s["export_headers"] != "false" || s["ssl_trusted"] != "x\ny" || s["encoding"] != "raw" {
		t.Errorf("settings: %v", s)
	}
	if _, ok := c.OpenTransport("M", TransportOptions{}); ok {
		t.Error("there is no M")
	}
}

// TestPasswordsOfTransportsAreNotShown, in findings neither.
func TestPasswordsOfTransportsAreNotShown(t *testing.T) {
	for in, want := range map[string]string{
		"nats://h": "nats://h", "nats://joe:geheim@h:1/x": "nats://joe:********@h:1/x", "nats://token@h": "nats://********@h",
		"nats://a:geheim@h,nats://b:geheim@i": "nats://a:********@h,nats://b:********@i", "joe:geheim@h": "********@h", "nats://joe:ge@heim@h": "nats://joe:********@h",
		"": "", "embedded": "embedded",
	} {
		if got := ShownURL(in); got != want {
			t.Errorf("%s is shown as %s, want %s", in, got, want)
		}
	}
	for _, url := range []string{"http://joe:geheim@h", "nats://joe:geheim@", "nats://joe:ge%zzheim@h", "nats://joe:geheim@h,embedded", "nats://joe:geheim@h:0", "joe:geheim@h", "nats://a,nats://joe:geheim@h:port", "nats://joe:geheim@h#x"} {
		for _, kind := range []string{"nats", "natsjs", "amqp091", "amqp10", "azure", "tibrv"} {
			key := "url"
			if kind == "tibrv" {
				key = "daemon"
			}
			for _, main := range []string{"", "tibrv_transports=on\n"} {
				c := load(t, mem{"d/tibemsd.conf": "server = S\n" + main, "d/transports.conf": "[N]\ntype=" + kind + "\n" + key + "=" + url + "\n"})
				if len(c.Findings) == 0 || strings.Contains(fmt.Sprintf("%+v", c.Findings), "geheim") {
					t.Errorf("%s %s: %+v", kind, url, c.Findings)
				}
			}
		}
	}
	if ShownKey("password", "x") != "********" || ShownKey("credentials", "x") != "********" || ShownKey("password", "") != "" || ShownKey("exchange", "x") != "x" {
		t.Error("keys")
	}
}

// TestBadTransportsAreAmongTRANSPORTS: startup_abort_list has a word for them.
func TestBadTransportsAreAmongTRANSPORTS(t *testing.T) {
	for list, want := range map[string]int{"": 0, "TRANSPORTS": 2, "CONFIG_ERRORS": 3, "CONFIG_ERRORS,TRANSPORTS": 3, "SSL": 0} {
		c := load(t, mem{
			"d/tibemsd.conf":    "server = S\nflow_control = perhaps\nstartup_abort_list = " + list + "\n",
			"d/transports.conf": "[N]\ntype=nats\nurl=x\n[M]\ntype=nats\nurl=nats://h\nencoding=xml\n",
		})
		if got := c.Fatal(); len(got) != want {
			t.Errorf("%s: %v", list, got)
		}
	}
}

// TestChangesOfTransportsAndOfWhatNamesThem has a row a change: what is said where it is
// refused, in the words of the load; nothing, where the next load finds no error.
func TestChangesOfTransportsAndOfWhatNamesThem(t *testing.T) {
	base := mem{
		"d/tibemsd.conf": "server = S\nstartup_abort_list = CONFIG_ERRORS,TRANSPORTS\n",
		"d/transports.conf": "[N]\n type=nats\n url=nats://h\n[J]\n type=natsjs\n rv_tport=N\n[R]\n type=amqp091\n url=amqp://h\n[Q]\n type=amqp10\n url=amqp://i\n allow_queue_export=true\n" +
			"[FREE]\n type=amqp10\n url=amqp://j\n[LATE]\n type=nats\n url=nats://k\n",
		"d/queues.conf":  "in import=R\nw.> import=N\nout export=Q\nboth\n",
		"d/topics.conf":  "both import=N\nt export=\"N,R\"\n",
		"d/tibrvcm.conf": "J L a.b\n",
	}
	dest := func(k property.Kind, name, list string) func(*Config) error {
		return func(c *Config) error {
			return c.PutDestination(k, property.Definition{Name: name, Set: set(t, k, list)})
		}
	}
	with := func(name string, pairs ...string) func(*Config) error {
		return func(c *Config) error {
			o := Object{Class: Transports, Name: name}
			if old, ok := c.Object(Transports, name); ok {
				o = *old
			}
			for i := 0; i < len(pairs); i += 2 {
				o = o.With(pairs[i], pairs[i+1])
			}
			return c.Put(o)
		}
	}
	remove := func(class Class, key string) func(*Config) error {
		return func(c *Config) error { return c.Delete(class, key) }
	}
	for _, row := range []struct {
		name   string
		change func(*Config) error
		want   string
	}{
		{"wildcard", dest(property.Queue, "x.*", "import=R"), "queue x.*: a wildcard imports by transports of type nats, natsjs, tibrv or tibrvcm, and R is of type amqp091: write a line with import=R for each queue"},
		{"wildcard of nats", dest(property.Queue, "x.*", "import=N"), ""},
		{"types", dest(property.Queue, "x", `import="R,N"`), "queue x: the transports of one import are of one type, and these are amqp091 and nats: import from one of them"},
		{"queue and topic", dest(property.Queue, "both", "import=N"), "queue both: topic both imports, and queue both as well: of a topic and a queue of one name only one may: take import off one of them; a bridge brings the messages to the other"},
		{"topic and wildcard of queues", dest(property.Topic, "w.x", "import=N"), "topic w.x: queue w.> imports, and topic w.x as well: of a topic and a queue of one name only one may: take import off one of them; a bridge brings the messages to the other"},
		{"topic beside it", dest(property.Topic, "w", "import=N"), ""},
		{"queue export", dest(property.Queue, "x", "export=R"), "queue x: queues are exported only by transports that allow it, and R does not: write allow_queue_export = true into [R] of transports.conf, or bridge the queue's messages to a topic and export that"},
		{"queue export that is allowed", dest(property.Queue, "x", "export=Q"), ""},
		{"queue export by a wildcard", dest(property.Queue, "x.>", "export=Q"), "queue x.>: queues are exported one by one, not by wildcards: write a line with export=Q for each queue"},
		{"system", dest(property.Queue, "$sys.admin", "export=Q"), "queue $sys.admin: $sys.admin cannot have export: take it out"},
		{"temporary", dest(property.Topic, "$TMP$.>", "export=N"), "topic $TMP$.>: $TMP$.> cannot have export: take it out"},

		{"delete what is imported from", remove(Transports, "R"), "transport R: import of queue in, export of topic t name it: take it out there first"},
		{"delete what another builds on", remove(Transports, "N"), "transport N: import of queue w.>, import of topic both, export of topic t, 1 more name it: take it out there first"},
		{"delete what a listener is for", remove(Transports, "J"), "transport J: listener L of tibrvcm.conf names it: take it out there first"},
		{"delete what is free", remove(Transports, "FREE"), ""},
		{"delete nothing", remove(Transports, "NONE"), "transport NONE: there is none of this name"},

		{"create", with("X", "url", "nats://h", "type", "nats"), ""},
		{"create without a type", with("X", "url", "nats://h"), "transport X: transport X has no type: add a line type = ..."},
		{"create without a url", with("X", "type", "azure"), "transport X: transport X has no url: add a line url = amqp://HOST:PORT"},
		{"key of another type", with("FREE", "exchange", "e"), "transport FREE: a transport of type amqp10 has no exchange: take the line out: it is a key of type amqp091"},
		{"url", with("FREE", "url", "tcp://joe:secret@h"), "transport FREE: url: the URL does not begin with amqp:// or amqps://: write amqp://HOST:PORT, or several with commas"},
		{"number", with("FREE", "prefetch", "0"), "transport FREE: prefetch: the number is out of range: write from 1 to 65535"},
		{"take the leave of queues", with("Q", "allow_queue_export", "false"), "transport Q: export of queue out names it: queues are exported only by transports that allow it, and Q does not: write allow_queue_export = true into [Q] of transports.conf, or bridge the queue's messages to a topic and export that"},
		{"another type under a wildcard", with("N", "type", "amqp10", "url", "amqp://h"), "transport N: import of queue w.> names it: a wildcard imports by transports of type nats, natsjs, tibrv or tibrvcm, and N is of type amqp10: write a line with import=N for each queue"},
		{"another type under listeners", with("J", "type", "nats", "url", "nats://h", "rv_tport", ""), "transport J: listener L of tibrvcm.conf names it: a transport of type nats cannot be that: keep its type"},
		{"base below", with("J", "rv_tport", "LATE"), "transport J: LATE is no transport of type nats or tibrv above this one: write the name of one, or move this section below it"},
		{"base of its own", with("J", "rv_tport", "", "url", "embedded"), ""},
		{"more of the same", with("R", "prefetch", "5", "queue_type", "classic", "on_error", "drop"), ""},

		{"listener", func(c *Config) error {
			return c.Put(Object{Class: Listeners, Name: "M", Attrs: []Attr{{Name: "transport", Value: "J"}, {Name: "subject", Value: "a"}}})
		}, ""},
		{"listener of what is not certified", func(c *Config) error {
			return c.Put(Object{Class: Listeners, Name: "M", Attrs: []Attr{{Name: "transport", Value: "N"}, {Name: "subject", Value: "a"}}})
		}, "listener M: there is no transport N of type natsjs or tibrvcm: write the name of one"},
	} {
		for form, m := range map[string]mem{"conf": base, "json": asJSON(t, base)} {
			t.Run(strings.ReplaceAll(row.name, " ", "_")+"/"+form, func(t *testing.T) {
				c := load(t, m)
				if len(c.Fatal()) > 0 {
					t.Fatal(c.Fatal())
				}
				err := row.change(c)
				switch {
				case row.want == "" && err != nil:
					t.Fatal(err)
				case row.want != "" && (err == nil || err.Error() != row.want):
					if form == "json" && row.name == "key of another type" {
						return // as with keys that nobody knows: kept, and warned of
					}
					t.Fatalf("got  %v\nwant %s", err, row.want)
				case row.want != "" && len(c.Changed()) > 0:
					t.Fatal("something was changed")
				}
				again := load(t, written(c))
				if fatal := again.Fatal(); len(fatal) > 0 {
					t.Errorf("what was written is refused: %v", fatal)
				}
				if d := cmp.Diff(model(c), model(again)); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestLoopsAtADestination: what an administrator hears of a change.
func TestLoopsAtADestination(t *testing.T) {
	c := load(t, mem{
		"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports,
		"d/topics.conf": "a export=N1\nb import=N1,export=N2\nc import=Q\nd export=Q\n", "d/queues.conf": "d import=Q\n",
		"d/bridges.conf": "[queue:d]\ntopic=d\ntopic=a\n",
	})
	if got := c.LoopsOver("queue:d", Attr{Name: "topic", Value: "d"}); len(got) != 1 || !strings.HasPrefix(got[0], "a loop: topic d goes out by Q as p.d, comes in by Q to queue d, is bridged to topic d") {
		t.Errorf("%q", got)
	}
	if got := c.LoopsOver("queue:d", Attr{Name: "topic", Value: "a"}); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for n, want := range map[string]int{"a": 0, "b": 1, "c": 0, "none": 0} {
		if got := c.LoopsAt(property.Topic, n); len(got) != want {
			t.Errorf("%s: %q", n, got)
		}
	}
	if got := c.LoopsAt(property.Topic, "b")[0]; !strings.HasPrefix(got, "a loop: topic b goes out by N2, comes in by N1 to topic b: take import or export off") {
		t.Error(got)
	}
}

// TestLoopsOfManyAreToldAtLoad: a script that makes many destinations does not look at all
// of them each time.
func TestLoopsOfManyAreToldAtLoad(t *testing.T) {
	var topics strings.Builder
	topics.WriteString("a export=N1,import=N1\n")
	for i := range maxMoving - 2 {
		fmt.Fprintf(&topics, "t%d export=N1\n", i)
	}
	c := load(t, mem{"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports, "d/topics.conf": topics.String()})
	if got := c.LoopsAt(property.Topic, "a"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if err := c.PutDestination(property.Topic, property.Definition{Name: "one.more", Set: set(t, property.Topic, "export=Q")}); err != nil {
		t.Fatal(err)
	}
	if got := c.LoopsAt(property.Topic, "a"); got != nil {
		t.Errorf("%q", got)
	}
	if again := loopsOf(load(t, written(c))); len(again) != 1 {
		t.Errorf("at the next load: %q", again)
	}
}

// TestCertifiedListeners: a line without a transport is for the first that may have any.
func TestCertifiedListeners(t *testing.T) {
	c := load(t, mem{
		"d/tibemsd.conf":    "server = S\n",
		"d/transports.conf": "[N]\ntype=nats\nurl=embedded\n[C]\ntype=natsjs\nurl=embedded\n[D]\ntype=natsjs\nurl=embedded\n",
		"d/tibrvcm.conf":    "L1 a\n$RVCM$ L2 b\nD L3 c\n",
	})
	want := []CertifiedListener{{"C", "L1", "a"}, {"C", "L2", "b"}, {"D", "L3", "c"}}
	if d := cmp.Diff(want, c.CertifiedListeners()); d != "" {
		t.Error(d, c.Findings)
	}
}
