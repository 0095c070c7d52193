package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/core/name"
	"github.com/tidegate/tidegate/core/property"
)

// script gives the names of a datadriven script to what a broker numbers.
type script struct {
	*env
	conns      map[string]ConnID
	producers  map[string]ProducerID
	consumers  map[string]ConsumerID
	txns       map[string]TxnID
	temps      map[string]Destination
	deliveries map[string]DeliveryID // by consumer and label, the newest
	rules      []rule
	sent       int
	said       []string // to be shown
	needs      bool     // with what outs wait for
}

// TestScripts drives the broker by testdata/*.txt. Durable state is rebuilt from
// the records, and from a checkpoint, after every command.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if !strings.HasSuffix(path, ".txt") {
			return // what rapid leaves there of a test that failed
		}
		s := &script{
			env: newEnv(), conns: map[string]ConnID{}, producers: map[string]ProducerID{}, consumers: map[string]ConsumerID{},
			txns: map[string]TxnID{}, temps: map[string]Destination{}, deliveries: map[string]DeliveryID{},
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out := s.run(t, d)
			if err := s.check(); err != nil {
				t.Fatalf("%s: %v", d.Pos, err)
			}
			return out
		})
	})
}

func arg(d *datadriven.TestData, key, otherwise string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return strings.Join(a.Vals, ",")
		}
	}
	return otherwise
}

func number(d *datadriven.TestData, key string, otherwise int64) int64 {
	n := otherwise
	if s := arg(d, key, ""); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			panic(err)
		}
	}
	return n
}

// plain is the n-th argument without a value.
func plain(d *datadriven.TestData, n int) string {
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			if n == 0 {
				return a.Key
			}
			n--
		}
	}
	return ""
}

func has(d *datadriven.TestData, key string) bool { return d.HasArg(key) }

// destination reads queue=NAME, topic=NAME or temp=NAME.
func (s *script) destination(d *datadriven.TestData) Destination {
	if n := arg(d, "temp", ""); n != "" {
		return s.temps[n]
	}
	if n := arg(d, "topic", ""); n != "" {
		return Destination{Kind: Topic, Name: n}
	}
	return Destination{Kind: Queue, Name: arg(d, "queue", "")}
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	var err error
	before := len(s.log)
	outs := s.step(func(fx *Effects) { err = s.command(t, d, fx) })
	var b strings.Builder
	if err != nil {
		fmt.Fprintf(&b, "error: %s\n", kindOfError(err))
	}
	s.needs = has(d, "needs")
	for _, o := range outs {
		b.WriteString(s.out(o))
	}
	if has(d, "drops") {
		fmt.Fprintf(&b, "drops %+v\n", s.b.Drops())
	}
	for _, line := range s.said {
		b.WriteString(line + "\n")
	}
	s.said = nil
	if has(d, "events") {
		for _, e := range s.events {
			b.WriteString(e + "\n")
		}
	}
	s.events = s.events[:0]
	if d.Cmd == "show" {
		b.WriteString(s.show())
	}
	if has(d, "records") {
		for _, l := range s.log[before:] {
			fmt.Fprintf(&b, "record %d kind %d run %d.%d %d+%d runs %v\n", l.at, l.r.Kind, l.r.Run.Queue, l.r.Run.Priority, l.r.Run.First, l.r.Run.Count, l.r.Runs)
		}
	}
	if b.Len() == 0 {
		return "ok\n"
	}
	return b.String()
}

