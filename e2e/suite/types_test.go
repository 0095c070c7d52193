package suite

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// same says whether a value that was sent is what a driver tells of it. One that
// tells no types (rhea) is held to what its language leaves of the value, one that
// knows no symbols to a string.
func same(sent, told any, to *harness.Client) bool {
	switch sent := sent.(type) {
	case []any:
		list, ok := told.([]any)
		return ok && slices.EqualFunc(sent, list, func(s, t any) bool { return same(s, t, to) })
	case map[string]any:
		all, ok := told.(map[string]any)
		if !ok || len(all) != len(sent) {
			return false
		}
		for name, s := range sent {
			if t, there := all[name]; !there || !same(s, t, to) {
				return false
			}
		}
		return true
	case string:
		text, ok := told.(string)
		if !to.Can("types") {
			sent = untyped(sent)
		}
		if !to.Can("symbols") {
			sent = strings.Replace(sent, "symbol:", "string:", 1)
		}
		return ok && (sent == text || sameNumber(sent, text))
	}
	return false
}

// sameNumber compares two written floating-point numbers of one type: languages
// print them differently.
func sameNumber(a, b string) bool {
	typeA, textA, _ := strings.Cut(a, ":")
	typeB, textB, _ := strings.Cut(b, ":")
	if typeA != typeB || !slices.Contains([]string{"float", "double", "number"}, typeA) {
		return false
	}
	x, okA := new(big.Float).SetString(textA)
	y, okB := new(big.Float).SetString(textB)
	return okA && okB && x.Cmp(y) == 0
}

// untyped is what rhea leaves of a written value: numbers are JavaScript's, whole
// ones that those cannot hold come as their eight bytes, as UUIDs do as sixteen.
func untyped(v string) string {
	kind, text, _ := strings.Cut(v, ":")
	switch kind {
	case "ubyte", "ushort", "uint", "ulong", "byte", "short", "int", "long":
		n, _ := new(big.Int).SetString(text, 10)
		if n.BitLen() <= 53 {
			return "number:" + text
		}
		if n.Sign() < 0 {
			n.Add(n, new(big.Int).Lsh(big.NewInt(1), 64))
		}
		return fmt.Sprintf("binary:%016x", n)
	case "float", "double":
		return "number:" + text
	case "char":
		return fmt.Sprintf("number:%d", []rune(text)[0])
	case "uuid":
		return "binary:" + strings.ReplaceAll(text, "-", "")
	}
	return v
}

// TestBodies: every kind of body that one library makes another takes, value by
// value with their types.
func TestBodies(t *testing.T) {
	flat := map[string]any{
		"word": "string:wörd \U0001f30a", "yes": "boolean:true", "byte": "byte:-128", "short": "short:-300", "int": "int:-70000",
		"long": "long:-9223372036854775808", "float": "float:0.25", "double": "double:-2.5", "bytes": "binary:00ff10",
	}
	list := []any{"string:first", "int:2", "boolean:false", "double:4.5", "long:5000000000", "binary:06"}
	bodies := []struct {
		name  string
		needs []string
		value any
	}{
		{"text", []string{"text"}, "string:größer: 日本語"},
		{"map", []string{"map"}, flat},
		{"list", []string{"list"}, list},
		{"nested", []string{"nested"}, map[string]any{"list": list, "map": map[string]any{"again": []any{"null:", "uint:0"}}}},
	}
	s := harness.Start(t)
	pairs(t, nil, nil, func(t *testing.T, a, b *harness.Client) {
		queue := "bodies." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 1, "size": 300})
		var sent []any
		for _, body := range bodies {
			if leaves(t, a, body.needs...) {
				continue
			}
			sent = append(sent, body.value)
			send(t, a, s, queue, harness.Fields{"count": 1, "value": body.value})
		}
		got := receive(t, b, s, queue, 1+len(sent), harness.Fields{"typed": true})
		inOrder(t, got[:1], a.Name, 1, 300)
		if got[0].Value != nil {
			t.Errorf("a data section came as the value %v", got[0].Value)
		}
		for i, want := range sent {
			if !same(want, got[1+i].Value, b) {
				t.Errorf("sent %v, %s tells %v", want, b.Name, got[1+i].Value)
			}
		}
	})
}

