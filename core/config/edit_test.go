package config

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/core/property"
)

// small is a set with the odd spellings that real files have.
func small() mem {
	return mem{
		"d/tibemsd.conf":   "# main\r\nserver = S1\r\nlisten=tcp://7222\r\n  listen = tcp://localhost:7223  # second\r\nmax_msg_memory   = 64MB\r\nlogfile =\r\nstore = \"my store\"\r\nflow_control = on",
		"d/queues.conf":    "# queues\n>\na.b\t\tmaxbytes=1024KB,secure\nlong.name.here   prefetch=5\nshort\n",
		"d/topics.conf":    "> \nt1 global",
		"d/users.conf":     byteOrderMark + "admin::\"Administrator\"\n# x\njoe:secret:Joe\nbare:\n",
		"d/groups.conf":    "ops:\"Operators\"\n\tadmin\n\tjoe\nspare:\n  joe\nempty:\n",
		"d/acl.conf":       "QUEUE=a.b   USER=joe   PERM=send, receive\nADMIN GROUP=ops PERM=view-all\n",
		"d/bridges.conf":   "[queue:a.b]\n  queue=short selector=\"x = 1\"\n  topic=t1\n\n[topic:t1]\n  queue = a.b\n",
		"d/routes.conf":    "[R]\n url=tcp://r:7222\n zone_name = z\n outgoing_topic = t1 selector=\"a > 1\"\n",
		"d/factories.conf": "[F]\n  type = generic\n  url  = tcp://7222\n  clientID =\n",
		"d/durables.conf":  "t1  dur  clientid=c1,selector=\"k IN ('a','b')\"\nt1 plain\nt1 R route\n",
		"d/stores.conf":    "[s1]\n  type=file\n  file=s1.db\n  mode=sync\n",
	}
}

