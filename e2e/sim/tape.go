package sim

import (
	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/store"
)

// tape is every record that the broker ever made, by position, and the broker
// that one makes of them.
type tape struct {
	w       *World
	records []core.Record // records[i] has position i+1
	shadow  *core.Broker
	// promised is what a crash must leave, as last seen.
	written, synced uint64
}

func newTape(w *World) *tape {
	return &tape{w: w, shadow: core.NewBroker(core.Options{Server: "shadow"})}
}

func (t *tape) append(r core.Record) {
	t.records = append(t.records, r)
	t.shadow.Apply(core.Pos(len(t.records)), r)
}

// recovered goes back to what a restart found, which must be all that was
// promised, and rebuilds the shadow from it.
func (t *tape) recovered(last uint64) {
	promised := t.synced
	if !t.w.powerLost {
		promised = t.written
	}
	if last < promised || last > uint64(len(t.records)) {
		t.w.fail("the store came back with %d records; promised were %d of %d", last, promised, len(t.records))
	}
	t.records = t.records[:last]
	t.written, t.synced, t.w.powerLost = last, last, false
	t.shadow = core.NewBroker(core.Options{Server: "shadow"})
	for i, r := range t.records {
		t.shadow.Apply(core.Pos(i+1), r)
	}
}

// watched is the store as the server sees it: what goes in is taped, and a
// checkpoint lets others run in between.
type watched struct {
	*store.Store
	w    *World
	busy bool // a checkpoint is being driven
}

// Append implements server.Journal.
func (j *watched) Append(recs []record.Record) uint64 {
	for i := range recs {
		r, err := server.Decode(recs[i])
		if err != nil {
			j.w.fail("a record that cannot be read: %v", err)
		}
		j.w.tape.append(r)
		if j.w.breaks.record != nil {
			j.w.breaks.record(&recs[i])
		}
	}
	last := j.Store.Append(recs)
	if want := uint64(len(j.w.tape.records)); last != want {
		j.w.fail("the journal is at %d, %d were appended", last, want)
	}
	return last
}

// Stable implements server.Journal.
func (j *watched) Stable() (written, synced uint64) {
	written, synced = j.Store.Stable()
	t := j.w.tape
	t.written, t.synced = max(t.written, written), max(t.synced, synced)
	return written, synced
}

// Checkpoint implements server.Journal. The server holds no lock here, so
// others go on before it begins and between its keys.
func (j *watched) Checkpoint(drive func(add func(key, at uint64, recs []record.Record))) {
	j.busy = true
	defer func() { j.busy = false }()
	j.w.meanwhile()
	j.Store.Checkpoint(func(add func(key, at uint64, recs []record.Record)) {
		drive(func(key, at uint64, recs []record.Record) {
			add(key, at, recs)
			j.w.meanwhile()
		})
	})
}