// propertyValues are two of each type: the outermost and one that has an
// encoding of its own.
var propertyValues = map[string][2]string{
	"null":      {"null:", "null:"},
	"boolean":   {"boolean:true", "boolean:false"},
	"ubyte":     {"ubyte:255", "ubyte:0"},
	"ushort":    {"ushort:65535", "ushort:0"},
	"uint":      {"uint:4294967295", "uint:0"},
	"ulong":     {"ulong:18446744073709551615", "ulong:255"},
	"byte":      {"byte:-128", "byte:127"},
	"short":     {"short:-32768", "short:32767"},
	"int":       {"int:-2147483648", "int:-1"},
	"long":      {"long:-9223372036854775808", "long:-128"},
	"float":     {"float:-0.25", "float:1"},
	"double":    {"double:1e+300", "double:-2.5"},
	"char":      {"char:\uffee", "char:a"}, // Qpid JMS has 16 bits for it
	"timestamp": {"timestamp:1764028800123", "timestamp:-1"},
	"uuid":      {"uuid:00112233-4455-6677-8899-aabbccddeeff", "uuid:ffffffff-ffff-ffff-ffff-ffffffffffff"},
	"binary":    {"binary:00ff", "binary:"},
	"string":    {"string:wörd: \U0001f30a", "string:"},
	"symbol":    {"symbol:x-opt-sign", "symbol:"},
}

// TestPropertyTypes: properties of every type that a library makes cross to every
// other, unaltered to the bit.
func TestPropertyTypes(t *testing.T) {
	s := harness.Start(t)
	pairs(t, nil, nil, func(t *testing.T, a, b *harness.Client) {
		sent := map[string]any{}
		for _, kind := range a.Declared().Types {
			values, ok := propertyValues[kind]
			if !ok {
				t.Fatalf("%s makes a %s, for which there are no values here", a.Name, kind)
			}
			if kind == "char" && leaves(t, b, "char") {
				continue
			}
			sent["outermost_"+kind], sent["small_"+kind] = values[0], values[1]
		}
		queue := "properties." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 1, "typed_properties": sent})
		got := receive(t, b, s, queue, 1, harness.Fields{"typed": true})[0]
		sent["producer"], sent["seq"] = "string:"+a.Name, "long:1"
		for name, want := range sent {
			if told, there := got.TypedProperties[name]; !there || !same(want, told, b) {
				t.Errorf("%s: sent %v, %s tells %v", name, want, b.Name, told)
			}
		}
		if len(got.TypedProperties) != len(sent) {
			t.Errorf("%d properties came, %d were sent", len(got.TypedProperties), len(sent))
		}
	})
}

// TestIDs: message and correlation ids keep their encoding (amqp 3.2.11 to 3.2.14).
func TestIDs(t *testing.T) {
	ids := []string{
		"string:of no provider", "string:ID:of-a-provider", "ulong:18446744073709551615", "ulong:0",
		"uuid:00112233-4455-6677-8899-aabbccddeeff", "binary:00ff7f",
	}
	s := harness.Start(t)
	pairs(t, []string{"correlation-id"}, nil, func(t *testing.T, a, b *harness.Client) {
		queue := "ids." + a.Name + "." + b.Name
		chooses := !leaves(t, a, "message-id")
		for i, id := range ids {
			f := harness.Fields{"count": 1, "first": i + 1, "correlation_id": id}
			if chooses {
				f["message_id"] = ids[len(ids)-1-i]
			}
			send(t, a, s, queue, f)
		}
		seen := map[string]bool{}
		for i, e := range receive(t, b, s, queue, len(ids), harness.Fields{"typed": true}) {
			if !same(ids[i], e.CorrelationID, b) {
				t.Errorf("correlation-id %s, %s tells %s", ids[i], b.Name, e.CorrelationID)
			}
			if want := ids[len(ids)-1-i]; chooses && !same(want, e.MessageID, b) {
				t.Errorf("message-id %s, %s tells %s", want, b.Name, e.MessageID)
			}
			if !chooses && (e.MessageID == "" || seen[e.MessageID]) {
				t.Errorf("the provider's message-id is %q, again or not at all", e.MessageID)
			}
			seen[e.MessageID] = true
		}
	})
}
