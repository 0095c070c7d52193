package interop

import "github.com/tidegate/tidegate/core"

// waits are those who wait for answers of the broker: each has a row of tags.
type waits struct {
	next uint64
	all  []wait
}

type wait struct {
	first, n uint64
	take     func(out *core.Out) // must not wait
}

// expect reserves n tags whose answers go to take, and gives the first; forget lets go
// of them.
func (r *Runner) expect(n int, take func(out *core.Out)) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.waits.next + 1
	r.waits.next += uint64(n)
	r.waits.all = append(r.waits.all, wait{first, uint64(n), take})
	return first
}

func (r *Runner) forget(first uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.waits.all {
		if w := r.waits.all; w[i].first == first {
			w[i] = w[len(w)-1]
			r.waits.all = w[:len(w)-1]
			return
		}
	}
}

// answer hands an answer to who waits for it.
func (w *waits) answer(out *core.Out) {
	for i := range w.all {
		if t := &w.all[i]; out.Tag-t.first < t.n {
			t.take(out)
			return
		}
	}
}
