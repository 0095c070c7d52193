package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asServer is a file as the server lays it out.
const asServer = `{
	"bridges":	[{
			"name":	"a.b",
			"targets":	[{
					"name":	"short",
					"selector":	null,
					"type":	"queue"
				}],
			"type":	"queue"
		}],
	"displayName":	"kept",
	"factories":	[{
			"jndinames":	[],
			"name":	"F",
			"ssl":	{
				"ssl_trusted_list":	[]
			},
			"type":	"generic",
			"url":	"tcp://7222"
		}],
	"groups":	[{
			"description":	"",
			"members":	[{
					"name":	"joe"
				}, {
					"name":	"ann"
				}],
			"name":	"ops"
		}],
	"model_version":	"1.0",
	"queues":	[{
			"maxbytes":	1048576,
			"name":	"a.b",
			"prefetch":	1,
			"secure":	true
		}, {
			"exclusive":	false,
			"flowControl":	true,
			"maxmsgs":	null,
			"name":	"short"
		}],
	"tibemsd":	{
		"authorization":	false,
		"ft_ssl":	{
			"ssl_identity":	null
		},
		"logfile":	null,
		"max_connections":	"600",
		"network_thread_count":	1,
		"primary_listens":	[{
				"ft_active":	true,
				"url":	"tcp://localhost:7222"
			}, {
				"ft_active":	false,
				"url":	"tcp://localhost:7232"
			}],
		"secondary_listens":	[{
				"ft_active":	true,
				"url":	"tcp://localhost:7224"
			}],
		"secondary_logfile":	"second.log",
		"server":	"S"
	},
	"users":	[{
			"name":	"joe",
			"password":	null
		}, {
			"name":	"ann",
			"password":	null
		}]
}`

