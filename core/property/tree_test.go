package property

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/core/name"
)

// tree builds a tree of lines as they stand in a file.
func tree(t testing.TB, k Kind, lines ...string) *Tree {
	t.Helper()
	tr := NewTree(k)
	for _, line := range lines {
		n, list, _ := strings.Cut(line, " ")
		if err := put(t, tr, n, list); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return tr
}

func put(t testing.TB, tr *Tree, n, list string) error {
	t.Helper()
	items, wrong := ParseList(tr.Kind(), list)
	if len(wrong) > 0 {
		t.Fatalf("%s %s: %v", n, list, wrong[0])
	}
	plain, server := SplitRoute(tr.Kind(), n)
	d := Definition{Name: plain, Server: server}
	for _, i := range items {
		d.Set = append(d.Set, i.Value)
	}
	return tr.Put(d)
}

// show is Effective as text: value, and what gave it.
func show(tr *Tree, n string) string {
	var b strings.Builder
	for _, e := range tr.Effective(n) {
		from := ""
		switch e.Origin {
		case Own:
			from = "own"
		case Builtin:
			from = "server"
		case Inherited:
			from = strings.Join(e.From, "|")
		}
		fmt.Fprintf(&b, "%s<%s ", e.Value, from)
	}
	return strings.TrimSpace(b.String())
}

// TestInheritance has a row a sentence of ems 2.2.
func TestInheritance(t *testing.T) {
	for _, c := range []struct {
		rule  string
		kind  Kind
		lines []string
		name  string
		want  string
	}{
		{"union of own and of all matching parents", Queue, []string{"> maxmsgs=9", "a.> secure", "a.b prefetch=7"}, "a.b", "maxmsgs=9<> prefetch=7<own secure<a.>"},
		{"dynamic children inherit as well", Queue, []string{"a.* exclusive"}, "a.x", "exclusive<a.*"},
		{"what does not match gives nothing", Queue, []string{"a.* exclusive"}, "a.x.y", ""},
		{"a flag cannot be taken off", Queue, []string{"a.> secure", "a.b secure=disabled"}, "a.b", "secure<a.>"},
		{"own value beats a parent's", Queue, []string{"foo.* maxbytes=200", "foo.bar maxbytes=2000"}, "foo.bar", "maxbytes=2000<own"},
		{"own 0 beats a parent's limit", Queue, []string{"foo.* maxbytes=200,expiration=5sec", "foo.bar maxbytes=0,expiration=0"}, "foo.bar", "expiration=0<own maxbytes=0<own"},
		{"several parents: the smallest, not the nearest", Queue, []string{"> maxbytes=1MB", "foo.* maxbytes=2MB"}, "foo.x", "maxbytes=1MB<>"},
		{"0 of a parent counts as not set", Queue, []string{"> maxbytes=0", "foo.* maxbytes=2MB"}, "foo.x", "maxbytes=2MB<foo.*"},
		{"only 0 among parents is nothing", Queue, []string{"> maxbytes=0"}, "foo.x", ""},
		{"the smallest redelivery of parents", Queue, []string{"> maxRedelivery=9,redeliveryDelay=1min", "foo.* maxRedelivery=3,redeliveryDelay=20sec"}, "foo.x", "maxRedelivery=3<foo.* redeliveryDelay=20sec<foo.*"},
		{"prefetch: all parents none", Queue, []string{"> prefetch=none", "a.* prefetch=none"}, "a.b", "prefetch=none<a.*|>"},
		{"prefetch: the largest number", Queue, []string{"> prefetch=none", "a.* prefetch=3", "a.> prefetch=8"}, "a.b", "prefetch=8<a.>"},
		{"prefetch: an own 0 inherits", Queue, []string{"> prefetch=3", "a.b prefetch=0"}, "a.b", "prefetch=3<>"},
		{"prefetch: an own none wins", Queue, []string{"> prefetch=3", "a.b prefetch=none"}, "a.b", "prefetch=none<own"},
		{"prefetch: an own 0 with nothing above is the default", Queue, []string{"a.b prefetch=0"}, "a.b", ""},
		{"overflow: an own default inherits", Queue, []string{"> overflowPolicy=discardOld", "a.b overflowPolicy=default"}, "a.b", "overflowPolicy=discardOld<>"},
		{"overflow: an own other wins", Queue, []string{"> overflowPolicy=rejectIncoming", "a.b overflowPolicy=discardOld"}, "a.b", "overflowPolicy=discardOld<own"},
		{"overflow: rejectIncoming of any parent", Topic, []string{"> overflowPolicy=discardOld", "a.* overflowPolicy=rejectIncoming", "*.b overflowPolicy=discardOld"}, "a.b", "overflowPolicy=rejectIncoming<a.*"},
		{"store: own beats the parents'", Queue, []string{"a.> store=x", "a.b store=y"}, "a.b", "store=y<own"},
		{"failsafe is a store", Queue, []string{"a.> failsafe", "a.b maxmsgs=1"}, "a.b", "failsafe<a.> maxmsgs=1<own"},
		{"failsafe beside a store: the store", Queue, []string{"a.b failsafe,store=y"}, "a.b", "store=y<own"},
		{"own failsafe beats the parents' store", Queue, []string{"a.> store=x", "a.b failsafe"}, "a.b", "failsafe<own"},
		{"import: an own list replaces", Queue, []string{"a.> import=RV1", "a.b import=RV2"}, "a.b", "import=RV2<own"},
		{"import: parents are joined", Queue, []string{"a.> import=RV1", `a.* import="RV2,RV1"`}, "a.b", `import="RV2,RV1"<a.*|a.>`},
		{"trace: body of a parent goes before an own trace", Queue, []string{"> trace=body", "a.b trace"}, "a.b", "trace=body<>"},
		{"> is no parent of the system's names", Queue, []string{"> secure,maxmsgs=3"}, "$TMP$.S.1.2", ""},
		{"$TMP$.> is", Queue, []string{"> secure", "$TMP$.> maxmsgs=3"}, "$TMP$.S.1.2", "maxmsgs=3<$TMP$.>"},
		{"$TMP$.> inherits nothing", Queue, []string{"> secure", "$TMP$.> maxmsgs=3"}, "$TMP$.>", "maxmsgs=3<own"},
		{"system queues have their own", Queue, []string{"> maxmsgs=3"}, "$sys.undelivered", "secure<server"},
		{"monitor topics inherit nothing", Topic, []string{"> secure"}, "$sys.monitor.queue.create", ""},
		{"a wildcard inherits from wider ones", Queue, []string{"> secure", "a.> maxmsgs=3", "a.* maxmsgs=9"}, "a.*", "maxmsgs=9<own secure<>"},
		{"and not from narrower ones", Queue, []string{"a.* secure", "a.> maxmsgs=3"}, "a.>", "maxmsgs=3<own"},
	} {
		t.Run(strings.ReplaceAll(c.rule, " ", "_"), func(t *testing.T) {
			if got := show(tree(t, c.kind, c.lines...), c.name); got != c.want {
				t.Errorf("%q\ngot  %s\nwant %s", c.lines, got, c.want)
			}
		})
	}
}

func TestOverlappingWildcardsMayNotNameTwoStores(t *testing.T) {
	tr := tree(t, Topic, "topic.sample.> store=a", "other.> store=b")
	if err := put(t, tr, "topic.sample.quotes.*", "store=b"); err == nil || !strings.Contains(err.Error(), "store=a of topic.sample.>") {
		t.Fatalf("the second store was taken: %v", err)
	}
	if _, ok := tr.Get("topic.sample.quotes.*"); ok {
		t.Fatal("the refused definition is there")
	}
	for _, ok := range [][2]string{{"topic.sample.quotes.*", "store=a"}, {"topic.sample.one", "store=b"}, {"topic.*", "store=b"}} {
		if err := put(t, tr, ok[0], ok[1]); err != nil {
			t.Errorf("%s: %v", ok[0], err)
		}
	}
	if err := put(t, tr, "*.sample.x", "failsafe"); err == nil {
		t.Error("failsafe, which is a store, was taken above another")
	}
	tr.Delete("topic.sample.>")
	tr.Delete("topic.sample.quotes.*")
	if err := put(t, tr, "topic.sample.quotes.*", "store=b"); err != nil {
		t.Errorf("after the other is gone: %v", err)
	}
	if err := put(t, tr, "topic.sample.quotes.*", "store=c"); err != nil {
		t.Errorf("its own former store was in its way: %v", err)
	}
}

// TestPolicyAgreesWithTheRulesSpeltOut compares numbers with a naive reading of
// ems 2.2 on random trees, through changes and deletions.
func TestPolicyAgreesWithTheRulesSpeltOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	elements := []string{"a", "b", "c", "*"}
	random := func() string {
		n := elements[rng.IntN(4)]
		for range rng.IntN(3) {
			n += "." + elements[rng.IntN(4)]
		}
		if rng.IntN(4) == 0 {
			n += ".>"
		}
		return n
	}
	for range 300 {
		tr := NewTree(Queue)
		lines := map[string]Set{}
		for range 12 {
			n := random()
			if rng.IntN(4) == 0 {
				if had := lines[n] != nil; tr.Delete(n) != had {
					t.Fatalf("delete %s: there was one: %v", n, had)
				}
				delete(lines, n)
				continue
			}
			s := Set{{ID: MaxBytes, Number: int64(rng.IntN(4))}, {ID: Prefetch, Number: int64(rng.IntN(5) - 1)}}
			if err := tr.Put(Definition{Name: n, Set: s}); err != nil {
				t.Fatal(err)
			}
			lines[n] = s
		}
		for _, n := range []string{"a", "a.b", "b.c", "a.b.c", "c.c.c.c"} {
			bytes, prefetch := naive(lines, n)
			if p := tr.Policy(n); p.MaxBytes != bytes || p.Prefetch != prefetch {
				t.Fatalf("%v\n%s: maxbytes %d prefetch %d, want %d and %d", lines, n, p.MaxBytes, p.Prefetch, bytes, prefetch)
			}
		}
		if tr.Len() != len(lines) {
			t.Fatalf("%d definitions, want %d", tr.Len(), len(lines))
		}
	}
}

