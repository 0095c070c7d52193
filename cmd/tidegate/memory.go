package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
)

// Of what --memory allows, half is for contents of messages and a quarter for
// what waits to be collected; the rest is for connections and the store's
// buffers. What grows with the number of messages comes on top: a queue's entry,
// the count of its holders and the store's index, about 40 bytes a message, and
// the collector's share of that.
const (
	contentsShare = 2
	garbageShare  = 4

	minMemory     = 16 << 20
	defaultShare  = 4 // of the machine
	defaultMost   = 1 << 30
	defaultLeast  = 128 << 20
	unknownMemory = 1 << 30 // where the machine does not say
)

// memoryLimit is what --memory says, in bytes, or without it a quarter of the
// machine (or of the container), between 128 MiB and 1 GiB.
func memoryLimit(text string) (int64, error) {
	if text == "" {
		return min(max(machineMemory()/defaultShare, defaultLeast), defaultMost), nil
	}
	n, err := parseBytes(text)
	if err != nil || n < minMemory {
		return 0, fmt.Errorf("--memory %s: write a number of bytes, at least 16MiB, with KiB, MiB, GiB, KB, MB or GB if you like", text)
	}
	return n, nil
}

// units are what may stand behind a number of bytes.
var units = map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "KB": 1e3, "MB": 1e6, "GB": 1e9}

// parseBytes reads a number of bytes: 1048576, 1024KiB, 1MiB, 4GiB, 2GB.
func parseBytes(text string) (int64, error) {
	unit := int64(1)
	for suffix, u := range units { // order: irrelevant
		if number, ok := strings.CutSuffix(text, suffix); ok {
			text, unit = number, u
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, err
	}
	if n < 0 || n > math.MaxInt64/unit {
		return 0, strconv.ErrRange
	}
	return n * unit, nil
}

// machineMemory is what this process may use, in bytes: the machine's memory,
// or less where a control group says so.
func machineMemory() int64 {
	total := int64(unknownMemory)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kib); err == nil {
			total = kib << 10
		}
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if b, err := os.ReadFile(file); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 {
				total = min(total, n)
			}
		}
	}
	return total
}

// boundGarbage has the collector run before more than garbage bytes wait for
// it, however large the live heap is. A share of the heap, as GOGC gives it,
// would let a long backlog's index be followed by several times its size of
// garbage. It works after every collection, as a finalizer; most is the share
// for small heaps, in percent.
func boundGarbage(garbage int64, most int) {
	// However little lives, the runtime lets the heap grow to this many bytes at
	// 100 %, and to as much more as the share is larger.
	const runtimeLeast = 4 << 20
	most = min(most, max(int(garbage*100/runtimeLeast), minGarbage))
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	now := most
	var arm func()
	again := func(*byte) {
		metrics.Read(sample)
		if percent := garbagePercent(garbage, int64(sample[0].Value.Uint64()), most); percent != now {
			now = percent
			debug.SetGCPercent(percent)
		}
		arm()
	}
	arm = func() {
		// Not a tiny object: those share a block, and its finalizer may never run.
		runtime.SetFinalizer(&make([]byte, 64)[0], again)
	}
	debug.SetGCPercent(most)
	arm()
}

// minGarbage is the least share of the live heap, in percent, at which the
// collector runs: below it would take more time than the program.
const minGarbage = 10

func garbagePercent(garbage, live int64, most int) int {
	if live <= 0 {
		return most
	}
	return int(min(max(garbage*100/live, minGarbage), int64(most)))
}
