package interoptest

import (
	"runtime"
	"strings"
	"testing"
)

// goroutines gives a check that what a transport started since then is over.
func goroutines(t *testing.T) (check func()) {
	before := map[string]bool{}
	for _, g := range ours() {
		before[id(g)] = true
	}
	return func() {
		var left []string
		until(t, func() bool {
			left = nil
			for _, g := range ours() {
				if !before[id(g)] {
					left = append(left, g)
				}
			}
			return len(left) == 0
		}, func() string { return "goroutines to end:\n" + strings.Join(left, "\n\n") })
	}
}

// ours are the stacks of goroutines that transports have; those of tests are not.
func ours() (all []string) {
	b := make([]byte, 1<<20)
	for {
		n := runtime.Stack(b, true)
		if n < len(b) {
			b = b[:n]
			break
		}
		b = make([]byte, 2*len(b))
	}
	for g := range strings.SplitSeq(string(b), "\n\n") {
		if strings.Contains(g, "tidegate/interop") && !strings.Contains(g, "interoptest") && !strings.Contains(g, "_test.") {
			all = append(all, g)
		}
	}
	return all
}

// id is a stack's "goroutine 17".
func id(stack string) string {
	head, _, _ := strings.Cut(stack, " [")
	return head
}
