package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/core/property"
)

// bounds are what a row says of its values besides the type.
type bounds struct {
	min, max int64
	zero     bool
	words    []string
}

// checkValue says what is wrong with a value; an empty message is all right.
func checkValue(t Type, v string, b bounds) (message, fix string) {
	switch t {
	case Bool:
		if _, ok := property.ParseFlag(v); !ok {
			return fmt.Sprintf("%q is neither yes nor no", v), "write enabled or disabled"
		}
	case Int, Millis:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return fmt.Sprintf("%q is no whole number", v), "write digits only"
		}
		return inBounds(t, n, b)
	case Bytes:
		n, ok := property.ParseSize(v)
		if !ok {
			return fmt.Sprintf("%q is no size", v), "write a whole number of bytes, or with KB, MB or GB: 64MB"
		}
		return inBounds(t, n, b)
	case Seconds, Period:
		n, ok := property.ParsePeriod(v)
		if !ok {
			return fmt.Sprintf("%q is no time", v), "write a whole number of seconds, or with msec, sec, min, hour or day: 30sec"
		}
		return inBounds(t, n, b)
	case OneOf:
		if !oneOf(v, b.words) {
			return fmt.Sprintf("%q is not one of the words it may be", v), "write " + strings.Join(b.words, ", ")
		}
	case ListOf:
		for w := range strings.SplitSeq(v, ",") {
			if !oneOf(w, b.words) {
				return fmt.Sprintf("%q is not one of the words that may stand there", strings.TrimSpace(w)), "they are " + strings.Join(b.words, ", ")
			}
		}
	case Trace:
		return checkTrace(v)
	case Listen:
		_, message := ParseListen(v)
		if message != "" {
			return message, "write tcp://7222, tcp://HOST:7222 or ssl://7243"
		}
	case Health:
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" {
			return "the URL has no http://[HOST]:PORT; the colon must be there", "write http://:7220"
		}
	case URLs:
		return checkURLs(v)
	case Cores:
		for w := range strings.SplitSeq(v, ",") {
			if _, err := strconv.ParseUint(strings.TrimSpace(w), 10, 16); err != nil {
				return fmt.Sprintf("%q is no processor's number", strings.TrimSpace(w)), "write numbers with commas: 2,3"
			}
		}
	}
	return "", ""
}

func inBounds(t Type, n int64, b bounds) (message, fix string) {
	if n == 0 && b.zero || (n >= b.min && (b.max == 0 || n <= b.max)) {
		return "", ""
	}
	show := func(n int64) string {
		switch t {
		case Bytes:
			return property.FormatSize(n)
		case Seconds, Period:
			return property.FormatPeriod(n)
		}
		return strconv.FormatInt(n, 10)
	}
	fix = "write at least " + show(b.min)
	if b.max != 0 {
		fix = "write from " + show(b.min) + " to " + show(b.max)
	}
	if b.zero && b.min > 0 {
		fix += ", or 0"
	}
	return "the number is out of range", fix
}

func oneOf(v string, words []string) bool {
	v = strings.TrimSpace(v)
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, v) })
}

// sameValue compares two spellings of a value.
func sameValue(t Type, a, b string) bool {
	switch t {
	case Bool:
		x, ok := property.ParseFlag(a)
		y, ok2 := property.ParseFlag(b)
		return ok && ok2 && x == y
	case Bytes:
		x, ok := property.ParseSize(a)
		y, ok2 := property.ParseSize(b)
		return ok && ok2 && x == y
	case Seconds, Period:
		x, ok := property.ParsePeriod(a)
		y, ok2 := property.ParsePeriod(b)
		return ok && ok2 && x == y
	}
	return strings.EqualFold(a, b)
}

// TraceItems are the words of log_trace and console_trace (ems 1.2).
var TraceItems = []string{
	"DEFAULT", "INFO", "WARNING", "ACL", "LIMITS", "ROUTE", "ADMIN", "RVADV", "CONNECT_ERROR", "CONFIG", "MSG",
	"AUTH", "CONNECT", "DBSTORE", "DEST", "FLOW", "FTL", "JAAS", "JVM", "JVMERR", "LDAP_DEBUG", "LOAD", "MEMORY", "MSTORE",
	"MULTICAST", "PRODCONS", "ROUTE_DEBUG", "SS", "SSL", "TLS", "SSL_DEBUG", "TLS_DEBUG", "TX", "OAUTH", "NONE",
}

