package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/auth"
	"github.com/tidegate/tidegate/core/config"
	coremessage "github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// memory is a set in memory: file name to text.
type memory map[string]string

func (m memory) Read(name string) ([]byte, error) {
	if text, ok := m[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func (m memory) Exists(name string) bool { _, ok := m[name]; return ok }

// office is a service over a broker in memory.
type office struct {
	*Service
	t      testing.TB
	broker *server.Server
	files  memory
	fail   error // of saving
	saved  int
}

func newOffice(t testing.TB, files memory) *office {
	t.Helper()
	o := &office{t: t, files: files}
	if files["tibemsd.conf"] == "" {
		files["tibemsd.conf"] = "server = test\n"
	}
	st, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", SegmentBytes: 1 << 20, OnStable: func() {
		if o.broker != nil {
			o.broker.Stable()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(files, "tibemsd.conf", config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := NewDefinitions(c, func(c *config.Config) error {
		if o.fail != nil {
			return o.fail
		}
		o.saved++
		for _, f := range c.Changed() {
			files[f.Path] = string(f.Bytes)
			c.Saved(f.Name)
		}
		return nil
	})
	o.broker, err = server.New(st, server.Options{
		Name: "test", MayCreate: d.MayCreate,
		Make: func(f coremessage.Format, p [][]byte) (coremessage.Content, error) { return message.FromBytes(f, p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := start(d, o.broker); err != nil {
		t.Fatal(err)
	}
	o.Service = New(Options{Broker: o.broker, Name: "test", Definitions: d})
	t.Cleanup(func() {
		o.Service.Close()
		o.broker.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// does wants a command to be done, and gives what is printed.
func (o *office) does(line string) string {
	o.t.Helper()
	r, err := o.Do(o.t.Context(), Request{User: "admin", Command: line, Save: true})
	if err != nil {
		o.t.Fatalf("%s: %v", line, err)
	}
	return r.Print()
}

// refuses wants a command to be refused so.
func (o *office) refuses(line string, kind core.ErrorKind, says string) {
	o.t.Helper()
	_, err := o.Do(o.t.Context(), Request{User: "admin", Command: line})
	if err == nil || KindOf(err) != kind || !strings.Contains(err.Error(), says) {
		o.t.Errorf("%s: %v (%v), want %v: ...%s", line, err, KindOf(err), kind, says)
	}
}

// client is a connection of a program's.
func (o *office) client(user string) *server.Conn {
	o.t.Helper()
	c, err := o.broker.Attach(core.ConnectOptions{User: user, ClientID: user}, func() {})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(c.Close)
	return c
}

// send puts n messages into a queue.
func (o *office) send(c *server.Conn, queue string, n int) {
	o.t.Helper()
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{Destination: core.Destination{Kind: core.Queue, Name: queue}}, fx)
		if err != nil {
			o.t.Error(err)
			return
		}
		for range n {
			m := message.NewBuilder()
			m.SetText("x")
			b.Publish(now, p, core.Send{Settled: true}, coremessage.Envelope{Durable: true, Content: m.Message()}, fx)
		}
		b.CloseProducer(now, p, fx)
	})
}

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

// Purges take all but what consumers hold.
func TestPurgeCommands(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	for _, q := range []string{"a.one", "a.two", "b"} {
		o.send(c, q, 3000)
	}
	o.does("purge queue b")
	o.does("purge all queues a.>")
	if got := o.does("show server"); !strings.Contains(got, "Pending Messages:         0\n") {
		t.Error(got)
	}
	o.refuses("purge queue none", core.NotFound, "queue 'none' does not exist")
	o.refuses("purge topic none", core.NotFound, "topic 'none' does not exist")
	o.refuses("purge durable none", core.NotFound, "durable 'none' does not exist")
}

// `first=`, `next=` and `last=` step through what matches.
func TestPages(t *testing.T) {
	var conf strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&conf, "q%04d\n", i)
	}
	o := newOffice(t, memory{"queues.conf": conf.String()})
	var names []string
	after := ""
	for command := "show queues q* first=1000"; ; command = "show queues q* next=1000" {
		r, err := o.Do(t.Context(), Request{Command: strings.Replace(command, "q*", ">", 1) + " static", After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Tables[0].Rows {
			if n := row[0].(string); n[0] == 'q' {
				names = append(names, n)
			}
		}
		if after = r.Last; !r.More {
			break
		}
	}
	if len(names) != 2500 || !slices.IsSorted(names) {
		t.Errorf("%d names", len(names))
	}
	if got := o.does("show queues > static last=1"); !strings.Contains(got, "q2499") {
		t.Error(got)
	}
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

func TestSetServer(t *testing.T) {
	o := newOffice(t, memory{})
	var told []string
	o.o.Definitions.Watch(func(c *config.Config, what Change) { told = append(told, what.Name+"="+c.Param(what.Name)) })
	o.does("set server statistics=disabled track_message_ids=enabled")
	if got := strings.Join(told, " "); got != "statistics=disabled track_message_ids=enabled" {
		t.Error(got)
	}
	o.refuses("show stat queues", core.Invalid, "statistics are disabled")
	o.refuses("set server nonsense=1", core.NotFound, "no parameter")
	o.refuses("set server store=/tmp", core.Invalid, "cannot be changed while the server runs")
	o.refuses("set server statistics=perhaps", core.Invalid, "statistics")
	if got := o.does("set server statistics=disabled"); got != "Server parameters have been changed\n" {
		t.Error(got)
	}
	if got := o.does("set server client_trace=enabled msg_swapping=enabled"); strings.Count(got, "\n") != 3 || !strings.Contains(got, "client_trace is stored and has no effect here") || !strings.Contains(got, "msg_swapping takes effect when") {
		t.Error(got)
	}
	for _, items := range []string{"+CONNECT", "-ACL,+TX", "+connect", "-TX", "+CONNECT"} {
		o.does("set server log_trace=" + items)
	}
	if got := o.files["tibemsd.conf"]; !strings.HasSuffix(got, "= DEFAULT,-ACL,-TX,+CONNECT\n") {
		t.Errorf("items go on: %q", got)
	}
	o.does("set server log_trace=")
	o.does("set server client_trace= msg_swapping=")
	if got := o.files["tibemsd.conf"]; !strings.HasPrefix(got, "server = test\nstatistics = disabled\ntrack_message_ids = enabled\n") || strings.Contains(got, "client_trace      = enabled") {
		t.Errorf("tibemsd.conf is %q", got)
	}
}

// detailed_statistics counts by destination what anonymous producers send and what
// comes to wildcards.
func TestDetailedStatistics(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n", "topics.conf": ">\n"})
	c := o.client("ann")
	send := func(to core.Destination) {
		c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
			p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{}, fx)
			if err != nil {
				t.Fatal(err)
			}
			m := message.NewBuilder()
			m.SetText("x")
			b.PublishTo(now, p, to, core.Send{Settled: true}, coremessage.Envelope{Content: m.Message()}, fx)
		})
	}
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		if _, err := b.OpenConsumer(now, c.ID(), core.ConsumerOptions{Destination: core.Destination{Kind: core.Topic, Name: "news.>"}}, fx); err != nil {
			t.Fatal(err)
		}
	})
	send(core.Destination{Kind: core.Queue, Name: "before"})
	o.does("set server detailed_statistics=PRODUCERS,CONSUMERS")
	send(core.Destination{Kind: core.Queue, Name: "q"})
	send(core.Destination{Kind: core.Topic, Name: "news.a"})
	send(core.Destination{Kind: core.Topic, Name: "news.b"})
	if got := o.does("show stat consumers"); !strings.Contains(got, "  T  news.>  ") || !strings.Contains(got, "  T  news.a                                 1") || !strings.Contains(got, "  T  news.b  ") {
		t.Error(got)
	}
	if got := o.does("show stat producers total"); !strings.Contains(got, "  Q  q  ") || !strings.Contains(got, "  T  news.a  ") || strings.Contains(got, "before") || strings.Contains(got, "Rate") {
		t.Error(got)
	}
	o.does("set server detailed_statistics=NONE")
	if got := o.does("show stat consumers"); strings.Contains(got, "news.a") {
		t.Error(got)
	}
}

func TestDurables(t *testing.T) {
	o := newOffice(t, memory{"topics.conf": "news\n", "durables.conf": "news old [clientid=c]\n"})
	o.does(`create durable news mine clientid=c2,nolocal,selector="kind IN ('a','b')"`)
	o.refuses("create durable news mine clientid=c2", core.Exists, "exists already")
	o.refuses("create durable news x color=red", core.Invalid, "no property of a durable")
	o.refuses(`create durable news x selector="="`, core.Invalid, "")
	got := o.does("show durables")
	for _, want := range []string{"\n  news  ", "  mine  ", "  old  "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	o.does("delete durable mine c2")
	o.refuses("delete durable mine", core.NotFound, "does not exist")
	if got := o.files["durables.conf"]; got != "news old [clientid=c]\n" {
		t.Errorf("durables.conf is %q", got)
	}
	o.does("delete all durables")
	if got := o.does("show durables"); got != "No durables.\n" {
		t.Error(got)
	}
}

// Messages are found by id and correlation id wherever they are queued, shown, and
// taken away.
func TestMessagesByID(t *testing.T) {
	o := newOffice(t, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	c.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		p, _, err := b.OpenProducer(now, c.ID(), core.ProducerOptions{}, fx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			m := message.NewBuilder()
			m.Properties.MessageID, m.Properties.CorrelationID = fmt.Sprint("ID:", i), fmt.Sprint("order ", i%4)
			m.SetText("x")
			to := core.Destination{Kind: core.Queue, Name: fmt.Sprint("q", i%3)}
			b.PublishTo(now, p, to, core.Send{Settled: true}, coremessage.Envelope{Durable: i%2 == 0, Priority: 4, Content: m.Message()}, fx)
		}
	})
	if got := o.does("show message ID:17"); !strings.Contains(got, " Message ID:            ID:17\n Queue:                 q2\n Correlation ID:        order 1\n") || !strings.Contains(got, "NON_PERSISTENT") {
		t.Error(got)
	}
	if got := strings.Count(o.does(`show messages "order 3"`), "order 3"); got != 10 {
		t.Errorf("%d messages of an order, want 10", got)
	}
	o.does("delete message ID:17")
	o.refuses("show message ID:17", core.NotFound, "is in no queue")
	o.refuses("delete message it's", core.NotFound, "is in no queue")
	if got := o.does("show server"); !strings.Contains(got, "Pending Messages:         39\n") || !strings.Contains(got, "Consumers:                0\n") {
		t.Error(got)
	}
}

// What travels: parts of a long table come together again; an error is one.
func TestReplies(t *testing.T) {
	table := newTable("queues", "name text;msgs count")
	for i := range 2*MaxPartRows + 1 {
		table.Add(fmt.Sprint("q", i), i)
	}
	small := newTable("users", "name text")
	small.Add("joe")
	want := &screen.Result{Message: "m", Tables: []*screen.Table{table, newTable("none", "name text"), small}, Last: "l", More: true}
	parts := Replies(want, nil)
	if len(parts) != 3 {
		t.Errorf("%d parts", len(parts))
	}
	var g Gather
	for i, p := range parts {
		done, err := g.Add(p)
		if err != nil || done != (i == len(parts)-1) {
			t.Fatalf("part %d: %v %v", i, done, err)
		}
	}
	a, _ := want.JSON()
	b, _ := g.Result.JSON()
	if string(a) != string(b) {
		t.Error("another result came out")
	}
	if _, err := new(Gather).Add(parts[1]); err == nil {
		t.Error("a part is missing, and nobody says so")
	}
	_, err := new(Gather).Add(Replies(nil, missing("queue", "q"))[0])
	var said *WireError
	if !errors.As(err, &said) || said.Kind != "not found" || said.Message != "queue 'q' does not exist" {
		t.Errorf("%v", err)
	}
}

func TestRequests(t *testing.T) {
	for text, says := range map[string]string{ // order: irrelevant
		"":                                   "no JSON object",
		`{"version":2,"command":"x"}`:        `write "version":1`,
		strings.Repeat(" ", MaxRequest+1):    "at most",
		`{"version":1,"command":"x"} beside`: "no JSON object",
	} {
		if _, err := ParseRequest([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.30q: %v, want %s", text, err, says)
		}
	}
	o := newOffice(t, memory{})
	_, err := o.Do(t.Context(), Request{Command: "quit"})
	if err == nil || !strings.Contains(err.Error(), "tool itself") {
		t.Errorf("a command of the tool's: %v", err)
	}
	var syntax *command.Error
	if _, err := o.Do(t.Context(), Request{Command: "shwo"}); !errors.As(err, &syntax) {
		t.Errorf("no command: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Do(ctx, Request{Command: "show queues"}); KindOf(err) != core.Unavailable {
		t.Errorf("a request whose time is over: %v", err)
	}
}

// Closing ends what is under way, and begins nothing.
func TestClosing(t *testing.T) {
	o := newOffice(t, memory{})
	begun, ended := make(chan struct{}), make(chan struct{})
	if err := o.Serve("admin", 0, []byte(`{"version":1,"command":"show server"}`), func([]byte) {
		close(begun)
		<-ended
	}); err != nil {
		t.Fatal(err)
	}
	ctx, end, ok := o.begin()
	if !ok {
		t.Fatal("it is closed already")
	}
	<-begun
	closed := make(chan struct{})
	go func() {
		o.Service.Close()
		close(closed)
	}()
	<-ctx.Done() // Close ends what is under way
	select {
	case <-closed:
		t.Error("Close does not wait")
	default:
	}
	end()
	close(ended)
	<-closed
	if err := o.Serve("admin", 0, []byte(`{"version":1,"command":"show server"}`), func([]byte) {}); KindOf(err) != core.Unavailable {
		t.Errorf("behind Close: %v", err)
	}
}

// More than MaxRunning requests are refused while they run, and not after.
func TestRunningRequests(t *testing.T) {
	o := newOffice(t, memory{})
	body := []byte(`{"version":1,"command":"show server"}`)
	hold, answered := make(chan struct{}), make(chan struct{}, MaxRunning+1)
	for range MaxRunning {
		if err := o.Serve("admin", 0, body, func([]byte) { answered <- struct{}{}; <-hold }); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.Serve("admin", 0, body, func([]byte) {}); KindOf(err) != core.Limit {
		t.Errorf("one more: %v", err)
	}
	for range MaxRunning {
		<-answered
	}
	close(hold)
	for o.running.Load() > 0 { // each ends once its answer has been taken
		o.does("show state")
	}
	if err := o.Serve("admin", 0, body, func([]byte) { answered <- struct{}{} }); err != nil {
		t.Error(err)
	}
	<-answered
}

// BenchmarkShowQueues is a page of a hundred out of 100,000 queues.
func BenchmarkShowQueues(b *testing.B) {
	var conf strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&conf, "many.q%06d\n", i)
	}
	o := newOffice(b, memory{"queues.conf": conf.String()})
	for b.Loop() {
		if _, err := o.Do(b.Context(), Request{Command: "show queues many.> next=100", After: "many.q050000"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPurge is of 100,000 messages, 1024 a step.
func BenchmarkPurge(b *testing.B) {
	o := newOffice(b, memory{"queues.conf": ">\n"})
	c := o.client("ann")
	for b.Loop() {
		b.StopTimer()
		o.send(c, "q", 100_000)
		b.StartTimer()
		if _, err := o.Do(b.Context(), Request{Command: "purge queue q"}); err != nil {
			b.Fatal(err)
		}
	}
}
