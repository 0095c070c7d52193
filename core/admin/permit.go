package admin

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
)

// RightsOf is what groups.conf and acl.conf say.
func RightsOf(c *config.Config) auth.Source {
	s := auth.Source{Groups: GroupsOf(c)}
	for _, o := range c.Objects(config.ACLs) {
		addGrants(&s, o)
	}
	return s
}

// GroupsOf is the members of groups.
func GroupsOf(c *config.Config) map[string][]string {
	groups := map[string][]string{}
	for _, o := range c.Objects(config.Groups) {
		groups[o.Name] = o.All("member")
	}
	return groups
}

// GrantsTo is what one user or group has been granted.
func GrantsTo(c *config.Config, who auth.Who) (grants []auth.Grant, global auth.Global) {
	var s auth.Source
	for _, o := range c.Objects(config.ACLs) {
		if whoOf(o).Same(who) {
			addGrants(&s, o)
		}
	}
	for _, a := range s.Admins {
		global |= a.Global
	}
	return s.Grants, global
}

// whoOf is the user or group of a line of acl.conf.
func whoOf(o *config.Object) auth.Who {
	if o.Has("group") {
		return auth.Who{Name: o.Get("group"), Group: true}
	}
	return auth.Who{Name: o.Get("user")}
}

func addGrants(s *auth.Source, o *config.Object) {
	kind, pattern, ok := strings.Cut(o.Name, ":")
	if !ok { // an ADMIN line
		s.Admins = append(s.Admins, auth.AdminGrant{Who: whoOf(o), Global: auth.ParseGlobal(o.All("perm"))})
		return
	}
	topic := kind == "topic"
	s.Grants = append(s.Grants, auth.Grant{Who: whoOf(o), Topic: topic, Pattern: pattern, Rights: auth.ParseRights(topic, o.All("perm"))})
}

// RightOf says what a permission of the broker's is in a model.
var RightOf = [...]auth.Rights{
	core.MaySend: auth.Send, core.MayReceive: auth.Receive, core.MayBrowse: auth.Browse, core.MaySubscribe: auth.Subscribe,
	core.MayDurable: auth.Durable, core.MayUseDurable: auth.UseDurable,
	core.MayView: auth.View, core.MayCreate: auth.Create, core.MayModify: auth.Modify, core.MayDelete: auth.Delete, core.MayPurge: auth.Purge,
}

// permits says whether a user has an operation's right: on the whole server, or on
// the destination that it is about (ems 6.3 to 6.5).
func permits(m *auth.Model, user string, r Right, destination string) bool {
	if m.Administrator(user) || m.Global(user).Has(r.Global) {
		return true
	}
	return r.On != 0 && destination != "" && m.Rights(user, r.Kind == core.Topic, destination)&RightOf[r.On] != 0
}

// mayChange refuses to change users who are protected from who asks (ems 6.5).
func (c *Call) mayChange(users ...string) error {
	if c.o.Rights == nil {
		return nil
	}
	m := c.o.Rights()
	for _, u := range users {
		if !m.MayChange(c.User, u) {
			return refuse(core.Denied, "not permitted: user '%s' is protected from '%s': one of $admin, or one with the same protection, can change it", u, c.User)
		}
	}
	return nil
}

// mayChangeGroup refuses to change a group that gives more than who asks has, or
// whose members are protected from who asks.
func (c *Call) mayChangeGroup(group string, members []string) error {
	if c.o.Rights == nil || c.o.Rights().Administrator(c.User) {
		return nil
	}
	if group == auth.AdminGroup {
		return refuse(core.Denied, "not permitted: only members of %s can change it", auth.AdminGroup)
	}
	m := c.o.Rights()
	if lacks := lacking(m, c.User, m.GroupGlobal(group)); lacks != "" {
		return refuse(core.Denied, "not permitted: group '%s' gives %s, which user '%s' has not", group, lacks, c.User)
	}
	return c.mayChange(members...)
}

// lacking names a permission that a user has not; "": it has all of them.
func lacking(m *auth.Model, user string, want auth.Global) string {
	have := m.Global(user)
	i := slices.IndexFunc(auth.GlobalPermissions, func(w string) bool { return want.Has(w) && !have.Has(w) })
	if i < 0 {
		return ""
	}
	return auth.GlobalPermissions[i]
}

// mayGrant refuses to hand out permissions on the server that who grants has not,
// or to whom it must not change.
func (c *Call) mayGrant(what, kind, n string, words []string) error {
	if c.o.Rights == nil || c.o.Rights().Administrator(c.User) {
		return nil
	}
	m := c.o.Rights()
	if what == "admin" {
		if need := "view-" + kind; !m.Global(c.User).Has(need) {
			return refuse(core.Denied, "not permitted: to grant permissions of administrators takes %s as well", need)
		}
		if lacks := lacking(m, c.User, auth.ParseGlobal(words)); lacks != "" {
			return refuse(core.Denied, "not permitted: user '%s' has not %s itself", c.User, lacks)
		}
	}
	if kind == "group" {
		return c.mayChangeGroup(n, nil)
	}
	return c.mayChange(n)
}
