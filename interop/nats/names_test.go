package nats

import (
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/name"
)

// TestSubjects: names of EMS as NATS has them.
func TestSubjects(t *testing.T) {
	for _, c := range []struct{ prefix, name, subject string }{
		{"", "orders.new", "orders.new"},
		{"", "orders.*.>", "orders.*.>"},
		{"rv.7500.", "orders", "rv.7500.orders"},
		{"rv.7500", "orders", "rv.7500.orders"},
		{"", "two words.a", "two%20words.a"},
		{"", "a..b", "a.%.b"},
		{"", "$sys.x", "%24sys.x"},
		{"p.", "$sys.x", "p.%24sys.x"},
		{"", "a$", "a$"},
		{"", "50%.off", "50%25.off"},
		{"", "grün.日本", "grün.日本"},
		{"", "tab\there", "tab%09here"},
		{"p.", "_INBOX.abc.1", "_INBOX.abc.1"},
	} {
		n, err := newNames(c.prefix)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.subject(c.name); got != c.subject {
			t.Errorf("the subject of %q is %q, want %q", c.name, got, c.subject)
		}
		if got, ok := n.destination(c.subject); !ok || got != c.name {
			t.Errorf("the name of %q is %q, want %q", c.subject, got, c.name)
		}
	}
	n := names{"p."}
	if _, ok := n.destination("q.orders"); ok {
		t.Error("a subject without our prefix has a name")
	}
	for _, bad := range []string{".", "a..b", "$JS", "a.*.", "a b", ".a"} {
		if _, err := newNames(bad); err == nil {
			t.Errorf("subject_prefix %q is taken", bad)
		}
	}
}

// TestSubjectsComeBack: every name has a subject that NATS takes, and comes back from it;
// two names never share one.
func TestSubjectsComeBack(t *testing.T) {
	token := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("ab $%*>\t\x7fé日\x00_0A")), 0, 6, -1),
		rapid.SampledFrom([]string{"", "%", "%20", "%2", "$JS", "*", "_INBOX", "a b"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		n := names{rapid.SampledFrom([]string{"", "rv.7500."}).Draw(t, "prefix")}
		destination := strings.Join(rapid.SliceOfN(token, 1, 5).Draw(t, "tokens"), ".")
		subject := n.subject(destination)
		if !strings.HasPrefix(destination, inbox) && !server.IsValidSubject(subject) {
			t.Fatalf("NATS does not take %q, the subject of %q", subject, destination)
		}
		if got, ok := n.destination(subject); !ok || got != destination {
			t.Fatalf("%q came back from %q as %q", destination, subject, got)
		}
	})
}

// TestStreamSubjects: the subjects of a stream never overlap, and cover all that was added.
func TestStreamSubjects(t *testing.T) {
	token := rapid.SampledFrom([]string{"a", "b", "c", "*"})
	rapid.Check(t, func(t *rapid.T) {
		var wanted, have []string
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			tokens := rapid.SliceOfN(token, 1, 4).Draw(t, "tokens")
			if rapid.Bool().Draw(t, "tail") {
				tokens = append(tokens, ">")
			}
			subject := strings.Join(tokens, ".")
			wanted = append(wanted, subject)
			have = join(have, subject)
		}
		for i, x := range have {
			for _, y := range have[:i] {
				if name.Overlap(x, y) {
					t.Fatalf("%v: %s and %s overlap", have, x, y)
				}
			}
		}
		for _, w := range wanted {
			covered := false
			for _, h := range have {
				covered = covered || covers(h, w)
			}
			if !covered {
				t.Fatalf("%v does not cover %s", have, w)
			}
		}
	})
}
