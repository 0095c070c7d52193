package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// How often one message may be logged: what peers can cause as often as they
// like must not fill a disk, nor hide what else happens.
const (
	LogBurst    = 5
	LogInterval = 10 * time.Second
	// maxMessages bounds the table of messages; ours are constant and far fewer.
	maxMessages = 1 << 10
)

// Quiet makes of log one that passes on at most LogBurst lines of one message in
// each LogInterval; the next line that passes says how many were left out. Debug
// lines, which somebody asked for, and errors are never left out.
func Quiet(log *slog.Logger) *slog.Logger {
	return slog.New(quiet{log.Handler(), &counts{of: map[string]*count{}}})
}

type quiet struct {
	slog.Handler
	counts *counts
}

type counts struct {
	mu sync.Mutex
	of map[string]*count
}

// count is one message's in the present interval.
type count struct {
	since         time.Time
	passed, stuck int
}

// admit says whether a line may pass, and how many were left out before it.
func (c *counts) admit(message string, now time.Time) (leftOut int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.of[message]
	if m == nil {
		if len(c.of) >= maxMessages {
			return 0, true
		}
		m = &count{since: now}
		c.of[message] = m
	}
	if now.Sub(m.since) >= LogInterval {
		m.since, m.passed = now, 0
	}
	if m.passed >= LogBurst {
		m.stuck++
		return 0, false
	}
	m.passed++
	leftOut, m.stuck = m.stuck, 0
	return leftOut, true
}

// Handle is slog.Handler's.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelInfo && r.Level < slog.LevelError {
		leftOut, ok := q.counts.admit(r.Message, r.Time)
		if !ok {
			return nil
		}
		if leftOut > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("left_out", leftOut))
		}
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler's; what it gives counts together with q.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.counts}
}

// WithGroup is slog.Handler's; what it gives counts together with q.
func (q quiet) WithGroup(name string) slog.Handler {
	return quiet{q.Handler.WithGroup(name), q.counts}
}
