package admin

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/config"
)

// ways are transports that run, by name: what they would say is a test's to write, as no
// real outside lets it. cmd/tidegate has the real ones.
type ways map[string]*way

type way struct {
	status    TransportStatus
	listeners []ListenerStatus
	fail      error // of what is asked of the outside
}

func (w ways) Settle(context.Context) error { return nil }

func (w ways) Suspend(_ context.Context, name string) error { return w.set(name, "suspended") }
func (w ways) Resume(_ context.Context, name string) error  { return w.set(name, "connecting") }

func (w ways) set(name, state string) error {
	if w[name] == nil {
		return ErrNoTransport
	}
	w[name].status.State = state
	return nil
}

func (w ways) Status(name string) (TransportStatus, bool) {
	if w[name] == nil {
		return TransportStatus{}, false
	}
	return w[name].status, true
}

func (w ways) at(name string) (*way, error) {
	switch v := w[name]; {
	case v == nil:
		return nil, ErrNoTransport
	case v.status.State != "connected":
		return nil, ErrNotConnected
	default:
		return v, v.fail
	}
}

func (w ways) Register(_ context.Context, transport, listener, subject string) error {
	v, err := w.at(transport)
	if err == nil {
		v.listeners = append(v.listeners, ListenerStatus{Name: listener, Subject: subject})
	}
	return err
}

func (w ways) Unregister(_ context.Context, transport, listener, subject string) error {
	v, err := w.at(transport)
	if err == nil {
		before := len(v.listeners)
		v.listeners = slices.DeleteFunc(v.listeners, func(l ListenerStatus) bool { return l.Name == listener && l.Subject == subject })
		if len(v.listeners) == before {
			return ErrNoListener
		}
	}
	return err
}

func (w ways) Listeners(_ context.Context, transport, subject string) ([]ListenerStatus, error) {
	v, err := w.at(transport)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(v.listeners), func(l ListenerStatus) bool { return subject != "" && l.Subject != subject }), nil
}

var began = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// Editing transports goes through the checks of the configuration, and commit keeps
// comments and order of transports.conf.
func TestTransportCommands(t *testing.T) {
	o := newOffice(t, memory{
		"transports.conf": "# the yard\n[RV01]\n  # one\n  type = nats\n  url = nats://a:4222\n\n[OLD]\n  type = tibftl\n",
		"topics.conf":     "news export=RV01\nplain\n", "queues.conf": "q\n",
	})
	if got := o.does("create transport RABBIT url=amqp://h:5672 type=amqp091 exchange=ems.topic"); got != "Transport 'RABBIT' has been created\n" {
		t.Error(got)
	}
	o.does("addprop transport RV01 encoding=raw max_hops=2")
	o.does("removeprop transport RV01 max_hops")
	want := "# the yard\n[RV01]\n  # one\n  type = nats\n  url = nats://a:4222\n  encoding = raw\n\n[OLD]\n  type = tibftl\n\n[RABBIT]\n  type = amqp091\n  url = amqp://h:5672\n  exchange = ems.topic\n"
	if got := o.files["transports.conf"]; got != want {
		t.Errorf("transports.conf is\n%s\nwant\n%s", got, want)
	}
	o.does("setprop transport RV01 max_hops=3") // type and url stay, encoding does not
	o.does("setprop transport RABBIT url=amqps://other")
	if got := o.files["transports.conf"]; !strings.HasPrefix(got, "# the yard\n[RV01]\n  # one\n  type = nats\n  url = nats://a:4222\n  max_hops = 3\n\n[OLD]") ||
		!strings.HasSuffix(got, "[RABBIT]\n  type = amqp091\n  url = amqps://other\n") {
		t.Errorf("transports.conf is\n%s", got)
	}
	o.does("create transport RVCM01 type=natsjs rv_tport=RV01 cm_name=EMS1")
	o.does("setprop transport RVCM01 request_old=false")
	o.does("setprop transport RVCM01 url=embedded") // in the place of rv_tport
	if got := o.files["transports.conf"]; !strings.HasSuffix(got, "[RVCM01]\n  type = natsjs\n  url = embedded\n") {
		t.Errorf("transports.conf is\n%s", got)
	}
	for line, says := range map[string]string{ // order: irrelevant
		"create transport X url=nats://h:4222":      "type",
		"create transport X type=carrier url=x://h": "carrier",
		"create transport X type=nats":              "url",
		"create transport X type=nats url=amqp://h": "nats://",
		"addprop transport RABBIT subject=1":        "subject",
		"removeprop transport RV01 type":            "type",
		"delete transport RV01":                     "export of topic news names it",
		"setprop topic plain export=NOWHERE":        "NOWHERE",
		"setprop queue q export=RV01":               "allow_queue_export",
		"setprop transport RV01 max_hops=0":         "max_hops",
	} {
		o.refuses(line, core.Invalid, says)
	}
	o.refuses("create transport RV01 type=nats url=embedded", core.Exists, "transport 'RV01' exists already")
	o.refuses("removeprop transport RV01 encoding", core.NotFound, "encoding is not among what transport 'RV01' has")
	o.refuses("delete transport none", core.NotFound, "transport 'none' does not exist")
	o.does("setprop topic news")
	if got := o.does("delete transport RV01"); got != "Transport 'RV01' has been deleted\n" {
		t.Error(got)
	}
	if got := o.files["transports.conf"]; strings.Contains(got, "RV01") || !strings.HasPrefix(got, "# the yard\n") {
		t.Errorf("transports.conf is\n%s", got)
	}
}

