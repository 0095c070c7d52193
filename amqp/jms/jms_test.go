package jms

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		capabilities []wire.Symbol
		kind         Kind
		temporary    bool
	}{
		{nil, Unknown, false},
		{[]wire.Symbol{"shared", "else"}, Unknown, false},
		{[]wire.Symbol{"queue"}, Queue, false},
		{[]wire.Symbol{"shared", "topic"}, Topic, false},
		{[]wire.Symbol{"temporary-queue"}, Queue, true},
		{[]wire.Symbol{"temporary-topic"}, Topic, true},
		{[]wire.Symbol{"topic", "queue"}, Topic, false}, // the first one counts
	} {
		if k := KindOf(c.capabilities); k != c.kind || Temporary(c.capabilities) != c.temporary {
			t.Errorf("%v: kind %d, temporary %v", c.capabilities, k, Temporary(c.capabilities))
		}
	}
}

func TestSplitAddress(t *testing.T) {
	for address, want := range map[string]struct { // order: irrelevant
		name string
		kind Kind
	}{
		"orders":             {"orders", Unknown},
		"queue://orders":     {"orders", Queue},
		"topic://news.sport": {"news.sport", Topic},
		"temp-queue://x":     {"x", Queue},
		"temp-topic://x":     {"x", Topic},
		"/queues/a/b":        {"a/b", Queue},
		"/topic/a":           {"a", Topic},
		"/queues/a%2Fb%20c":  {"a/b c", Queue},
		"/topics/%E2%82%AC":  {"€", Topic},
		"/queues/a+b":        {"a+b", Queue},
		"/queue/a%2Fb":       {"a%2Fb", Queue}, // only the plural ones are encoded
		"a%2Fb":              {"a%2Fb", Unknown},
		"queue://":           {"queue://", Unknown}, // nothing behind it: a name like any other
		"queue://topic://x":  {"topic://x", Queue},
		"":                   {"", Unknown},
		"/queuesx":           {"/queuesx", Unknown},
	} {
		if name, kind, err := SplitAddress(address); name != want.name || kind != want.kind || err != nil {
			t.Errorf("%q: %q, kind %d, %v", address, name, kind, err)
		}
	}
	for _, address := range []string{"/queues/50%", "/topics/%zz"} {
		if _, _, err := SplitAddress(address); err == nil || !strings.Contains(err.Error(), "%25") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// A destination's address in the manner of another one.
func TestReaddress(t *testing.T) {
	for _, c := range []struct {
		was  string
		kind Kind
		want string
	}{
		{"orders", Queue, "a/b"},
		{"orders", Topic, "a/b"},
		{"queue://orders", Topic, "topic://a/b"},
		{"topic://orders", Queue, "queue://a/b"},
		{"temp-queue://orders", Topic, "topic://a/b"},
		{"/queues/orders", Topic, "/topics/a%2Fb"},
		{"/topics/orders", Topic, "/topics/a%2Fb"},
		{"/topic/orders", Queue, "/queue/a/b"},
		{"queue://", Topic, "a/b"},
		{"", Queue, "a/b"},
	} {
		if got := Readdress(c.was, "a/b", c.kind); got != c.want {
			t.Errorf("%q to kind %d: %q, want %q", c.was, c.kind, got, c.want)
		}
	}
}

// The link names that Qpid JMS gives (reference 3.8).
func TestSubscriptionOf(t *testing.T) {
	for _, c := range []struct {
		link         string
		capabilities []wire.Symbol
		durable      bool
		want         Subscription
		found        bool
	}{
		{"qpid-jms:receiver:ID:1:topic://t", []wire.Symbol{"topic"}, false, Subscription{}, false},
		{"sub", []wire.Symbol{"topic"}, true, Subscription{Name: "sub", Durable: true}, true},
		{"sub", []wire.Symbol{"topic", "shared"}, true, Subscription{Name: "sub", Durable: true, Shared: true}, true},
		{"sub|2", []wire.Symbol{"topic", "shared"}, true, Subscription{Name: "sub", Durable: true, Shared: true}, true},
		{"sub|global2", []wire.Symbol{"topic", "shared", "global"}, true, Subscription{Name: "sub", Durable: true, Shared: true, Global: true}, true},
		{"sub|volatile1", []wire.Symbol{"topic", "shared"}, false, Subscription{Name: "sub", Shared: true}, true},
		{"sub|global-volatile", []wire.Symbol{"shared", "global"}, false, Subscription{Name: "sub", Shared: true, Global: true}, true},
	} {
		got, found := SubscriptionOf(c.link, c.capabilities, c.durable)
		if found != c.found || found && got != c.want {
			t.Errorf("%s %v: %+v, %v", c.link, c.capabilities, got, found)
		}
	}
}

func entry(key string, value any) wire.Entry {
	return wire.Entry{Key: wire.Symbol(key), Value: value}
}

func TestFiltersOf(t *testing.T) {
	selector := wire.Described{Descriptor: uint64(0x0000468C00000004), Value: "x = 1"}
	noLocal := wire.Described{Descriptor: wire.Symbol("apache.org:no-local-filter:list"), Value: wire.List{}}
	for name, c := range map[string]struct { // order: irrelevant
		filters  wire.Map
		selector string
		noLocal  bool
		inForce  wire.Map
		bad      string
	}{
		"none":               {},
		"selector by code":   {wire.Map{entry("any", selector)}, "x = 1", false, wire.Map{entry("any", selector)}, ""},
		"selector by symbol": {wire.Map{entry("any", wire.Described{Descriptor: wire.Symbol("apache.org:selector-filter:string"), Value: "y"})}, "y", false, nil, ""},
		"the wrong symbol":   {wire.Map{entry("any", wire.Described{Descriptor: wire.Symbol("apache.org:jms-selector-filter:string"), Value: "y"})}, "y", false, nil, ""},
		"by its key alone":   {wire.Map{entry("jms-selector", "z")}, "z", false, nil, ""},
		"a key as string":    {wire.Map{{Key: "selector", Value: "z"}}, "z", false, nil, ""},
		"both":               {wire.Map{entry("n", noLocal), entry("s", selector)}, "x = 1", true, wire.Map{entry("n", noLocal), entry("s", selector)}, ""},
		"an unknown one":     {wire.Map{entry("u", wire.Described{Descriptor: uint64(1), Value: "u"}), entry("s", selector)}, "x = 1", false, wire.Map{entry("s", selector)}, ""},
		"not a text":         {wire.Map{entry("s", wire.Described{Descriptor: uint64(0x0000468C00000004), Value: int32(1)})}, "", false, nil, "s"},
	} {
		f, bad := FiltersOf(c.filters)
		if bad != c.bad || f.Selector != c.selector || f.NoLocal != c.noLocal {
			t.Errorf("%s: %+v, %q", name, f, bad)
		}
		want := c.inForce
		if want == nil && bad == "" {
			want = c.filters
		}
		if bad == "" && len(want)+len(f.InForce) > 0 && !reflect.DeepEqual(f.InForce, want) {
			t.Errorf("%s: in force %v", name, f.InForce)
		}
	}
}

func TestQuirksOf(t *testing.T) {
	known := Quirks{ReleasesWhatFailed: true, TakesRollbackForDoubt: true}
	for name, c := range map[string]struct { // order: irrelevant
		open wire.Map
		want Quirks
	}{
		"qpid jms":           {wire.Map{{Key: wire.Symbol("product"), Value: "QpidJMS"}, {Key: wire.Symbol("version"), Value: "1.16.0"}}, known},
		"its keys as string": {wire.Map{{Key: "product", Value: "QpidJMS"}}, known},
		"another":            {wire.Map{{Key: wire.Symbol("product"), Value: "rhea"}}, Quirks{}},
		"no text":            {wire.Map{{Key: wire.Symbol("product"), Value: uint32(1)}}, Quirks{}},
		"none":               {nil, Quirks{}},
	} {
		if got := QuirksOf(c.open); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