func load(t testing.TB, m mem) *Config {
	t.Helper()
	c, err := Load(m, "d", Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lineDiff is the lines that differ, with - and +.
func lineDiff(before, after string) []string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var d []string
	for _, l := range a {
		if l != "" {
			d = append(d, "-"+l)
		}
	}
	for _, l := range b {
		if l != "" {
			d = append(d, "+"+l)
		}
	}
	return d
}

func set(t testing.TB, k property.Kind, list string) property.Set {
	t.Helper()
	items, wrong := property.ParseList(k, list)
	if len(wrong) > 0 {
		t.Fatal(wrong[0])
	}
	var s property.Set
	for _, i := range items {
		s = append(s, i.Value)
	}
	return s
}

// TestOneChangeChangesItsLines has a row a change: which file, and which of its
// lines go and come. All other files stay byte for byte.
func TestOneChangeChangesItsLines(t *testing.T) {
	queue := func(name, list string) func(t *testing.T, c *Config) error {
		return func(t *testing.T, c *Config) error {
			return c.PutDestination(property.Queue, property.Definition{Name: name, Set: set(t, property.Queue, list)})
		}
	}
	param := func(name string, values ...string) func(t *testing.T, c *Config) error {
		return func(_ *testing.T, c *Config) error { return c.SetParam(name, values...) }
	}
	change := func(class Class, key string, f func(Object) Object) func(t *testing.T, c *Config) error {
		return func(t *testing.T, c *Config) error {
			o, ok := c.Object(class, key)
			if !ok {
				t.Fatalf("no %s %s", class.Word(), key)
			}
			return c.Put(f(*o))
		}
	}
	add := func(o Object) func(t *testing.T, c *Config) error {
		return func(_ *testing.T, c *Config) error { return c.Put(o) }
	}
	remove := func(class Class, key string) func(t *testing.T, c *Config) error {
		return func(_ *testing.T, c *Config) error { return c.Delete(class, key) }
	}
	for _, c := range []struct {
		name, file string
		do         func(t *testing.T, c *Config) error
		want       []string
	}{
		{"setprop", "queues.conf", queue("short", "exclusive"), []string{"-short\n", "+short            exclusive\n"}},
		{"addprop keeps spelling", "queues.conf", queue("a.b", "maxbytes=1MB,secure,trace=body"), []string{"-a.b\t\tmaxbytes=1024KB,secure\n", "+a.b\t\tmaxbytes=1024KB,secure,trace=body\n"}},
		{"removeprop of the last", "queues.conf", queue("long.name.here", ""), []string{"-long.name.here   prefetch=5\n", "+long.name.here\n"}},
		{"setprop with what it has", "queues.conf", queue("a.b", "maxbytes=1MB,secure"), nil},
		{"create queue", "queues.conf", queue("new", "secure"), []string{"+new secure\n"}},
		{"delete queue", "queues.conf", func(_ *testing.T, c *Config) error { return c.DeleteDestination(property.Queue, ">") }, []string{"->\n"}},
		{"create topic in a file without a last newline", "topics.conf", func(_ *testing.T, c *Config) error {
			return c.PutDestination(property.Topic, property.Definition{Name: "t2"})
		}, []string{"-t1 global", "+t1 global\n", "+t2\n"}},
		{"set a parameter", "tibemsd.conf", param("max_msg_memory", "128MB"), []string{"-max_msg_memory   = 64MB\r\n", "+max_msg_memory   = 128MB\r\n"}},
		{"set an empty one", "tibemsd.conf", param("logfile", "x.log"), []string{"-logfile =\r\n", "+logfile = x.log\r\n"}},
		{"keep its quotes", "tibemsd.conf", param("store", "other"), []string{"-store = \"my store\"\r\n", "+store = \"other\"\r\n"}},
		{"put quotes where needed", "tibemsd.conf", param("logfile", "my log"), []string{"-logfile =\r\n", "+logfile = \"my log\"\r\n"}},
		{"unset", "tibemsd.conf", param("max_msg_memory"), []string{"-max_msg_memory   = 64MB\r\n", "+max_msg_memory   = \r\n"}},
		{"add a parameter", "tibemsd.conf", param("max_connections", "5"), []string{"-flow_control = on", "+flow_control = on\r\n", "+max_connections = 5\r\n"}},
		{"one more listener", "tibemsd.conf", param("listen", "tcp://7222", "tcp://localhost:7223", "tcp://7224"), []string{"+listen       = tcp://7224\r\n"}},
		{"another listener keeps its comment", "tibemsd.conf", param("listen", "tcp://7222", "tcp://7224"), []string{"-  listen = tcp://localhost:7223  # second\r\n", "+  listen = tcp://7224  # second\r\n"}},
		{"password", "users.conf", change(Users, "joe", func(o Object) Object { return o.With("password", "$tg1$x") }), []string{"-joe:secret:Joe\n", "+joe:$tg1$x:Joe\n"}},
		{"description", "users.conf", change(Users, "bare", func(o Object) Object { return o.With("description", "B") }), []string{"-bare:\n", "+bare::\"B\"\n"}},
		{"first user behind the byte order mark", "users.conf", change(Users, "admin", func(o Object) Object { return o.With("password", "p") }), []string{"-" + byteOrderMark + "admin::\"Administrator\"\n", "+" + byteOrderMark + "admin:p:\"Administrator\"\n"}},
		{"create user", "users.conf", add(Object{Class: Users, Name: "new"}), []string{"+new::\"\"\n"}},
		{"delete user", "users.conf", remove(Users, "bare"), []string{"-bare:\n"}},
		{"addmember", "groups.conf", change(Groups, "ops", func(o Object) Object {
			o.Attrs = append(slices.Clone(o.Attrs), Attr{Name: "member", Value: "bare"})
			return o
		}), []string{"+\tbare\n"}},
		{"first member", "groups.conf", change(Groups, "empty", func(o Object) Object {
			o.Attrs = append(slices.Clone(o.Attrs), Attr{Name: "member", Value: "bare"})
			return o
		}), []string{"+\tbare\n"}},
		{"removemember", "groups.conf", change(Groups, "ops", func(o Object) Object {
			return o.without(func(a Attr) bool { return a.Value == "admin" })
		}), []string{"-\tadmin\n"}},
		{"group's description", "groups.conf", change(Groups, "empty", func(o Object) Object { return o.With("description", "E") }), []string{"-empty:\n", "+empty:\"E\"\n"}},
		{"create group", "groups.conf", add(Object{Class: Groups, Name: "g", Attrs: []Attr{{Name: "description", Value: "G"}, {Name: "member", Value: "joe"}}}), []string{"+\n", "+g:\"G\"\n", "+\tjoe\n"}},
		{"delete group", "groups.conf", remove(Groups, "spare"), []string{"-spare:\n", "-  joe\n"}},
		{"grant", "acl.conf", change(ACLs, "queue:a.b\x00user:joe", func(o Object) Object {
			o.Attrs = append(slices.Clone(o.Attrs), Attr{Name: "perm", Value: "browse"})
			return o
		}), []string{"-QUEUE=a.b   USER=joe   PERM=send, receive\n", "+QUEUE=a.b   USER=joe   PERM=send,receive,browse\n"}},
		{"grant to another", "acl.conf", add(Object{Class: ACLs, Name: "topic:t1", Attrs: []Attr{{Name: "group", Value: "ops"}, {Name: "perm", Value: "publish"}}}), []string{"+TOPIC=t1 GROUP=ops PERM=publish\n"}},
		{"revoke all", "acl.conf", remove(ACLs, "admin\x00group:ops"), []string{"-ADMIN GROUP=ops PERM=view-all\n"}},
		{"one more target", "bridges.conf", change(Bridges, "queue:a.b", func(o Object) Object {
			o.Attrs = append(slices.Clone(o.Attrs), Attr{Name: "queue", Value: "long.name.here", Selector: "y = 2"})
			return o
		}), []string{"+  queue=long.name.here selector=\"y = 2\"\n"}},
		{"another selector", "bridges.conf", change(Bridges, "queue:a.b", func(o Object) Object {
			o.Attrs = slices.Clone(o.Attrs)
			o.Attrs[0].Selector = "x = 2"
			return o
		}), []string{"-  queue=short selector=\"x = 1\"\n", "+  queue=short selector=\"x = 2\"\n"}},
		{"a selector less", "bridges.conf", change(Bridges, "queue:a.b", func(o Object) Object {
			o.Attrs = slices.Clone(o.Attrs)
			o.Attrs[0].Selector = ""
			return o
		}), []string{"-  queue=short selector=\"x = 1\"\n", "+  queue=short\n"}},
		{"delete a bridge of two", "bridges.conf", change(Bridges, "queue:a.b", func(o Object) Object {
			return o.without(func(a Attr) bool { return a.Name == "topic" })
		}), []string{"-  topic=t1\n"}},
		{"create bridge", "bridges.conf", add(Object{Class: Bridges, Name: "topic:x", Attrs: []Attr{{Name: "queue", Value: "short"}}}), []string{"+\n", "+[topic:x]\n", "+  queue=short\n"}},
		{"setprop route", "routes.conf", change(Routes, "R", func(o Object) Object { return o.With("topic_prefetch", "9") }), []string{"+ topic_prefetch=9\n"}},
		{"client id that was empty", "factories.conf", change(Factories, "F", func(o Object) Object { return o.With("clientID", "my id") }), []string{"-  clientID =\n", "+  clientID = \"my id\"\n"}},
		{"delete factory", "factories.conf", remove(Factories, "F"), []string{"-[F]\n", "-  type = generic\n", "-  url  = tcp://7222\n", "-  clientID =\n"}},
		{"durable's selector", "durables.conf", change(Durables, "dur\x00c1", func(o Object) Object { return o.With("selector", "k = 'c'") }), []string{"-t1  dur  clientid=c1,selector=\"k IN ('a','b')\"\n", "+t1  dur  clientid=c1,selector=\"k = 'c'\"\n"}},
		{"create durable", "durables.conf", add(Object{Class: Durables, Name: "d2", Attrs: []Attr{{Name: "topic", Value: "t1"}, {Name: "nolocal", Bare: true}}}), []string{"+t1 d2 nolocal\n"}},
		{"store's mode", "stores.conf", change(Stores, "s1", func(o Object) Object { return o.With("mode", "async") }), []string{"-  mode=sync\n", "+  mode=async\n"}},
		{"a file that was not there", "channels.conf", add(Object{Class: Channels, Name: "c", Attrs: []Attr{{Name: "address", Value: "224.1.1.1:9"}}}), []string{"+[c]\n", "+  address = 224.1.1.1:9\n"}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			m := small()
			cfg := load(t, m)
			for _, f := range cfg.Findings {
				if f.Severity == Error {
					t.Fatal(f)
				}
			}
			if err := c.do(t, cfg); err != nil {
				t.Fatal(err)
			}
			changed := cfg.Changed()
			if c.want == nil {
				if len(changed) > 0 {
					t.Fatalf("changed %s", changed[0].Bytes)
				}
				return
			}
			if len(changed) != 1 || changed[0].Path != "d/"+c.file {
				t.Fatalf("%d files changed, %+v", len(changed), changed)
			}
			after := string(changed[0].Bytes)
			if d := cmp.Diff(c.want, lineDiff(m["d/"+c.file], after)); d != "" {
				t.Error(d)
			}
			m["d/"+c.file] = after
			again := load(t, m)
			for _, f := range again.Findings {
				if f.Severity == Error {
					t.Errorf("what was written is refused: %s", f)
				}
			}
			if d := cmp.Diff(model(cfg), model(again)); d != "" {
				t.Errorf("what was written reads otherwise: %s", d)
			}
			cfg.Saved(c.file)
			if len(cfg.Changed()) > 0 {
				t.Error("still changed after it was saved")
			}
			sameInJSON(t, c.do, model(cfg))
		})
	}
}