func naive(lines map[string]Set, n string) (bytes int64, prefetch int32) {
	prefetch = 0
	for pattern, s := range lines {
		if pattern == n || !name.Match(pattern, n) {
			continue
		}
		if b := s[0].Number; b != 0 && (bytes == 0 || b < bytes) {
			bytes = b
		}
		switch p := int32(s[1].Number); {
		case p > 0 && p > prefetch, p < 0 && prefetch == 0:
			prefetch = p
		}
	}
	if own, ok := lines[n]; ok {
		bytes = own[0].Number
		if own[1].Number != 0 {
			prefetch = int32(own[1].Number)
		}
	}
	if prefetch == 0 {
		prefetch = QueuePrefetch
	}
	return bytes, prefetch
}

func TestPoliciesAreSharedAndFollowChanges(t *testing.T) {
	tr := tree(t, Queue, "> maxmsgs=5", "a", "b", "c secure")
	if tr.Policy("a") != tr.Policy("b") || tr.Policy("a") == tr.Policy("c") {
		t.Error("equal policies are not shared, or unequal ones are")
	}
	before := tr.Policy("a")
	if err := put(t, tr, ">", "maxmsgs=6"); err != nil {
		t.Fatal(err)
	}
	if before.MaxMsgs != 5 || tr.Policy("a").MaxMsgs != 6 {
		t.Error("a change of the parent was missed, or changed a policy in place")
	}
}