func (s *script) command(t *testing.T, d *datadriven.TestData, fx *Effects) (err error) {
	n := plain(d, 0)
	switch d.Cmd {
	case "connect":
		s.conns[n], err = s.b.Connect(s.now, ConnectOptions{ClientID: arg(d, "id", n), User: arg(d, "user", ""), Stranger: has(d, "stranger"), Own: has(d, "own"), Sole: has(d, "sole"), Yield: has(d, "yield"), Room: number(d, "room", 0)}, fx)
	case "disconnect":
		s.b.Disconnect(s.now, s.conns[n], fx)
	case "temporary":
		kind := Queue
		if has(d, "of-topic") {
			kind = Topic
		}
		s.temps[n], err = s.b.CreateTemporary(s.now, s.conns[arg(d, "conn", "")], kind, fx)
	case "delete":
		err = s.b.DeleteTemporary(s.now, s.conns[arg(d, "conn", "")], s.destination(d), fx)
	case "open":
		s.b.OpenTemporary(s.destination(d))
	case "keep":
		_, err = s.b.Keep(s.now, n, fx)
	case "declare":
		life := Lasting
		if has(d, "fleeting") {
			life = Fleeting
		} else if has(d, "passing") {
			life = Passing
		}
		_, err = s.b.Declare(s.now, n, life, fx)
	case "login":
		s.b.Reauthenticate(s.now, s.conns[n], arg(d, "user", ""), fx)
	case "remove":
		err = s.b.Delete(s.now, s.destination(d), fx)
	case "retire":
		s.b.Retire(s.now, s.conns[n], fx)
	case "suspend":
		s.b.SuspendConsumer(s.now, s.consumers[n], s.deliveries[n+" "+arg(d, "begun", "")], fx)
	case "acquire":
		s.b.Acquire(s.consumers[n], s.txns[arg(d, "txn", "")])
	case "producer":
		s.producers[n], _, err = s.b.OpenProducer(s.now, s.conns[arg(d, "conn", "")], ProducerOptions{Destination: s.destination(d), NoReject: has(d, "no-reject")}, fx)
	case "close-producer":
		s.b.CloseProducer(s.now, s.producers[n], fx)
	case "consumer":
		err = s.consumer(d, n, fx)
	case "close":
		s.b.CloseConsumer(s.now, s.consumers[n], fx)
	case "publish":
		s.publish(d, n, fx)
	case "credit":
		k := s.b.consumers.get(uint64(s.consumers[n]))
		s.b.Credit(s.now, k.id, k.count+uint32(number(d, "n", 1)), has(d, "drain"), fx)
	case "settle":
		s.settle(d, n, fx)
	case "wrote":
		id := s.deliveries[n+" "+arg(d, "of", "")]
		done := id
		if has(d, "begun") {
			done = 0
		}
		s.b.Wrote(s.now, s.consumers[n], id, done, fx)
	case "unsend":
		s.b.Unsend(s.now, []DeliveryID{s.deliveries[n+" "+arg(d, "of", "")]}, fx)
	case "begin":
		t, err := s.b.Begin(s.now, s.conns[arg(d, "conn", "")], fx)
		if err != nil {
			return err
		}
		s.txns[n] = t
	case "limits": // of transactions: open=N work=N bytes=N spread=N, timeout
		by, e := time.ParseDuration(arg(d, "timeout", "0s"))
		if e != nil {
			t.Fatal(e)
		}
		s.b.o.Transactions = TransactionLimits{
			Open: int(number(d, "open", 0)), Work: int(number(d, "work", 0)), Bytes: number(d, "bytes", 0), Spread: int(number(d, "spread", 0)), TimeOut: by,
		}.orDefaults()
	case "discharge":
		s.b.Discharge(s.now, s.conns[arg(d, "conn", "")], s.txns[n], has(d, "fail"), 7, fx)
	case "unsubscribe":
		err = s.b.Unsubscribe(s.now, arg(d, "id", ""), n, has(d, "global"), fx)
	case "throttle":
		s.b.Throttle(s.now, n == "on", fx)
	case "press":
		s.b.Press(s.now, n == "on", fx)
	case "tick":
		by, e := time.ParseDuration(n)
		if e != nil {
			t.Fatal(e)
		}
		s.now = s.now.Add(by)
		s.b.Expire(s.now, fx)
	case "forbid", "permit":
		s.forbid(d, n, fx)
	case "grant", "revoke":
		s.grant(d, n, fx)
	case "check": // npsend_check_mode
		mode, ok := ParseCheck(n)
		if !ok {
			t.Fatalf("%s: no mode %q", d.Pos, n)
		}
		s.b.o.SendCheck = mode
	case "define":
		def, e := s.definition(d)
		if e != nil {
			t.Fatalf("%s: %v", d.Pos, e)
		}
		err = s.b.SetDefinition(s.now, s.destination(d).Kind, def, fx)
	case "undefine":
		err = s.b.RemoveDefinition(s.now, s.destination(d), fx)
	case "configure": // with what is defined now, as after a restart
		err = s.configure(d, fx)
	case "bridges": // lines of KIND:NAME KIND:NAME [SELECTOR]
		err = s.bridges(d, fx)
	case "undeliver":
		s.b.Undeliver(s.now, s.deliveries[n+" "+arg(d, "of", "")], []byte(arg(d, "notes", "")), fx)
	case "exporters": // NAME or NAME:reliable, each
		s.exporters(d, fx)
	case "flow-control":
		s.b.SetFlowControl(s.now, n == "on", has(d, "active"), fx)
	case "purge":
		p, e := s.b.PurgeQueue(n)
		if err = e; e == nil {
			for s.b.Purge(s.now, p, 100, fx) {
			}
		}
	case "unstable":
		s.env.durable = false
	case "crash":
		clear(s.conns)
		clear(s.producers)
		clear(s.consumers)
		err = s.crash()
	case "show":
	default:
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
	return err
}

// exporters replaces all exporters.
func (s *script) exporters(d *datadriven.TestData, fx *Effects) {
	var all []Exporter
	for _, a := range d.CmdArgs {
		n, reliable := strings.CutSuffix(a.Key, ":reliable")
		all = append(all, Exporter{Name: n, Certified: !reliable})
	}
	s.b.SetExporters(s.now, all, fx)
}

// definition reads queue=NAME or topic=NAME and props=(...).
func (s *script) definition(d *datadriven.TestData) (property.Definition, error) {
	to := s.destination(d)
	kind := property.Queue
	if to.Kind == Topic {
		kind = property.Topic
	}
	items, wrong := property.ParseList(kind, strings.ReplaceAll(arg(d, "props", ""), " ", ""))
	def := property.Definition{Name: to.Name}
	for _, i := range items {
		def.Set = def.Set.With(i.Value)
	}
	if len(wrong) > 0 {
		return def, wrong[0]
	}
	return def, nil
}

// bridges replaces all bridges by those of its lines.
func (s *script) bridges(d *datadriven.TestData, fx *Effects) error {
	var all []Bridge
	for line := range strings.Lines(d.Input) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		br := Bridge{Source: bridgeEnd(words[0]), Target: bridgeEnd(words[1])}
		if len(words) == 3 {
			br.Selector = words[2]
		}
		all = append(all, br)
	}
	err := s.b.SetBridges(s.now, all, fx)
	if err != nil {
		s.said = append(s.said, strings.Split(err.Error(), "\n")...)
	}
	return err
}