// What a transport, or a destination of one, means beyond what was asked is said with the
// answer: stand-ins for Rendezvous, and loops.
func TestTransportWarnings(t *testing.T) {
	o := newOffice(t, memory{
		"tibemsd.conf":    "server = test\ntibrv_transports = enabled\n",
		"transports.conf": "[A]\n type = nats\n url = nats://a:4222\n", "topics.conf": "news import=A\nother\n",
	})
	o.o.RendezvousURL = "nats://rendezvous:4222"
	if got := o.does("create transport RV type=tibrv service=7650 daemon=tcp:7500"); strings.Count(got, "\nWarning: ") != 1 || !strings.Contains(got, "nats://rendezvous:4222") {
		t.Error(got)
	}
	if got := o.does("addprop transport A max_hops=1"); got != "Transport 'A' has been updated\n" {
		t.Errorf("what was said of another is said again: %s", got)
	}
	if got := o.does("addprop topic news export=A"); strings.Count(got, "\nWarning: a loop: topic news goes out by A") != 1 {
		t.Error(got)
	}
	o.does("setprop topic news import=A")
	if got := o.does("create topic third import=A"); got != "Topic 'third' has been created\n" {
		t.Error(got)
	}
	o.does("setprop topic other export=A")
	o.does("create topic back import=A")
	if got := o.does("create bridge source=topic:back target=topic:other"); strings.Contains(got, "Warning") {
		t.Errorf("a bridge between names that differ outside is no loop: %s", got)
	}
	if got := o.does("show transport RV"); !strings.Contains(got, " Stand-in:              nats\n") || !strings.Contains(got, "subject_prefix") || !strings.Contains(got, "rv.7650.") {
		t.Error(got)
	}
}

func TestSuspendTransport(t *testing.T) {
	o := newOffice(t, memory{"transports.conf": "[A]\n type = nats\n url = embedded\n[B]\n type = nats\n url = embedded\n"})
	o.refuses("suspend transport A", core.Unavailable, "this server runs no transports")
	all := ways{"A": {status: TransportStatus{State: "connected"}}}
	o.o.Transports = all
	if got := o.does("suspend transport A"); got != "Transport 'A' has been suspended\n" || all["A"].status.State != "suspended" {
		t.Error(got)
	}
	if got := o.does("resume transport A"); got != "Transport 'A' has been resumed\n" || all["A"].status.State != "connecting" {
		t.Error(got)
	}
	o.refuses("suspend transport B", core.Unavailable, "does not run")
	o.refuses("resume transport none", core.NotFound, "transport 'none' does not exist")
	if o.saved != 2 && o.files["transports.conf"] != "[A]\n type = nats\n url = embedded\n[B]\n type = nats\n url = embedded\n" {
		t.Error("a file was written")
	}
}

