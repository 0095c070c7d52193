package suite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/e2e/harness"
)

// endsLimits are wildcards of queues and of topics.
const endsLimits = `>
msgs.default.> maxmsgs=1
msgs.old.> maxmsgs=1,overflowPolicy=discardOld
msgs.reject.> maxmsgs=1,overflowPolicy=rejectIncoming
bytes.default.> maxbytes=1KB
bytes.old.> maxbytes=1KB,overflowPolicy=discardOld
bytes.reject.> maxbytes=1KB,overflowPolicy=rejectIncoming
larger.> maxbytes=300,overflowPolicy=discardOld
flow.> flowControl=500
`

// endsSet has a wildcard for each reason below.
var endsSet = map[string]string{
	"tibemsd.conf": "server = E\nflow_control = enabled\nnpsend_check_mode = never\n",
	"queues.conf":  endsLimits + "tries.> maxRedelivery=2\n",
	"topics.conf":  endsLimits,
	"bridges.conf": `[queue:bridged.queue.>]
  queue=msgs.default.target
[topic:bridged.queue.>]
  queue=msgs.default.target
[queue:bridged.old.>]
  queue=msgs.old.target
[topic:bridged.old.>]
  queue=msgs.old.target
[queue:bridged.topic.>]
  topic=msgs.default.target
[topic:bridged.topic.>]
  topic=msgs.default.target
[queue:bridged.reject.>]
  topic=msgs.reject.target
[topic:bridged.reject.>]
  topic=msgs.reject.target
`,
}

// endsReason is why a message may not arrive.
type endsReason struct {
	name     string
	prefix   string            // of its destinations
	target   string            // of its bridge, in its field's form
	before   func(c *endsCell) // the message is sent
	within   func(c *endsCell) // it is sent, before its transaction is committed
	after    func(c *endsCell) // it is sent
	ttl      time.Duration     // its time to live
	delay    time.Duration     // its delivery delay
	preserve bool              // JMS_TIBCO_PRESERVE_UNDELIVERED
	deletes  bool              // the message goes with its destination
	no       map[string]bool   // destinations where there is no such thing
}

var noTopics = map[string]bool{"topic": true, "topic, durable": true}

// shortly is a time to live, and a delay, that a test waits for.
const shortly = 30 * time.Millisecond

var endsReasons = []endsReason{
	{name: "`maxmsgs` reached, `overflowPolicy=default`", prefix: "msgs.default", before: (*endsCell).fill},
	{name: "`maxmsgs` reached, `overflowPolicy=discardOld`", prefix: "msgs.old", before: (*endsCell).fill},
	{name: "`maxmsgs` reached, `overflowPolicy=rejectIncoming`", prefix: "msgs.reject", before: (*endsCell).fill},
	{name: "`maxbytes` reached, `overflowPolicy=default`", prefix: "bytes.default", before: (*endsCell).fill},
	{name: "`maxbytes` reached, `overflowPolicy=discardOld`", prefix: "bytes.old", before: (*endsCell).fill},
	{name: "`maxbytes` reached, `overflowPolicy=rejectIncoming`", prefix: "bytes.reject", before: (*endsCell).fill},
	{name: "larger than `maxbytes`, `overflowPolicy=discardOld`", prefix: "larger"},
	{name: "more pending than `flowControl`", prefix: "flow", before: (*endsCell).fill},
	{name: "expired", prefix: "plain", ttl: shortly, after: (*endsCell).expire},
	{name: "expired, to be preserved", prefix: "plain", ttl: shortly, after: (*endsCell).expire, preserve: true},
	{name: "expired before the commit, to be preserved", prefix: "plain", ttl: shortly, within: (*endsCell).outlive, after: (*endsCell).expire, preserve: true},
	{name: "`maxRedelivery` reached", prefix: "tries", after: (*endsCell).fail, no: noTopics},
	{name: "`maxRedelivery` reached, to be preserved", prefix: "tries", after: (*endsCell).fail, preserve: true, no: noTopics},
	{name: "due in a full destination, `overflowPolicy=default`", prefix: "msgs.default", before: (*endsCell).fill, delay: shortly, after: (*endsCell).mature},
	{name: "due in a full destination, `overflowPolicy=discardOld`", prefix: "msgs.old", before: (*endsCell).fill, delay: shortly, after: (*endsCell).mature},
	{name: "due in a full destination, `overflowPolicy=rejectIncoming`", prefix: "msgs.reject", before: (*endsCell).fill, delay: shortly, after: (*endsCell).mature},
	{
		name: "due in a full destination, `overflowPolicy=rejectIncoming`, to be preserved", prefix: "msgs.reject",
		before: (*endsCell).fill, delay: shortly, after: (*endsCell).mature, preserve: true,
	},
	{name: "delayed while `maxmsgs` are, `overflowPolicy=default`", prefix: "msgs.default", before: (*endsCell).fillDelayed, delay: time.Hour},
	{name: "the queue behind a bridge is full, `overflowPolicy=default`", prefix: "bridged.queue", target: "msgs.default.target", before: (*endsCell).fillTarget},
	{name: "the queue behind a bridge is full, `overflowPolicy=discardOld`", prefix: "bridged.old", target: "msgs.old.target", before: (*endsCell).fillTarget},
	{name: "the topic behind a bridge is full, `overflowPolicy=default`", prefix: "bridged.topic", target: "topic:msgs.default.target", before: (*endsCell).fillTarget},
	{name: "the topic behind a bridge is full, `overflowPolicy=rejectIncoming`", prefix: "bridged.reject", target: "topic:msgs.reject.target", before: (*endsCell).fillTarget},
	{name: "the destination is deleted after the send", prefix: "doomed", within: (*endsCell).remove, after: (*endsCell).removed, deletes: true},
}

