package nats

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/interoptest"
	"github.com/tidegate/tidegate/interop/translate"
)

// recorder is a sink that keeps what it hears.
type recorder struct {
	mu      sync.Mutex
	sent    []interop.Sent
	in      []interop.Inbound
	notes   []string
	lost    [2]int // in, out
	failure error
	changed chan struct{}
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{})} }

func (r *recorder) do(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *recorder) Sent(all []interop.Sent)       { r.do(func() { r.sent = append(r.sent, all...) }) }
func (r *recorder) Deliver(all []interop.Inbound) { r.do(func() { r.in = append(r.in, all...) }) }
func (r *recorder) Failed(err error)              { r.do(func() { r.failure = err }) }
func (r *recorder) Note(text string)              { r.do(func() { r.notes = append(r.notes, text) }) }

func (r *recorder) Lost(n int, exported bool, _ error) {
	r.do(func() {
		if exported {
			r.lost[1] += n
		} else {
			r.lost[0] += n
		}
	})
}

// until waits for what was heard to be as wanted.
func (r *recorder) until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(interoptest.Patience)
	for {
		r.mu.Lock()
		ok, changed := holds(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("waited in vain for %s; sent %v, in %d, lost %v, notes %q, failed %v", what, r.sent, len(r.in), r.lost, r.notes, r.failure)
		}
	}
}

// session opens one of a type, by itself, to a peer; it is closed with the test.
func session(t *testing.T, f interop.Factory, keys map[string]string, shared map[string]any) (interop.Session, *recorder) {
	t.Helper()
	r := newRecorder()
	tr, err := f.New(interop.Settings{Name: "T", Server: "S", Gateway: "gw", Keys: keys, Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	s, err := tr.Open(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		tr.Close()
	})
	return s, r
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), interoptest.Patience)
	t.Cleanup(cancel)
	return ctx
}

func topic(n string) interop.Destination { return interop.Destination{Kind: core.Topic, Name: n} }

// out is a text message on its way out.
func out(tag uint64, to interop.Destination, id, text string) interop.Outbound {
	m := &translate.Message{MessageID: "ID:" + id, Priority: 4, Persistent: true, Body: translate.Body{Form: translate.Text, Text: text}}
	return interop.Outbound{Tag: tag, To: to, Message: m.Build(nil), ID: id}
}