// TestChangesInJSONChangeTheirLines has a row a change of asServer.
func TestChangesInJSONChangeTheirLines(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(c *Config) error
		want []string
	}{
		{"flag", func(c *Config) error { return c.SetParam("authorization", "enabled") }, []string{"-\t\t\"authorization\":\tfalse,\n", "+\t\t\"authorization\":\ttrue,\n"}},
		{"null", func(c *Config) error { return c.SetParam("logfile", "x") }, []string{"-\t\t\"logfile\":\tnull,\n", "+\t\t\"logfile\":\t\"x\",\n"}},
		{"unset", func(c *Config) error { return c.SetParam("max_connections") }, []string{"-\t\t\"max_connections\":\t\"600\",\n", "+\t\t\"max_connections\":\tnull,\n"}},
		{"a number stays a number", func(c *Config) error { return c.SetParam("network_thread_count", "2") }, []string{"-\t\t\"network_thread_count\":\t1,\n", "+\t\t\"network_thread_count\":\t2,\n"}},
		{"new, in its place", func(c *Config) error { return c.SetParam("flow_control", "on") }, []string{"+\t\t\"flow_control\":\ttrue,\n"}},
		{"in an object", func(c *Config) error { return c.SetParam("ft_ssl_identity", "x.pem") }, []string{"-\t\t\t\"ssl_identity\":\tnull\n", "+\t\t\t\"ssl_identity\":\t\"x.pem\"\n"}},
		{"in an object to be made", func(c *Config) error { return c.SetParam("ssl_server_trusted", "r.pem") }, []string{"-\t\t\"server\":\t\"S\"\n", "+\t\t\"server\":\t\"S\",\n", "+\t\t\"ssl\":\t{\n", "+\t\t\t\"ssl_trusted_list\":\t[\"r.pem\"]\n", "+\t\t}\n"}},
		{"another peer", func(c *Config) error { return c.SetParam("ft_active", "tcp://localhost:9") }, []string{"-\t\t\t\t\"ft_active\":\ttrue,\n", "-\t\t\t\t\"url\":\t\"tcp://localhost:7224\"\n", "+\t\t\t\t\"ft_active\":\tfalse,\n", "+\t\t\t\t\"url\":\t\"tcp://localhost:7224\"\n", "+\t\t\t}, {\n", "+\t\t\t\t\"ft_active\":\ttrue,\n", "+\t\t\t\t\"url\":\t\"tcp://localhost:9\"\n"}},
		{"no peer", func(c *Config) error { return c.SetParam("ft_active") }, []string{"-\t\t\"secondary_listens\":\t[{\n", "-\t\t\t\t\"ft_active\":\ttrue,\n", "-\t\t\t\t\"url\":\t\"tcp://localhost:7224\"\n", "-\t\t\t}],\n", "+\t\t\"secondary_listens\":\t[],\n"}},
		{"a listener less", func(c *Config) error { return c.SetParam("listen", "tcp://localhost:7222") }, []string{"-\t\t\t}, {\n", "-\t\t\t\t\"ft_active\":\tfalse,\n", "-\t\t\t\t\"url\":\t\"tcp://localhost:7232\"\n"}},
		{"property", func(c *Config) error {
			return c.PutDestination(1, definition{Name: "a.b", Set: set(t, 1, "maxbytes=1MB,prefetch=2,secure")})
		}, []string{"-\t\t\t\"prefetch\":\t1,\n", "+\t\t\t\"prefetch\":\t2,\n"}},
		{"property added and one taken", func(c *Config) error {
			return c.PutDestination(1, definition{Name: "short", Set: set(t, 1, "exclusive,maxmsgs=7")})
		}, []string{"-\t\t\t\"exclusive\":\tfalse,\n", "-\t\t\t\"flowControl\":\ttrue,\n", "-\t\t\t\"maxmsgs\":\tnull,\n", "+\t\t\t\"exclusive\":\ttrue,\n", "+\t\t\t\"maxmsgs\":\t\"7\",\n"}},
		{"queue", func(c *Config) error {
			return c.PutDestination(1, definition{Name: "new", Set: set(t, 1, "trace=body")})
		}, []string{"+\t\t}, {\n", "+\t\t\t\"name\":\t\"new\",\n", "+\t\t\t\"trace\":\t\"body\"\n"}},
		{"queue deleted", func(c *Config) error { return c.DeleteDestination(1, "a.b") }, []string{"-\t\t\t\"maxbytes\":\t1048576,\n", "-\t\t\t\"name\":\t\"a.b\",\n", "-\t\t\t\"prefetch\":\t1,\n", "-\t\t\t\"secure\":\ttrue\n", "-\t\t}, {\n"}},
		{"selector", func(c *Config) error {
			return c.Put(Object{Class: Bridges, Name: "queue:a.b", Attrs: []Attr{{Name: "queue", Value: "short", Selector: "a < 3"}}})
		}, []string{"-\t\t\t\t\t\"selector\":\tnull,\n", "+\t\t\t\t\t\"selector\":\t\"a < 3\",\n"}},
		{"member removed", func(c *Config) error {
			return c.Put(Object{Class: Groups, Name: "ops", Attrs: []Attr{{Name: "member", Value: "ann"}}})
		}, []string{"-\t\t\t\t\t\"name\":\t\"joe\"\n", "-\t\t\t\t}, {\n"}},
		{"alias", func(c *Config) error {
			return c.Put(Object{Class: JNDINames, Name: "jms/F", Attrs: []Attr{{Name: "type", Value: "factory"}, {Name: "target", Value: "F"}}})
		}, []string{"-\t\t\t\"jndinames\":\t[],\n", "+\t\t\t\"jndinames\":\t[{\n", "+\t\t\t\t\t\"name\":\t\"jms/F\"\n", "+\t\t\t\t}],\n"}},
		{"list to be made", func(c *Config) error {
			return c.PutDestination(2, definition{Name: "t"})
		}, []string{"+\t\"topics\":\t[{\n", "+\t\t\t\"name\":\t\"t\"\n", "+\t\t}],\n"}},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			cfg := load(t, mem{"d/tibemsd.json": asServer})
			if err := c.do(cfg); err != nil {
				t.Fatal(err)
			}
			after, _ := cfg.Text("tibemsd.json")
			if d := cmp.Diff(c.want, lineDiff(asServer, string(after))); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(model(cfg), model(load(t, mem{"d/tibemsd.json": string(after)}))); d != "" {
				t.Errorf("what was written reads otherwise: %s", d)
			}
		})
	}
}

