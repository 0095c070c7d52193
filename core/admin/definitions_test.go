package admin

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
)

// What is defined is in the broker and in the files, and taken away from both.
func TestDefineAndDelete(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": "# kept\n>\n"})
	o.does("create queue orders maxbytes=1MB,secure")
	if got := o.files["queues.conf"]; got != "# kept\n>\norders maxbytes=1MB,secure\n" {
		t.Errorf("queues.conf is %q", got)
	}
	o.refuses("create queue orders", core.Exists, "queue 'orders' exists already")
	o.refuses("create queue a..b", core.Invalid, "empty")
	o.refuses("create queue q2 maxbytes=many", core.Invalid, "maxbytes")
	o.refuses("create queue q2 what", core.Invalid, "what")
	o.does("addprop queue orders prefetch=3")
	o.does("removeprop queue orders secure")
	if got := o.files["queues.conf"]; !strings.Contains(got, "orders maxbytes=1MB,prefetch=3\n") {
		t.Errorf("queues.conf is %q", got)
	}
	o.refuses("removeprop queue orders secure", core.NotFound, "not among")
	o.refuses("removeprop queue orders nothing", core.Invalid, "no property")
	o.does("setprop queue orders")
	if got := o.does("show queue orders"); !strings.Contains(got, " Properties:            <none>\n") || !strings.Contains(got, "static") {
		t.Error(got)
	}
	o.send(o.client("ann"), "orders", 3)
	o.does("delete queue orders")
	o.refuses("show queue orders", core.NotFound, "does not exist")
	o.refuses("delete queue orders", core.NotFound, "does not exist")
	if got := o.files["queues.conf"]; got != "# kept\n>\n" {
		t.Errorf("queues.conf is %q", got)
	}
	o.refuses("delete queue $sys.undelivered", core.Denied, "cannot be deleted")
	o.refuses("setprop queue $sys.admin secure", core.Denied, "server's own")
}

// A dynamic queue has no properties of its own until it is created; then it
// stays.
func TestDynamicBecomesStatic(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	o.send(c, "d", 1)
	if got := o.does("show queues d"); !strings.Contains(got, "\n* d  ") {
		t.Error(got)
	}
	o.refuses("addprop queue d exclusive", core.Denied, "dynamic")
	o.does("create queue d exclusive")
	if got := o.does("show queues d"); !strings.Contains(got, "\n  d  ") || !strings.Contains(got, "----+----") || !strings.Contains(got, "   1  ") {
		t.Error(got)
	}
}

// Deleting the `>` line turns dynamic creation off.
func TestDeletingTheWildcard(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n", "topics.conf": "news.>\n"})
	may := func(kind core.DestinationKind, n string) bool {
		return o.o.Definitions.MayCreate(core.Destination{Kind: kind, Name: n})
	}
	if !may(core.Queue, "any") || may(core.Topic, "any") || !may(core.Topic, "news.x") {
		t.Error("the wildcards do not rule")
	}
	o.does("delete queue >")
	if may(core.Queue, "any") {
		t.Error("queues are still created by being used")
	}
	o.does("create queue only.*")
	if !may(core.Queue, "only.one") || may(core.Queue, "only") {
		t.Error("the new wildcard does not rule")
	}
}

// The source of a bridge cannot be deleted (ems 4.11); one selector and target at
// a time.
func TestBridges(t *testing.T) {
	o := newOffice(t, memory{})
	o.does("create queue a")
	o.does("create bridge source=queue:a target=topic:b")
	o.does(`create bridge source=queue:a target=queue:c selector="x = 'y z'"`)
	o.refuses("create bridge source=queue:a target=topic:b", core.Exists, "already")
	o.refuses("create bridge source=a target=topic:b", core.Invalid, "queue:NAME")
	o.refuses("create bridge source=queue:a target=topic:b.>", core.Invalid, "wildcard")
	o.refuses(`create bridge source=queue:a target=queue:d selector="x >"`, core.Invalid, "selector")
	if got, want := o.files["bridges.conf"], "[queue:a]\n  topic = b\n  queue = c selector=\"x = 'y z'\"\n"; got != want {
		t.Errorf("bridges.conf is %q", got)
	}
	if got := o.does("show bridges"); !strings.Contains(got, "\nQ a  ") {
		t.Error(got)
	}
	o.refuses("delete queue a", core.Conflict, "source of a bridge")
	o.does("delete bridge source=queue:a target=topic:b")
	o.does("delete bridge source=queue:a target=queue:c")
	o.refuses("delete bridge source=queue:a target=queue:c", core.NotFound, "no bridge")
	o.does("delete queue a")
}

