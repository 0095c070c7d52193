package screen

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Steps of a printed size (ems 10.4): Kb up to a mebibyte, then Mb, then Gb.
const (
	kilo = 1 << 10
	mega = 1 << 20
	giga = 1 << 30
)

// Size is a number of bytes as EMS prints it: 0.0 Kb, 16.6 Kb, 1.5 Mb.
func Size(n int64) string {
	number, unit := splitSize(n)
	return number + unit
}

// splitSize is Size, cut before the blank and the unit: screens align the number.
func splitSize(n int64) (number, unit string) {
	switch {
	case n >= giga:
		return fmt.Sprintf("%.1f", float64(n)/giga), " Gb"
	case n >= mega:
		return fmt.Sprintf("%.1f", float64(n)/mega), " Mb"
	}
	return fmt.Sprintf("%.1f", float64(n)/kilo), " Kb"
}

// long is a length of time as `show server` has it: 18 days 11 hours 23 minutes.
func long(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	parts := []struct {
		n    int64
		name string
	}{{int64(d / (24 * time.Hour)), "day"}, {int64(d/time.Hour) % 24, "hour"}, {int64(d/time.Minute) % 60, "minute"}}
	var words []string
	for _, p := range parts {
		if p.n > 0 || len(words) > 0 {
			words = append(words, counted(p.n, p.name))
		}
	}
	if len(words) == 0 {
		return counted(int64(d/time.Second), "second")
	}
	return strings.Join(words, " ")
}

func counted(n int64, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return strconv.FormatInt(n, 10) + " " + name + "s"
}

// short is a length of time as a table has it: seconds with milliseconds, as in
// 0.030, behind minutes, hours and days where there are any.
func short(ms int64) string {
	seconds := fmt.Sprintf("%02d.%03d", ms/1000%60, ms%1000)
	switch minutes := ms / 60_000; {
	case minutes >= 24*60:
		return fmt.Sprintf("%dd%02d:%02d:%s", minutes/(24*60), minutes/60%24, minutes%60, seconds)
	case minutes >= 60:
		return fmt.Sprintf("%d:%02d:%s", minutes/60, minutes%60, seconds)
	case minutes > 0:
		return fmt.Sprintf("%d:%s", minutes, seconds)
	}
	return fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
}

// plain is a cell's text where no layout says otherwise.
func plain(k Kind, v any) string {
	switch k {
	case Count:
		if v != nil {
			return strconv.FormatInt(number(v), 10)
		}
	case Bytes:
		if v != nil {
			return Size(number(v))
		}
	case Millis:
		if v != nil {
			return short(number(v))
		}
	case Bool:
		if b, _ := v.(bool); b {
			return "Y"
		}
		return "N"
	case List:
		l, _ := v.([]string)
		return strings.Join(l, ",")
	case Text:
		s, _ := v.(string)
		return s
	}
	return ""
}
