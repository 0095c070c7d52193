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

var aclOperations = []Operation{
	{Usage: "grant queue NAME WHO PERMISSIONS...", Help: "Give a user or group (user=U, group=G) rights on a queue.", Right: Right{Global: "change-acl"}, Writes: true, Run: grantOn("queue")},
	{Usage: "grant topic NAME WHO PERMISSIONS...", Help: "Give a user or group rights on a topic.", Right: Right{Global: "change-acl"}, Writes: true, Run: grantOn("topic")},
	{Usage: "grant admin WHO PERMISSIONS...", Help: "Give a user or group rights of administrators.", Right: Right{Global: "change-admin-acl"}, Writes: true, Run: grantOn("admin")},
	{Usage: "revoke queue NAME WHO [PERMISSIONS...]", Help: "Take rights on a queue away, or all of them.", Right: Right{Global: "change-acl"}, Writes: true, Run: revokeOn("queue")},
	{Usage: "revoke topic NAME WHO [PERMISSIONS...]", Help: "Take rights on a topic away, or all of them.", Right: Right{Global: "change-acl"}, Writes: true, Run: revokeOn("topic")},
	{Usage: "revoke admin WHO [PERMISSIONS...]", Help: "Take rights of administrators away, or all of them.", Right: Right{Global: "change-admin-acl"}, Writes: true, Run: revokeOn("admin")},
	{Usage: "showacl queue NAME", Help: "Who may do what on a queue.", Right: Right{Global: "view-acl"}, Run: showACLOf("queue")},
	{Usage: "showacl topic NAME", Help: "Who may do what on a topic.", Right: Right{Global: "view-acl"}, Run: showACLOf("topic")},
	{Usage: "showacl user NAME [admin]", Help: "What a user may do.", Right: Right{Global: "view-acl"}, Run: showACLBy("user")},
	{Usage: "showacl group NAME [admin]", Help: "What a group may do.", Right: Right{Global: "view-acl"}, Run: showACLBy("group")},
	{Usage: "showacl admin", Help: "Who may administer what.", Right: Right{Global: "view-admin-acl"}, Run: showACLOf("admin")},
}

// who reads user=U, group=G, or a name: a user's, else a group's.
func (c *Call) who() (kind, n string, err error) {
	text := c.Get("who")
	kind, n, said := strings.Cut(text, "=")
	kind = strings.ToLower(kind)
	if !said {
		kind, n = "user", text
		if _, isUser := c.user(n); !isUser {
			if _, isGroup := c.o.Definitions.object(config.Groups, n); isGroup {
				kind = "group"
			}
		}
	}
	if kind != "user" && kind != "group" {
		return "", "", refuse(core.Invalid, "%s: write user=NAME, group=NAME or a name", text)
	}
	return kind, n, nil
}

// scope is the name that rights stand under in acl.conf.
func (c *Call) scope(what string) string {
	if what == "admin" {
		return what
	}
	return what + ":" + c.Get("name")
}

// permissions reads a list of them; `*` is none in particular.
func (c *Call) permissions(what string) ([]string, error) {
	words := command.Words(strings.ToLower(c.Get("permissions")))
	if len(words) == 1 && words[0] == "*" {
		return nil, nil
	}
	for _, w := range words {
		if known := config.Permissions(what); !slices.Contains(known, w) {
			return nil, refuse(core.Invalid, "%q is no permission on a %s: %s", w, what, strings.Join(known, ", "))
		}
	}
	return words, nil
}

// grantee reads who is given something, or loses it, and what.
func (c *Call) grantee(what string) (kind, n string, words []string, err error) {
	if kind, n, err = c.who(); err == nil {
		words, err = c.permissions(what)
	}
	return kind, n, words, err
}

// rights finds what somebody has been granted on one thing.
func (c *Call) rights(scope, kind, n string) config.Object {
	none := config.Object{Class: config.ACLs, Name: scope, Attrs: []config.Attr{{Name: kind, Value: n}}}
	if o, ok := c.o.Definitions.object(config.ACLs, none.Key()); ok {
		return o
	}
	return none
}

