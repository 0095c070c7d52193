package main

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/spf13/viper"

	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
)

var (
	_ server.Journal = (*store.Store)(nil)
	_ server.Spool   = (*store.Store)(nil)
)

const (
	// segmentBytes is the length of a file of the log; logSegments of them make
	// the oldest spill, a quarter of that a checkpoint due.
	segmentBytes = 64 << 20
	logSegments  = 16
)

// progressEvery is how often a long recovery says how far it is.
const progressEvery = time.Second

// hooks lead the store's callbacks to the broker, which is made after it.
type hooks struct {
	broker atomic.Pointer[server.Server]
}

func (h *hooks) connect(b *server.Server) { h.broker.Store(b) }

func (h *hooks) do(f func(*server.Server)) {
	if b := h.broker.Load(); b != nil {
		f(b)
	}
}

// openStore opens the store that the settings name, or makes one; memory is for
// contents, in bytes.
func openStore(v *viper.Viper, memory int64, h *hooks, log *slog.Logger, failed chan<- error) (*store.Store, error) {
	said := time.Now()
	return store.Open(store.Options{
		Dir:        v.GetString("data"),
		FlushDelay: v.GetDuration("flush-delay"),

		SegmentBytes:    v.GetInt64("segment-bytes"),
		LogBytes:        logSegments * v.GetInt64("segment-bytes"),
		CheckpointBytes: logSegments / 4 * v.GetInt64("segment-bytes"),

		MemoryBytes: memory,
		Logger:      log,
		OnStable:    func() { h.do((*server.Server).Stable) },
		OnSpace:     func(full bool) { h.do(func(b *server.Server) { b.Full(full) }) },
		OnPressure:  func(pressed bool) { h.do(func(b *server.Server) { b.Pressed(pressed) }) },
		OnCheckpoint: func() {
			h.do(func(b *server.Server) { go b.Checkpoint() })
		},
		OnFail: func(err error) {
			select {
			case failed <- err:
			default:
			}
		},
		Progress: func(done, total int64) {
			if time.Since(said) >= progressEvery && total > 0 {
				said = time.Now()
				log.Info("recovering", "done", fmt.Sprintf("%d%%", done*100/total), "bytes", total)
			}
		},
	})
}
