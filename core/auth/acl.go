package auth

import (
	"slices"

	"github.com/tidegate/tidegate/core/name"
)

// Admin is the user who has every permission (ems 6.2).
const Admin = "admin"

// Grant is a permission, or several, on the destinations that match a pattern
// (ems 6.3). There are no negative ones.
type Grant struct {
	Topic   bool
	Pattern string
	User    string // "" everybody
	Allow   []string
}

// All, in Grant.Allow, stands for every permission.
const All = "all"

// Permissions are those of a queue and of a topic, as acl.conf names them;
// Administrative ones are of both.
var (
	QueuePermissions          = []string{"send", "receive", "browse"}
	TopicPermissions          = []string{"publish", "subscribe", "durable", "use_durable"}
	AdministrativePermissions = []string{"view", "create", "modify", "delete", "purge"}
)

// ACL says who may do what (ems 6.4). What is not secure everybody may use;
// administrative permissions always need a grant.
type ACL struct {
	SecureQueues, SecureTopics []string // patterns
	Grants                     []Grant
}

// Permits says whether user has a permission on a destination. Grants on patterns
// that match add up.
func (a *ACL) Permits(user, permission string, topic bool, n string) bool {
	if user == Admin {
		return true
	}
	administrative := slices.Contains(AdministrativePermissions, permission)
	if !administrative && !a.secure(topic, n) {
		return true
	}
	for i := range a.Grants {
		g := &a.Grants[i]
		if g.Topic == topic && (g.User == "" || g.User == user) && g.allows(permission) && name.Match(g.Pattern, n) {
			return true
		}
	}
	return false
}

// allows says whether a grant names a permission, or one that implies it (ems
// 6.3).
func (g *Grant) allows(permission string) bool {
	return slices.ContainsFunc(g.Allow, func(have string) bool {
		switch {
		case have == permission, have == All, permission == "use_durable" && have == "durable":
			return true
		}
		return permission == "view" && slices.Contains(AdministrativePermissions, have)
	})
}

func (a *ACL) secure(topic bool, n string) bool {
	patterns := a.SecureQueues
	if topic {
		patterns = a.SecureTopics
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return name.Match(p, n) })
}
