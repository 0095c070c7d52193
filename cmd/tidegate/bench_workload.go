package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/pflag"
)

// How messages are sent.
const (
	persistent    = "persistent"
	nonPersistent = "non-persistent"
	presettled    = "presettled"
)

// shape is who does what in a workload.
type shape struct {
	producers, consumers  int
	window, credit, batch int
	backlog               int
	queued                uint64
	delivery              string
}

// workload is a shape with a name.
type workload struct {
	name, about string
	shape
}

// defaultWorkloads is how many of workloads run where none is named.
const defaultWorkloads = 4

// workloads: the shapes of performance.md 5.2, and the two that show what depth
// and connections cost.
var workloads = []workload{
	{"np-windowed", "one producer, one consumer, not durable, 1000 under way", shape{1, 1, 1000, 1000, 64, 5000, 0, nonPersistent}},
	{"p-windowed", "the same, durable", shape{1, 1, 1000, 1000, 64, 5000, 0, persistent}},
	{"wait-1", "one producer waits for each durable message to be accepted", shape{1, 1, 1, 1000, 1, 5000, 0, persistent}},
	{"wait-64", "64 producers do", shape{64, 1, 1, 1000, 1, 5000, 0, persistent}},
	{"deep", "p-windowed behind a million messages queued before", shape{1, 1, 1000, 1000, 64, 5000, 1_000_000, persistent}},
	{"many", "500 producers and 500 consumers, durable, 64 under way for each", shape{500, 500, 64, 64, 64, 64_000, 0, persistent}},
}

func workloadHelp() string {
	var b strings.Builder
	for _, w := range workloads {
		fmt.Fprintf(&b, "  %-12s %s\n", w.name, w.about)
	}
	return b.String()
}

// chooseWorkloads gives the workloads named, with what the flags change.
func chooseWorkloads(names []string, flags *shape, f *pflag.FlagSet, delivery string) ([]workload, error) {
	custom := workload{name: "custom", shape: *flags}
	custom.delivery = persistent
	chosen, shaped := workloads[:defaultWorkloads], delivery != ""
	for _, name := range []string{"producers", "consumers", "window", "credit", "batch", "backlog", "queued"} {
		shaped = shaped || f.Changed(name)
	}
	if len(names) == 0 && shaped {
		chosen = []workload{custom}
	}
	if len(names) > 0 {
		chosen = nil
	}
	for _, name := range names {
		w, ok := findWorkload(name)
		if !ok {
			return nil, fmt.Errorf("--workload %s: there is none of that name; write one of\n%s", name, workloadHelp())
		}
		chosen = append(chosen, w)
	}
	changed := make([]workload, 0, len(chosen))
	for _, w := range chosen {
		for name, to := range map[string]struct{ is, flag *int }{
			"producers": {&w.producers, &flags.producers}, "consumers": {&w.consumers, &flags.consumers},
			"window": {&w.window, &flags.window}, "credit": {&w.credit, &flags.credit},
			"batch": {&w.batch, &flags.batch}, "backlog": {&w.backlog, &flags.backlog},
		} {
			if f.Changed(name) {
				*to.is = *to.flag
			}
		}
		if f.Changed("queued") {
			w.queued = flags.queued
		}
		if delivery != "" {
			w.delivery = delivery
		}
		changed = append(changed, w)
	}
	return changed, nil
}

func findWorkload(name string) (workload, bool) {
	for _, w := range workloads {
		if w.name == name {
			return w, true
		}
	}
	return workload{}, false
}

// withPassword gives the URL's user that password, where it has none.
func withPassword(address, password string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil || password == "" {
		return address
	}
	if _, has := u.User.Password(); has {
		return address
	}
	u.User = url.UserPassword(u.User.Username(), password)
	return u.String()
}
