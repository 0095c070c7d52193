package core

import (
	"errors"
	"strings"
	"time"
)

// Queues of the server's transports (ems 9). Everybody may browse them, and
// administrators may purge them; only the transports use them.
const (
	// ExportQueuePrefix and the name of a transport: what waits to go out by it.
	ExportQueuePrefix = "$sys.export."
	// ImportQueuePrefix and the name of a transport: what it has brought in and may be
	// given again.
	ImportQueuePrefix = "$sys.import."
)

// Exporter is a transport that messages to topics go out by (ems 2.3 export): it hears
// each topic whose export property names it.
type Exporter struct {
	Name string
	// Certified: persistent messages are stored until the outside has them. Else what
	// waits is lost with the process.
	Certified bool
}

// SetExporters replaces all exporters, for what is sent from now on. What waits for one
// that is not among them stays in its queue.
func (b *Broker) SetExporters(now time.Time, all []Exporter, fx *Effects) {
	b.exporters = map[string]Exporter{}
	for _, x := range all {
		b.exporters[x.Name] = x
	}
	b.defined.changes++ // what is known of each topic is worked out anew
	b.policiesChanged(now, fx)
}

// exportersOf gives the exporters of a topic; names is its export property.
func (b *Broker) exportersOf(topic, names string) (all []Exporter) {
	if names == "" || len(b.exporters) == 0 || strings.HasPrefix(topic, "$") {
		return nil
	}
	for n := range strings.SplitSeq(names, ",") {
		if x, ok := b.exporters[strings.TrimSpace(n)]; ok {
			all = append(all, x)
		}
	}
	return all
}

// export makes the queues of a topic's exporters targets.
func (b *Broker) export(tp *topic) {
	for _, x := range tp.exporters {
		q := b.systemQueue(ExportQueuePrefix + x.Name)
		q.lossy = !x.Certified
		b.targets = append(b.targets, q)
	}
}

// exported gives a place in a transport's queue the topic that its message went to:
// one queue has those of all.
func (p *Place) exported(t *topic) {
	if t.dest == nil {
		t.dest = &Destination{Kind: Topic, Name: t.name}
	}
	p.To = t.dest
	p.Flags |= PlaceBridged
}

// transported says whether a name is one of a transport's queues.
func transported(n string) bool {
	return strings.HasPrefix(n, ExportQueuePrefix) || strings.HasPrefix(n, ImportQueuePrefix)
}

func mayTransport(op string, d Destination, browse bool) *Error {
	if browse || d.Kind != Queue || !transported(d.Name) {
		return nil
	}
	return &Error{Op: op, Kind: Denied, Name: d.Name, Err: errors.New("a transport's messages wait there: it can be browsed, and purged by an administrator")}
}
