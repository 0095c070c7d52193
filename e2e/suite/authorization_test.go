package suite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/tidegate/tidegate/e2e/harness"
)

// bank is a configuration with secure destinations, users with passwords in clear
// text, a group, and grants.
func bank(t *testing.T, authorization string, more map[string]string) string {
	t.Helper()
	files := map[string]string{
		"tibemsd.conf":  "server = bank\nauthorization = " + authorization + "\n",
		"queues.conf":   ">\npay.> secure\npay.in\n",
		"topics.conf":   ">\nprices.> secure\n",
		"users.conf":    "admin:root:\"Administrator\"\nann:a:\nben:b:\"\"\neve:e:\"\"\nold:$1$Lq8vT3nWz:\"hashed by EMS\"\n",
		"durables.conf": "prices.usd ledger [clientid=books]\n",
		"groups.conf":   "payers:\"pay and are paid\"\n  ann\n",
		"acl.conf": "QUEUE=pay.> GROUP=payers PERM=send,receive,browse\nTOPIC=prices.> GROUP=payers PERM=publish,subscribe,durable\n" +
			"QUEUE=pay.in USER=ben PERM=send\nTOPIC=prices.eur USER=ben PERM=subscribe\nTOPIC=prices.> USER=ben PERM=use_durable\n",
	}
	for name, text := range more { // order: irrelevant
		files[name] = text
	}
	return emsSet(t, files)
}

// as opens a session for a user; without a name as anonymous.
func as(t *testing.T, s *harness.Server, user, password, container string) *amqp.Session {
	t.Helper()
	o := &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(user, password), ContainerID: container}
	if user == "" {
		o.SASLType = amqp.SASLTypeAnonymous()
	}
	return session(t, s, o)
}

// conditionOf is the condition that an error of go-amqp carries.
func conditionOf(err error) amqp.ErrCond {
	var e *amqp.Error
	var link *amqp.LinkError
	if errors.As(err, &link) && link.RemoteErr != nil {
		return link.RemoteErr.Condition
	}
	if errors.As(err, &e) {
		return e.Condition
	}
	return ""
}

// denied wants amqp:unauthorized-access, or nothing.
func denied(t *testing.T, what string, err error, want bool) {
	t.Helper()
	switch {
	case !want && err != nil:
		t.Errorf("%s: %v", what, err)
	case want && conditionOf(err) != amqp.ErrCondUnauthorizedAccess:
		t.Errorf("%s: %v, want amqp:unauthorized-access", what, err)
	}
}

