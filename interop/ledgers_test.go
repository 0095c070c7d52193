package interop

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Register is Registry's.
func (s *outsideSession) Register(_ context.Context, name, subject string) error {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	if s.o.full {
		return errors.New("no space left")
	}
	if _, ok := s.o.registered[Registration{name, subject}]; !ok && s.o.registered != nil {
		s.o.registered[Registration{name, subject}] = len(s.o.got)
	}
	return nil
}

// Unregister is Registry's.
func (s *outsideSession) Unregister(_ context.Context, name, subject string) error {
	s.o.set(func(o *outside) { delete(o.registered, Registration{name, subject}) })
	return nil
}

// Listeners is Registry's.
func (s *outsideSession) Listeners(context.Context, string) (all []Listener, err error) {
	s.o.set(func(o *outside) {
		for r := range maps.Keys(o.registered) {
			all = append(all, Listener{Name: r.Name, Subject: r.Subject})
		}
	})
	return all, nil
}

// Certified listeners are known outside before the first message goes out, whenever they
// come; one that the outside does not take keeps nothing else from going (ems 9).
func TestRegistrations(t *testing.T) {
	rigged(t, func(g *rig) {
		g.outside.set(func(o *outside) { o.up, o.registered = false, map[Registration]int{} })
		g.define(topic("a"), "export=T")
		spec := Spec{Name: "T", Type: "certified", Keys: map[string]string{}, Exports: []Destination{topic("a")}, QueueExports: []string{"q"}, Listeners: []Registration{{"fleet", "a"}}}
		g.manager.Apply([]Spec{spec})
		g.send(topic("a"), "1")
		g.outside.set(func(o *outside) { o.up = true })
		time.Sleep(time.Minute) // of the bubble's clock: it tries again
		synctest.Wait()
		spec.Listeners = []Registration{{"fleet", "a"}, {"billing", "a"}}
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		g.send(topic("a"), "2")
		synctest.Wait()
		if want := map[Registration]int{{"fleet", "a"}: 0, {"billing", "a"}: 1}; !maps.Equal(g.outside.registered, want) {
			t.Fatalf("registered %v, want %v", g.outside.registered, want)
		}
		all, err := g.manager.Listeners(t.Context(), "T", "")
		if err != nil || len(all) != 2 {
			t.Fatalf("%v %v", all, err)
		}
		g.outside.set(func(o *outside) { o.full = true })
		spec.Listeners = append(spec.Listeners, Registration{"late", "a"})
		g.manager.Apply([]Spec{spec})
		g.send(topic("a"), "3")
		equal(t, "sent", g.outside.texts(), []string{"a:1", "a:2", "a:3"})
		if s := g.status("T"); s.State != Connected || !slices.Equal(s.Exports, []Destination{topic("a"), queue("q")}) {
			t.Fatalf("status %+v", s)
		}
	})
}

// A listener that is taken away is known no longer, also where its registration was under
// way when an administrator deleted it outside, and where the transport is made anew.
func TestRegistrationsTakenAway(t *testing.T) {
	rigged(t, func(g *rig) {
		g.outside.set(func(o *outside) { o.registered = map[Registration]int{} })
		spec := Spec{Name: "T", Type: "certified", Keys: map[string]string{}, Listeners: []Registration{{"fleet", "a"}, {"nobody", "a"}}}
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		spec.Keys = map[string]string{"prefetch": "500"} // another runner
		spec.Listeners = spec.Listeners[:1]
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		if want := map[Registration]int{{"fleet", "a"}: 0}; !maps.Equal(g.outside.registered, want) {
			t.Fatalf("registered %v, want %v", g.outside.registered, want)
		}
		spec.Listeners = nil
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		if len(g.outside.registered) != 0 {
			t.Fatalf("registered %v", g.outside.registered)
		}
	})
}

// A transport whose settings change stays suspended, and its counts go on.
func TestChangedSettings(t *testing.T) {
	rigged(t, func(g *rig) {
		g.define(topic("a"), "export=T")
		spec := Spec{Name: "T", Type: "certified", Keys: map[string]string{}, Exports: []Destination{topic("a")}}
		g.manager.Apply([]Spec{spec})
		synctest.Wait()
		g.send(topic("a"), "1")
		synctest.Wait()
		if err := g.manager.Suspend("T"); err != nil {
			t.Fatal(err)
		}
		if s, _ := g.manager.Status("T"); s.State != Suspended { // at once
			t.Fatalf("status %+v", s)
		}
		g.send(topic("a"), "2")
		spec.Keys = map[string]string{"prefetch": "7"}
		g.manager.Apply([]Spec{spec})
		if s := g.status("T"); s.State != Suspended || s.Counts.Exported != 1 || s.Connects != 1 {
			t.Fatalf("status %+v", s)
		}
		if err := g.manager.Resume("T"); err != nil {
			t.Fatal(err)
		}
		if s := g.status("T"); s.State != Connected || s.Counts.Exported != 2 || s.Connects != 2 {
			t.Fatalf("status %+v", s)
		}
		spec.Keys = map[string]string{}
		g.manager.Apply([]Spec{spec})
		if s := g.status("T"); s.State != Connected || s.Counts.Exported != 2 || s.Connects != 3 {
			t.Fatalf("status %+v", s)
		}
		equal(t, "sent", g.outside.texts(), []string{"a:1", "a:2"})
	})
}
