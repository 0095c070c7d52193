package auth

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/core/name"
)

// right gives the one right that a word stands for.
func right(topic bool, word string) Rights { return ParseRights(topic, []string{word}) }

func TestRightsOfUsersAndGroups(t *testing.T) {
	grant := func(who Who, topic bool, pattern string, words ...string) Grant {
		return Grant{Who: who, Topic: topic, Pattern: pattern, Rights: ParseRights(topic, words)}
	}
	alice, bob, traders, everybody := Who{Name: "alice"}, Who{Name: "bob"}, Who{"traders", true}, Who{"all", true}
	m := Compile(Source{
		Groups: map[string][]string{"traders": {"alice", "carol"}, "$admin": {"root"}, "ops": {"dave"}},
		Grants: []Grant{
			grant(alice, false, "pay.*", "send"),
			grant(alice, false, "pay.in", "receive"),
			grant(traders, false, "pay.>", "browse"),
			grant(everybody, false, "open", "send", "receive"),
			grant(bob, true, "prices", "durable"),
			grant(bob, false, "q.>", "create"),
			grant(bob, false, "all", All),
			grant(bob, true, "tree.>", "subscribe"),
			grant(bob, true, ">", "subscribe"),
			grant(bob, true, "$sys.monitor.>", "publish"),
			grant(Who{"ops", true}, false, "pay.in", "purge"),
			grant(Who{Name: "ops"}, false, "pay.in", "send"), // a user of the group's name
		},
		Admins: []AdminGrant{
			{Who{"ops", true}, ParseGlobal([]string{"create-destination"})},
			{Who{Name: "eve"}, ParseGlobal([]string{"view-all", "protect1"})},
		},
	})
	for _, c := range []struct {
		user, permission string
		topic            bool
		name             string
		want             bool
	}{
		{"alice", "send", false, "pay.in", true},
		{"alice", "receive", false, "pay.in", true}, // several patterns add up
		{"alice", "browse", false, "pay.in", true},  // so does the group
		{"carol", "browse", false, "pay.in", true},
		{"carol", "send", false, "pay.in", false},
		{"alice", "receive", false, "pay.out", false},
		{"bob", "send", false, "pay.in", false},
		{"nobody", "receive", false, "open", true}, // everybody's
		{"nobody", "browse", false, "open", false},
		{"alice", "publish", true, "pay.in", false},  // the topic of that name is another
		{"bob", "use_durable", true, "prices", true}, // durable implies it
		{"bob", "create", false, "q.1", true},
		{"bob", "view", false, "q.1", true}, // create implies it
		{"bob", "delete", false, "q.1", false},
		{"bob", "purge", false, "all", true},
		{"bob", "subscribe", true, "tree.a.b", true},
		{"bob", "subscribe", true, "$sys.monitor.queue.create", false}, // > is no parent of it
		{"bob", "publish", true, "$sys.monitor.queue.create", true},
		{"dave", "purge", false, "pay.in", true},
		{"dave", "send", false, "pay.in", false},
		{"dave", "create", true, "anything", true}, // of the whole server
		{"dave", "publish", true, "anything", false},
		{"eve", "view", false, "anything", true},
		{"eve", "browse", false, "anything", false},
		{"root", "publish", true, "anything", true},
		{Admin, "delete", false, "pay.in", true},
	} {
		if got := m.Rights(c.user, c.topic, c.name)&right(c.topic, c.permission) != 0; got != c.want {
			t.Errorf("%s %s topic=%v %s: %v", c.user, c.permission, c.topic, c.name, got)
		}
	}
}

// A subscription to a wildcard has only rights that cover all of it.
func TestRightsOnWildcards(t *testing.T) {
	m := Compile(Source{Grants: []Grant{
		{Who: Who{Name: "u"}, Topic: true, Pattern: "a.*", Rights: Subscribe},
		{Who: Who{Name: "u"}, Topic: true, Pattern: "b.>", Rights: Subscribe},
	}})
	for n, want := range map[string]bool{ // order: irrelevant
		"a.*": true, "a.>": false, "*.b": false, "b.>": true, "b.*": true, "b.*.c": true, "b.c.>": true, ">": false, "a.b": true,
	} {
		if got := m.Rights("u", true, n)&Subscribe != 0; got != want {
			t.Errorf("%s: %v", n, got)
		}
	}
}