// sameInJSON makes the same change to the same set as a tibemsd.json: it must say
// the same, before and after it is written.
func sameInJSON(t *testing.T, do func(t *testing.T, c *Config) error, want []string) {
	t.Helper()
	m := asJSON(t, small())
	cfg := load(t, m)
	if err := do(t, cfg); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, model(cfg)); d != "" {
		t.Errorf("in JSON the change gives another set: %s", d)
	}
	changed := cfg.Changed()
	if len(changed) != 1 {
		t.Fatalf("%d files changed", len(changed))
	}
	again := load(t, mem{"d/tibemsd.json": string(changed[0].Bytes)})
	for _, f := range again.Findings {
		if f.Severity == Error {
			t.Errorf("what was written is refused: %s", f)
		}
	}
	if d := cmp.Diff(want, model(again)); d != "" {
		t.Errorf("what was written reads otherwise: %s\n%v", d, lineDiff(m["d/tibemsd.json"], string(changed[0].Bytes)))
	}
}

// asJSON is a set in the other form.
func asJSON(t testing.TB, m mem) mem {
	t.Helper()
	files, _, err := load(t, m).Convert()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Path != "d/tibemsd.json" {
		t.Fatalf("%d files: %+v", len(files), files)
	}
	return mem{"d/tibemsd.json": string(files[0].Bytes)}
}

