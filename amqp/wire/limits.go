package wire

// Limits bound what a peer's bytes may cost. A field that is zero stands for
// its default; a nil *Limits for all defaults.
type Limits struct {
	Depth  int // compounds, arrays and described values inside each other
	Count  int // elements of one list, map (keys and values) or array
	Values int // values made by decoding one value and all it holds
	Symbol int // bytes of one symbol
	String int // bytes of one string
	Binary int // bytes of one binary
}

// The defaults. They are far above what clients send in performatives and
// annotations; message bodies are not decoded and are bounded elsewhere.
const (
	MaxDepth  = 32
	MaxCount  = 1 << 16
	MaxValues = 1 << 16
	MaxSymbol = 1 << 12
	MaxString = 1 << 20
	MaxBinary = 1 << 26
)

func (l *Limits) depth() int {
	if l == nil || l.Depth == 0 {
		return MaxDepth
	}
	return l.Depth
}

func (l *Limits) count() int {
	if l == nil || l.Count == 0 {
		return MaxCount
	}
	return l.Count
}

func (l *Limits) values() int {
	if l == nil || l.Values == 0 {
		return MaxValues
	}
	return l.Values
}

func (l *Limits) symbol() int {
	if l == nil || l.Symbol == 0 {
		return MaxSymbol
	}
	return l.Symbol
}

func (l *Limits) string() int {
	if l == nil || l.String == 0 {
		return MaxString
	}
	return l.String
}

func (l *Limits) binary() int {
	if l == nil || l.Binary == 0 {
		return MaxBinary
	}
	return l.Binary
}
