package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/core/property"
)

// golden compares with a file of testdata, or writes it with -rewrite.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
}

// TestSetsLoadWithEveryWarningExplained: the sets of testdata use every file and
// form that real ones have; they have no error, and each warning says what is
// different here.
func TestSetsLoadWithEveryWarningExplained(t *testing.T) {
	for _, set := range []string{"grid", "harbour", "museum", "shop"} {
		dir := filepath.Join("testdata/sets", set)
		c, err := Load(disk{}, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range c.Findings {
			if f.Severity == Error || f.Message == "" || f.Line < 1 || f.Column < 1 {
				t.Errorf("%+v", f)
			}
			fmt.Fprintln(&b, f)
		}
		golden(t, filepath.Join(dir, "findings.txt"), b.String())
		golden(t, filepath.Join(dir, "model.txt"), strings.ReplaceAll(strings.Join(model(c), "\n"), "\x00", "|")+"\n")
		jndi, notes := c.JNDI("shop.example")
		text := strings.ReplaceAll(string(jndi), c.Main, "MAIN") + "\n# notes\n# " + strings.Join(notes, "\n# ") + "\n"
		golden(t, filepath.Join(dir, "jndi.txt"), text)
	}
}

// TestConvertThereAndBack: the other form says the same, and the first form made
// from it again as well.
func TestConvertThereAndBack(t *testing.T) {
	for _, set := range []string{"grid", "harbour", "museum", "shop"} {
		c, err := Load(disk{}, filepath.Join("testdata/sets", set), Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := model(c)
		for range 2 {
			files, _, err := c.Convert()
			if err != nil {
				t.Fatal(err)
			}
			m := mem{}
			for _, f := range files {
				m["x/"+f.Name] = string(f.Bytes)
			}
			if c, err = Load(m, "x", Options{}); err != nil {
				t.Fatal(err)
			}
			for _, f := range c.Findings {
				if f.Severity == Error && f.Rule != "file-missing" { // the JAAS file is not part of what is converted
					t.Errorf("%s: %s", set, f)
				}
			}
			if d := cmp.Diff(portable(want), portable(model(c))); d != "" {
				t.Errorf("%s: %s", set, d)
			}
		}
	}
}

// portable leaves out what only one form has: the names of files, and an alias of
// an alias, which in JSON stands at what both name.
func portable(lines []string) []string {
	var all []string
	for _, l := range lines {
		name, _, _ := strings.Cut(l, "=")
		if !namesFile(name) && !strings.HasPrefix(l, "JNDI name old name ") {
			all = append(all, l)
		}
	}
	return all
}

// TestOneSetpropChangesOneLine changes a property of each destination of the sets
// in turn, and back.
func TestOneSetpropChangesOneLine(t *testing.T) {
	for _, set := range []string{"grid", "harbour", "museum", "shop"} {
		c, err := Load(disk{}, filepath.Join("testdata/sets", set), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []property.Kind{property.Queue, property.Topic} {
			name := classTable[classOf(k)].file
			if c.JSON {
				name = MainFileJSON
			}
			before, _ := c.Text(name)
			for d := range c.Tree(k).All() {
				was := definition{Name: d.Name, Server: d.Server, Set: d.Set}
				next := was
				next.Set = was.Set.With(property.Value{ID: property.MaxMsgs, Number: 77777})
				if err := c.PutDestination(k, next); err != nil {
					t.Fatal(err)
				}
				after, _ := c.Text(name)
				diff := lineDiff(string(before), string(after))
				if lines := len(diff); lines != 2 && !(c.JSON && lines <= 3) {
					t.Errorf("%s %s: %q", set, d.Name, diff)
				}
				if err := c.PutDestination(k, was); err != nil {
					t.Fatal(err)
				}
				back, _ := c.Text(name)
				if diff := lineDiff(string(before), string(back)); len(diff) > 0 && was.Set != nil {
					t.Errorf("%s %s, and back: %q", set, d.Name, diff)
				}
				before = back
			}
		}
	}
}

func TestStartupAbortList(t *testing.T) {
	for list, want := range map[string]int{"": 0, "CONFIG_ERRORS": 1, "CONFIG_FILES": 1, "config_files,CONFIG_ERRORS": 2, "SSL": 0} {
		c := load(t, mem{"d/tibemsd.conf": "startup_abort_list = " + list + "\nusers = nope.conf\nflow_control = perhaps\nstore_minimum = 5\n"})
		if got := c.Fatal(); len(got) != want {
			t.Errorf("%q: %v", list, got)
		}
		if c.Bool("flow_control") || c.Param("users") != "nope.conf" {
			t.Error("a value that was reported counts")
		}
	}
}

func TestLimits(t *testing.T) {
	long := "queues = queues.conf # " + strings.Repeat("x", MaxLine)
	c := load(t, mem{"d/tibemsd.conf": long + "\nserver = S\n"})
	if len(c.Findings) != 1 || c.Findings[0].Rule != "line-length" || c.Param("server") != "S" || len(c.Findings[0].Text) > 300 {
		t.Errorf("%.300v", c.Findings)
	}
	noise := strings.Repeat("x\n", MaxFindings+5)
	c = load(t, mem{"d/tibemsd.conf": noise})
	if len(c.Findings) != MaxFindings {
		t.Errorf("%d findings are kept", len(c.Findings))
	}
	r := &report{}
	for range MaxFindings {
		r.warn(Place{File: "f"}, "noise", "noise", "")
	}
	r.error(Place{File: "f"}, "grave", "what counts", "").Category = CategoryStores
	r.warn(Place{File: "f"}, "late", "noise", "")
	if last := r.list[MaxFindings-1]; len(r.list) != MaxFindings || last.Rule != "grave" || last.Category != CategoryStores {
		t.Errorf("an error behind %d warnings: %d are kept, the last is %v", MaxFindings, len(r.list), last)
	}
	r = &report{}
	if big := newText("f", make([]byte, MaxFile+1), r); len(r.list) != 1 || r.list[0].Rule != "file-size" || len(big.bytes()) != MaxFile+1 {
		t.Errorf("a file that is too large: %v", r.list)
	}
}

func TestThereIsNoSet(t *testing.T) {
	if _, err := Load(mem{}, "d", Options{}); err == nil || !strings.Contains(err.Error(), MainFile) {
		t.Error(err)
	}
}

func TestForeignPaths(t *testing.T) {
	for name, want := range map[string]bool{
		"C:/EMS/store": true, `d:\EMS`: true, `\\server\share`: true, "/c/EMS": false, "store": false, "a:b": false, "": false, "1:/x": false,
	} {
		if Foreign(name) != want {
			t.Errorf("Foreign(%q) = %v", name, !want)
		}
	}
}

func TestTraceSet(t *testing.T) {
	for list, want := range map[string]string{
		"DEFAULT":                   "INFO WARNING ACL LIMITS ROUTE ADMIN RVADV CONNECT_ERROR CONFIG MSG",
		"DEFAULT,-LIMITS,+SSL":      "INFO WARNING ACL ROUTE ADMIN RVADV CONNECT_ERROR CONFIG MSG SSL",
		"INFO,WARNING":              "INFO WARNING",
		"+TX":                       "OLD TX",
		"-OLD,+TX":                  "TX",
		"NONE":                      "",
		"default,+connect,+connect": "INFO WARNING ACL LIMITS ROUTE ADMIN RVADV CONNECT_ERROR CONFIG MSG CONNECT",
	} {
		if got := strings.Join(TraceSet([]string{"OLD"}, list), " "); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}

func TestListenURLs(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"tcp://7222":             {Port: 7222},
		"tcp://localhost:7223":   {Host: "localhost", Port: 7223},
		"ssl://7243":             {Secure: true, Port: 7243},
		"tls://a.example":        {Secure: true, Host: "a.example", Port: 7243},
		"tcp://[::1]:7222":       {Host: "::1", Port: 7222},
		"tcp://a.example":        {Host: "a.example", Port: 7222},
		"TCP://10.0.0.1:1":       {Host: "10.0.0.1", Port: 1},
		"tcp://[fe80::1]":        {Host: "fe80::1", Port: 7222},
		"tcp://trailing.x:7222/": {Host: "trailing.x", Port: 7222},
	} {
		if got, message := ParseListen(text); got != want || message != "" {
			t.Errorf("%s: %+v %s", text, got, message)
		}
	}
	for _, text := range []string{"", "7222", "tcp:7222", "tcp://", "tcp://a:b", "tcp://a:0", "tcp://a:65536", "udp://7222", "tcp://a b:1", "tcp://a:1,tcp://b:2"} {
		if got, message := ParseListen(text); message == "" {
			t.Errorf("%q: taken as %+v", text, got)
		}
	}
}

// BenchmarkLoad reads 100,000 static queues, checks them and asks each its policy.
func BenchmarkLoad(b *testing.B) {
	var queues strings.Builder
	queues.WriteString("> prefetch=9\ndept1.> maxbytes=1MB\n")
	for i := range 100_000 {
		fmt.Fprintf(&queues, "dept%d.team%d.queue%d\tsecure,maxmsgs=%d\n", i%10, i%1000, i, 1000+i%7)
	}
	m := mem{"d/tibemsd.conf": "server = S\n", "d/queues.conf": queues.String()}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := load(b, m)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		c := load(b, m)
		for d := range c.Tree(property.Queue).All() {
			c.Tree(property.Queue).Policy(d.Name)
		}
		if c.Tree(property.Queue).Len() != 100_002 {
			b.Fatal(c.Findings)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(kept.Tree(property.Queue).Len()), "B/queue")
}