func TestPolicyOfEveryProperty(t *testing.T) {
	q := tree(t, Queue, `q exclusive,expiration=2sec,flowControl,global,import="A,B",maxbytes=1KB,maxmsgs=3,maxRedelivery=4,overflowPolicy=rejectIncoming,prefetch=none,redeliveryDelay=1min,secure,sender_name_enforced,store=s,trace=body`)
	want := Policy{
		Exclusive: true, ExpirationSet: true, Expiration: 2000, FlowControl: DefaultFlowControl, Global: true, Import: "A,B", MaxBytes: 1024, MaxMsgs: 3,
		MaxRedelivery: 4, Overflow: OverflowRejectIncoming, Prefetch: PrefetchNone, RedeliveryDelay: 60000, Secure: true, SenderName: true,
		SenderNameEnforced: true, Store: "s", Trace: TraceBody,
	}
	if d := cmp.Diff(want, *q.Policy("q")); d != "" {
		t.Error(d)
	}
	tp := tree(t, Topic, "t channel=c,export=A,overflowPolicy=discardOld,sender_name,trace,failsafe")
	want = Policy{Channel: "c", Export: "A", Overflow: OverflowDiscardOld, SenderName: true, Trace: TraceIDs, Store: FailsafeStore, Prefetch: TopicPrefetch, PrefetchDefault: true}
	if d := cmp.Diff(want, *tp.Policy("t")); d != "" {
		t.Error(d)
	}
	delayed := q.Policy("q").Delayed()
	want = Policy{Secure: true, MaxBytes: 1024, MaxMsgs: 3, Overflow: OverflowRejectIncoming, Store: "s", Prefetch: QueuePrefetch, PrefetchDefault: true}
	if d := cmp.Diff(want, delayed); d != "" {
		t.Error(d)
	}
}