// TestAuthorization: who may do what on secure destinations of an EMS
// configuration (ems 6.1 to 6.4), over the wire.
func TestAuthorization(t *testing.T) {
	s := harness.Start(t, "--config", bank(t, "enabled", nil))
	ann, ben := as(t, s, "ann", "a", "ann-1"), as(t, s, "ben", "b", "ben-1")
	sender := func(who *amqp.Session, address string) error {
		l, err := who.NewSender(t.Context(), address, nil)
		if err == nil {
			err = l.Close(t.Context())
		}
		return err
	}
	receiver := func(who *amqp.Session, address string, o *amqp.ReceiverOptions) error {
		l, err := who.NewReceiver(t.Context(), address, o)
		if err == nil {
			err = l.Close(t.Context())
		}
		return err
	}
	durable := &amqp.ReceiverOptions{Name: "sub", SourceDurability: amqp.DurabilityUnsettledState, SourceExpiryPolicy: amqp.ExpiryPolicyNever}
	for _, c := range []struct {
		who     *amqp.Session
		user    string
		address string
		send    bool
		receive bool
	}{
		{ann, "ann", "queue://pay.in", true, true}, // by its group, on a wildcard
		{ben, "ben", "queue://pay.in", true, false},
		{ben, "ben", "queue://pay.out", false, false},
		{ben, "ben", "queue://open", true, true}, // not secure
		{ann, "ann", "topic://prices.usd", true, true},
		{ben, "ben", "topic://prices.usd", false, false},
		{ben, "ben", "topic://prices.eur", false, true},
		{ben, "ben", "topic://prices.*", false, true}, // asked for each topic
		{ben, "ben", "topic://news", true, true},
		{ben, "ben", "queue://$sys.undelivered", false, false}, // secure by itself
	} {
		if !strings.Contains(c.address, "*") && !strings.Contains(c.address, "$sys") { // neither can be sent to
			denied(t, c.user+" sends to "+c.address, sender(c.who, c.address), !c.send)
		}
		denied(t, c.user+" receives from "+c.address, receiver(c.who, c.address, nil), !c.receive)
	}
	// durable makes subscriptions, use_durable attaches to those that are there.
	denied(t, "ben makes a durable one", receiver(ben, "topic://prices.*", durable), true)
	shared := &amqp.ReceiverOptions{Name: "desk|global", SourceCapabilities: []string{"shared", "global"}, SourceDurability: durable.SourceDurability, SourceExpiryPolicy: durable.SourceExpiryPolicy}
	denied(t, "ben makes a shared durable one", receiver(ben, "topic://prices.*", shared), true)
	desk, err := ann.NewReceiver(t.Context(), "topic://prices.*", shared)
	if err != nil {
		t.Fatalf("ann makes a shared durable one: %v", err)
	}
	second := *shared
	second.Name = "desk|global2"
	used, err := ben.NewReceiver(t.Context(), "topic://prices.*", &second)
	if err != nil {
		t.Fatalf("ben uses what is there: %v", err)
	}
	_ = desk.Close(t.Context())
	_ = used.Close(t.Context()) // which would delete it, and may not
	if got := admin(t, s, 0, "-user", "admin", "-password", "root", "show durables"); !strings.Contains(got, "desk") || !strings.Contains(got, "ledger") {
		t.Errorf("show durables says\n%s", got)
	}

	// The anonymous terminus is asked for each message, and temporary queues are
	// anybody's who knows their name.
	relay, err := ben.NewSender(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	temporary, err := ann.NewReceiver(t.Context(), "", &amqp.ReceiverOptions{DynamicAddress: true})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]bool{"pay.in": false, "open": false, temporary.Address(): false} { // order: irrelevant
		denied(t, "ben sends by the relay to "+to, relay.Send(t.Context(), &amqp.Message{Properties: &amqp.MessageProperties{To: &to}, Value: "x"}, nil), want)
	}
	to := "pay.out"
	denied(t, "ben sends by the relay to pay.out", relay.Send(t.Context(), &amqp.Message{Properties: &amqp.MessageProperties{To: &to}, Value: "x"}, nil), true)

	// A wildcard subscription gets what its user may have of it.
	some, err := ben.NewReceiver(t.Context(), "topic://prices.*", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"prices.usd", "prices.eur"} {
		l, err := ann.NewSender(t.Context(), "topic://"+topic, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Send(t.Context(), &amqp.Message{Value: topic}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := text(t, some); got != "prices.eur" {
		t.Errorf("ben hears %v", got)
	}
	for _, line := range []string{"attach not permitted", "send not permitted"} {
		wantLogged(t, s, line)
	}
	for _, login := range [][2]string{{"ann", "wrong"}, {"old", "anything"}, {"nobody", ""}, {"", ""}} {
		o := &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(login[0], login[1])}
		if login[0] == "" {
			o.SASLType = amqp.SASLTypeAnonymous()
		}
		if c, err := amqp.Dial(t.Context(), s.URL, o); err == nil {
			t.Errorf("%q is let in", login[0])
			_ = c.Close()
		}
	}
}

// secureWorks shows the property secure, given and taken away while a client is
// connected who has been granted nothing.
func secureWorks(t *testing.T) {
	t.Helper()
	s := harness.Start(t, "--config", bank(t, "enabled", nil))
	eve := as(t, s, "eve", "e", "")
	sends := func(what, address string, refused bool) {
		t.Helper()
		l, err := eve.NewSender(t.Context(), address, nil)
		denied(t, what, err, refused)
		if err == nil {
			_ = l.Close(t.Context())
		}
	}
	open, err := eve.NewSender(t.Context(), "queue://open", nil)
	if err != nil {
		t.Fatal(err)
	}
	sends("by a wildcard", "queue://pay.out", true)
	change := func(line string) { t.Helper(); admin(t, s, 0, "-user", "admin", "-password", "root", line) }
	change("removeprop queue pay.> secure")
	sends("without it", "queue://pay.out", false)
	sends("of topics it is not taken", "topic://prices.usd", true)
	denied(t, "not secure", open.Send(t.Context(), &amqp.Message{Value: "x"}, nil), false)
	change("create queue open secure")
	denied(t, "secure from now on", open.Send(t.Context(), &amqp.Message{Value: "x"}, nil), true)
	change("set server authorization=disabled")
	sends("without authorization", "queue://open", false)
}

// text takes one message and settles it.
func text(t *testing.T, r *amqp.Receiver) any {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	m, err := r.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.AcceptMessage(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.Value
}

// worker sends to a queue and receives from it, one message at a time, until it is
// told to stop or something fails.
type worker struct {
	kind      string
	session   *amqp.Session
	address   string
	rounds    atomic.Int64
	err       error
	condition amqp.ErrCond
}

// receiving is over once it has lost its rights; the same as ctx for one that keeps
// them.
func (w *worker) run(ctx, receiving context.Context, stop <-chan struct{}) error {
	s, err := w.session.NewSender(ctx, w.address, nil)
	if err != nil {
		return err
	}
	r, err := w.session.NewReceiver(ctx, w.address, nil)
	if err != nil {
		return err
	}
	for n := int64(1); ; n++ {
		select {
		case <-stop:
			return nil
		default:
		}
		lost := receiving.Err() != nil
		if err := s.Send(ctx, &amqp.Message{Value: n}, nil); err != nil {
			return err
		}
		if lost {
			return fmt.Errorf("message %d is accepted", n)
		}
		m, err := r.Receive(receiving, nil)
		if err != nil && ctx.Err() == nil && receiving.Err() != nil {
			continue // sent while it might, and its consumer gets nothing any more
		}
		if err != nil {
			return err
		}
		if m.Value != n || m.Header != nil && m.Header.DeliveryCount != 0 {
			return fmt.Errorf("message %d came as %v, header %+v", n, m.Value, m.Header)
		}
		if err := r.AcceptMessage(ctx, m); err != nil {
			return err
		}
		w.rounds.Store(n)
	}
}

// TestAuthorizationSwitchedOn (acceptance 8 of the EMS work): authorization is
// turned on while 50 clients work. Who has no permission is refused from then on
// with amqp:unauthorized-access, the others go on as if nothing had been.
func TestAuthorizationSwitchedOn(t *testing.T) {
	s := harness.Start(t, "--config", bank(t, "disabled", nil))
	ctx, cancel := context.WithTimeout(t.Context(), 2*harness.Patience)
	defer cancel()
	kinds := []struct {
		name, user, password, address string
		stays                         bool
	}{
		{"permitted", "ann", "a", "pay.", true},
		{"not secure", "eve", "e", "open.", true},
		{"not permitted", "eve", "e", "pay.eve.", false},
		{"a wrong password", "ben", "guessed", "open.ben.", false},
		{"nobody", "", "", "open.nobody.", false},
	}
	stop := make(chan struct{})
	loses, lost := context.WithCancel(ctx)
	defer lost()
	var workers []*worker
	var running sync.WaitGroup
	for _, k := range kinds {
		for i := range 10 {
			w := &worker{kind: k.name, session: as(t, s, k.user, k.password, ""), address: fmt.Sprintf("queue://%s%d", k.address, i)}
			receiving := ctx
			if !k.stays {
				receiving = loses
			}
			workers = append(workers, w)
			running.Go(func() {
				if w.err = w.run(ctx, receiving, stop); w.err != nil {
					w.condition = conditionOf(w.err)
				}
			})
		}
	}
	progress := func(what string, stays bool, n int64) {
		t.Helper()
		from := make([]int64, len(workers))
		for i, w := range workers {
			from[i] = w.rounds.Load()
		}
		wait(t, what, func() bool {
			for i, w := range workers {
				if (!stays || kinds[i/10].stays) && w.rounds.Load() < from[i]+n {
					return false
				}
			}
			return true
		})
	}
	progress("all to work", false, 5)
	// Of those that only listen, one may and one may not.
	may, err := as(t, s, "ben", "b", "").NewReceiver(ctx, "topic://prices.eur", nil)
	if err != nil {
		t.Fatal(err)
	}
	mayNot, err := as(t, s, "eve", "e", "").NewReceiver(ctx, "topic://prices.eur", nil)
	if err != nil {
		t.Fatal(err)
	}
	prices, err := as(t, s, "ann", "a", "").NewSender(ctx, "topic://prices.eur", nil)
	if err != nil {
		t.Fatal(err)
	}
	publish := func(what string) {
		t.Helper()
		if err := prices.Send(ctx, &amqp.Message{Value: what}, nil); err != nil {
			t.Fatal(err)
		}
	}
	publish("before")
	for _, r := range []*amqp.Receiver{may, mayNot} {
		if got := text(t, r); got != "before" {
			t.Errorf("heard %v", got)
		}
	}

	root := []string{"-user", "admin", "-password", "root"}
	admin(t, s, 0, append(root, "set server authorization=enabled")...)
	lost()
	progress("those who may to go on", true, 5)
	publish("meanwhile")
	if got := text(t, may); got != "meanwhile" {
		t.Errorf("who may hears %v", got)
	}
	admin(t, s, 0, append(root, "grant topic prices.eur user=eve subscribe")...)
	publish("granted")
	for _, r := range []*amqp.Receiver{may, mayNot} { // who might not has not lost its link, and what it missed is not made good
		if got := text(t, r); got != "granted" {
			t.Errorf("heard %v", got)
		}
	}
	close(stop)
	running.Wait()
	for i, w := range workers {
		switch k := kinds[i/10]; {
		case k.stays && w.err != nil:
			t.Errorf("%s, %s: %v", k.name, w.address, w.err)
		case !k.stays && w.condition != amqp.ErrCondUnauthorizedAccess:
			t.Errorf("%s, %s: %v, want amqp:unauthorized-access", k.name, w.address, w.err)
		case !k.stays: // and from then on
			_, err := w.session.NewSender(ctx, w.address, nil)
			denied(t, k.name+" attaches to "+w.address, err, true)
		}
	}
	admin(t, s, 0, append(root, "set server authorization=disabled")...)
	for _, w := range workers {
		if _, err := w.session.NewSender(ctx, w.address, nil); err != nil {
			t.Errorf("off again: %s, %s: %v", w.kind, w.address, err)
		}
	}
}

// TestJMSPermissions: what is not permitted is a JMSSecurityException, and rolls a
// transaction back; rights come and go while programs run. Both generations of
// Qpid JMS.
func TestJMSPermissions(t *testing.T) {
	for generation, g := range generations { // order: they run side by side
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, "--config", bank(t, "enabled", nil))
			for _, scenario := range []string{"Permissions.denied", "Permissions.takenAway"} {
				t.Run(scenario, func(t *testing.T) {
					harness.Driver(t, g.driver).Do(t, harness.Fields{"cmd": "jms", "url": s.URL, "scenario": scenario}).Done(t)
				})
			}
		})
	}
}