// model is all that a set says, without places.
func model(c *Config) []string {
	var all []string
	for _, k := range []property.Kind{property.Queue, property.Topic} {
		for d := range c.Tree(k).All() {
			list := strings.Split(d.Set.String(), ",")
			slices.Sort(list)
			all = append(all, k.String()+" "+d.String()+" "+strings.Join(list, ","))
		}
	}
	for _, class := range AllClasses() {
		for _, o := range c.Objects(class) {
			var attrs []string
			for _, a := range o.Attrs {
				if a.Value != "" || a.Bare {
					attrs = append(attrs, a.Name+"="+a.Value+"{"+a.Selector+"}")
				}
			}
			slices.Sort(attrs)
			all = append(all, class.Word()+" "+o.Key()+" "+strings.Join(attrs, " "))
		}
	}
	for i := range Parameters {
		if v := c.ParamAll(Parameters[i].Name); v != nil {
			for j := range v {
				if on, ok := property.ParseFlag(v[j]); ok && Parameters[i].Type == Bool {
					v[j] = strconv.FormatBool(on)
				}
			}
			all = append(all, Parameters[i].Name+"="+strings.Join(v, "|"))
		}
	}
	slices.Sort(all)
	return all
}

// TestChangesThatAreRefused leave everything as it was.
func TestChangesThatAreRefused(t *testing.T) {
	c := load(t, small())
	for name, do := range map[string]func() error{
		"unknown parameter":  func() error { return c.SetParam("max_conections", "4") },
		"wrong value":        func() error { return c.SetParam("max_connections", "many") },
		"two values":         func() error { return c.SetParam("server", "a", "b") },
		"line in a value":    func() error { return c.SetParam("logfile", "a\nlisten = tcp://1") },
		"name of the system": func() error { return c.PutDestination(property.Queue, property.Definition{Name: "$x"}) },
		"property of topics": func() error {
			return c.PutDestination(property.Queue, property.Definition{Name: "x", Set: property.Set{{ID: property.Channel, Text: "c"}}})
		},
		"exclusive and global": func() error {
			return c.PutDestination(property.Queue, property.Definition{Name: "x", Set: set(t, property.Queue, "global,exclusive")})
		},
		"name with a blank": func() error { return c.PutDestination(property.Queue, property.Definition{Name: "a b"}) },
		"no such queue":     func() error { return c.DeleteDestination(property.Queue, "nope") },
		"no such user":      func() error { return c.Delete(Users, "nope") },
		"user with a colon": func() error { return c.Put(Object{Class: Users, Name: "a:b"}) },
		"password with colon": func() error {
			return c.Put(Object{Class: Users, Name: "a", Attrs: []Attr{{Name: "password", Value: "a:b"}}})
		},
		"bad selector": func() error {
			return c.Put(Object{Class: Bridges, Name: "queue:x", Attrs: []Attr{{Name: "queue", Value: "y", Selector: "a ="}}})
		},
		"quote in a selector": func() error {
			return c.Put(Object{Class: Durables, Name: "d", Attrs: []Attr{{Name: "topic", Value: "t"}, {Name: "selector", Value: `a = '"'`}}})
		},
		"unknown key": func() error {
			return c.Put(Object{Class: Stores, Name: "s9", Attrs: []Attr{{Name: "color", Value: "red"}}})
		},
		"store without file": func() error { return c.Put(Object{Class: Stores, Name: "s9"}) },
		"unknown permission": func() error {
			return c.Put(Object{Class: ACLs, Name: "queue:x", Attrs: []Attr{{Name: "user", Value: "joe"}, {Name: "perm", Value: "publish"}}})
		},
	} {
		if err := do(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if changed := c.Changed(); len(changed) > 0 {
		t.Errorf("%s changed: %s", changed[0].Name, changed[0].Bytes)
	}
}

// TestNothingIsTakenThatTheNextStartWouldRefuse: a server that stops at CONFIG_ERRORS
// must start with the files that it wrote itself.
func TestNothingIsTakenThatTheNextStartWouldRefuse(t *testing.T) {
	destination := func(k property.Kind, list string) func(*Config) error {
		return func(c *Config) error {
			return c.PutDestination(k, property.Definition{Name: "n", Set: set(t, k, list)})
		}
	}
	object := func(class Class, name string, attrs ...Attr) func(*Config) error {
		return func(c *Config) error { return c.Put(Object{Class: class, Name: name, Attrs: attrs}) }
	}
	for name, row := range map[string]struct {
		change func(*Config) error
		want   string
	}{
		"store":      {destination(property.Queue, "store=s2"), "queue n: there is no store s2: add [s2] to stores.conf, or s1 was meant: write that"},
		"own store":  {destination(property.Queue, "store=$sys.meta"), "queue n: $sys.meta is for the server's own records: write store=$sys.failsafe"},
		"channel":    {destination(property.Topic, "channel=c"), "topic n: there is no channel c: add [c] to channels.conf, or take it out"},
		"transport":  {destination(property.Queue, "import=RV"), "queue n: there is no transport RV: add [RV] to transports.conf, or take it out"},
		"user":       {object(ACLs, "queue:a.b", Attr{Name: "user", Value: "jo"}, Attr{Name: "perm", Value: "send"}), "the rights of user jo on queue:a.b: there is no user jo to have rights: did you mean joe?"},
		"group":      {object(ACLs, "admin", Attr{Name: "group", Value: "x"}, Attr{Name: "perm", Value: "all"}), "the rights of group x on admin: there is no group x: add the group, or take the line out"},
		"jndi":       {object(JNDINames, "j", Attr{Name: "type", Value: "queue"}, Attr{Name: "target", Value: "x"}), "JNDI name j: there is no static queue x: write the name of one"},
		"jndi loop":  {object(JNDINames, "j", Attr{Name: "type", Value: "jndiname"}, Attr{Name: "target", Value: "j"}), "JNDI name j: there is no static jndiname j: write the name of one"},
		"own route":  {object(Routes, "S1", Attr{Name: "url", Value: "tcp://r:7222"}), "route S1: a route is named after the server at its far end, and this is our own name: write the far server's name"},
		"route zone": {object(Routes, "R2", Attr{Name: "url", Value: "tcp://r:7222"}, Attr{Name: "zone_name", Value: "z"}, Attr{Name: "zone_type", Value: "1hop"}), "route R2: zone z is of type mhop, as route R says: write zone_type = mhop, or another zone_name"},
	} {
		c := load(t, small())
		if err := row.change(c); err == nil || err.Error() != row.want {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if n := len(c.Changed()); n > 0 {
			t.Errorf("%s: %d files changed", name, n)
		}
	}
	for name, change := range map[string]func(*Config) error{
		"store": destination(property.Queue, "store=s1"), "failsafe": destination(property.Topic, "store=$sys.failsafe"),
		"user":  object(ACLs, "queue:a.b", Attr{Name: "user", Value: "bare"}, Attr{Name: "perm", Value: "send"}),
		"admin": object(ACLs, "queue:a.b", Attr{Name: "user", Value: "admin"}, Attr{Name: "perm", Value: "send"}),
		"all":   object(ACLs, "queue:a.b", Attr{Name: "group", Value: "all"}, Attr{Name: "perm", Value: "send"}),
		"jndi":  object(JNDINames, "j", Attr{Name: "type", Value: "topic"}, Attr{Name: "target", Value: "t1"}),
		"route": object(Routes, "R", Attr{Name: "url", Value: "tcp://r:7222"}, Attr{Name: "zone_name", Value: "z"}, Attr{Name: "zone_type", Value: "1hop"}),
	} {
		c := load(t, small())
		if err := change(c); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := load(t, written(c)); len(again.Fatal()) > 0 || slices.ContainsFunc(again.Findings, func(f Finding) bool { return f.Severity == Error }) {
			t.Errorf("%s: written with errors: %v", name, again.Findings)
		}
	}
}

// TestCommentsBehindDestinations are no properties, and stay when those change.
func TestCommentsBehindDestinations(t *testing.T) {
	c := load(t, mem{"d/tibemsd.conf": "server = S\n", "d/queues.conf": "a secure # who reads it: \"ops\"\nb\t# later\nc # x\nd maxmsgs=5 secure\n"})
	if len(c.Findings) != 1 || c.Findings[0].Line != 4 || c.Findings[0].Rule != "property-list" {
		t.Errorf("found %v", c.Findings)
	}
	if d, ok := c.Tree(property.Queue).Get("a"); !ok || d.Set.String() != "secure" {
		t.Errorf("a has %v", d)
	}
	for name, list := range map[string]string{"a": "", "b": "secure", "c": "maxmsgs=7"} {
		if err := c.PutDestination(property.Queue, property.Definition{Name: name, Set: set(t, property.Queue, list)}); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := c.Text("queues.conf"); string(got) != "a # who reads it: \"ops\"\nb secure\t# later\nc maxmsgs=7 # x\nd maxmsgs=5 secure\n" {
		t.Errorf("%q", got)
	}
}