// TestNamesOfEMS10: tls stands for ssl, and objects that nothing is known of are
// passed over, as EMS does.
func TestNamesOfEMS10(t *testing.T) {
	c := load(t, mem{"d/tibemsd.json": `{"tibemsd": {"server": "S", "primary_listens": [{"url": "tls://localhost:7243"}],
		"tls": {"tls_server_identity": "s.pem", "tls_trusted_list": ["a.pem", "b.pem"]}, "ft_tls": {"tls_trusted_list": ["p.pem"]}, "later": {"a": 1}}}`, "d/s.pem": "", "d/a.pem": "", "d/b.pem": ""})
	if got := c.Param("ssl_server_identity") + " " + strings.Join(c.ParamAll("ssl_server_trusted"), " ") + " " + c.Param("ft_ssl_trusted"); got != "s.pem a.pem b.pem p.pem" {
		t.Errorf("%s", got)
	}
	for _, f := range c.Findings {
		if f.Severity == Error {
			t.Error(f)
		}
	}
	if !strings.Contains(fmt.Sprint(c.Findings), "there is no parameter later") {
		t.Errorf("%v", c.Findings)
	}
	c = load(t, mem{"d/tibemsd.json": `{"tibemsd": {"server": {"name": "S"}}}`})
	if len(c.Findings) == 0 || c.Findings[0].Rule != "json-form" {
		t.Errorf("%v", c.Findings)
	}
}

func TestTheSecondServerOfAPair(t *testing.T) {
	m := mem{"d/tibemsd.json": asServer}
	first := load(t, m)
	second, err := Load(m, "d", Options{Secondary: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		c                     *Config
		listen, peer, logfile string
	}{
		{first, "tcp://localhost:7222 tcp://localhost:7232", "tcp://localhost:7224", ""},
		{second, "tcp://localhost:7224", "tcp://localhost:7222", "second.log"},
	} {
		if got := strings.Join(c.c.ParamAll("listen"), " "); got != c.listen || c.c.Param("ft_active") != c.peer || c.c.Param("logfile") != c.logfile {
			t.Errorf("listen %s, ft_active %s, logfile %s", got, c.c.Param("ft_active"), c.c.Param("logfile"))
		}
	}
}

func TestABrokenJSONIsLeftAlone(t *testing.T) {
	for src, at := range map[string]string{
		"":                         "1:1 the file ends where a value is missing",
		"{\n  \"a\": 1,\n}":        "3:1 a member's name is missing",
		"{\n  \"ä\" 1}":            "2:7 the colon is missing",
		"{\"a\": [1 2]}":           "1:10 a comma",
		"{\"a\": 01}":              `1:7 "01" is no value`,
		"{\"a\": nul}":             `1:7 "nul" is no value`,
		"{\"a\": \"x\n\"}":         "1:7 the quote is not closed",
		"{\"a\": \"\\x\"}":         "1:7 the text has an escape",
		"{} x":                     "1:4 words behind the end",
		"[]":                       "1:1 the file is no object",
		strings.Repeat("[", 100):   "1:34 objects are nested too deep",
		"{\"a\": \"unclosed":       "1:7 the quote is not closed",
		"{\"a\": 1, \"a\": [}":     "1:16",
		byteOrderMark + "{\"a\":}": "1:6",
	} {
		c := load(t, mem{"d/tibemsd.json": src})
		if got, _ := c.Text("tibemsd.json"); string(got) != src {
			t.Errorf("%q prints as %q", src, got)
		}
		found := false
		for _, f := range c.Findings {
			found = found || f.Rule == "json" && strings.HasPrefix(number(f.Line)+":"+number(f.Column)+" "+f.Message, at)
		}
		if !found {
			t.Errorf("%q: %v, want %s", src, c.Findings, at)
		}
		if err := c.SetParam("server", "X"); err == nil {
			t.Errorf("%q: a change was taken that cannot be written", src)
		}
	}
}
