package nats

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidegate/tidegate/interop"
)

// registrySink takes what a session says; nothing is imported here.
type registrySink struct{ interop.Sink }

func (registrySink) Failed(error) {}
func (registrySink) Note(string)  {}

// A listener is a durable consumer of its subject: messages are kept for it before it
// comes, it is registered at each start, and it is known by the name that it has in
// tibrvcm.conf, whatever NATS takes as one (ems 9).
func TestListeners(t *testing.T) {
	p := startEmbedded(t, true)
	var f interop.Factory
	for _, other := range Factories() {
		if other.Certified {
			f = other
		}
	}
	tr, err := f.New(interop.Settings{
		Name: "CM", Server: "test", Gateway: "test-1", Shared: p.Shared(), Log: slog.New(slog.DiscardHandler),
		Keys: map[string]string{"url": "embedded", "stream": "EMS_EXPORT", "cm_name": "test:CM", "request_old": "true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	s, err := tr.Open(t.Context(), registrySink{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, reg := t.Context(), s.(interop.Registry)
	register := func(name, subject, says string) {
		t.Helper()
		if err := reg.Register(ctx, name, subject); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s %s: %v, want %q", name, subject, err, says)
		}
	}
	register("fleet", "news", "")
	register("fleet", "news", "")
	register("billing.app", "news", "")
	register("billing_app", "news", "listener billing.app has the consumer billing_app already")
	register("fleet", "other", "is there, for subject news")
	for range 3 {
		if _, err := p.js.Publish(ctx, "news", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	con, err := p.js.Consumer(ctx, "EMS_EXPORT", "fleet")
	if err != nil {
		t.Fatal(err)
	}
	own := con.CachedInfo().Config // its program asks for less at a time
	own.MaxAckPending = 7
	if con, err = p.js.UpdateConsumer(ctx, "EMS_EXPORT", own); err != nil {
		t.Fatal(err)
	}
	register("fleet", "news", "")
	first, err := con.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.DoubleAck(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := con.Next(); err != nil {
		t.Fatal(err)
	}
	all := listed(t, reg, "news")
	if want := []interop.Listener{{Name: "billing.app", Subject: "news", Pending: 3}, {Name: "fleet", Subject: "news", Pending: 1, UnderWay: 1, Confirmed: 1}}; !slices.Equal(all, want) {
		t.Errorf("listeners %+v, want %+v", all, want)
	}
	if err := reg.Unregister(ctx, "billing.app", "news"); err != nil {
		t.Error(err)
	}
	if err := reg.Unregister(ctx, "billing.app", "news"); !errors.Is(err, interop.ErrNoListener) {
		t.Errorf("one that is not there: %v", err)
	}
	if err := reg.Unregister(ctx, "billing.app", "nobody"); !errors.Is(err, interop.ErrNoListener) {
		t.Errorf("one of a subject in no stream: %v", err)
	}
	if all := listed(t, reg, ""); len(all) != 1 || all[0].Name != "fleet" {
		t.Errorf("listeners %+v", all)
	}
	if _, err := p.js.Consumer(ctx, "EMS_EXPORT", "billing_app"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("the consumer is left: %v", err)
	}
}

func listed(t *testing.T, reg interop.Registry, subject string) []interop.Listener {
	t.Helper()
	all, err := reg.Listeners(context.Background(), subject)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(x, y interop.Listener) int { return strings.Compare(x.Name, y.Name) })
	return all
}