func bridgeEnd(word string) Destination {
	kind, n, _ := strings.Cut(word, ":")
	if kind == "topic" {
		return Destination{Kind: Topic, Name: n}
	}
	return Destination{Kind: Queue, Name: n}
}

// configure defines anew what a restart does not know.
func (s *script) configure(d *datadriven.TestData, fx *Effects) error {
	c := Configuration{}
	for _, tree := range []*property.Tree{s.b.defined.queues, s.b.defined.topics} {
		for def := range tree.All() {
			if tree.Kind() == property.Queue {
				c.Queues = append(c.Queues, *def)
			} else {
				c.Topics = append(c.Topics, *def)
			}
		}
	}
	if has(d, "async") {
		c.Stores = map[string]Need{property.NonFailsafeStore: Write, property.FailsafeStore: Sync}
	}
	orphans, err := s.b.Configure(s.now, c, fx)
	for _, o := range orphans {
		s.said = append(s.said, fmt.Sprintf("orphan %s with %d", o.Name, o.Messages))
	}
	return err
}

// rule is a permission of a user's on destinations that match a pattern.
type rule struct {
	user, permission string
	d                Destination
}

// ruled reads PERMISSION user=U queue=PATTERN, which the command named adds to the rules
// and any other takes away, and gives all there are.
func (s *script) ruled(d *datadriven.TestData, permission, adds string) []rule {
	r := rule{arg(d, "user", ""), permission, s.destination(d)}
	if d.Cmd == adds {
		s.rules = append(s.rules, r)
	} else {
		s.rules = slices.DeleteFunc(s.rules, func(o rule) bool { return r == o })
	}
	return slices.Clone(s.rules)
}

