package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
)

// Kill returns what the next process finds when this one is killed but the
// machine goes on: every write, nothing locked. What was not synced still is
// not, and a later PowerLoss may take it.
func (m *Mem) Kill() *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := NewMem()
	c.limit = m.limit
	clones := map[*inode]*inode{}
	clone := func(f *inode) *inode {
		if f != nil && clones[f] == nil {
			clones[f] = &inode{slices.Clone(f.data), slices.Clone(f.durable), slices.Clone(f.writes)}
		}
		return clones[f]
	}
	for name, f := range m.entries { // order: irrelevant
		c.entries[name] = clone(f)
	}
	for name, f := range m.durable { // order: irrelevant
		c.durable[name] = clone(f)
	}
	for _, op := range m.pending {
		c.pending = append(c.pending, dirOp{op.from, op.to, clone(op.node)})
	}
	return c
}

// PowerLoss returns what the next process finds when the power failed: what was
// synced, and of the rest whatever the seed decides. Directory entries: a prefix
// of the operations since SyncDir, or any of them. Contents: each sector of each
// unsynced write on its own has reached the disk or not, so writes are lost,
// reordered and torn.
func (m *Mem) PowerLoss(seed uint64) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, 0x7469646567617465))
	entries := maps.Clone(m.durable)
	keep, prefix := rng.IntN(len(m.pending)+1), rng.IntN(2) == 0
	for i, op := range m.pending {
		if prefix && i < keep || !prefix && rng.IntN(2) == 0 {
			op.apply(entries)
		}
	}
	return m.clone(entries, func(f *inode) []byte { return f.afterPowerLoss(rng) })
}

func (m *Mem) clone(entries map[string]*inode, content func(*inode) []byte) *Mem {
	c := NewMem()
	c.limit = m.limit
	names := make([]string, 0, len(entries))
	for name := range entries { // order: irrelevant
		names = append(names, name)
	}
	sort.Strings(names) // the seed must decide the same for the same names
	for _, name := range names {
		data := content(entries[name])
		f := &inode{data: data, durable: slices.Clone(data)}
		c.entries[name], c.durable[name] = f, f
	}
	return c
}

// afterPowerLoss draws one of four weathers, since a uniform choice for each
// sector would hardly ever leave a long run of writes whole.
func (f *inode) afterPowerLoss(rng *rand.Rand) []byte {
	data := slices.Clone(f.durable)
	weather, keep := rng.IntN(4), 0
	if len(f.writes) > 0 {
		keep = rng.IntN(len(f.writes) + 1)
	}
	for i, w := range f.writes {
		switch {
		case weather == 0: // all lost
		case weather == 1 && i < keep: // a prefix arrived
			data = w.apply(data)
		case weather == 2 && rng.IntN(2) == 0: // whole writes, any of them
			data = w.apply(data)
		case weather == 3: // any sectors
			data = w.applySectors(data, rng)
		}
	}
	return data
}

func (w write) applySectors(data []byte, rng *rand.Rand) []byte {
	if w.data == nil {
		if rng.IntN(2) == 0 {
			data = w.apply(data)
		}
		return data
	}
	for at := w.off; at < w.off+int64(len(w.data)); {
		end := min((at/Sector+1)*Sector, w.off+int64(len(w.data)))
		if rng.IntN(2) == 0 {
			data = write{at, w.data[at-w.off : end-w.off]}.apply(data)
		}
		at = end
	}
	return data
}

// Flip changes bits of a file where it lies: what a failing disk does. It
// reports whether the file is that long.
func (m *Mem) Flip(name string, off int64, mask byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.entries[name]
	if f == nil || off >= int64(len(f.data)) {
		return false
	}
	f.data[off] ^= mask
	if off < int64(len(f.durable)) {
		f.durable[off] ^= mask
	}
	return true
}
