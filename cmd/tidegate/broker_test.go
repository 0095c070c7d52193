package main

import (
	"testing"

	"github.com/tidegate/tidegate/core/server"
	"github.com/tidegate/tidegate/persist/store"
	"github.com/tidegate/tidegate/persist/vfs"
)

// memoryBroker is a broker over a store in memory.
func memoryBroker(t *testing.T) *server.Server {
	t.Helper()
	h := &hooks{}
	st, err := store.Open(store.Options{FS: vfs.NewMem(), Dir: "d", SegmentBytes: 1 << 20, OnStable: func() { h.do((*server.Server).Stable) }})
	if err != nil {
		t.Fatal(err)
	}
	b, err := server.New(st, server.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h.connect(b)
	t.Cleanup(func() {
		b.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
