package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// loopTransports are two servers of NATS, reached by four transports: N1 and N2 have
// one in common, P has a prefix there, and Q is elsewhere with the same prefix. A is a
// broker of AMQP that keeps queues and topics apart.
const loopTransports = `[N1]
type=nats
url=nats://one:4222,nats://two:4222
[N2]
type=nats
url=nats://two
[P]
type=nats
url=nats://one
subject_prefix=p.
[Q]
type=nats
url=nats://three
subject_prefix=p.
[JOE]
type=nats
url=nats://joe:x@one
[JOE2]
type=nats
url=nats://ann@one
username=joe
credentials=/not/used
[ANN]
type=nats
url=nats://one
credentials=ann/x
[A]
type=amqp10
url=amqp://broker
allow_queue_export=true
[A2]
type=amqp10
url=amqp://broker:5672
allow_queue_export=true
`

func loopsOf(c *Config) []string {
	var all []string
	for _, f := range c.Findings {
		if f.Rule == "transport-loop" {
			all = append(all, fmt.Sprintf("%s:%d:%d %s", f.File, f.Line, f.Column, f.Message))
		}
	}
	return all
}

// TestLoopsAreToldWhole has a row a set: what is said of loops at its load.
func TestLoopsAreToldWhole(t *testing.T) {
	for name, row := range map[string]struct {
		topics, queues, bridges string
		want                    []string
	}{
		"none":                 {"a export=N1\nb import=N1\n", "", "", nil},
		"the shortest":         {"a export=N1,import=N1\n", "", "", []string{"topics.conf:1:3 a loop: topic a goes out by N1, comes in by N1 to topic a"}},
		"two of one cluster":   {"a secure,export=N1,import=N2\n", "", "", []string{"topics.conf:1:10 a loop: topic a goes out by N1, comes in by N2 to topic a"}},
		"another prefix":       {"a export=P,import=N1\n", "", "", nil},
		"into a queue":         {"a export=N1\n", "a import=N1\n", "", nil},
		"into a queue, bridge": {"a export=N1\n", "a import=N1\n", "[queue:a]\ntopic=a\n", []string{"topics.conf:1:3 a loop: topic a goes out by N1, comes in by N1 to queue a, is bridged to topic a"}},
		"prefix in the name":   {"a export=P\np.a import=N1\n", "", "[topic:p.>]\ntopic=a\n", []string{"topics.conf:1:3 a loop: topic a goes out by P as p.a, comes in by N1 to topic p.a, is bridged to topic a"}},
		"wildcards that meet":  {"x.* export=N1\n*.y import=N1\n", "", "", []string{"topics.conf:1:5 a loop: topic x.* goes out by N1, comes in by N1 to topic *.y"}},
		"and that do not":      {"x.* export=N1\n*.y.> import=N1\n", "", "", nil},
		"a name is narrowed":   {"a.* export=N1\n*.b import=N1\n", "", "[topic:c.b]\ntopic=a.q\n", []string{"topics.conf:1:5 a loop: topic a.* goes out by N1, comes in by N1 to topic *.b"}},
		"bridges do not join":  {"a export=N1\nb import=N1\n", "", "[topic:b]\nqueue=c\n[queue:c]\ntopic=a\n", nil},
		"an own list":          {"> export=N1\nb import=N1,export=Q\n", "", "", nil},
		"over two servers":     {"a export=N1,import=Q\nc import=N2\n", "", "[topic:c]\ntopic=d\n[topic:a]\ntopic=a2\n", nil},
		"other accounts":       {"a export=N1,import=JOE\nb export=JOE,import=ANN\n", "", "", nil},
		"one account":          {"a export=JOE,import=JOE2\n", "", "", []string{"topics.conf:1:3 a loop: topic a goes out by JOE, comes in by JOE2 to topic a"}},
		"topics and queues":    {"a export=A\n", "a import=A2\n", "[queue:a]\ntopic=a\n", nil},
		"queues":               {"", "a export=A,import=A2\n", "", []string{"queues.conf:1:3 a loop: queue a goes out by A, comes in by A2 to queue a"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			c := load(t, mem{
				"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports, "d/topics.conf": row.topics,
				"d/queues.conf": row.queues, "d/bridges.conf": row.bridges,
			})
			for _, f := range c.Findings {
				if f.Severity == Error || f.Rule == "destination-twice" {
					t.Fatal(f)
				}
			}
			if got := loopsOf(c); !slices.Equal(got, row.want) {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

// TestLoopsOfManyDestinations: 10,000 that import and export, each a loop of its own,
// are looked through at once; no more loops are told than there is use for.
func TestLoopsOfManyDestinations(t *testing.T) {
	var loops, none strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&loops, "a.t%d export=N1,import=N2\n", i)
		fmt.Fprintf(&none, "a.t%d export=N1\nb.t%d import=N2\n", i, i)
	}
	m := mem{"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports, "d/topics.conf": loops.String()}
	c := load(t, m)
	got := loopsOf(c)
	if len(got) != maxLoops+1 || !strings.HasPrefix(got[0], "transports.conf:1:1 there may be more loops") {
		t.Errorf("%d findings: %s", len(got), got[0])
	}
	k := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
	w := k.newWays()
	w.steps = 100
	if rounds, whole := w.rounds(); whole || len(rounds) > 50 {
		t.Errorf("%d loops in 100 steps, all of them: %v", len(rounds), whole)
	}
	m["d/topics.conf"] = none.String()
	if c = load(t, m); len(loopsOf(c)) != 0 {
		t.Errorf("%q", loopsOf(c))
	}
	k.Config = c
	w = k.newWays()
	if _, whole := w.rounds(); !whole || maxLoopSteps-w.steps > 50_000 {
		t.Errorf("%d steps for 20,000 destinations, whole %v", maxLoopSteps-w.steps, whole)
	}
}

// TestNamesThatGrowEnd: each round puts one more prefix before a name, and never leads
// back to where it began.
func TestNamesThatGrowEnd(t *testing.T) {
	c := load(t, mem{
		"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports,
		"d/topics.conf": "a export=N1\np.> export=P,import=N1\n", "d/queues.conf": "a import=N1\n", "d/bridges.conf": "[queue:a]\ntopic=p.b\n",
	})
	k := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
	w := k.newWays()
	i := slices.IndexFunc(w.all, func(one *way) bool { return one.def != nil && one.def.Name == "a" && one.kind == wayOut })
	if round := w.round(w.all[i]); round != nil || maxLoopSteps-w.steps > 1000 {
		t.Errorf("%d steps, %v", maxLoopSteps-w.steps, round)
	}
}

// TestLoopsAgainstANaiveSearch: what goes out is part of a told loop if, and only if, a
// message of some name that goes there comes there again, step by step.
func TestLoopsAgainstANaiveSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawLoopSet(t)
		c, err := Load(m, "d", Options{})
		if err != nil {
			t.Fatal(err)
		}
		k := &checker{Config: c, report: &report{}, named: map[Class][]string{}}
		w := k.newWays()
		rounds, whole := w.rounds()
		if !whole && len(rounds) < maxLoops {
			t.Fatalf("gave up after %d steps", maxLoopSteps-w.steps)
		}
		told := map[*way]bool{}
		for _, round := range rounds {
			for i, l := range round {
				if next := round[(i+1)%len(round)]; !l.before(next.way) {
					t.Fatalf("%v cannot follow", next)
				}
				told[l.way] = true
			}
		}
		for _, start := range w.all {
			if start.kind != wayOut {
				continue
			}
			if naive := loopsNaively(w, start); naive != told[start] {
				message := ""
				for _, round := range rounds {
					text, _ := describeLoop(round)
					message += text + "\n"
				}
				t.Fatalf("%s out by %s: told %v, and a message comes again: %v\n%s\n%v", start.place(), start.transport, told[start], naive, message, m)
			}
		}
	})
}

// someNames are those that messages of the naive search have.
var someNames = func() []string {
	all := []string{"a", "b", "z"}
	for range 2 {
		for _, n := range slices.Clone(all) {
			for _, e := range []string{"a", "b", "p", "z"} {
				all = append(all, e+"."+n)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}()

// loopsNaively sends messages of all small names that go out at start, and follows
// each to all places.
func loopsNaively(w *ways, start *way) bool {
	type place struct {
		way  *way
		name string
	}
	for _, n := range someNames {
		seen := map[place]bool{}
		var goOn func(from *way, n string) bool
		step := func(one *way, n string) bool {
			if one.def != nil && one.kind == wayOut {
				if own, ok := w.trees[one.from].Get(n); ok && own.Name != one.def.Name && own.Set.Has(property.Export) {
					return false
				}
			}
			out := n
			switch one.kind {
			case wayIn:
				out = strings.TrimPrefix(n, one.strip)
				if own, ok := w.trees[one.to].Get(out); ok && own.Name != one.def.Name && own.Set.Has(property.Import) {
					return false
				}
			case wayOut:
				out = one.add + n
			case wayOver:
				out = one.target
			}
			if seen[place{one, out}] || strings.Count(out, ".") > 8 {
				return false
			}
			seen[place{one, out}] = true
			return goOn(one, out)
		}
		goOn = func(from *way, n string) bool {
			for _, next := range w.all {
				if next.from != from.to || !name.Match(next.pattern, n) || from.kind == wayOver && next.kind == wayOver {
					continue
				}
				if next == start {
					if own, ok := w.trees[next.from].Get(n); !ok || own.Name == next.def.Name || !own.Set.Has(property.Export) {
						return true
					}
					continue
				}
				if step(next, n) {
					return true
				}
			}
			return false
		}
		if name.Match(start.pattern, n) && step(start, n) {
			return true
		}
	}
	return false
}

func drawLoopSet(t *rapid.T) mem {
	pattern := rapid.SampledFrom([]string{"a", "b", "a.b", "p.a", "p.b", "a.a", ">", "*", "a.*", "*.b", "p.>", "p.*", "a.>"})
	plain := rapid.SampledFrom([]string{"a", "b", "a.b", "p.a"})
	lines := func(kind string) string {
		var b strings.Builder
		for _, n := range rapid.SliceOfNDistinct(pattern, 0, 4, rapid.ID).Draw(t, kind) {
			list := []string{}
			exports, imports := []string{"N1", "P", "Q", "A"}, []string{"N2", "P", "Q", "A2"}
			if kind == "queues" {
				exports = []string{"A", "A2"}
			}
			if rapid.Bool().Draw(t, "export") {
				list = append(list, "export="+rapid.SampledFrom(exports).Draw(t, "by"))
			}
			if rapid.Bool().Draw(t, "import") {
				list = append(list, "import="+rapid.SampledFrom(imports).Draw(t, "by"))
			}
			b.WriteString(n + " " + strings.Join(list, ",") + "\n")
		}
		return b.String()
	}
	bridges := ""
	for range rapid.IntRange(0, 3).Draw(t, "bridges") {
		bridges += "[" + rapid.SampledFrom([]string{"queue", "topic"}).Draw(t, "source") + ":" + pattern.Draw(t, "from") + "]\n" +
			rapid.SampledFrom([]string{"queue", "topic"}).Draw(t, "target") + "=" + plain.Draw(t, "to") + "\n"
	}
	return mem{"d/tibemsd.conf": "server = S\n", "d/transports.conf": loopTransports, "d/topics.conf": lines("topics"), "d/queues.conf": lines("queues"), "d/bridges.conf": bridges}
}