// rightsSet has secure destinations, which joe may send to.
var rightsSet = map[string]string{
	"tibemsd.conf": "server = E\nauthorization = enabled\nnpsend_check_mode = never\n",
	"users.conf":   "admin:root:\njoe:j:\n",
	"queues.conf":  ">\nsecured.> secure\n",
	"topics.conf":  ">\nsecured.> secure\n",
	"acl.conf":     "QUEUE=secured.> USER=joe PERM=send\nTOPIC=secured.> USER=joe PERM=publish\n",
}

var rightsReasons = []endsReason{
	{name: "the permission is revoked before the send", prefix: "secured", before: (*endsCell).revoke, after: (*endsCell).grant},
	{name: "the permission is revoked after the send", prefix: "secured", within: (*endsCell).revoke, after: (*endsCell).grant},
}

// memorySet swaps nothing.
var memorySet = map[string]string{
	"tibemsd.conf": "server = E\nmax_msg_memory = 8MB\nmsg_swapping = disabled\nnpsend_check_mode = never\n",
	"queues.conf":  ">\n",
	"topics.conf":  ">\n",
}

var memoryReasons = []endsReason{
	{name: "`max_msg_memory` is full, without `msg_swapping`", prefix: "plain", before: (*endsCell).fillMemory, after: (*endsCell).emptyMemory},
}

// endsModes are how a producer sends.
var endsModes = []struct {
	name             string
	durable, settled bool
	check            string // ems-npsend-check-mode of its link; "" what the server says: never
}{
	{"PERSISTENT", true, false, ""},
	{"NON_PERSISTENT, checked", false, false, "always"},
	{"NON_PERSISTENT, unchecked", false, false, ""},
	{"RELIABLE", false, true, ""},
}

var endsDestinations = []string{"queue", "topic", "topic, durable"}

// endsCell is one cell of docs/overflow.md while it is tried out.
type endsCell struct {
	*endsRun
	t           *testing.T
	reason      *endsReason
	destination string
	mode        int
	transacted  bool

	address   string // in the field's form
	producer  *producer
	receivers map[string]uint32 // by where a message may be
	sent      time.Time         // the message was, at the latest
	late      bool              // it was due before the commit was answered
	notes     []string          // more of what the producer sees
	slowed    bool              // its credit was taken
	old       string            // where the message is that is in the way
}