func TestGlobalPermissions(t *testing.T) {
	for _, c := range []struct {
		words string
		has   []string
		not   []string
	}{
		{"change-user", []string{"change-user", "view-user", ""}, []string{"view-group", "view-all"}},
		{"purge-durable", []string{"view-durable"}, []string{"change-durable", "purge-destination"}},
		{"delete-destination", []string{"view-destination"}, []string{"create-destination"}},
		{"view-all", []string{"view-acl", "view-admin-acl", "view-server"}, []string{"change-acl"}},
		{"all", []string{"shutdown", "change-admin-acl", "view-all"}, []string{"protect1"}},
		{"protect2", []string{"protect2"}, []string{"", "view-user"}},
	} {
		m := Compile(Source{Admins: []AdminGrant{{Who{Name: "u"}, ParseGlobal(strings.Split(c.words, ","))}}})
		g := m.Global("u")
		for _, w := range c.has {
			if !g.Has(w) {
				t.Errorf("%s does not give %q", c.words, w)
			}
		}
		for _, w := range c.not {
			if g.Has(w) {
				t.Errorf("%s gives %q", c.words, w)
			}
		}
	}
	for _, w := range GlobalPermissions {
		if !protects(w) && !Compile(Source{}).Global(Admin).Has(w) {
			t.Errorf("admin has not %s", w)
		}
	}
}

func TestProtectedUsers(t *testing.T) {
	admins := func(user, words string) AdminGrant {
		return AdminGrant{Who{Name: user}, ParseGlobal(strings.Split(words, ","))}
	}
	m := Compile(Source{
		Groups: map[string][]string{"$admin": {"root"}},
		Admins: []AdminGrant{admins("a", "change-user,protect1"), admins("b", "change-user,protect2"), admins("c", "protect1"), admins("d", "all")},
	})
	for _, c := range []struct {
		user, other string
		want        bool
	}{
		{"a", "c", true},
		{"b", "c", false},
		{"d", "c", false},
		{"root", "c", true},
		{Admin, "c", true},
		{"a", "nobody", true},
		{"d", "root", false},
		{"d", Admin, false},
		{Admin, "root", true},
	} {
		if got := m.MayChange(c.user, c.other); got != c.want {
			t.Errorf("%s changes %s: %v", c.user, c.other, got)
		}
	}
}

// naive is ems 6.4 word by word: is there a grant, to the user, to one of its
// groups or to everybody, on a pattern that matches, of the permission or of one
// that implies it?
func naive(s Source, user, word string, topic bool, n string) bool {
	in := func(group string) bool { return Everybody(group) || slices.Contains(s.Groups[group], user) }
	if user == Admin || slices.Contains(s.Groups[AdminGroup], user) {
		return true
	}
	mine := func(w Who) bool { return w.Group && in(w.Name) || !w.Group && w.Name == user }
	gives := func(r Rights) bool {
		if r&right(topic, word) != 0 {
			return true
		}
		switch word {
		case "use_durable":
			return r&Durable != 0
		case "view":
			return r&(Create|Modify|Delete|Purge) != 0
		}
		return false
	}
	for _, g := range s.Grants {
		if mine(g.Who) && g.Topic == topic && name.Match(g.Pattern, n) && gives(g.Rights) {
			return true
		}
	}
	for _, a := range s.Admins {
		if mine(a.Who) && slices.Contains(administrativePermissions, word) && (a.Global.Has(word+"-destination") || word == "view" && a.Global.Has("view-destination")) {
			return true
		}
	}
	return false
}

func mapWho(names []string, group bool) (all []Who) {
	for _, n := range names {
		all = append(all, Who{n, group})
	}
	return all
}

