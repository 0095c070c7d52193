package journal_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/persist/journal"
	"github.com/tidegate/tidegate/persist/record"
	"github.com/tidegate/tidegate/persist/vfs"
)

// The model: every record ever appended, by position. A journal that recovers
// must have a prefix of it that reaches at least what it promised.
type model struct {
	records []record.Record   // records[i] is position i+1
	live    map[uint64]bool   // ids that hold a message
	keys    map[uint64]uint64 // key: position of its last record
	changed map[uint64]bool   // keys since the last checkpoint
	nextID  uint64
}

const (
	kindMessage = record.BodyBit | record.PlaceBit | 1
	kindBody    = record.BodyBit | 2 // placed by a later record
	kindPlace   = record.PlaceBit | 3
	kindKey     = record.Kind(4) // key state: the head is the key
	kindRemove  = record.Kind(5) // the head is the id removed
	kindCheck   = record.Kind(6) // in checkpoints: the head is the key's last position
)

func newModel() *model {
	return &model{live: map[uint64]bool{}, keys: map[uint64]uint64{}, changed: map[uint64]bool{}, nextID: 1}
}

// truncate forgets what did not survive and derives the rest again.
func (m *model) truncate(last uint64) {
	m.records = m.records[:last]
	m.live, m.keys = map[uint64]bool{}, map[uint64]uint64{}
	for i, r := range m.records {
		switch r.Kind {
		case kindMessage, kindPlace:
			m.live[r.IDs[0]] = true
		case kindRemove:
			delete(m.live, parse(r.Head))
		case kindKey:
			m.keys[parse(r.Head)] = uint64(i + 1)
		}
	}
	clear(m.changed) // replay says
}

func parse(b []byte) (n uint64) {
	_, err := fmt.Sscan(string(b), &n)
	if err != nil {
		panic(err)
	}
	return n
}

// history drives one store through lives, each ended by a crash.
type history struct {
	*rapid.T
	*model
	mem  *vfs.Mem
	fs   vfs.FS
	j    *journal.Journal
	seed uint64
	cfg  journal.Config

	spilled *int // passes, in all histories
}

func (h *history) append(r record.Record) uint64 {
	r.Need = record.Need(rapid.IntRange(0, 2).Draw(h.T, "need"))
	h.records = append(h.records, r)
	pos := h.j.Append([]record.Record{r})
	if pos != uint64(len(h.records)) {
		h.Fatalf("Append gives %d, it is record %d", pos, len(h.records))
	}
	return pos
}

func (h *history) sendMessage() {
	id := h.nextID
	h.nextID++
	size := rapid.SampledFrom([]int{0, 10, 900, 5000, 30000, 70000}).Draw(h.T, "size")
	r := record.Record{Kind: kindMessage, IDs: []uint64{id}, Head: fmt.Appendf(nil, "m%d", id), Body: [][]byte{bytes.Repeat([]byte{byte(id)}, size)}}
	if rapid.IntRange(0, 4).Draw(h.T, "apart") > 0 {
		h.append(r)
	} else {
		r.Kind = kindBody
		h.append(r)
		for range rapid.IntRange(0, 3).Draw(h.T, "between") {
			h.changeKey()
			h.step()
		}
		h.append(record.Record{Kind: kindPlace, IDs: []uint64{id}, Head: fmt.Appendf(nil, "p%d", id)})
	}
	h.live[id] = true
}

func (h *history) changeKey() {
	key := rapid.Uint64Range(0, 4).Draw(h.T, "key")
	h.keys[key] = h.append(record.Record{Kind: kindKey, Head: fmt.Append(nil, key)})
	h.changed[key] = true
}

func (h *history) remove() {
	ids := slices.Sorted(maps.Keys(h.live))
	if len(ids) == 0 {
		return
	}
	id := ids[rapid.IntRange(0, min(len(ids)-1, 3)).Draw(h.T, "id")]
	delete(h.live, id)
	h.j.Release(h.append(record.Record{Kind: kindRemove, Head: fmt.Append(nil, id)}), []uint64{id})
}

func (h *history) step() {
	lane := rapid.SampledFrom([]journal.Lane{journal.CommitLane, journal.CommitLane, journal.FlushLane, journal.HouseLane, journal.CheckLane, journal.SpillLane}).Draw(h.T, "lane")
	disk{h.fs}.step(h.j, lane)
}

func (h *history) checkpoint() {
	if h.j.Saving() || h.j.Err() != nil {
		return
	}
	c := h.j.BeginCheckpoint()
	for _, key := range slices.Sorted(maps.Keys(h.changed)) {
		if h.keys[key] > 0 {
			c.Add(key, h.j.Last(), []record.Record{{Kind: kindCheck, Head: fmt.Appendf(nil, "%d %d", key, h.keys[key])}})
		}
	}
	clear(h.changed)
	if err := c.Finish(disk{h.fs}); err != nil {
		h.Fatal(err)
	}
	h.j.Save(c)
}

// crash ends a life and begins the next on what is left.
func (h *history) crash(power bool) {
	*h.spilled += h.j.Stats().SpillPasses
	written, synced := h.j.Stable()
	promised := written
	for l := journal.CommitLane; l <= journal.SpillLane; l++ {
		// What was under way has happened, but nobody was told.
		if rapid.Bool().Draw(h.T, "under way") {
			if op, ok := h.j.Next(l); ok {
				if err := (disk{h.fs}).run(op); err != nil {
					h.Fatal(err)
				}
			}
		}
	}
	if power {
		promised = synced
		h.mem = h.mem.PowerLoss(rapid.Uint64().Draw(h.T, "seed"))
	} else {
		h.mem = h.mem.Kill()
	}
	h.fs = h.mem
	h.begin(promised, synced)
}

