package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
)

var userOperations = []Operation{
	{Usage: "create user NAME [DESCRIPTION] [password=PASSWORD]", Help: "Add a user.", Right: Right{Global: "change-user"}, Writes: true, Run: createUser},
	{Usage: "delete user NAME", Help: "Remove a user, from groups and rights as well.", Right: Right{Global: "change-user"}, Writes: true, Asks: true, Run: deleteUser},
	{Usage: "delete all users", Help: "Remove all users but admin.", Right: Right{Global: "change-user"}, Writes: true, Asks: true, Run: deleteAllUsers},
	{Usage: "set password NAME [PASSWORD]", Help: "Set a user's password, or none.", Right: Right{Global: "change-user"}, Writes: true, Run: setPassword},
	{Usage: "show users", Help: "All users.", Right: Right{Global: "view-user"}, Run: showUsers},
	{Usage: "show user NAME", Help: "One user and the groups it is in.", Right: Right{Global: "view-user"}, Run: showUser},
	{Usage: "create group NAME [DESCRIPTION]", Help: "Add a group.", Right: Right{Global: "change-group"}, Writes: true, Run: createGroup},
	{Usage: "delete group NAME", Help: "Remove a group and its rights.", Right: Right{Global: "change-group"}, Writes: true, Asks: true, Run: deleteGroup},
	{Usage: "delete all groups", Help: "Remove all groups but $admin.", Right: Right{Global: "change-group"}, Writes: true, Asks: true, Run: deleteAllGroups},
	{Usage: "addmember GROUP USERS...", Help: "Put users into a group.", Right: Right{Global: "change-group"}, Writes: true, Run: addMember},
	{Usage: "removemember GROUP USERS...", Help: "Take users out of a group.", Right: Right{Global: "change-group"}, Writes: true, Run: removeMember},
	{Usage: "show groups", Help: "All groups.", Right: Right{Global: "view-group"}, Run: showGroups},
	{Usage: "show group NAME", Help: "One group.", Right: Right{Global: "view-group"}, Run: showGroup},
	{Usage: "show members GROUP", Help: "The users in a group.", Right: Right{Global: "view-group"}, Run: showMembers},
}

func (c *Call) user(n string) (config.Object, bool) {
	o, ok := c.o.Definitions.object(config.Users, n)
	if !ok && n == auth.Admin {
		return config.Object{Class: config.Users, Name: n}, true
	}
	return o, ok
}

// hashed is a password as users.conf has it.
func (c *Call) hashed(password string) string {
	if password == "" || c.o.HashPassword == nil {
		return password
	}
	return c.o.HashPassword(password)
}

func createUser(_ context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	if _, ok := c.user(n); ok {
		return nil, exists("user", n)
	}
	o := config.Object{Class: config.Users, Name: n}
	o = o.With("password", c.hashed(c.Get("password"))).With("description", c.Get("description"))
	if err := c.o.Definitions.put(o); err != nil {
		return nil, err
	}
	return screen.Said("User '%s' has been created", n), nil
}

func (c *Call) deleteUserNamed(n string) error {
	o, ok := c.o.Definitions.object(config.Users, n)
	switch {
	case n == auth.Admin:
		return refuse(core.Denied, "user 'admin' is the server's own and cannot be deleted")
	case !ok:
		return missing("user", n)
	}
	if err := c.mayChange(n); err != nil {
		return err
	}
	if err := c.o.Definitions.remove(config.Users, o.Key(), n); err != nil {
		return err
	}
	for _, g := range c.o.Definitions.objects(config.Groups) {
		if slices.Contains(g.All("member"), n) {
			if err := c.o.Definitions.put(withAll(g, "member", slices.DeleteFunc(g.All("member"), func(m string) bool { return m == n }))); err != nil {
				return err
			}
		}
	}
	return c.dropRights("user", n)
}