// DefaultTrace is what DEFAULT stands for (ems 1.2).
var DefaultTrace = []string{"INFO", "WARNING", "ACL", "LIMITS", "ROUTE", "ADMIN", "RVADV", "CONNECT_ERROR", "CONFIG", "MSG"}

// TraceSet applies a list of trace items to what is traced now: a plain item takes
// the place of all, + adds one and - takes one away.
func TraceSet(now []string, list string) []string {
	set := slices.Clone(now)
	plain := false
	for item := range strings.SplitSeq(list, ",") {
		item = strings.ToUpper(strings.TrimSpace(item))
		name := strings.TrimLeft(item, "+-")
		members := []string{name}
		switch name {
		case "":
			continue
		case "DEFAULT":
			members = DefaultTrace
		case "NONE":
			members = nil
		}
		if item == name && !plain {
			set, plain = nil, true
		}
		for _, m := range members {
			set = slices.DeleteFunc(set, func(s string) bool { return s == m })
			if item[0] != '-' {
				set = append(set, m)
			}
		}
	}
	return set
}

// CheckTrace says what is wrong with a list of trace items; an empty one is none.
func CheckTrace(list string) error {
	if message, fix := checkTrace(list); list != "" && message != "" {
		return &EditError{"trace items", message, fix}
	}
	return nil
}

func checkTrace(v string) (message, fix string) {
	for item := range strings.SplitSeq(v, ",") {
		item = strings.TrimSpace(item)
		name := strings.TrimLeft(item, "+-")
		if len(item)-len(name) <= 1 && oneOf(name, TraceItems) {
			continue
		}
		fix = didYouMean(name, TraceItems)
		if fix == "" {
			fix = "write DEFAULT, and +ITEM or -ITEM behind it"
		}
		return fmt.Sprintf("%q is no trace item", item), fix
	}
	return "", ""
}

// Endpoint is where a server listens or a client connects to.
type Endpoint struct {
	Secure bool
	Host   string // empty: all interfaces, or the server's own name
	Port   int
}

// The ports where a URL names none (ems 1.2).
const (
	DefaultPort       = 7222
	DefaultSecurePort = 7243
)

// ParseListen reads tcp://[HOST:]PORT, and ssl:// and tls:// for TLS (ems 1.2).
// The message says what is wrong.
func ParseListen(v string) (e Endpoint, message string) {
	scheme, rest, ok := strings.Cut(v, "://")
	switch strings.ToLower(scheme) {
	case "tcp":
	case "ssl", "tls":
		e.Secure = true
	default:
		ok = false
	}
	if !ok {
		return e, "the URL does not begin with tcp:// or ssl://"
	}
	e.Port = DefaultPort
	if e.Secure {
		e.Port = DefaultSecurePort
	}
	rest = strings.TrimSuffix(rest, "/")
	host, port := "", rest
	switch i := strings.LastIndexByte(rest, ':'); {
	case i >= 0 && !strings.HasSuffix(rest, "]"):
		host, port = rest[:i], rest[i+1:]
	case !allDigits(rest):
		host, port = rest, ""
	}
	if rest == "" {
		return e, "the URL has neither host nor port"
	}
	e.Host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.ContainsAny(e.Host, " \t/,|@") {
		return e, fmt.Sprintf("%q is no host name", e.Host)
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return e, fmt.Sprintf("%q is no port", port)
		}
		e.Port = int(n)
	}
	return e, ""
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// ParseURLs reads the url of a factory or route: servers of a fault tolerant group
// separated by commas, groups to balance over by | (or + for unshared state).
func ParseURLs(v string) (groups [][]Endpoint, message string) {
	for group := range strings.FieldsFuncSeq(v, func(c rune) bool { return c == '|' || c == '+' }) {
		var g []Endpoint
		for u := range strings.SplitSeq(group, ",") {
			e, message := ParseListen(strings.TrimSpace(u))
			if message != "" {
				return nil, message
			}
			g = append(g, e)
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil, "there is no URL"
	}
	return groups, ""
}

func checkURLs(v string) (message, fix string) {
	if _, message := ParseURLs(v); message != "" {
		return message, "write tcp://HOST:7222, or two with a comma for a fault tolerant pair"
	}
	return "", ""
}