// endsRun is a server with the ways to look into it.
type endsRun struct {
	server   *harness.Server
	looker   *looker
	console  *console
	cells    int
	user     string // of producers
	password string
}

// newEndsRun looks at a server as its administrator.
func newEndsRun(t *testing.T, s *harness.Server, password string) *endsRun {
	return &endsRun{server: s, looker: openLooker(t, s, "admin", password), console: openConsole(t, s, "admin", password)}
}

// try runs a cell and gives what the producer sees and where the message ends. A delay
// that was over before the commit shows another cell: it is tried with a longer one.
func (r *endsRun) try(t *testing.T, reason *endsReason, destination string, mode int, transacted bool) (sees, ends string) {
	again := *reason
	for {
		sees, ends, late := r.once(t, &again, destination, mode, transacted)
		if !late {
			return sees, ends
		}
		again.delay *= 4
	}
}

func (r *endsRun) once(t *testing.T, reason *endsReason, destination string, mode int, transacted bool) (sees, ends string, late bool) {
	c := &endsCell{endsRun: r, t: t, reason: reason, destination: destination, mode: mode, transacted: transacted, receivers: map[string]uint32{}}
	r.cells++
	c.address = fmt.Sprintf("%s.%d", reason.prefix, r.cells)
	if destination != "queue" {
		c.address = "topic:" + c.address
	}
	c.listen("in the "+strings.Fields(c.place())[0], c.address)
	if reason.target != "" {
		c.listen("at the bridge's target", reason.target)
	}
	c.open()
	if reason.before != nil {
		reason.before(c)
	}
	before := r.console.counts("show dropped")
	before["refused_msgs"] -= c.producer.refused
	sees = c.send()
	if reason.after != nil {
		reason.after(c)
	}
	ends = c.look()
	sees += c.settled()
	after := r.console.counts("show dropped")
	after["refused_msgs"] -= c.producer.refused
	ends += lostSince(before, after)
	c.producer.close()
	for _, l := range c.receivers {
		r.looker.detach(l)
	}
	return sees, ends, c.late
}

// place is where messages wait: a queue, or a topic's subscription.
func (c *endsCell) place() string {
	if c.destination == "queue" {
		return "queue"
	}
	return "subscription"
}

// listen attaches a receiver without credit; to a topic it subscribes.
func (c *endsCell) listen(place, address string) {
	c.t.Helper()
	c.receivers[place] = c.looker.attach(address, strings.HasPrefix(address, "topic:") && (c.destination == "topic, durable" || address != c.address))
}

func (c *endsCell) open() {
	c.t.Helper()
	p := openProducer(c.t, c.server, c.user, c.password)
	c.producer = p
	name, kind := on(c.address)
	var properties wire.Map
	if check := endsModes[c.mode].check; check != "" {
		properties = wire.Map{{Key: wire.Symbol("ems-npsend-check-mode"), Value: check}}
	}
	p.attach(itsLink, name, wire.Symbol(kind[0]), properties)
	p.attach(markLink, "mark", "queue", nil)
	if c.transacted {
		p.attach(coordinatorLink, "", "", nil)
	}
}

// message makes one of a label, with 600 bytes, of the cell's mode.
func (c *endsCell) message(label string, durable bool) *message.Builder {
	b := message.NewBuilder()
	b.Header.Durable = durable
	b.Properties.To, _ = on(c.address)
	b.SetText(label + strings.Repeat(".", 600-len(label)))
	return b
}

