package admin

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/name"
)

// sliceOf is how many things one step looks at: well below a millisecond.
const sliceOf = 1024

// parts gathers what the broker lists in parts. Between two others have the
// broker, and the context may end it.
func parts[V any](ctx context.Context, s *Service, list func(b *core.Broker, all []V, cursor, n int) ([]V, int)) ([]V, error) {
	var all []V
	for cursor, first := 0, true; first || cursor != 0; first = false {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.step(func(_ time.Time, b *core.Broker, _ *core.Effects) { all, cursor = list(b, all, cursor, sliceOf) })
	}
	return all, nil
}

func connections(ctx context.Context, s *Service) ([]core.ConnView, error) {
	all, err := parts(ctx, s, (*core.Broker).ConnViews)
	slices.SortFunc(all, func(x, y core.ConnView) int { return cmp.Compare(x.Number, y.Number) })
	return all, err
}

func links(ctx context.Context, s *Service, list func(b *core.Broker, all []core.LinkView, cursor, n int) ([]core.LinkView, int)) ([]core.LinkView, error) {
	all, err := parts(ctx, s, list)
	slices.SortFunc(all, func(x, y core.LinkView) int { return cmp.Compare(x.Number, y.Number) })
	return all, err
}

// compareNames is the order of lists of destinations: wildcards that begin a name
// first, then by letters of either case (docs/admin-screens.md).
func compareNames(x, y string) int {
	if c := cmp.Compare(rankOf(x), rankOf(y)); c != 0 {
		return c
	}
	for i := range min(len(x), len(y)) {
		if a, b := lower(x[i]), lower(y[i]); a != b {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func rankOf(n string) int {
	if first, _, _ := strings.Cut(n, "."); first == ">" || first == "*" {
		return 0
	}
	return 1
}

// matches says whether a pattern of a command means a name. `>` and none are
// everything, the server's own names included.
func matches(pattern, n string) bool {
	return pattern == "" || pattern == ">" || pattern == n || name.Match(pattern, n)
}

// page cuts a sorted list as first=, next= and last= say. last is the name to go
// on behind, more says whether there is anything.
func page[V any](c *Call, all []V, nameOf func(V) string) (cut []V, last string, more bool) {
	switch {
	case c.Has("last"):
		return all[max(0, len(all)-c.Int("last")):], "", false
	case c.Has("next"):
		from := 0
		if c.After != "" {
			from, _ = slices.BinarySearchFunc(all, c.After, func(v V, after string) int {
				if compareNames(nameOf(v), after) <= 0 {
					return -1
				}
				return 1
			})
		}
		all = all[from:]
		cut = all[:min(c.Int("next"), len(all))]
	case c.Has("first"):
		cut = all[:min(c.Int("first"), len(all))]
	default:
		return all, "", false
	}
	if len(cut) > 0 {
		last = nameOf(cut[len(cut)-1])
	}
	return cut, last, len(cut) < len(all)
}