// The list: what each does, carries and has lost; a long name moves every column.
func TestShowTransports(t *testing.T) {
	o := newOffice(t, memory{
		"tibemsd.conf": "server = test\ntibrv_transports = enabled\n",
		"transports.conf": "[RV01]\n type = tibrv\n daemon = nats://u:secret@a:4222\n[RABBIT.OF.THE.SHIPPING.YARD]\n type = amqp091\n url = amqp://h\n" +
			"[FTL]\n type = tibftl\n[NEW]\n type = nats\n url = embedded\n",
	})
	if got := o.does("show transports"); strings.Count(got, "not running") != 3 || strings.Count(got, "not opened") != 1 {
		t.Error(got)
	}
	topic := func(n string) core.Destination { return core.Destination{Kind: core.Topic, Name: n} }
	o.o.Transports = ways{
		"RV01": {status: TransportStatus{
			State: "connecting", Since: began, Error: "dial tcp:\nrefused", Imports: []core.Destination{topic("a.>"), {Kind: core.Queue, Name: "q"}},
			Counts: TransportCounts{Imported: 7, Exported: 12, LostOut: 3, LostIn: 1}, Connects: 2, Notes: []string{"no headers there"},
		}},
		"RABBIT.OF.THE.SHIPPING.YARD": {status: TransportStatus{State: "connected", Certified: true, Since: began, Exports: []core.Destination{topic("b")}}},
	}
	want := `Transport Name               Type     Stand-in  State       Since                 Imports  Exports   Imported   Exported  Waiting    Lost  Last Error
RV01                         tibrv    nats      connecting  2026-11-25T12:00:00Z        2        0          7         12        0       4  dial tcp: refused
RABBIT.OF.THE.SHIPPING.YARD  amqp091            connected   2026-11-25T12:00:00Z        0        1          0          0        0       0
FTL                          tibftl             not opened                              0        0          0          0        0       0
NEW                          nats               starting                                0        0          0          0        0       0
`
	if got := o.does("show transports"); got != want {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
	one := o.does("show transport RV01")
	for _, line := range []string{
		" Transport:             RV01\n Type:                  tibrv\n Stand-in:              nats\n State:                 connecting\n",
		" Delivery:              reliable: what is sent while it is not connected is lost\n Lost Msgs Exporting:   3\n Lost Msgs Importing:   1\n Last Error:            dial tcp: refused\n",
		"import  T  a.>\n", "import  Q  q\n", "daemon", "no headers there",
	} {
		if !strings.Contains(one, line) {
			t.Errorf("%q is missing:\n%s", line, one)
		}
	}
	if strings.Contains(one, "secret") {
		t.Errorf("a password is shown:\n%s", one)
	}
	if one := o.does("show transport RABBIT.OF.THE.SHIPPING.YARD"); strings.Contains(one, "Lost") || !strings.Contains(one, " Delivery:              certified\n") {
		t.Errorf("a certified one loses nothing:\n%s", one)
	}
	r, err := o.Do(t.Context(), Request{User: "admin", Command: "show transports"})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := r.JSON(); err != nil || !strings.Contains(string(b), `"name":"RV01","type":"tibrv","stand_in":"nats","url":"nats://u:********@a:4222","state":"connecting"`) || !strings.Contains(string(b), `"lost_msgs":4`) {
		t.Errorf("%s %v", b, err)
	}
}

// What the outside says is a line of a bounded length, whatever it sends.
func TestOutsideTexts(t *testing.T) {
	for text, want := range map[string]string{ // order: irrelevant
		"a\r\nb\tc \x1b[2J": "a b c [2J", " ": "", "plain": "plain", "caf\xc3": "caf",
		strings.Repeat("é", 300): strings.Repeat("é", 250) + "...",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What waits is the depth of the transport's queue, which stays when it goes.
func TestTransportWaiting(t *testing.T) {
	o := newOffice(t, memory{"transports.conf": "[A]\n type = natsjs\n url = embedded\n", "topics.conf": "news export=A\n"})
	o.broker.Do(func(now time.Time, b *core.Broker, fx *core.Effects) {
		b.SetExporters(now, []core.Exporter{{Name: "A", Certified: true}}, fx)
	})
	o.o.Transports = ways{"A": {status: TransportStatus{State: "connecting", Certified: true, Since: began}}}
	o.sendTo(o.client("ann"), core.Destination{Kind: core.Topic, Name: "news"}, 5)
	if got := o.does("show transport A"); !strings.Contains(got, " Waiting Msgs:          5\n") {
		t.Error(got)
	}
	o.does("setprop topic news")
	if got := o.does("delete transport A"); !strings.Contains(got, "Warning: 5 messages that waited for it stay in queue $sys.export.A: purge queue $sys.export.A") {
		t.Error(got)
	}
	o.does("purge queue $sys.export.A")
}

// Certified listeners are in tibrvcm.conf and outside, or the answer says what is missing.
func TestCertifiedListeners(t *testing.T) {
	o := newOffice(t, memory{
		"transports.conf": "[RV]\n type = nats\n url = embedded\n[CM]\n type = natsjs\n rv_tport = RV\n[DOWN]\n type = natsjs\n rv_tport = RV\n",
		"tibrvcm.conf":    "# who listens\n# since 2019\nCM fleet ems.widgets\n", "topics.conf": "ems.widgets export=CM\n",
	})
	outside := &way{status: TransportStatus{State: "connected", Certified: true}, listeners: []ListenerStatus{
		{Name: "fleet", Subject: "ems.widgets", Pending: 1200, UnderWay: 8, Confirmed: 96}, {Name: "test:CM", Subject: "ems.in", Ours: true}, {Name: "stray", Subject: "ems.widgets"},
	}}
	o.o.Transports = ways{"CM": outside, "DOWN": {status: TransportStatus{State: "connecting"}}}
	if got := o.does("create rvcmlistener CM billing ems.widgets"); got != "Listener 'billing' of transport 'CM' has been created\n" || len(outside.listeners) != 4 {
		t.Error(got)
	}
	if got := o.does("create rvcmlistener DOWN billing ems.widgets"); !strings.Contains(got, "\nWarning: transport DOWN is not connected: nothing is kept for the listener before it is\n") {
		t.Error(got)
	}
	if got, want := o.files["tibrvcm.conf"], "# who listens\n# since 2019\nCM fleet ems.widgets\nCM billing ems.widgets\nDOWN billing ems.widgets\n"; got != want {
		t.Errorf("tibrvcm.conf is %q, want %q", got, want)
	}
	want := `Listener  Subject      Pending  Under Way  Confirmed  Whose
test:CM   ems.in             0          0          0  import
billing   ems.widgets        0          0          0  tibrvcm.conf
fleet     ems.widgets     1200          8         96  tibrvcm.conf
stray     ems.widgets        0          0          0  outside
`
	if got := o.does("show rvcmtransportledger CM"); got != want {
		t.Errorf("the ledger is\n%s\nwant\n%s", got, want)
	}
	if got := o.does("show rvcmtransportledger CM ems.in"); strings.Count(got, "\n") != 2 || !strings.Contains(got, "test:CM") {
		t.Error(got)
	}
	if got := o.does("show rvcmlisteners"); strings.Count(got, "\n") != 4 || !strings.Contains(got, "DOWN       billing   ems.widgets\n") {
		t.Error(got)
	}
	o.does("delete rvcmlistener CM billing ems.widgets")
	o.does("delete rvcmlistener CM stray ems.widgets") // nobody's any more
	if got := o.does("delete rvcmlistener DOWN billing ems.widgets"); !strings.Contains(got, "\nWarning: transport DOWN is not connected: the listener stays outside") {
		t.Error(got)
	}
	if got := o.files["tibrvcm.conf"]; got != "# who listens\n# since 2019\nCM fleet ems.widgets\n" || len(outside.listeners) != 2 {
		t.Errorf("tibrvcm.conf is %q, outside are %v", got, outside.listeners)
	}
	o.refuses("delete rvcmlistener CM test:CM ems.in", core.NotFound, "has no listener")
	o.refuses("delete rvcmlistener DOWN none ems.widgets", core.NotFound, "has no listener")
	o.refuses("create rvcmlistener CM fleet ems.widgets", core.Exists, "has subject 'ems.widgets' already")
	o.refuses("create rvcmlistener CM fleet ems.>", core.Invalid, "one name")
	o.refuses("create rvcmlistener RV fleet ems.widgets", core.Invalid, "no certified listeners")
	o.refuses("create rvcmlistener none fleet ems.widgets", core.NotFound, "transport 'none' does not exist")
	o.refuses("show rvcmtransportledger RV", core.Invalid, "no certified listeners")
	o.refuses("show rvcmtransportledger DOWN", core.Unavailable, "not connected")
	o.does("create rvcmlistener CM gone ems.widgets")
	outside.listeners = slices.DeleteFunc(outside.listeners, func(l ListenerStatus) bool { return l.Name == "gone" })
	o.does("delete rvcmlistener CM gone ems.widgets") // somebody else has taken it away outside
	outside.fail = errors.New("no space on the stream")
	o.refuses("create rvcmlistener CM late ems.widgets", core.Unavailable, "no space on the stream")
	o.refuses("delete rvcmlistener CM fleet ems.widgets", core.Unavailable, "no space on the stream")
	if got := o.files["tibrvcm.conf"]; got != "# who listens\n# since 2019\nCM fleet ems.widgets\n" {
		t.Errorf("what the outside refused is in tibrvcm.conf: %q", got)
	}
}

// A line of tibrvcm.conf that names no transport is for the first certified one.
func TestListenersOfTheDefaultTransport(t *testing.T) {
	o := newOffice(t, memory{"transports.conf": "[CM]\n type = natsjs\n url = embedded\n", "tibrvcm.conf": "fleet ems.widgets\n$RVCM$ yard ems.widgets\n", "topics.conf": "ems.widgets\n"})
	outside := &way{status: TransportStatus{State: "connected"}, listeners: []ListenerStatus{{Name: "fleet", Subject: "ems.widgets"}, {Name: "yard", Subject: "ems.widgets"}}}
	o.o.Transports = ways{"CM": outside}
	if got := o.does("show rvcmtransportledger CM"); strings.Count(got, "tibrvcm.conf\n") != 2 {
		t.Error(got)
	}
	o.refuses("create rvcmlistener CM yard ems.widgets", core.Exists, "already")
	o.does("delete rvcmlistener CM yard ems.widgets")
	if got := o.files["tibrvcm.conf"]; got != "fleet ems.widgets\n" || len(outside.listeners) != 1 {
		t.Error(got)
	}
}

// I and E of the lists are the destination's own, or inherited (ems 10.4).
func TestTransportFlags(t *testing.T) {
	o := newOffice(t, memory{
		"transports.conf": "[A]\n type = nats\n url = embedded\n allow_queue_export = true\n",
		"topics.conf":     ">\nin.> import=A\nin.child\nin.own import=A\nout export=A\nplain\n", "queues.conf": "work.* import=A\nwork.own import=A\nwork.child\nsent export=A\n",
	})
	for line, flags := range map[string]map[string]string{ // order: irrelevant
		"show topics": {"in.child": "-----*----", "in.own": "-----+----", "out": "----+-----", "plain": "----------", "in.>": "-----+----"},
		"show queues": {"work.own": "-----+---", "work.child": "-----*---", "sent": "---------"},
	} {
		got := o.does(line)
		for n, want := range flags { // order: irrelevant
			if !strings.Contains(got, "\n  "+n+strings.Repeat(" ", 34-len(n))+want+" ") {
				t.Errorf("%s: %s has not %s:\n%s", line, n, want, got)
			}
		}
	}
	if got := o.does("show topic in.child"); !strings.Contains(got, "*import=A") {
		t.Error(got)
	}
	if got := o.does("show queue sent"); !strings.Contains(got, "export=A") {
		t.Error(got)
	}
}

// Who may look at the server may look at transports; who may change it, may change them.
func TestTransportRights(t *testing.T) {
	for _, op := range Table {
		words := op.Name()
		if !strings.Contains(words, "transport") && !strings.Contains(words, "rvcm") {
			continue
		}
		want := "change-server"
		if strings.HasPrefix(words, "show") {
			want = "view-server"
		}
		if op.Right != (Right{Global: want}) {
			t.Errorf("%s takes %v, want %s", words, op.Right, want)
		}
	}
}

// No password of a transport is in the log.
func TestTransportAudit(t *testing.T) {
	o := newOffice(t, memory{})
	var log strings.Builder
	o.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.does("create transport A type=nats url=nats://u:hidden@h:4222")
	o.does("create transport B type=nats url=nats://h:4222 credentials=u/hidden")
	o.does("create transport C type=amqp091 url=amqp://h username=u password=hidden")
	if got := log.String(); strings.Count(got, "msg=administration ") != 3 || strings.Contains(got, "hidden") {
		t.Error(got)
	}
	for _, n := range []string{"A", "B", "C"} {
		if got := o.does("show transport " + n); strings.Contains(got, "hidden") {
			t.Error(got)
		}
	}
	if o.does("show transports"); config.ShownKey("credentials", "u/hidden") != "********" {
		t.Error("credentials are shown")
	}
}
