package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The orders of e2e/clients/demo, as they must arrive everywhere.
const (
	topic        = "demo.orders"
	wantType     = "order"
	wantPriority = 7
)

var (
	orders         = []string{"order-1", "order-2"}
	wantText       = "12 boxes of bolts, M8 × 40"
	wantMap        = map[string]any{"item": "bolts", "boxes": int32(12), "price": 9.95, "customer": int64(9007199254740993)}
	wantBodies     = map[string]any{"order-1": wantText, "order-2": wantMap}
	wantProperties = map[string]any{
		"express": true, "floor": int8(3), "dock": int16(300), "pieces": int32(70_000), "account": int64(9007199254740993),
		"weight": float32(1.5), "volume": 0.1, "region": "north",
	}
)

// seen is an order as somebody outside saw it.
type seen struct {
	where       string
	id          string // JMSMessageID
	kind        string // JMSType
	correlation string
	priority    int
	properties  map[string]any
	body        any    // string, or map[string]any
	note        string // how it looks there
}

// text is what the subscriber prints.
func (s *seen) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s got %s\n", s.where, s.correlation)
	fmt.Fprintf(&b, "  JMSMessageID %s, JMSType %s, JMSCorrelationID %s, JMSPriority %d\n", s.id, s.kind, s.correlation, s.priority)
	var all []string
	for _, n := range slices.Sorted(maps.Keys(s.properties)) {
		all = append(all, fmt.Sprintf("%s=%v (%T)", n, s.properties[n], s.properties[n]))
	}
	fmt.Fprintf(&b, "  properties   %s\n", strings.Join(all, ", "))
	fmt.Fprintf(&b, "  body         %s\n", s.note)
	return b.String()
}

// A fault is what of an order is not as it was sent; "" nothing.
type faults struct{ headers, properties, body string }

// compare looks for faults; id is the message's, as its publisher knows it.
func (s *seen) compare(id string) (f faults) {
	if s.id != id || s.kind != wantType || s.priority != wantPriority {
		f.headers = fmt.Sprintf("JMSMessageID %s, JMSType %s, JMSPriority %d, want %s, %s, %d", s.id, s.kind, s.priority, id, wantType, wantPriority)
	}
	for _, n := range slices.Sorted(maps.Keys(wantProperties)) {
		if !reflect.DeepEqual(s.properties[n], wantProperties[n]) {
			f.properties = fmt.Sprintf("%s is %v (%T), want %v (%T)", n, s.properties[n], s.properties[n], wantProperties[n], wantProperties[n])
		}
	}
	if want := wantBodies[s.correlation]; !reflect.DeepEqual(s.body, want) {
		f.body = fmt.Sprintf("%v, want %v", s.body, want)
	}
	return f
}

// property reads what docs/translation.md calls JMSP-name: a letter, a colon, a value.
func property(text string) any {
	letter, value, _ := strings.Cut(text, ":")
	switch letter {
	case "b":
		return value == "true"
	case "y":
		return int8(whole(value, 8))
	case "h":
		return int16(whole(value, 16))
	case "i":
		return int32(whole(value, 32))
	case "l":
		return whole(value, 64)
	case "f":
		v, _ := strconv.ParseFloat(value, 32)
		return float32(v)
	case "d":
		v, _ := strconv.ParseFloat(value, 64)
		return v
	}
	return value
}

func whole(text string, bits int) int64 {
	v, _ := strconv.ParseInt(text, 10, bits)
	return v
}

// body reads the body of a message that says of itself what it is.
func body(kind string, data []byte) any {
	if kind != "map" {
		return string(data)
	}
	var typed map[string]struct {
		T string
		V any
	}
	if err := json.Unmarshal(data, &typed); err != nil {
		return err.Error()
	}
	m := map[string]any{}
	for n, v := range typed { // order: irrelevant
		m[n] = v.V
		switch number, text := fmt.Sprint(v.V), v.T; text {
		case "i32":
			m[n] = int32(whole(number, 32))
		case "i64":
			m[n] = whole(number, 64)
		}
	}
	return m
}
