package admin

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
)

func TestUsersGroupsAndRights(t *testing.T) {
	o := newOffice(t, memory{})
	o.o.HashPassword = func(p string) string { return "$x$" + strings.ToUpper(p) }
	o.does(`create user joe "Joe B" password=secret`)
	o.does("create user eve")
	o.does(`create group staff "The staff"`)
	o.does("addmember staff joe, eve")
	o.refuses("addmember staff nobody", core.NotFound, "user 'nobody'")
	o.refuses("addmember nothing joe", core.NotFound, "group 'nothing'")
	o.does("grant queue a.> group=staff send, receive")
	o.does("grant queue a.> group=staff browse")
	o.does("grant topic t joe all")
	o.does("grant admin user=joe view-all")
	o.refuses("grant queue a.> joe publish", core.Invalid, "no permission on a queue")
	o.refuses("grant queue a.> eve *", core.Invalid, "there is no permission: name one of receive")
	o.refuses("grant queue a.> role=x send", core.Invalid, "user=NAME")
	if got := o.files["users.conf"]; !strings.HasPrefix(got, "joe:$x$SECRET:\"Joe B\"\neve::") {
		t.Errorf("users.conf is %q", got)
	}
	if got := o.does("showacl user joe"); !strings.Contains(got, "group=staff  send,receive,browse") || !strings.Contains(got, "user=joe     all") {
		t.Error(got)
	}
	if got := o.does("showacl user joe admin"); !strings.Contains(got, "view-all") || strings.Contains(got, "staff") {
		t.Error(got)
	}
	o.does("revoke queue a.> group=staff receive")
	o.refuses("revoke queue a.> group=staff receive", core.NotFound, "it has send,browse")
	o.does("set password joe")
	o.does("delete user joe")
	for name, text := range o.files { // order: irrelevant
		if strings.Contains(text, "joe") {
			t.Errorf("%s still has joe: %q", name, text)
		}
	}
	o.does("delete group staff")
	if got := o.files["acl.conf"]; got != "" {
		t.Errorf("acl.conf is %q", got)
	}
	o.refuses("delete user admin", core.Denied, "cannot be deleted")
}

// Rights of administrators (ems 6.2 to 6.5): admin and $admin all, others what
// acl.conf gives.
func TestWhoMayAdminister(t *testing.T) {
	o := newOffice(t, memory{
		"queues.conf": ">\nown.a\nother\n",
		"users.conf":  "boss::\nvi::\nops::\nann::\n",
		"groups.conf": "$admin:\"\"\n  boss\nviewers:\"\"\n  vi\n",
		"acl.conf":    "ADMIN GROUP=viewers PERM=view-all\nADMIN USER=ops PERM=change-user,purge-destination\nQUEUE=own.> USER=ann PERM=modify,send\n",
	})
	o.guarded()
	for _, c := range []struct {
		user, command string
		may           bool
	}{
		{"admin", "create queue x1", true},
		{"boss", "create queue x2", true},
		{"vi", "show queues", true},
		{"vi", "show users", true},
		{"vi", "create queue x3", false},
		{"vi", "whoami", true},
		{"ops", "create user n1", true},
		{"ops", "show users", true},
		{"ops", "purge queue other", true},
		{"ops", "show queues", true}, // purge implies the view
		{"ops", "show server", false},
		{"ann", "addprop queue own.a exclusive", true},
		{"ann", "show queue own.a", true},
		{"ann", "addprop queue other exclusive", false},
		{"ann", "delete queue own.a", false},
		{"ann", "whoami", false},
		{"", "show server", false},
	} {
		_, err := o.Do(t.Context(), Request{User: c.user, Command: c.command})
		if c.may != (err == nil) || err != nil && KindOf(err) != core.Denied {
			t.Errorf("%s: %s: %v", c.user, c.command, err)
		}
	}
}

// guarded has rights checked, as they stand when they are asked for.
func (o *office) guarded() {
	o.o.Rights = func() (m *auth.Model) {
		o.o.Definitions.View(func(c *config.Config) { m = auth.Compile(RightsOf(c)) })
		return m
	}
}

// Nobody gives others, or himself, what he has not got, and who is protected is
// changed only by those who share it (ems 6.5).
func TestNobodyRaisesHimself(t *testing.T) {
	o := newOffice(t, memory{
		"users.conf":  "boss::\ncarl::\ngreta::\nanne::\npete::\npaul::\nquinn::\nx::\n",
		"groups.conf": "$admin:\"\"\n  boss\nviewers:\"\"\n  x\nstrong:\"\"\nplain:\"\"\n",
		"acl.conf": "ADMIN USER=carl PERM=change-user\n" +
			"ADMIN USER=greta PERM=change-group,view-user,view-server\n" +
			"ADMIN USER=anne PERM=change-admin-acl,change-acl,view-user,view-server\n" +
			"ADMIN USER=quinn PERM=change-admin-acl,view-server\n" +
			"ADMIN USER=pete PERM=change-user,protect1\n" +
			"ADMIN USER=paul PERM=protect1\n" +
			"ADMIN GROUP=viewers PERM=view-server\n" +
			"ADMIN GROUP=strong PERM=shutdown\n",
	})
	o.guarded()
	for _, c := range []struct {
		user, command string
		may           bool
	}{
		{"carl", "set password admin mine", false},
		{"carl", "set password boss mine", false},
		{"carl", "delete user boss", false},
		{"carl", "set password paul mine", false},
		{"carl", "delete all users", false},
		{"pete", "set password paul mine", true},
		{"boss", "set password paul his", true},
		{"carl", "set password x new", true},
		{"greta", "addmember $admin greta", false},
		{"greta", "removemember $admin boss", false},
		{"greta", "delete group $admin", false},
		{"greta", "addmember strong greta", false},
		{"greta", "addmember viewers greta", true},
		{"greta", "addmember plain paul", false},
		{"greta", "removemember viewers x", true},
		{"greta", "delete group strong", false},
		{"boss", "addmember $admin carl", true},
		{"boss", "removemember $admin carl", true},
		{"anne", "grant admin anne shutdown", false},
		{"anne", "grant admin x shutdown", false},
		{"anne", "grant admin x all", false},
		{"anne", "grant admin x view-server", true},
		{"anne", "grant admin group=viewers view-user", false}, // it takes view-group
		{"anne", "revoke admin boss view-server", false},
		{"quinn", "grant admin x view-server", false}, // it takes view-user
		{"anne", "grant queue q x send", true},
		{"admin", "grant admin x all", true},
	} {
		_, err := o.Do(t.Context(), Request{User: c.user, Command: c.command})
		if c.may != (err == nil) || err != nil && KindOf(err) != core.Denied {
			t.Errorf("%s: %s: %v", c.user, c.command, err)
		}
	}
}