// The compiled model, changed piece by piece or made at once, and its cache, say what the naive evaluator says.
func TestModelAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := []string{"a", "b", "c", "admin", "g"}
		groups := []string{"g", "h", "$admin", "all"}
		who := func() Who {
			if rapid.Bool().Draw(t, "group") {
				return Who{rapid.SampledFrom(groups).Draw(t, "g"), true}
			}
			return Who{Name: rapid.SampledFrom(users).Draw(t, "u")}
		}
		element := rapid.SampledFrom([]string{"x", "y", "*"})
		pattern := func() string {
			p := strings.Join(rapid.SliceOfN(element, 1, 3).Draw(t, "pattern"), ".")
			if rapid.IntRange(0, 3).Draw(t, "tail") == 0 {
				p += ".>"
			}
			return p
		}
		words := func(topic bool) []string {
			return rapid.SliceOfN(rapid.SampledFrom(Permissions(topic)), 1, 3).Draw(t, "words")
		}
		s := Source{Groups: map[string][]string{}}
		for _, g := range groups[:3] {
			members := rapid.SliceOfNDistinct(rapid.SampledFrom(users), 0, 2, rapid.ID).Draw(t, "members of "+g)
			if len(members) > 0 && (g != AdminGroup || rapid.IntRange(0, 9).Draw(t, "admins") == 0) {
				s.Groups[g] = members
			}
		}
		for range rapid.IntRange(0, 8).Draw(t, "grants") {
			topic := rapid.Bool().Draw(t, "topic")
			s.Grants = append(s.Grants, Grant{who(), topic, pattern(), ParseRights(topic, words(topic))})
		}
		for range rapid.IntRange(0, 2).Draw(t, "admins") {
			s.Admins = append(s.Admins, AdminGrant{who(), ParseGlobal([]string{rapid.SampledFrom(GlobalPermissions).Draw(t, "global")})})
		}
		m := Compile(s)
		if rapid.Bool().Draw(t, "piecemeal") {
			m = Compile(Source{Grants: s.Grants[len(s.Grants)/2:], Admins: s.Admins}).WithGroups(s.Groups)
			for _, w := range append(slices.Concat(mapWho(users, false), mapWho(groups, true)), Who{"$all", true}) {
				var grants []Grant
				var global Global
				for _, g := range s.Grants {
					if g.Who.Same(w) {
						grants = append(grants, g)
					}
				}
				for _, a := range s.Admins {
					if a.Who.Same(w) {
						global |= a.Global
					}
				}
				m = m.With(w, grants, global)
			}
		}
		cache := NewCache(m)
		for range 20 {
			user, topic := rapid.SampledFrom(users).Draw(t, "user"), rapid.Bool().Draw(t, "of a topic")
			n := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y", "z"}), 1, 3).Draw(t, "name"), ".")
			for _, w := range Permissions(topic) {
				if w == All {
					continue // no permission of its own
				}
				want := naive(s, user, w, topic, n)
				if got := m.Rights(user, topic, n)&right(topic, w) != 0; got != want {
					t.Fatalf("%s %s topic=%v %s: %v of %+v", user, w, topic, n, got, s)
				}
				if got := cache.Rights(user, topic, n)&right(topic, w) != 0; got != want {
					t.Fatalf("cached: %s %s topic=%v %s: %v", user, w, topic, n, got)
				}
			}
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	c := NewCache(Compile(Source{Grants: []Grant{{Who: Who{Name: "u"}, Pattern: ">", Rights: Send}}}))
	for i := range 3 * MaxCache / 2 {
		n := "q." + strings.Repeat("x", i%100) + string(rune('a'+i%26)) + "." + strings.Repeat("y", i/100%200) + "." + string(rune('A'+i/20000))
		if c.Rights("u", false, n) != Send {
			t.Fatal("a right is lost")
		}
	}
	if n := len(c.have); n > MaxCache || n == 0 {
		t.Errorf("%d answers are kept", n)
	}
}

// What a word of the file stands for is a bit of its own, so that none is taken
// for another.
func TestRightWords(t *testing.T) {
	seen := map[Rights]string{}
	for _, w := range slices.Sorted(maps.Keys(rightWords)) {
		if other, twice := seen[rightWords[w]]; twice && other+w != "publishsend" {
			t.Errorf("%s and %s are one", w, other)
		}
		seen[rightWords[w]] = w
	}
}

func BenchmarkCachedRights(b *testing.B) {
	c := NewCache(Compile(Source{Grants: []Grant{{Who: Who{Name: "u"}, Topic: true, Pattern: "prices.>", Rights: Subscribe}}}))
	b.ReportAllocs()
	for b.Loop() {
		if c.Rights("u", true, "prices.eur.usd")&Subscribe == 0 {
			b.Fatal("no right")
		}
	}
}
