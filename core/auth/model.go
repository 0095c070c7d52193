package auth

import (
	"maps"
	"slices"

	"github.com/tidegate/tidegate/core/name"
)

// Admin is the user who has every permission, and AdminGroup the group whose
// members have; Everybody is the group of all users, under both of its names
// (ems 6.2).
const (
	Admin      = "admin"
	AdminGroup = "$admin"
)

// Everybody says whether a group is the one that all users are in.
func Everybody(group string) bool { return group == "all" || group == "$all" }

// Who is a user, or a group.
type Who struct {
	Name  string
	Group bool
}

// Grant is what somebody may do on the destinations that match a pattern (ems
// 6.3). There are no negative ones.
type Grant struct {
	Who     Who
	Topic   bool
	Pattern string
	Rights  Rights
}

// AdminGrant is what somebody may do on the server.
type AdminGrant struct {
	Who    Who
	Global Global
}

// Source is what a Model is made of: groups.conf and acl.conf.
type Source struct {
	Groups map[string][]string // members by group
	Grants []Grant
	Admins []AdminGrant
}

// principal is a user or group that has been granted something.
type principal struct {
	tries  [2]name.Trie[Rights] // of queues and of topics
	grants []Grant              // the same, for names with wildcards
	global Global
	rights Rights // on every destination, by global
}

func newPrincipal(grants []Grant, global Global) *principal {
	p := &principal{grants: slices.Clone(grants), global: global, rights: global.rights()}
	for i := range p.grants {
		g := &p.grants[i]
		g.Rights = g.Rights.implied()
		p.tries[index(g.Topic)].Insert(g.Pattern, g.Rights)
	}
	return p
}

// Model is who may do what. It is not changed once it is made, and may be asked
// by many at a time (ems 6.4).
type Model struct {
	granted map[Who]*principal
	member  map[string][]string // the groups of a user
}

// Compile makes a model.
func Compile(s Source) *Model {
	m := &Model{granted: map[Who]*principal{}, member: members(s.Groups)}
	grants, globals := map[Who][]Grant{}, map[Who]Global{}
	for _, g := range s.Grants {
		grants[g.Who.one()] = append(grants[g.Who.one()], g)
	}
	for _, a := range s.Admins {
		globals[a.Who.one()] |= a.Global
	}
	for w, all := range grants { // order: irrelevant
		m.granted[w] = newPrincipal(all, globals[w])
	}
	for w, global := range globals { // order: irrelevant
		if m.granted[w] == nil {
			m.granted[w] = newPrincipal(nil, global)
		}
	}
	return m
}

// With is the model in which one user or group has been granted this, and nothing
// else. It costs little beside Compile.
func (m *Model) With(who Who, grants []Grant, global Global) *Model {
	next := &Model{granted: maps.Clone(m.granted), member: m.member}
	next.granted[who.one()] = newPrincipal(grants, global)
	return next
}

// WithGroups is the model with other groups.
func (m *Model) WithGroups(groups map[string][]string) *Model {
	return &Model{granted: m.granted, member: members(groups)}
}

// members turns groups round.
func members(groups map[string][]string) map[string][]string {
	of := map[string][]string{}
	for group, users := range groups { // order: irrelevant
		for _, u := range users {
			of[u] = append(of[u], group)
		}
	}
	return of
}

func index(topic bool) int {
	if topic {
		return 1
	}
	return 0
}

// everybody is the group of all users.
var everybody = Who{All, true}

// one gives the group of all users under one of its names.
func (w Who) one() Who {
	if w.Group && Everybody(w.Name) {
		return everybody
	}
	return w
}

// Same says whether two stand for the same.
func (w Who) Same(other Who) bool { return w.one() == other.one() }

// Administrator says whether a user may do everything.
func (m *Model) Administrator(user string) bool {
	return user == Admin || slices.Contains(m.member[user], AdminGroup)
}

// each visits all that a user's permissions come from.
func (m *Model) each(user string, visit func(*principal)) {
	if p := m.granted[everybody]; p != nil {
		visit(p)
	}
	if p := m.granted[Who{Name: user}]; p != nil {
		visit(p)
	}
	for _, g := range m.member[user] {
		if p := m.granted[Who{g, true}]; p != nil {
			visit(p)
		}
	}
}

// Rights are a user's on a destination: what it, its groups and everybody have
// been granted on the name and on patterns that cover it, and what permissions on
// the server give. The name may be a pattern, of a subscription: a grant counts
// if it covers all of it.
func (m *Model) Rights(user string, topic bool, n string) Rights {
	if m.Administrator(user) {
		return every
	}
	var r Rights
	m.each(user, func(p *principal) {
		r |= p.on(topic, n) | p.rights
	})
	return r.implied()
}

func (p *principal) on(topic bool, n string) (r Rights) {
	if !name.IsWildcard(n) {
		p.tries[index(topic)].Match(n, func(v Rights) { r |= v })
		return r
	}
	for i := range p.grants {
		if g := &p.grants[i]; g.Topic == topic && name.Covers(g.Pattern, n) {
			r |= g.Rights
		}
	}
	return r
}

// Global are a user's permissions on the server.
func (m *Model) Global(user string) (g Global) {
	if m.Administrator(user) {
		return globalBits[All]
	}
	m.each(user, func(p *principal) { g |= p.global })
	return g
}

// GroupGlobal is what a group's members get from it.
func (m *Model) GroupGlobal(group string) Global {
	switch p := m.granted[Who{group, true}.one()]; {
	case group == AdminGroup:
		return globalBits[All]
	case p != nil:
		return p.global
	}
	return 0
}

// Has says whether permissions have one by its word; the empty word is had by
// whoever has any that is not mere protection.
func (g Global) Has(word string) bool {
	if word == "" {
		return g&^protection != 0
	}
	return g&globalBit(word) != 0
}

// MayChange says whether one user may change another, or what that one may do: an
// administrator, and whoever is protected, only by an administrator, or by one who
// has a protection in common (ems 6.5).
func (m *Model) MayChange(user, other string) bool {
	if m.Administrator(user) {
		return true
	}
	if m.Administrator(other) {
		return false
	}
	var mine, its Global
	m.each(user, func(p *principal) { mine |= p.global & protection })
	m.each(other, func(p *principal) { its |= p.global & protection })
	return its == 0 || mine&its != 0
}

// MaxCache is how many answers a Cache keeps.
const MaxCache = 1 << 15

// Cache keeps a model's answers, for those that ask for every message. It is for
// one goroutine at a time; the model's successor wants a new one.
type Cache struct {
	m    *Model
	have map[question]Rights
}

type question struct {
	user, name string
	topic      bool
}

// NewCache makes one.
func NewCache(m *Model) *Cache { return &Cache{m: m, have: map[question]Rights{}} }

// Rights is Model.Rights.
func (c *Cache) Rights(user string, topic bool, n string) Rights {
	q := question{user, n, topic}
	r, ok := c.have[q]
	if !ok {
		if len(c.have) >= MaxCache {
			clear(c.have)
		}
		r = c.m.Rights(user, topic, n)
		c.have[q] = r
	}
	return r
}
