package frame

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Bounds of the trace form, so that one hostile frame cannot flood a log.
const (
	maxTraceBinary = 32  // bytes shown of one binary
	maxTraceText   = 256 // bytes shown of one string
	maxTraceItems  = 32  // elements shown of one list, map or array
	maxTraceDepth  = 8   // levels shown of nested values
)

// trace writes name{field=value ...}.
type trace struct {
	name string
	b    strings.Builder
}

func (t *trace) field(name string, v any) {
	t.key(name)
	traceValue(&t.b, v, maxTraceDepth)
}

// secret shows that a field is there, and nothing of it.
func (t *trace) secret(name string, v []byte) {
	t.key(name)
	fmt.Fprintf(&t.b, "(%d bytes)", len(v))
}

func (t *trace) key(name string) {
	if t.b.Len() > 0 {
		t.b.WriteByte(' ')
	}
	t.b.WriteString(name)
	t.b.WriteByte('=')
}

// String is the whole.
func (t *trace) String() string { return t.name + "{" + t.b.String() + "}" }

func traceValue(b *strings.Builder, v any, depth int) {
	if depth == 0 {
		b.WriteString("…")
		return
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case []byte:
		fmt.Fprintf(b, "0x%x", v[:min(len(v), maxTraceBinary)])
		if len(v) > maxTraceBinary {
			fmt.Fprintf(b, "…(%d bytes)", len(v))
		}
	case string:
		fmt.Fprintf(b, "%q", cut(v))
	case wire.Symbol:
		traceSymbol(b, string(v))
	case []wire.Symbol:
		traceItems(b, '[', ']', len(v), func(i int) { traceSymbol(b, string(v[i])) })
	case wire.List:
		traceItems(b, '[', ']', len(v), func(i int) { traceValue(b, v[i], depth-1) })
	case wire.Array:
		traceItems(b, '[', ']', len(v.Values), func(i int) { traceValue(b, v.Values[i], depth-1) })
	case wire.Map:
		traceItems(b, '{', '}', len(v), func(i int) {
			traceValue(b, v[i].Key, depth-1)
			b.WriteByte('=')
			traceValue(b, v[i].Value, depth-1)
		})
	case wire.Described:
		b.WriteByte('@')
		traceValue(b, v.Descriptor, depth-1)
		b.WriteByte(' ')
		traceValue(b, v.Value, depth-1)
	default:
		fmt.Fprintf(b, "%v", v)
	}
}

// traceSymbol writes a symbol bare, or quoted where that could be misread.
func traceSymbol(b *strings.Builder, s string) {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`{}[]="`, r)
	})
	if plain {
		b.WriteString(cut(s))
		return
	}
	fmt.Fprintf(b, "%q", cut(s))
}

func cut(s string) string {
	if len(s) > maxTraceText {
		return s[:maxTraceText] + "…"
	}
	return s
}

func traceItems(b *strings.Builder, open, end byte, n int, item func(i int)) {
	b.WriteByte(open)
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		if i == maxTraceItems {
			fmt.Fprintf(b, "…(%d)", n)
			break
		}
		item(i)
	}
	b.WriteByte(end)
}
