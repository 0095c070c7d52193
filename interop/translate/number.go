package translate

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Floats are written as the shortest decimal that reads as the same number, and -0 as
// such. What JSON and Java spell differently: NaN is Java's, any other one carries its
// bits.
const (
	notANumber  = "NaN"
	javaNaN64   = 0x7ff8000000000000
	javaNaN32   = 0x7fc00000
	infinity    = "Infinity"
	nanWithBits = notANumber + ":"
)

// special gives the text of a float that is no decimal number.
func special(v float64, bits uint64, java uint64) string {
	switch {
	case math.IsInf(v, 1):
		return infinity
	case math.IsInf(v, -1):
		return "-" + infinity
	case !math.IsNaN(v):
		return ""
	case bits == java:
		return notANumber
	}
	return nanWithBits + strconv.FormatUint(bits, 16)
}

func float64Text(v float64) string {
	if s := special(v, math.Float64bits(v), javaNaN64); s != "" {
		return s
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func float32Text(v float32) string {
	if s := special(float64(v), uint64(math.Float32bits(v)), javaNaN32); s != "" {
		return s
	}
	return strconv.FormatFloat(float64(v), 'g', -1, 32)
}

func parseFloat64(s string) (float64, error) {
	if s == notANumber {
		return math.Float64frombits(javaNaN64), nil
	}
	if digits, ok := strings.CutPrefix(s, nanWithBits); ok {
		bits, err := strconv.ParseUint(digits, 16, 64)
		if v := math.Float64frombits(bits); err == nil && math.IsNaN(v) {
			return v, nil
		}
		return 0, fmt.Errorf("%q are no bits of a NaN: write %s", digits, notANumber)
	}
	return strconv.ParseFloat(s, 64)
}

func parseFloat32(s string) (float32, error) {
	if s == notANumber {
		return math.Float32frombits(javaNaN32), nil
	}
	if digits, ok := strings.CutPrefix(s, nanWithBits); ok {
		bits, err := strconv.ParseUint(digits, 16, 32)
		if v := math.Float32frombits(uint32(bits)); err == nil && v != v {
			return v, nil
		}
		return 0, fmt.Errorf("%q are no bits of a NaN: write %s", digits, notANumber)
	}
	v, err := strconv.ParseFloat(s, 32)
	return float32(v), err
}
