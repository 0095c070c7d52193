package admin

import (
	"context"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
	"github.com/tidegate/tidegate/core/config"
)

var storeOperations = []Operation{
	{Usage: "show stores", Help: "The stores by name.", Right: Right{Global: "view-server"}, Run: showStores},
	{Usage: "show store NAME", Help: "Everything about one store.", Right: Right{Global: "view-server"}, Run: showStore},
	{Usage: "show db [sync|async]", Help: "The log that all stores are names in.", Right: Right{Global: "view-server"}, Run: showDatabase},
	{Usage: "compact STORE SECONDS", Help: "Give back disk space that a store does not need.", Right: Right{Global: "change-server"}, Run: compact},
}

// storeRow is a store: a name on records of the one log, and what a producer waits
// for (docs/admin-screens.md).
type storeRow struct {
	name, mode string
}

func (c *Call) stores() (rows []storeRow) {
	c.o.Definitions.View(func(cfg *config.Config) {
		for _, n := range cfg.StoreNames() {
			mode := "async"
			if cfg.SyncStore(n) {
				mode = "sync"
			}
			rows = append(rows, storeRow{n, mode})
		}
	})
	return rows
}

func showStores(_ context.Context, c *Call) (*screen.Result, error) {
	t := newTable("stores", "name text Store Name;type text Type;mode text Access Mode")
	for _, s := range c.stores() {
		t.Add(s.name, "log", s.mode)
	}
	return shown(t), nil
}

func showStore(_ context.Context, c *Call) (*screen.Result, error) {
	for _, s := range c.stores() {
		if s.name != c.Get("name") {
			continue
		}
		f := c.facts()
		t := newTable("store", "name text Store;type text Type;messages count Message Count;swapped count Swapped Count;write_time text Average Write Time;usage text Write Usage;file text File;mode text Access Mode;minimum text Pre-allocation Minimum;crc text CRC;truncation text Periodic Truncation;file_size bytes File Size;used bytes Used Space")
		t.Single = true
		size := f.Store.LogBytes + f.Store.Spilled
		t.Add(s.name, "log", f.Store.Messages, f.Store.SwapFiles, f.Store.FlushTime.String(), nil, f.DataDir, s.mode, nil, "enabled", "enabled", size, size)
		return shown(t), nil
	}
	return nil, missing("store", c.Get("name"))
}

func showDatabase(_ context.Context, c *Call) (*screen.Result, error) {
	f := c.facts()
	t := newTable("db", "directory text Directory;segments count Segments;spares count Spare Segments;log_bytes bytes Log Size;spilled bytes Spilled;messages count Message Count;in_memory count Messages in Memory;swap_files count Swap Files;flushes count Flushes;flush_time text Average Flush")
	t.Single = true
	t.Add(f.DataDir, f.Store.Segments, f.Store.Spares, f.Store.LogBytes, f.Store.Spilled, f.Store.Messages, f.Store.InMemory, f.Store.SwapFiles, f.Store.Flushes, f.Store.FlushTime.String())
	return shown(t), nil
}

// compact has nothing to wait for: segments are given back as they empty.
func compact(_ context.Context, c *Call) (*screen.Result, error) {
	found := false
	for _, s := range c.stores() {
		found = found || s.name == c.Get("store")
	}
	switch {
	case !found:
		return nil, missing("store", c.Get("store"))
	case c.Int("seconds") == 0:
		return nil, refuse(core.Invalid, "compact needs a time above 0 seconds")
	}
	return screen.Said("Store '%s' is compacted all the time: segments of the log are used again as they empty, and old messages are gathered from half empty ones", c.Get("store")), nil
}
