package suite

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidegate/tidegate/e2e/harness"
)

// selected are properties of messages 1, 2, ... that selectors choose from.
var selected = []map[string]any{
	{"colour": "red", "weight": 10, "price": 2.5, "sold": true, "$_e": 1},
	{"colour": "blue", "weight": 20, "price": 10.0, "sold": false, "note": "100%"},
	{"colour": "Red", "weight": -5, "sold": true, "note": "it's"},
	{"weight": 20, "price": 0.1, "note": "under_score"},
	{"colour": "blue", "weight": 3, "price": 20.0},
}

// selectors and the messages that they choose.
var selectors = map[string]struct {
	selector string
	want     []int64
}{
	"equal":               {"colour = 'red'", []int64{1}},
	"unequal":             {"colour <> 'red'", []int64{2, 3, 5}},
	"exact and inexact":   {"price = 10 OR weight = 20.0", []int64{2, 4}},
	"ordered":             {"weight >= 10 AND weight < 20", []int64{1}},
	"unlike types":        {"colour = 1 OR weight = '10'", nil},
	"boolean":             {"sold = TRUE", []int64{1, 3}},
	"precedence":          {"colour = 'red' OR colour = 'blue' AND weight > 10", []int64{1, 2}},
	"parentheses":         {"(colour = 'red' OR colour = 'blue') AND NOT (weight > 10)", []int64{1, 5}},
	"words in any case":   {"not (weight between 0 And 15) aNd weight Is Not nULL", []int64{2, 3, 4}},
	"between":             {"weight BETWEEN 3 AND 10", []int64{1, 5}},
	"not between":         {"weight NOT BETWEEN 3 AND 10", []int64{2, 3, 4}},
	"in":                  {"colour IN ('red', 'blue')", []int64{1, 2, 5}},
	"not in":              {"colour NOT IN ('red', 'blue')", []int64{3}},
	"like":                {"colour LIKE '_ed'", []int64{1, 3}},
	"like any":            {"note LIKE '%s%'", []int64{3, 4}},
	"like with escape":    {"note LIKE '%!%' ESCAPE '!' OR note LIKE '%!_%' ESCAPE '!'", []int64{2, 4}},
	"not like":            {"note NOT LIKE '1%'", []int64{3, 4}},
	"quote":               {"note = 'it''s'", []int64{3}},
	"arithmetic":          {"weight * 2 - 5 = 15 OR weight / 2 + 1 = 11", []int64{1, 2, 4}},
	"signs":               {"-weight = 5 OR weight = +3", []int64{3, 5}},
	"identifiers":         {"$_e = 1 OR Colour = 'red'", []int64{1}},
	"null":                {"colour IS NULL", []int64{4}},
	"not null":            {"price IS NOT NULL AND note IS NULL", []int64{1, 5}},
	"unknown is not true": {"NOT (colour = 'red')", []int64{2, 3, 5}},
	"header":              {"JMSPriority = 4 AND JMSDeliveryMode = 'PERSISTENT' AND JMSType IS NULL OR JMSPriority = 9", []int64{1, 2, 3, 4, 5}},
}

// TestSelectorLanguage: comparisons, logic, ranges, LIKE, arithmetic, identifiers
// and unknown values mean what JMS says (jms 3.8.1).
func TestSelectorLanguage(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"selector", "browse"}, func(t *testing.T, c *harness.Client) {
		queue := "language." + c.Name
		for i, properties := range selected {
			send(t, c, s, queue, harness.Fields{"count": 1, "first": i + 1, "properties": properties})
		}
		// What ends every look, so that none waits for nothing to come.
		last := len(selected) + 1
		send(t, c, s, queue, harness.Fields{"count": 1, "first": last})
		for name, test := range selectors { // order: irrelevant
			look := harness.Fields{"browse": true, "selector": fmt.Sprintf("(%s) OR seq = %d", test.selector, last)}
			var got []int64
			for _, e := range receive(t, c, s, queue, len(test.want)+1, look) {
				got = append(got, e.Seq)
			}
			if want := append(slices.Clone(test.want), int64(last)); !slices.Equal(got, want) {
				t.Errorf("%s: %q chose %v, want %v", name, test.selector, got, want)
			}
		}
	})
}

// TestTopicSelector: what a subscriber's selector does not let through never
// existed for it.
func TestTopicSelector(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"topic", "selector"}, func(t *testing.T, c *harness.Client) {
		topic, kind := "selected."+c.Name, harness.Fields{"kind": "topic"}
		some := receiving(t, c, s, topic, kind, harness.Fields{"selector": "seq > 7", "count": 3, "idle_ms": 20_000})
		all := receiving(t, c, s, topic, kind, harness.Fields{"count": 10, "idle_ms": 20_000})
		send(t, c, s, topic, kind, harness.Fields{"count": 10})
		inOrder(t, messages(t, some), c.Name, 8, 64)
		inOrder(t, messages(t, all), c.Name, 1, 64)
	})
}
