package sim

import (
	"errors"
	"slices"
	"strings"
)

// shrinkRuns bounds how often a plan is tried while it is made smaller.
const shrinkRuns = 3000

// Shrink makes a failing plan as small as it can, so that it still fails in the
// same way: fewer actions first, then smaller numbers.
func Shrink(plan []Action, fails func(plan []Action) error) []Action {
	s := &shrinker{fails: fails, kind: kind(fails(plan)), left: shrinkRuns}
	if v := new(Violation); errors.As(fails(plan), &v) && v.Action+1 < len(plan) {
		if cut := plan[:v.Action+1]; s.same(cut) {
			plan = cut
		}
	}
	for again := true; again; {
		before := len(plan)
		for size := len(plan) / 2; size > 0; size /= 2 {
			plan = s.without(plan, size)
		}
		plan = s.numbers(plan)
		again = len(plan) < before && s.left > 0
	}
	return plan
}

type shrinker struct {
	fails func([]Action) error
	kind  string
	left  int
}

// kind is what a violation says without its numbers and names.
func kind(err error) string {
	v := new(Violation)
	if !errors.As(err, &v) {
		return ""
	}
	text, _, _ := strings.Cut(v.What, "\n")
	if _, after, ok := strings.Cut(text, "): "); ok {
		text = after
	} else if _, after, ok := strings.Cut(text, ": "); ok {
		text = after
	}
	text, _, _ = strings.Cut(text, "(")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}

func (s *shrinker) same(plan []Action) bool {
	if s.left--; s.left < 0 {
		return false
	}
	return kind(s.fails(plan)) == s.kind
}

// without takes out runs of so many actions where they are not needed.
func (s *shrinker) without(plan []Action, size int) []Action {
	for at := len(plan) - size; at >= 1; at -= size {
		if less := slices.Concat(plan[:at], plan[at+size:]); s.same(less) {
			plan = less
		}
		at = min(at, len(plan))
	}
	return plan
}

// numbers makes numbers smaller: to zero, or by half.
func (s *shrinker) numbers(plan []Action) []Action {
	for i := 1; i < len(plan); i++ {
		for j, v := range plan[i].Args {
			for _, less := range []int{0, v / 2, v - 1} {
				if less >= v || less < 0 {
					continue
				}
				try := slices.Clone(plan)
				try[i].Args = slices.Clone(try[i].Args)
				try[i].Args[j] = less
				if s.same(try) {
					plan = try
					break
				}
			}
		}
	}
	return plan
}