// dropRights takes away what was granted to somebody who goes.
func (c *Call) dropRights(kind, n string) error {
	for _, a := range c.o.Definitions.objects(config.ACLs) {
		if a.Get(kind) == n {
			if err := c.o.Definitions.remove(config.ACLs, a.Key(), a.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

func deleteUser(_ context.Context, c *Call) (*screen.Result, error) {
	if err := c.deleteUserNamed(c.Get("name")); err != nil {
		return nil, err
	}
	return screen.Said("User '%s' has been deleted", c.Get("name")), nil
}

func deleteAllUsers(_ context.Context, c *Call) (*screen.Result, error) {
	for _, o := range c.o.Definitions.objects(config.Users) {
		if o.Name == auth.Admin {
			continue
		}
		if err := c.deleteUserNamed(o.Name); err != nil {
			return nil, err
		}
	}
	return screen.Said("All users have been deleted"), nil
}

func setPassword(_ context.Context, c *Call) (*screen.Result, error) {
	o, ok := c.user(c.Get("name"))
	if !ok {
		return nil, missing("user", c.Get("name"))
	}
	if err := c.mayChange(o.Name); err != nil {
		return nil, err
	}
	if err := c.o.Definitions.put(o.With("password", c.hashed(c.Get("password")))); err != nil {
		return nil, err
	}
	return screen.Said("Password of user '%s' has been modified", o.Name), nil
}

func sortedByName(all []config.Object) []config.Object {
	slices.SortFunc(all, func(x, y config.Object) int { return compareNames(x.Name, y.Name) })
	return all
}

func showUsers(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("users", "name text User Name;description text Description")
	all := sortedByName(c.o.Definitions.objects(config.Users))
	if !slices.ContainsFunc(all, func(o config.Object) bool { return o.Name == auth.Admin }) {
		t.Add(auth.Admin, "Administrator")
	}
	for _, o := range all {
		t.Add(o.Name, o.Get("description"))
	}
	return shown(t), nil
}

func showUser(_ context.Context, c *Call) (*screen.Result, error) {
	o, ok := c.user(c.Get("name"))
	if !ok {
		return nil, missing("user", c.Get("name"))
	}
	t := newTable("user", "name text User;description text Description;groups list Groups;password bool Password Set")
	t.Single = true
	t.Add(o.Name, o.Get("description"), c.o.Definitions.groupsOf(o.Name), o.Get("password") != "")
	return shown(t), nil
}

func createGroup(_ context.Context, c *Call) (*screen.Result, error) {
	n := c.Get("name")
	if _, ok := c.o.Definitions.object(config.Groups, n); ok {
		return nil, exists("group", n)
	}
	if err := c.o.Definitions.put(config.Object{Class: config.Groups, Name: n}.With("description", c.Get("description"))); err != nil {
		return nil, err
	}
	return screen.Said("Group '%s' has been created", n), nil
}

func (c *Call) group(n string) (config.Object, error) {
	o, ok := c.o.Definitions.object(config.Groups, n)
	if !ok {
		return o, missing("group", n)
	}
	return o, nil
}

// dropGroup deletes a group with its rights.
func (c *Call) dropGroup(o config.Object) error {
	if err := c.mayChangeGroup(o.Name, o.All("member")); err != nil {
		return err
	}
	if err := c.o.Definitions.remove(config.Groups, o.Key(), o.Name); err != nil {
		return err
	}
	return c.dropRights("group", o.Name)
}

func deleteGroup(_ context.Context, c *Call) (*screen.Result, error) {
	o, err := c.group(c.Get("name"))
	if err != nil {
		return nil, err
	}
	if o.Name == auth.AdminGroup {
		return nil, refuse(core.Denied, "group '%s' is the server's own and cannot be deleted: removemember %s USER takes somebody out", auth.AdminGroup, auth.AdminGroup)
	}
	if err := c.dropGroup(o); err != nil {
		return nil, err
	}
	return screen.Said("Group '%s' has been deleted", o.Name), nil
}

func deleteAllGroups(_ context.Context, c *Call) (*screen.Result, error) {
	for _, o := range c.o.Definitions.objects(config.Groups) {
		if o.Name == auth.AdminGroup {
			continue
		}
		if err := c.dropGroup(o); err != nil {
			return nil, err
		}
	}
	return screen.Said("All groups have been deleted"), nil
}

// withAll is an object with other values of an attribute that stands several
// times.
func withAll(o config.Object, name string, values []string) config.Object {
	var attrs []config.Attr
	for _, a := range o.Attrs {
		if a.Name != name {
			attrs = append(attrs, a)
		}
	}
	for _, v := range values {
		attrs = append(attrs, config.Attr{Name: name, Value: v})
	}
	o.Attrs = attrs
	return o
}

// changeMembers gives a group other members: change says which of those it has and the
// users named there are to be, done what then has been done.
func (c *Call) changeMembers(change func(members, users []string, group string) ([]string, error), done string) (*screen.Result, error) {
	o, err := c.group(c.Get("group"))
	if err != nil {
		return nil, err
	}
	users := command.Words(c.Get("users"))
	if err := c.mayChangeGroup(o.Name, users); err != nil {
		return nil, err
	}
	members, err := change(o.All("member"), users, o.Name)
	if err != nil {
		return nil, err
	}
	if err := c.o.Definitions.put(withAll(o, "member", members)); err != nil {
		return nil, err
	}
	return screen.Said("%s %s group '%s'", haveBeen(users), done, o.Name), nil
}

func addMember(_ context.Context, c *Call) (*screen.Result, error) {
	return c.changeMembers(func(members, users []string, _ string) ([]string, error) {
		for _, u := range users {
			if _, ok := c.user(u); !ok {
				return nil, missing("user", u)
			}
			if !slices.Contains(members, u) {
				members = append(members, u)
			}
		}
		return members, nil
	}, "added to")
}

func removeMember(_ context.Context, c *Call) (*screen.Result, error) {
	return c.changeMembers(func(members, users []string, group string) ([]string, error) {
		for _, u := range users {
			i := slices.Index(members, u)
			if i < 0 {
				return nil, refuse(core.NotFound, "user '%s' is not in group '%s'", u, group)
			}
			members = slices.Delete(members, i, i+1)
		}
		return members, nil
	}, "removed from")
}

func haveBeen(users []string) string {
	if len(users) == 1 {
		return "User '" + users[0] + "' has been"
	}
	return "Users '" + strings.Join(users, ",") + "' have been"
}

func showGroups(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("groups", "name text Group Name;members count Members;description text Description")
	t.Empty = "No groups."
	for _, o := range sortedByName(c.o.Definitions.objects(config.Groups)) {
		t.Add(o.Name, len(o.All("member")), o.Get("description"))
	}
	return shown(t), nil
}

func showGroup(_ context.Context, c *Call) (*screen.Result, error) {
	o, err := c.group(c.Get("name"))
	if err != nil {
		return nil, err
	}
	t := newTable("group", "name text Group;description text Description;members list Members")
	t.Single = true
	t.Add(o.Name, o.Get("description"), o.All("member"))
	return shown(t), nil
}

func showMembers(_ context.Context, c *Call) (*screen.Result, error) {
	o, err := c.group(c.Get("group"))
	if err != nil {
		return nil, err
	}
	t := newTable("members", "name text User Name;description text Description")
	t.Empty = "No members."
	for _, m := range o.All("member") {
		u, _ := c.user(m)
		t.Add(m, u.Get("description"))
	}
	return shown(t), nil
}