// TestPasswordsOfUsersConf: clear text logs in, and is hashed by the next commit; an
// unknown hash stays as it is and lets nobody in; users made by the tool log in at
// once (ems 6.6).
func TestPasswordsOfUsersConf(t *testing.T) {
	dir := bank(t, "enabled", nil)
	file := filepath.Join(dir, "users.conf")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := harness.Start(t, "--config", dir)
	root := []string{"-user", "admin", "-password", "root"}
	login := func(user, password string, ok bool) {
		t.Helper()
		for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
			f := harness.Fields{"cmd": "connect", "url": s.URL, "timeout_ms": 30_000, "sasl": mechanism, "user": user, "password": password}
			call := harness.Driver(t, "java").Do(t, f)
			if ok {
				call.Done(t)
			} else {
				call.Error(t)
			}
		}
	}
	login("ann", "a", true)
	login("ann", "b", false)
	login("old", "$1$Lq8vT3nWz", false)
	why := regexp.MustCompile(`msg="login refused" user=old reason=".*cannot be checked here`)
	wait(t, "the log to say why old cannot log in", func() bool { return why.MatchString(s.Log()) })
	admin(t, s, 0, append(root, "create user zoe password=z")...) // saves
	login("zoe", "z", true)
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	hash := regexp.MustCompile(`\$tg1\$[^:]*`)
	clear := strings.NewReplacer(`admin:H:`, `admin:root:`, `ann:H:`, `ann:a:`, `ben:H:`, `ben:b:`, `eve:H:`, `eve:e:`)
	kept, added, _ := strings.Cut(clear.Replace(hash.ReplaceAllString(string(after), "H")), "zoe:")
	if kept != string(before) || !strings.HasPrefix(added, "H:") {
		t.Errorf("users.conf is now\n%s", after)
	}
	s.Restart(t)
	login("ann", "a", true)
	login("zoe", "z", true)
	admin(t, s, 0, append(root, "set password old new")...)
	login("old", "new", true)
	admin(t, s, 0, append(root, "delete user zoe")...)
	login("zoe", "z", false)
}