// send sends the message and gives what the producer is told of it.
func (c *endsCell) send() (sees string) {
	c.t.Helper()
	mode, p := endsModes[c.mode], c.producer
	b := c.message("it", mode.durable)
	if c.reason.ttl > 0 {
		b.Header.TTL = wire.Some(uint32(c.reason.ttl.Milliseconds()))
	}
	if c.reason.delay > 0 {
		b.Annotations = b.Annotations.Set(wire.Symbol("x-opt-delivery-delay"), c.reason.delay.Milliseconds())
	}
	if c.reason.preserve {
		b.SetProperty("JMS_TIBCO_PRESERVE_UNDELIVERED", true)
	}
	if c.transacted {
		p.order(&endsDeclare)
	}
	due := time.Now().Add(c.reason.delay) // at the earliest
	id := p.transmit(itsLink, mode.settled, p.txn, b.Append(nil))
	p.mark()
	c.sent = time.Now()
	sees = c.answer(id)
	if p.credit[itsLink] == 0 {
		sees += ", its credit is taken"
		c.slowed = true
	}
	if c.reason.within != nil {
		c.reason.within(c)
	}
	if !c.transacted {
		return sees
	}
	outcome := p.order(endsCommit(p.txn))
	c.late = c.reason.delay > 0 && !time.Now().Before(due)
	if outcome == "accepted" {
		return sees + "; commit: done"
	}
	return sees + "; commit " + strings.Replace(outcome, "rejected: ", "fails: ", 1)
}

func (c *endsCell) answer(id uint32) string {
	p := c.producer
	switch {
	case endsModes[c.mode].settled && p.answers[id] == "":
		return "nothing"
	case p.answers[id] == "":
		c.notes = append(c.notes, fmt.Sprint(id))
		return "no answer while it is full"
	}
	return p.answers[id]
}

// settled tells what came after all was looked at, with room again.
func (c *endsCell) settled() (more string) {
	c.t.Helper()
	p := c.producer
	p.mark()
	for _, id := range c.notes {
		var n uint32
		if _, err := fmt.Sscan(id, &n); err != nil {
			c.t.Fatal(err)
		}
		p.until(func() bool { return p.answers[n] != "" })
		more += ", then " + p.answers[n]
	}
	if c.slowed {
		p.until(func() bool { return p.credit[itsLink] > 0 })
		more += ", then credit again"
	}
	if why := p.detached[itsLink]; why != "" {
		more += "; link closed: " + why
	}
	return more
}

// fill puts a message in the way; it is stored, and not answered.
func (c *endsCell) fill() {
	c.t.Helper()
	c.fillAt(c.address, nil)
	c.old = "in the " + c.place()
}

func (c *endsCell) fillAt(address string, change func(b *message.Builder)) {
	c.t.Helper()
	p := c.producer
	name, kind := on(address)
	p.attach(fillLink, name, wire.Symbol(kind[0]), nil)
	b := c.message("old", true)
	if change != nil {
		change(b)
	}
	p.transmit(fillLink, true, nil, b.Append(nil))
	p.mark()
}

func (c *endsCell) fillTarget() {
	c.t.Helper()
	c.fillAt(c.reason.target, nil)
	c.old = "at the bridge's target"
}

func (c *endsCell) revoke() {
	c.t.Helper()
	c.console.ask("revoke queue secured.> user=joe send")
	c.console.ask("revoke topic secured.> user=joe publish")
}

func (c *endsCell) grant() {
	c.t.Helper()
	c.console.ask("grant queue secured.> user=joe send")
	c.console.ask("grant topic secured.> user=joe publish")
}

// fillMemory holds more than fits, in a queue beside.
func (c *endsCell) fillMemory() {
	c.t.Helper()
	p := c.producer
	p.attach(fillLink, "memory", "queue", nil)
	b := message.NewBuilder()
	b.SetText(strings.Repeat("x", 60<<10))
	for range 140 { // more than 8 MB
		p.transmit(fillLink, true, nil, b.Append(nil))
	}
	p.mark()
	p.until(func() bool { return p.credit[itsLink] == 0 })
}

func (c *endsCell) emptyMemory() {
	c.t.Helper()
	l := c.looker.attach("memory", false)
	for len(c.looker.drain(l)) > 0 {
	}
	c.looker.detach(l)
}

func (c *endsCell) fillDelayed() {
	c.t.Helper()
	c.fillAt(c.address, func(b *message.Builder) {
		b.Annotations = b.Annotations.Set(wire.Symbol("x-opt-delivery-delay"), time.Hour.Milliseconds())
	})
}

// outlive waits until the message's time is over.
func (c *endsCell) outlive() {
	over := c.sent.Add(c.reason.ttl)
	wait(c.t, "the time to live", func() bool { return time.Now().After(over) })
}