// forbid has what the rules name be what may not be done.
func (s *script) forbid(d *datadriven.TestData, permission string, fx *Effects) {
	rules := s.ruled(d, permission, "forbid")
	s.b.Authorize(s.now, has(d, "authorization"), func(user string, p Permission, d Destination, secure bool) bool {
		return !slices.ContainsFunc(rules, func(f rule) bool {
			return f.user == user && f.permission == p.String() && f.d.Kind == d.Kind && name.Match(f.d.Name, d.Name)
		})
	}, fx)
}

// grant has what the rules name be what may be done: with the first, what is secure may
// be used by nobody else, and nobody may administer.
func (s *script) grant(d *datadriven.TestData, permission string, fx *Effects) {
	rules := s.ruled(d, permission, "grant")
	s.b.Authorize(s.now, true, func(user string, p Permission, d Destination, secure bool) bool {
		return !secure && p < MayView || slices.ContainsFunc(rules, func(f rule) bool {
			return f.user == user && f.permission == p.String() && f.d.Kind == d.Kind && name.Covers(f.d.Name, d.Name)
		})
	}, fx)
}

func (s *script) consumer(d *datadriven.TestData, n string, fx *Effects) (err error) {
	o := ConsumerOptions{
		Destination: s.destination(d), Selector: strings.ReplaceAll(arg(d, "selector", ""), "_", " "),
		NoLocal: has(d, "nolocal"), Browse: has(d, "browse"), Settled: has(d, "settled"),
	}
	if name := arg(d, "sub", ""); name != "" {
		o.Subscription = &SubscriptionOptions{Name: name, Durable: has(d, "durable"), Shared: has(d, "shared"), Global: has(d, "global")}
	}
	id, err := s.b.OpenConsumer(s.now, s.conns[arg(d, "conn", "")], o, fx)
	if err != nil {
		return err
	}
	s.consumers[n] = id
	if c := number(d, "credit", 0); c > 0 {
		s.b.Credit(s.now, id, uint32(c), false, fx)
	}
	return nil
}

func (s *script) publish(d *datadriven.TestData, n string, fx *Effects) {
	for range number(d, "n", 1) {
		s.sent++
		props := map[string]int64{"x": number(d, "x", 0)}
		if y := number(d, "y", 0); y != 0 {
			props["y"] = y
		}
		m := message.Envelope{
			Durable: has(d, "durable"), Priority: uint8(number(d, "priority", 4)),
			Content: &text{label: fmt.Sprintf("m%d", s.sent), size: number(d, "size", 100), props: props},
		}
		if ttl := number(d, "ttl", 0); ttl != 0 {
			m.Expires = s.now.UnixMilli() + ttl
		}
		for mark, word := range map[message.Marks]string{ // order: irrelevant
			message.PreserveUndelivered: "preserve", message.Trace: "trace", message.TraceBody: "trace-body", message.DisableSender: "nosender",
		} {
			if has(d, word) {
				m.Marks |= mark
			}
		}
		if delay := number(d, "delay", 0); delay != 0 {
			m.Due = s.now.UnixMilli() + delay
		}
		send := Send{Tag: uint64(s.sent), Settled: has(d, "settled"), Txn: s.txns[arg(d, "txn", "")]}
		if to := s.destination(d); to.Name != "" {
			s.b.PublishTo(s.now, s.producers[n], to, send, m, fx)
		} else {
			s.b.Publish(s.now, s.producers[n], send, m, fx)
		}
	}
}