// The files never get what a server that stops at CONFIG_ERRORS would not start with.
func TestNothingIsLeftWithoutWhatItNames(t *testing.T) {
	o := newOffice(t, memory{})
	o.refuses("create queue q store=nowhere", core.Invalid, "queue q: there is no store nowhere: add [nowhere] to stores.conf, or take it out")
	o.does("create queue q")
	o.refuses("addprop queue q import=RV1", core.Invalid, "there is no transport RV1")
	o.refuses("grant queue q user=nobody send", core.Invalid, "there is no user nobody to have rights: add the user")
	o.refuses("grant queue q group=nobody send", core.Invalid, "there is no group nobody: add the group")
	o.refuses("grant queue q admin fly", core.Invalid, "receive, send, browse, view, create, delete, modify, purge, all")
	o.refuses("create jndiname jms/x queue x", core.Invalid, "there is no static queue x")
	o.refuses("create route tidegate url=tcp://r:7222 zone_type=4hop", core.Invalid, "zone_type")

	o.does("create jndiname jms/q queue q")
	o.does("create jndiname jms/q2 jndiname jms/q")
	o.does("create factory f generic url=tcp://7222")
	if got := o.does("show jndinames"); !strings.Contains(got, "jms/q2") {
		t.Error(got)
	}
	o.does("delete queue q")
	if got := o.does("show jndinames"); strings.Contains(got, "jms/q") {
		t.Errorf("behind delete queue: %s", got)
	}
	o.does("create topic t")
	o.does("create durable t d clientid=c")
	o.does("create durable > all")
	o.does("delete topic t")
	if got := o.files["durables.conf"]; strings.Contains(got, "clientid=c") || !strings.Contains(got, "> all") {
		t.Errorf("durables.conf behind delete topic: %q", got)
	}
	o.does("create group $admin")
	o.refuses("delete group $admin", core.Denied, "group '$admin' is the server's own and cannot be deleted")
	o.does("delete all groups")
	o.does("show group $admin")
}

// Passwords that stand in clear text are hashed by the next commit; those that are
// none, and hashes of whomever, stay as they are (ems 6.6).
func TestCommitHashesPasswords(t *testing.T) {
	const file = "# mine\r\nadmin::\"Administrator\"\r\nyard:yard2006:\"Yard\"\r\ncrane:$1$Lq8vT3nWz:\r\nours:$tg1$x:\"\"\r\n"
	o := newOffice(t, memory{"users.conf": file})
	o.o.Definitions.HashPasswords(func(p string) string { return "$tg1$hash-of-" + p })
	o.does("show users")
	if o.files["users.conf"] != file {
		t.Fatal("it was written before a commit")
	}
	o.does("create queue q") // saves
	if got, want := o.files["users.conf"], strings.Replace(file, ":yard2006:", ":$tg1$hash-of-yard2006:", 1); got != want {
		t.Errorf("users.conf is %q", got)
	}
}

// A failed save is told, keeps what was changed, and is made good by the next.
func TestSaving(t *testing.T) {
	o := newOffice(t, memory{})
	if _, err := o.Do(t.Context(), Request{Command: "create queue q"}); err != nil || o.saved != 0 {
		t.Fatalf("%v, saved %d", err, o.saved)
	}
	o.fail = errors.New("no space")
	o.refuses("commit", core.Internal, "no space")
	if _, err := o.Do(t.Context(), Request{Command: "create queue q2", Save: true}); KindOf(err) != core.Internal || !strings.HasPrefix(err.Error(), "Queue 'q2' has been created, and is not saved: ") || !strings.Contains(err.Error(), "no space") {
		t.Errorf("made and not saved: %v", err)
	}
	o.does("show queue q")
	o.fail = nil
	if r, err := o.Do(t.Context(), Request{Command: "commit"}); err != nil || !r.Saved || o.files["queues.conf"] != "q\nq2\n" {
		t.Errorf("%v, %+v, queues.conf %q", err, r, o.files["queues.conf"])
	}
}
