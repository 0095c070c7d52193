package admin

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/name"
)

// implied are the permissions that give a view as well (ems 6.5).
var implied = map[string][]string{
	"view-destination": {"create-destination", "modify-destination", "delete-destination", "purge-destination"},
	"view-durable":     {"change-durable", "purge-durable"},
}

// May says whether acl.conf, or being an administrator, gives a user a right
// (ems 6.2, 6.3, 6.5). It is Options.May where authorization is on.
func (d *Definitions) May(user string, r Right, destination string) bool {
	user = userOrAnonymous(user)
	if user == AdminUser {
		return true
	}
	groups := d.groupsOf(user)
	if slices.Contains(groups, AdminGroup) {
		return true
	}
	for _, o := range d.objects(config.ACLs) {
		g := o.Get("group")
		if !(o.Has("user") && o.Get("user") == user) && !(g != "" && (g == "all" || g == "$all" || slices.Contains(groups, g))) {
			continue
		}
		granted := o.All("perm")
		kind, pattern, _ := strings.Cut(o.Name, ":")
		switch {
		case o.Name == "admin" && global(granted, r.Global):
			return true
		case r.On != 0 && o.Name != "admin" && strings.EqualFold(kind, kindName(r)) && (pattern == destination || name.Match(pattern, destination)) && onDestination(granted, r.On.String()):
			return true
		}
	}
	return false
}

func kindName(r Right) string {
	if r.Kind == core.Topic {
		return "topic"
	}
	return "queue"
}

// global says whether permissions of administrators give one of them; the zero
// right is anybody's who has any.
func global(granted []string, want string) bool {
	if want == "" {
		return len(granted) > 0
	}
	view, isView := strings.CutPrefix(want, "view-")
	for _, g := range granted {
		switch {
		case g == "all", g == want,
			isView && g == "view-all",
			isView && g == "change-"+view,
			slices.Contains(implied[want], g):
			return true
		}
	}
	return false
}

// onDestination: any of an administrator's permissions gives the view.
func onDestination(granted []string, want string) bool {
	for _, g := range granted {
		if g == "all" || g == want || want == "view" && slices.Contains([]string{"create", "delete", "modify", "purge"}, g) {
			return true
		}
	}
	return false
}