// begin recovers; promised survives unless the power fails before the store has
// started, when it is only durable.
func (h *history) begin(promised, durable uint64) {
	h.seed++
	h.cfg.Seed = h.seed
	if rapid.IntRange(0, 9).Draw(h.T, "again") == 0 && h.seed > 1 {
		// A crash while the store starts: some of Setup has happened.
		j, _, err := journal.Recover(h.cfg, disk{h.fs}, nil)
		if err != nil {
			h.Fatalf("recovery: %v", err)
		}
		for range rapid.IntRange(0, 6).Draw(h.T, "setup") {
			disk{h.fs}.step(j, journal.Setup)
		}
		h.mem = h.mem.PowerLoss(rapid.Uint64().Draw(h.T, "seed"))
		h.fs = h.mem
		promised = min(promised, durable)
		h.seed++
		h.cfg.Seed = h.seed
	}
	j, found, err := disk{h.fs}.start(h.cfg)
	if err != nil {
		h.Fatalf("recovery: %v", err)
	}
	if found.Last < promised || found.Last > uint64(len(h.records)) {
		h.Fatalf("recovered up to %d; %d were promised, %d appended; %q", found.Last, promised, len(h.records), found.Notes)
	}
	h.j = j
	h.truncate(found.Last)
	h.replay()
}

// replay checks what the new life is told against the model.
func (h *history) replay() {
	keys, covered := map[uint64]uint64{}, map[uint64]uint64{}
	placed, next := map[uint64]bool{}, uint64(0)
	err := h.j.Replay(disk{h.fs}, func(pos uint64, r record.Record) error {
		if r.Kind == kindCheck {
			var key, at uint64
			if _, err := fmt.Sscan(string(r.Head), &key, &at); err != nil {
				h.Fatal(err)
			}
			keys[key], covered[key] = at, pos
			return nil
		}
		if pos < next || pos > uint64(len(h.records)) {
			h.Fatalf("record %d after %d of %d", pos, next-1, len(h.records))
		}
		next = pos + 1
		want := h.records[pos-1]
		if r.Kind != want.Kind || !slices.Equal(r.IDs, want.IDs) || !bytes.Equal(r.Head, want.Head) || len(r.Body) > 0 {
			h.Fatalf("record %d is %+v, appended was %+v", pos, r, want)
		}
		switch r.Kind {
		case kindKey:
			key := parse(r.Head)
			keys[key] = max(pos, keys[key])
			if pos > covered[key] {
				h.changed[key] = true
			}
		case kindMessage, kindPlace:
			placed[r.IDs[0]] = true
		}
		return nil
	})
	if err != nil {
		h.Fatalf("replay: %v", err)
	}
	if !maps.Equal(keys, h.keys) {
		h.Fatalf("keys are %v, want %v", keys, h.keys)
	}
	for id := range h.live { // order: irrelevant
		if !placed[id] {
			h.Fatalf("no placement of %d, which lives", id)
		}
	}
	h.j.Retain(maps.Keys(h.live))
	h.readAll()
}

// readAll reads the body of every id that lives and is written.
func (h *history) readAll() {
	for i, want := range h.records {
		if want.Kind&record.BodyBit == 0 || !h.live[want.IDs[0]] {
			continue
		}
		id := want.IDs[0]
		name, generation, off, ok := h.j.Place(id)
		if written, _ := h.j.Stable(); !ok {
			if uint64(i) < written {
				h.Fatalf("id %d is at no place", id)
			}
			continue
		}
		buf := make([]byte, record.Size(&want))
		if _, err := (disk{h.fs}).ReadAt(name, buf, off); err != nil {
			h.Fatal(err)
		}
		f, _, err := journal.Body(buf, generation, id)
		if err != nil || !bytes.Equal(f.Body, bytes.Join(want.Body, nil)) || !bytes.Equal(f.Head, want.Head) {
			h.Fatalf("body of %d in %s at %d: %v, %d bytes", id, name, off, err, len(f.Body))
		}
	}
}

// TestAnyHistoryOfLives is the search that shrinks what it finds; see also
// TestEveryCrashKeepsWhatWasPromised, whose seeds are fixed.
func TestAnyHistoryOfLives(t *testing.T) {
	spilled := 0
	rapid.Check(t, func(t *rapid.T) {
		mem := vfs.NewMem()
		h := &history{T: t, model: newModel(), mem: mem, fs: mem, cfg: journal.Config{SegmentBytes: 64 << 10, GroupBytes: 16 << 10, UnsyncedBytes: 64 << 10, LogBytes: 64 << 10}, spilled: &spilled}
		h.begin(0, 0)
		actions := []struct {
			weight int
			do     func()
		}{
			{4, h.sendMessage},
			{4, h.remove},
			{2, h.changeKey},
			{2, h.checkpoint},
			{1, func() { h.j.Tick() }},
			{4, h.step},
			{3, func() {
				for range rapid.IntRange(1, 8).Draw(t, "n") {
					h.step()
				}
			}},
			{1, func() { disk{h.fs}.settle(t, h.j); h.readAll() }},
			{1, func() { h.crash(false) }},
			{1, func() { h.crash(true) }},
		}
		var weighted []int
		for i, a := range actions {
			for range a.weight {
				weighted = append(weighted, i)
			}
		}
		for _, i := range rapid.SliceOfN(rapid.SampledFrom(weighted), 40, 200).Draw(t, "actions") {
			actions[i].do()
		}
	})
	t.Logf("%d passes over old segments", spilled)
}