// expire waits likewise. The look at the destination then finds it.
func (c *endsCell) expire() { c.outlive() }

// mature waits until a delayed message has left its holding queue.
func (c *endsCell) mature() {
	c.t.Helper()
	held := "show queue $sys.delayed.q." + c.address
	if name, ok := strings.CutPrefix(c.address, "topic:"); ok {
		held = "show queue $sys.delayed.t." + name
	}
	wait(c.t, "the delay", func() bool { return !c.console.finds(held) })
}

// fail takes the message and fails with it, until it does not come any more.
func (c *endsCell) fail() {
	c.t.Helper()
	for range 2 {
		for _, a := range c.looker.give(c.receivers["in the queue"], 1, false) {
			c.looker.settle(a, &frame.Modified{DeliveryFailed: true})
		}
	}
}

// remove deletes the destination.
func (c *endsCell) remove() {
	c.t.Helper()
	name, kind := on(c.address)
	c.console.ask("delete " + kind[0] + " " + name)
}

// removed waits for the receiver's end.
func (c *endsCell) removed() {
	c.t.Helper()
	for _, l := range c.receivers {
		c.looker.closed(l)
	}
	clear(c.receivers)
}

// look takes all that is anywhere and gives where the message is.
func (c *endsCell) look() string {
	c.t.Helper()
	var at []string
	old := ""
	for _, place := range []string{"in the queue", "in the subscription", "at the bridge's target"} {
		r, ok := c.receivers[place]
		if !ok {
			continue
		}
		for _, m := range c.looker.drain(r) {
			switch label(m) {
			case "it":
				at = append(at, place)
			case "old":
				old = place
			}
		}
	}
	undelivered := c.looker.attach("$sys.undelivered", false)
	for _, m := range c.looker.drain(undelivered) {
		if label(m) != "it" {
			c.t.Errorf("a %q is undelivered", label(m))
		}
		at = append(at, "in `$sys.undelivered`: "+c.why(m))
	}
	c.looker.detach(undelivered)
	if len(at) == 0 {
		at = append(at, "nowhere")
	}
	ends := strings.Join(at, " and ")
	if c.old != "" && old == "" {
		ends += "; the oldest is discarded"
	}
	return ends
}

// why reads the reason of an undelivered message, which must be as it was sent else.
func (c *endsCell) why(m *message.Message) string {
	c.t.Helper()
	name, _ := on(c.address)
	preserve, _ := m.Property("JMS_TIBCO_PRESERVE_UNDELIVERED")
	switch h := m.Header(); {
	case m.To() != name:
		c.t.Errorf("its destination is not told: %q", m.To())
	case !preserve.B:
		c.t.Errorf("it is not to be preserved any more: %v", preserve)
	case h.TTL.OK && h.TTL.V != 0 || m.AbsoluteExpiryTime().OK:
		c.t.Errorf("it expires in %v, at %v", h.TTL, m.AbsoluteExpiryTime())
	case h.Durable != endsModes[c.mode].durable:
		c.t.Errorf("durable: %v", h.Durable)
	}
	v, _ := m.Annotation("x-opt-tidegate-undelivered")
	why, _ := v.(string)
	return why
}

func label(m *message.Message) string {
	text, _ := m.Text()
	return strings.TrimRight(text, ".")
}

// drain takes what a receiver can have now.
func (l *looker) drain(link uint32) (all []*message.Message) {
	l.t.Helper()
	for _, a := range l.give(link, 100, true) {
		l.settle(a, frame.Accepted{})
		all = append(all, a.m)
	}
	return all
}

// lostSince tells which counts of `show dropped` have gone up.
func lostSince(before, after map[string]int64) string {
	var all []string
	for _, count := range []string{"denied", "full", "gone", "refused_msgs", "discarded_msgs", "expired_msgs", "max_redelivery_msgs", "undelivered_msgs"} {
		switch n := after[count] - before[count]; n {
		case 0:
		case 1:
			all = append(all, "`"+count+"`")
		default:
			all = append(all, fmt.Sprintf("%d `%s`", n, count))
		}
	}
	return " | " + strings.Join(all, ", ")
}
