package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin"
	"github.com/tidegate/tidegate/core/config"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// ledgerPeer is an outside with certified listeners, in memory: the real ones are tested
// in their packages, and what an operator sees of them in e2e/suite.
type ledgerPeer struct {
	interop.Session // what is not used
	mu              sync.Mutex
	listeners       []interop.Listener
}

func (p *ledgerPeer) Open(context.Context, interop.Sink) (interop.Session, error) { return p, nil }
func (p *ledgerPeer) Close()                                                      {}

func (p *ledgerPeer) Imports(context.Context, []core.Destination) error { return nil }
func (p *ledgerPeer) Exports(context.Context, []core.Destination) error { return nil }

func (p *ledgerPeer) Register(_ context.Context, name, subject string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := (interop.Listener{Name: name, Subject: subject, Pending: 3, UnderWay: 2, Confirmed: 1}); !slices.Contains(p.listeners, l) {
		p.listeners = append(p.listeners, l)
	}
	return nil
}

func (p *ledgerPeer) Unregister(_ context.Context, name, subject string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners = slices.DeleteFunc(p.listeners, func(l interop.Listener) bool { return l.Name == name && l.Subject == subject })
	return nil
}

func (p *ledgerPeer) Listeners(_ context.Context, subject string) ([]interop.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.listeners), func(l interop.Listener) bool { return subject != "" && l.Subject != subject }), nil
}