func (s *script) settle(d *datadriven.TestData, n string, fx *Effects) {
	o := Outcome{Kind: Accepted, DeliveryFailed: has(d, "failed"), UndeliverableHere: has(d, "undeliverable")}
	for kind, word := range []string{Rejected: "rejected", Released: "released", Modified: "modified"} {
		if word != "" && has(d, word) {
			o.Kind = OutcomeKind(kind)
		}
	}
	if n := arg(d, "notes", ""); n != "" {
		o.Notes = []byte(n)
	}
	for _, label := range strings.Split(arg(d, "of", ""), ",") {
		s.b.Settle(s.now, s.deliveries[n+" "+strings.TrimSpace(label)], s.txns[arg(d, "txn", "")], o, has(d, "confirm"), fx)
	}
}

func nameOf[V comparable](m map[string]V, v V) string {
	for _, n := range sortedKeys(m) {
		if m[n] == v {
			return n
		}
	}
	return "?"
}

func (s *script) label(id uint64) string {
	if c, ok := s.contents[id]; ok {
		return c.(*text).label
	}
	return "released"
}

func (s *script) out(o Out) string {
	var b strings.Builder
	switch o.Kind {
	case OutDeliver:
		who, label := nameOf(s.consumers, o.Consumer), s.label(o.Message)
		s.deliveries[who+" "+label] = o.Delivery
		fmt.Fprintf(&b, "%s <- %s", who, label)
		if !o.First {
			b.WriteString(" again")
		}
		if o.Count > 0 {
			fmt.Fprintf(&b, " count=%d", o.Count)
		}
		if o.Settled {
			b.WriteString(" settled")
		}
		if o.To != nil {
			fmt.Fprintf(&b, " to %s %s", [...]string{"", "queue", "topic"}[o.To.Kind], o.To.Name)
		}
		if o.Ref != nil {
			fmt.Fprintf(&b, " notes=%s", o.Ref)
		}
	case OutSettled:
		if o.Err == nil && o.After == 0 {
			return ""
		}
		fmt.Fprintf(&b, "%s: m%d accepted", nameOf(s.producers, o.Producer), o.Tag)
	case OutDrained:
		fmt.Fprintf(&b, "%s drained at %d", nameOf(s.consumers, o.Consumer), o.Limit)
	case OutConfirmed:
		b.WriteString("confirmed")
	case OutDischarged:
		b.WriteString("discharged")
	case OutAllow:
		fmt.Fprintf(&b, "%s may send %d", nameOf(s.producers, o.Producer), o.Limit)
	case OutConsumerGone:
		fmt.Fprintf(&b, "gone: consumer %s", nameOf(s.consumers, o.Consumer))
	case OutProducerGone:
		fmt.Fprintf(&b, "gone: producer %s", nameOf(s.producers, o.Producer))
	case OutConnectionGone:
		fmt.Fprintf(&b, "gone: connection %s", nameOf(s.conns, o.Conn))
	case OutProbe:
		fmt.Fprintf(&b, "is connection %s there?", nameOf(s.conns, o.Conn))
	case OutEdge:
	}
	if o.After != 0 {
		fmt.Fprintf(&b, " (after %d)", o.After)
		if s.needs {
			fmt.Fprintf(&b, " %s", [...]string{"ride", "written", "synced"}[o.Need])
		}
	}
	if o.Err != nil {
		fmt.Fprintf(&b, " but: %s", kindOfError(o.Err))
	}
	return b.String() + "\n"
}

// show lists each queue's entries in order; * marks those taken.
func (s *script) show() string {
	var b strings.Builder
	for _, id := range sortedKeys(s.b.byID) {
		q := s.b.byID[id]
		name := q.dest.Name
		if q.sub != nil {
			name += " sub " + q.sub.name
		}
		if q.temp != nil {
			name = nameOf(s.temps, q.dest)
		}
		fmt.Fprintf(&b, "%s:", name)
		n := 0
		for _, r := range q.order {
			for seq := r.base; seq < r.next; seq++ {
				if e := r.at(seq); e != nil {
					fmt.Fprintf(&b, " %s", s.label(e.id))
					if r.isTaken(seq) {
						b.WriteByte('*')
					}
					n++
				}
			}
		}
		if n != q.depth {
			panic("depth is not the number of entries")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "contents %d, held bytes %d\n", len(s.contents), s.b.HeldBytes())
	return b.String()
}
