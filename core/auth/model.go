package auth

import (
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
}

// Model is who may do what. It is not changed once it is made, and may be asked
// by many at a time (ems 6.4).
type Model struct {
	users, groups map[string]*principal
	all           *principal
	member        map[string][]string // the groups of a user
}

// Compile makes a model.
func Compile(s Source) *Model {
	m := &Model{users: map[string]*principal{}, groups: map[string]*principal{}, all: &principal{}, member: map[string][]string{}}
	for group, members := range s.Groups { // order: irrelevant
		for _, u := range members {
			m.member[u] = append(m.member[u], group)
		}
	}
	for _, g := range s.Grants {
		p := m.principal(g.Who)
		g.Rights = g.Rights.implied()
		p.tries[index(g.Topic)].Insert(g.Pattern, g.Rights)
		p.grants = append(p.grants, g)
	}
	for _, a := range s.Admins {
		m.principal(a.Who).global |= a.Global
	}
	return m
}

func index(topic bool) int {
	if topic {
		return 1
	}
	return 0
}

func (m *Model) principal(w Who) *principal {
	if w.Group && Everybody(w.Name) {
		return m.all
	}
	in := m.users
	if w.Group {
		in = m.groups
	}
	p := in[w.Name]
	if p == nil {
		p = &principal{}
		in[w.Name] = p
	}
	return p
}

// Administrator says whether a user may do everything.
func (m *Model) Administrator(user string) bool {
	return user == Admin || slices.Contains(m.member[user], AdminGroup)
}

// each visits all that a user's permissions come from.
func (m *Model) each(user string, visit func(*principal)) {
	visit(m.all)
	if p := m.users[user]; p != nil {
		visit(p)
	}
	for _, g := range m.member[user] {
		if p := m.groups[g]; p != nil {
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
		r |= p.on(topic, n) | p.global.rights()
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
	switch p := m.groups[group]; {
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
