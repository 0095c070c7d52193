package main

import (
	"maps"
	"strings"
	"testing"
)

// intact is an order as it should arrive.
func intact(order, where string) seen {
	return seen{
		where: where, id: "ID:" + order, kind: wantType, correlation: order, priority: wantPriority,
		properties: maps.Clone(wantProperties), body: wantBodies[order],
	}
}

// TestTable: the demonstration succeeds only if everything arrives, once and as it was
// sent, and is answered.
func TestTable(t *testing.T) {
	everything := func(tab *table) {
		for _, order := range orders {
			tab.told([]string{"published", order, "ID:" + order, "TextMessage"})
			for _, where := range tab.systems {
				tab.arrived(intact(order, where))
				tab.told(strings.Fields("answer " + order + ": " + answer(where, order)))
			}
		}
	}
	for name, test := range map[string]struct {
		spoil func(tab *table)
		want  string // in the error; "" none
	}{
		"everything": {func(*table) {}, ""},
		"missing": {func(tab *table) {
			delete(tab.seen, cell{"order-2", "NATS"})
			delete(tab.times, cell{"order-2", "NATS"})
		}, "order-2 came to NATS 0 times"},
		"twice":      {func(tab *table) { tab.arrived(intact("order-1", "Artemis")) }, "order-1 came to Artemis 2 times"},
		"unanswered": {func(tab *table) { delete(tab.answered, cell{"order-1", "RabbitMQ"}) }, "the answer to order-1 from RabbitMQ did not come back"},
		"another id": {func(tab *table) { tab.ids["order-1"] = "ID:other" }, "headers of order-1 on NATS"},
		"another type": {func(tab *table) {
			s := tab.seen[cell{"order-1", "NATS"}]
			s.properties["account"] = float64(9007199254740993)
		}, "properties of order-1 on NATS: account is"},
		"another body": {func(tab *table) {
			s := tab.seen[cell{"order-2", "Artemis"}]
			s.body = map[string]any{"item": "nuts"}
			tab.seen[cell{"order-2", "Artemis"}] = s
		}, "body of order-2 on Artemis"},
	} { // order: irrelevant
		tab := newTable(systems())
		everything(tab)
		test.spoil(tab)
		err := tab.print()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// TestProperty: values keep the types that JMSP- headers name.
func TestProperty(t *testing.T) {
	for text, want := range map[string]any{
		"b:true": true, "y:3": int8(3), "h:300": int16(300), "i:70000": int32(70_000), "l:9007199254740993": int64(9007199254740993),
		"f:1.5": float32(1.5), "d:0.1": 0.1, "s:north": "north",
	} { // order: irrelevant
		if got := property(text); got != want {
			t.Errorf("%s is %v (%T), want %v (%T)", text, got, got, want, want)
		}
	}
}
