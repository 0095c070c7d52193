package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	for text, want := range map[string]int64{"16777216": 16 << 20, "64MiB": 64 << 20, "2GiB": 2 << 30, "32768KiB": 32 << 20, "64 MiB": 64 << 20, "64MB": 64e6, "1GB": 1e9, "20000KB": 20e6} {
		if got, err := memoryLimit(text); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"15MiB", "-1", "a lot", "9223372036854775807GiB", "64mb", "64M", "MiB", "1.5GiB"} {
		if got, err := memoryLimit(text); err == nil {
			t.Errorf("%s: taken as %d", text, got)
		}
	}
	if got, err := memoryLimit(""); err != nil || got < defaultLeast || got > defaultMost {
		t.Errorf("by default %d, %v", got, err)
	}
}

func TestGarbageIsBoundedInBytes(t *testing.T) {
	const garbage = 64 << 20
	for live, want := range map[int64]int{0: 400, 1 << 20: 400, 16 << 20: 400, 64 << 20: 100, 128 << 20: 50, 1 << 40: minGarbage} {
		if got := garbagePercent(garbage, live, 400); got != want {
			t.Errorf("live %d: %d %%, want %d", live, got, want)
		}
	}
}
