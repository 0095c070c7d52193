package property

import (
	"math"
	"strconv"
	"strings"
)

// unit is a suffix of a number and what it multiplies by.
type unit struct {
	name  string
	times int64
}

var (
	sizeUnit   = []unit{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}}
	anyUnit    = []unit{{"msec", 1}, {"sec", 1000}, {"min", 60_000}, {"hour", 3_600_000}, {"day", 86_400_000}}
	coarseUnit = anyUnit[1:4]
)

// ParseSize reads bytes: a whole number, with KB, MB or GB for 1024, its square
// and its cube (ems 1.1).
func ParseSize(text string) (bytes int64, ok bool) { return parseUnit(text, sizeUnit, 1) }

// FormatSize prints bytes in the largest unit that loses nothing.
func FormatSize(bytes int64) string { return formatUnit(bytes, sizeUnit, 1) }

// ParsePeriod reads a time with msec, sec, min, hour or day; a bare number is
// seconds (ems 1.1).
func ParsePeriod(text string) (milliseconds int64, ok bool) { return parsePeriod(text, anyUnit) }

// MaxPeriod is the longest time in milliseconds, about 292 years: nanoseconds of it are
// counted as well (time.Duration), and it is added to the time of day.
const MaxPeriod = math.MaxInt64 / 1_000_000

func parsePeriod(text string, units []unit) (milliseconds int64, ok bool) {
	ms, ok := parseUnit(text, units, 1000)
	return ms, ok && ms <= MaxPeriod
}

// FormatPeriod prints milliseconds in the largest unit that loses nothing.
func FormatPeriod(milliseconds int64) string { return formatUnit(milliseconds, anyUnit, 1000) }

func parseUnit(text string, units []unit, bare int64) (int64, bool) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil {
		return 0, false
	}
	times := bare
	if suffix := text[digits:]; suffix != "" {
		times = 0
		for _, u := range units {
			if strings.EqualFold(suffix, u.name) {
				times = u.times
			}
		}
	}
	if times == 0 || n > math.MaxInt64/times {
		return 0, false
	}
	return n * times, true
}

// formatUnit needs a list that contains a unit of the size bare, or bare 1.
func formatUnit(n int64, units []unit, bare int64) string {
	if n == 0 {
		return "0"
	}
	for i := len(units) - 1; i >= 0; i-- {
		if n%units[i].times == 0 {
			return strconv.FormatInt(n/units[i].times, 10) + units[i].name
		}
	}
	return strconv.FormatInt(n/bare, 10)
}

// unitNames lists units for an error's text.
func unitNames(units []unit) string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = u.name
	}
	return strings.Join(names, ", ")
}