// administered is a service over transports that run, in a bubble.
func administered(t *testing.T, files map[string]string, peer *ledgerPeer, log *slog.Logger, do func(run func(line string) string)) {
	t.Helper()
	c := writeSet(t, files)
	synctest.Test(t, func(t *testing.T) {
		var ready *server.Server
		st, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", SegmentBytes: 1 << 20, OnStable: func() {
			if ready != nil {
				ready.Stable()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		broker, err := server.New(st, server.Options{Name: "test", StoreNeed: core.Sync, Spool: st, Make: message.FromBytes})
		if err != nil {
			t.Fatal(err)
		}
		ready = broker
		d := admin.NewDefinitions(c, func(*config.Config) error { return nil })
		if _, err := d.Start(broker, nil); err != nil {
			t.Fatal(err)
		}
		all := newTransports(d, "", log)
		all.begin(interop.Options{Broker: broker, Server: "test", Gateway: "test-1", Log: log, Factories: interop.Factories{
			"natsjs": {Type: "natsjs", Certified: true, New: func(interop.Settings) (interop.Transport, error) { return peer, nil }},
			"nats":   {Type: "nats", New: func(interop.Settings) (interop.Transport, error) { return nil, errors.New("url: no such host") }},
		}})
		s := admin.New(admin.Options{Broker: broker, Name: "test", Definitions: d, Transports: transportAdmin{all}})
		do(func(line string) string {
			t.Helper()
			synctest.Wait() // an operator is slower than a connection in memory
			r, err := s.Do(t.Context(), admin.Request{User: "admin", Command: line})
			if err != nil {
				return "Error: " + err.Error() + "\n"
			}
			return r.Print()
		})
		s.Close()
		all.close()
		broker.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What an administrator does to transports is done to those that run, at once and in
// order: a script suspends what its line before has defined.
func TestTransportAdministration(t *testing.T) {
	peer := &ledgerPeer{}
	administered(t, map[string]string{
		"tibemsd.conf": "server = test\n", "topics.conf": "news export=CM\nother\n", "transports.conf": "[CM]\ntype = natsjs\nurl = embedded\n", "tibrvcm.conf": "CM fleet news\n",
	}, peer, slog.New(slog.DiscardHandler), func(run func(line string) string) {
		for _, c := range []struct{ line, says string }{
			{"show transport CM", " State:                 connected\n"},
			{"show transport CM", "\nexport  T  news\n"},
			{"show rvcmtransportledger CM", "fleet     news           3          2          1  tibrvcm.conf\n"},
			{"suspend transport CM", "Transport 'CM' has been suspended\n"},
			{"show transports", "CM                natsjs             suspended "},
			{"show rvcmtransportledger CM", "Error: transport 'CM' is not connected"},
			{"create rvcmlistener CM billing news", "Warning: transport CM is not connected"},
			{"resume transport CM", "Transport 'CM' has been resumed\n"},
			{"show rvcmtransportledger CM", "billing   news           3          2          1  tibrvcm.conf\n"},
			{"delete rvcmlistener CM billing news", "Listener 'billing' of transport 'CM' has been deleted\n"},
			{"addprop topic other export=CM", "has been updated"},
			{"show transport CM", "\nexport  T  other\n"},
			{"create transport SECOND type=natsjs url=embedded", "has been created"},
			{"suspend transport SECOND", "Transport 'SECOND' has been suspended\n"},
			{"create transport BAD type=nats url=nats://nowhere:4222", "has been created"},
			{"show transport BAD", " State:                 stopped\n"},
			{"show transport BAD", " Last Error:            transport BAD: url: no such host\n"},
			{"suspend transport BAD", "Error: transport BAD: url: no such host\n"},
			{"delete transport SECOND", "has been deleted"},
			{"suspend transport SECOND", "Error: transport 'SECOND' does not exist\n"},
		} {
			if got := run(c.line); !strings.Contains(got, c.says) {
				t.Errorf("%s: %q is missing in\n%s", c.line, c.says, got)
			}
		}
		if len(peer.listeners) != 1 {
			t.Errorf("outside are %v", peer.listeners)
		}
	})
}

// Losses and loops are in the log, with their counts, and not a line a message.
func TestTransportNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		n := newTransportNews(slog.New(slog.NewTextHandler(&text, nil)))
		var mu sync.Mutex
		counts := map[string]interop.Counts{}
		go n.follow(func(name string) (interop.Status, error) {
			mu.Lock()
			defer mu.Unlock()
			c, ok := counts[name]
			if !ok {
				return interop.Status{}, interop.ErrUnknown
			}
			return interop.Status{Counts: c}, nil
		})
		for i := range 995 {
			mu.Lock()
			counts["RV"] = interop.Counts{LostOut: uint64(i + 1), LoopDropped: 7}
			mu.Unlock()
			n.tell(core.Event{Kind: core.EventTransportLost, Name: "RV", Err: errors.New("not connected")})
			n.tell(core.Event{Kind: core.EventTransportLoop, Name: "RV"})
			n.tell(core.Event{Kind: core.EventTransportLost, Name: "GONE"})
			n.tell(core.Event{Kind: core.EventTransportConnected, Name: "RV"})
			time.Sleep(100 * time.Millisecond) // of the bubble's clock
		}
		n.close()
		got := text.String()
		if lines := strings.Count(got, `msg="transport lost messages" transport=RV`); lines != 10 {
			t.Errorf("%d lines of losses in 99.5 s, want 10\n%s", lines, got)
		}
		if strings.Count(got, `msg="transport stopped messages that go in a circle" transport=RV messages=7 total=7`) != 1 || strings.Contains(got, "GONE") || !strings.Contains(got, `err="not connected"`) {
			t.Error(got)
		}
	})
}

// What Rendezvous' advisories told, the trace item RVADV tells.
func TestLossesAreAdvisories(t *testing.T) {
	l, _, _, file := followed(t, "logfile = ems.log\nlog_trace = RVADV\n")
	n := newTransportNews(l.logger())
	n.write("RV", interop.Counts{LostIn: 2}, interop.Counts{LostOut: 3, LostIn: 4, LoopDropped: 5}, errors.New("slow consumer"))
	l.logger().Warn("something")
	got := read(t, file)
	for _, want := range []string{
		"WARNING: transport lost messages transport=RV exporting=3 importing=2 total=7 err=\"slow consumer\"\n",
		"WARNING: transport stopped messages that go in a circle transport=RV messages=5 total=5\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing: %s", want, got)
		}
	}
	if strings.Contains(got, "something") {
		t.Error(got)
	}
}
