package nats

import (
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
)

// TestEmbedded: the server in this process starts at its first use, is one for all, takes
// other clients where it listens, and keeps its streams when it ends.
func TestEmbedded(t *testing.T) {
	dir := t.TempDir()
	e := NewEmbedded(EmbeddedOptions{Dir: dir, Listen: "127.0.0.1:0"})
	if e.server != nil {
		t.Fatal("it runs, and nobody uses it")
	}
	shared, keys := map[string]any{SharedName: e}, map[string]string{"url": "embedded"}
	ctx := within(t)
	s, r := session(t, certifiedType, keys, shared)
	if err := s.Imports(ctx, []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	other, _ := session(t, reliableType, keys, shared)
	if err := other.Send(ctx, []interop.Outbound{out(1, topic("in"), "id", "by core NATS")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the message", func() bool { return len(r.in) == 1 })
	url, err := e.URL()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	e.Close()
	r.until(t, "the session to hear of it", func() bool { return r.failure != nil })
	if _, err := e.InProcessConn(); err == nil {
		t.Error("it ended, and lets clients in")
	}

	e = NewEmbedded(EmbeddedOptions{Dir: dir, SyncAlways: true})
	t.Cleanup(e.Close)
	again, r := session(t, certifiedType, keys, map[string]any{SharedName: e})
	if err := again.Imports(ctx, []interop.Destination{topic("in")}); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the message, which was never settled", func() bool { return len(r.in) == 1 && r.in[0].Fields.Body.Text == "by core NATS" })
	if url, err := e.URL(); err != nil || url != "" {
		t.Errorf("it listens at %q, %v: nobody asked for that", url, err)
	}
}

// TestEmbeddedCannotStart: an address that is none is an error of the transport's.
func TestEmbeddedCannotStart(t *testing.T) {
	e := NewEmbedded(EmbeddedOptions{Dir: t.TempDir(), Listen: "nowhere"})
	t.Cleanup(e.Close)
	tr, err := New(interop.Settings{Name: "T", Keys: map[string]string{"url": "embedded"}, Shared: map[string]any{SharedName: e}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Open(t.Context(), newRecorder()); err == nil {
		t.Error("it opened")
	}
}

// TestEmbeddedAddressInUse: said at once, and what to write.
func TestEmbeddedAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := NewEmbedded(EmbeddedOptions{Dir: t.TempDir(), Listen: l.Addr().String()})
	defer e.Close()
	if _, err := e.URL(); err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "tidegate.yaml") {
		t.Fatalf("%v", err)
	}
}