// TestUsersBesideDefinitions: --users keeps authorization on, its users log in beside
// those of the definitions, and admin is only who one of them defines.
func TestUsersBesideDefinitions(t *testing.T) {
	s := harness.Start(t, "--config", bank(t, "disabled", nil), "--users", users(t))
	root := []string{"-user", "admin", "-password", "root"}
	admin(t, s, 0, append(root, "set server authorization=disabled")...)
	logins := func(s *harness.Server, want map[string]bool) {
		t.Helper()
		for login, ok := range want { // order: irrelevant
			user, password, _ := strings.Cut(login, ":")
			c, err := amqp.Dial(t.Context(), s.URL, &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(user, password)})
			if (err == nil) != ok {
				t.Errorf("%s: %v", login, err)
			}
			if c != nil {
				_ = c.Close()
			}
		}
	}
	logins(s, map[string]bool{"alice:s3cret": true, "ann:a": true, "admin:root": true, "alice:": false, "ann:s3cret": false, "admin:": false, "nobody:x": false})
	wantLogged(t, s, "authorization stays on")
	alone := harness.Start(t, "--users", users(t))
	logins(alone, map[string]bool{"alice:s3cret": true, "admin:": false})
	admin(t, alone, 1, "-user", "alice", "-password", "s3cret", "create queue q") // she is no administrator
}

// TestAdministratorsPassword: administration wants a password that fits even while
// authorization is off, and an empty one of admin is warned of at every start that
// lets other machines in.
func TestAdministratorsPassword(t *testing.T) {
	const warning = "user admin has no password"
	s := harness.Start(t, "--config", bank(t, "disabled", nil), "--listen", "amqp://0.0.0.0:0")
	admin(t, s, 1, "-user", "admin", "-password", "guessed", "show server")
	admin(t, s, 1, "show server")
	admin(t, s, 0, "-user", "admin", "-password", "root", "show server")
	if strings.Contains(s.Log(), warning) {
		t.Error("it has a password, and is warned of")
	}
	empty := harness.Start(t, "--listen", "amqp://0.0.0.0:0")
	admin(t, empty, 0, "show server")
	empty.Restart(t)
	wait(t, "a warning in each of two lives", func() bool { return strings.Count(empty.Log(), warning) == 2 })
	if home := harness.Start(t); strings.Contains(home.Log(), warning) {
		t.Error("nobody else can connect, and it is warned of")
	}
}