func grantOn(what string) func(context.Context, *Call) (*screen.Result, error) {
	return func(_ context.Context, c *Call) (*screen.Result, error) {
		kind, n, words, err := c.grantee(what)
		if err != nil {
			return nil, err
		}
		if err := c.mayGrant(what, kind, n, words); err != nil {
			return nil, err
		}
		o := c.rights(c.scope(what), kind, n)
		all := o.All("perm")
		for _, w := range words {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
		if err := c.o.Definitions.put(withAll(o, "perm", all)); err != nil {
			return nil, err
		}
		return screen.Said("%s has been granted to %s '%s'", strings.Join(words, ","), kind, n), nil
	}
}

func revokeOn(what string) func(context.Context, *Call) (*screen.Result, error) {
	return func(_ context.Context, c *Call) (*screen.Result, error) {
		kind, n, words, err := c.grantee(what)
		if err != nil {
			return nil, err
		}
		o := c.rights(c.scope(what), kind, n)
		had := o.All("perm")
		if err := c.mayGrant(what, kind, n, had); err != nil {
			return nil, err
		}
		if len(had) == 0 {
			return nil, refuse(core.NotFound, "%s '%s' has no rights on %s", kind, n, c.scope(what))
		}
		rest := slices.DeleteFunc(slices.Clone(had), func(p string) bool {
			return len(words) == 0 || slices.Contains(words, p) || slices.Contains(words, "all")
		})
		if len(rest) == len(had) {
			return nil, refuse(core.NotFound, "%s '%s' has not been granted %s on %s: it has %s", kind, n, strings.Join(words, ","), c.scope(what), strings.Join(had, ","))
		}
		if len(rest) == 0 {
			err = c.o.Definitions.remove(config.ACLs, o.Key(), o.Name)
		} else {
			err = c.o.Definitions.put(withAll(o, "perm", rest))
		}
		if err != nil {
			return nil, err
		}
		if len(words) == 0 {
			words = had
		}
		return screen.Said("%s has been revoked from %s '%s'", strings.Join(words, ","), kind, n), nil
	}
}

const aclColumns = "kind text Kind;name text Name;who text Who;permissions list Permissions"

func addRights(t *screen.Table, o config.Object) {
	kind, n, _ := strings.Cut(o.Name, ":")
	who := "user=" + o.Get("user")
	if o.Has("group") {
		who = "group=" + o.Get("group")
	}
	t.Add(kind, n, who, o.All("perm"))
}

// showACLOf lists the rights on one thing, those of wildcards above it included.
func showACLOf(what string) func(context.Context, *Call) (*screen.Result, error) {
	return func(_ context.Context, c *Call) (*screen.Result, error) {
		t := newTable("acl", aclColumns)
		t.Empty = "No rights have been granted."
		for _, o := range c.o.Definitions.objects(config.ACLs) {
			kind, pattern, _ := strings.Cut(o.Name, ":")
			if kind == what && (what == "admin" || pattern == c.Get("name") || matches(pattern, c.Get("name"))) {
				addRights(t, o)
			}
		}
		return shown(t), nil
	}
}

// showACLBy lists the rights of a user, by its groups and everybody's as well, or of a
// group.
func showACLBy(kind string) func(context.Context, *Call) (*screen.Result, error) {
	return func(_ context.Context, c *Call) (*screen.Result, error) {
		n := c.Get("name")
		var groups []string
		if kind == "user" {
			groups = c.o.Definitions.groupsOf(n)
		}
		t := newTable("acl", aclColumns)
		t.Empty = "No rights have been granted."
		for _, o := range c.o.Definitions.objects(config.ACLs) {
			if c.Has("admin") != (o.Name == "admin") {
				continue
			}
			if o.Has(kind) && o.Get(kind) == n || slices.Contains(groups, o.Get("group")) || kind == "user" && auth.Everybody(o.Get("group")) {
				addRights(t, o)
			}
		}
		return shown(t), nil
	}
}