func TestCreatable(t *testing.T) {
	for line, names := range map[string]map[string]bool{
		">":       {"any.thing": true, "$sys.x": false},
		"foo.>":   {"foo.bar": true, "foo.boo.bar": true, "foo": false},
		"foo.*":   {"foo.bar": true, "foo.bar.boo": false},
		"foo.*.b": {"foo.boo.b": true, "foo.b": false},
		"foo":     {"foo": true, "bar": false},
	} {
		tr := tree(t, Queue, line)
		for n, want := range names {
			if got := tr.Creatable(n); got != want {
				t.Errorf("%s: Creatable(%s) = %v", line, n, got)
			}
		}
		tr.Delete(line)
		for n := range names {
			if tr.Creatable(n) {
				t.Errorf("%s deleted: %s may still be created", line, n)
			}
		}
	}
}

// TestDeletingWhileVisiting: `delete queue >` deletes what it visits.
func TestDeletingWhileVisiting(t *testing.T) {
	tr := NewTree(Queue)
	for i := range 100 {
		if err := tr.Put(Definition{Name: fmt.Sprint("q", i)}); err != nil {
			t.Fatal(err)
		}
	}
	visited := 0
	for d := range tr.All() {
		visited++
		tr.Delete(d.Name)
		tr.Delete(fmt.Sprint("q", 99-visited)) // one that is still to come, at first
	}
	if tr.Len() != 0 || visited != 50 && visited != 51 {
		t.Errorf("%d visited, %d left", visited, tr.Len())
	}
}

// BenchmarkLoad puts 100,000 static queues into a tree and asks each its policy.
func BenchmarkLoad(b *testing.B) {
	const queues = 100_000
	lines := make([]Definition, queues)
	for i := range lines {
		items, _ := ParseList(Queue, fmt.Sprintf("maxmsgs=%d,secure", 1000+i%7))
		lines[i] = Definition{Name: fmt.Sprintf("dept%d.team%d.queue%d", i%10, i%1000, i), Set: Set{items[0].Value, items[1].Value}}
	}
	for b.Loop() {
		tr := tree(b, Queue, "> prefetch=9", "dept1.> maxbytes=1MB", "*.team7.* exclusive")
		for _, d := range lines {
			if err := tr.Put(d); err != nil {
				b.Fatal(err)
			}
		}
		for d := range tr.All() {
			tr.Policy(d.Name)
		}
	}
}
