package suite

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/e2e/harness"
)

// TestFields: subject, reply-to and the fields of groups come as they were set.
func TestFields(t *testing.T) {
	fields := map[string]any{
		"subject": "string:größer", "group_id": "string:g/1", "group_sequence": "uint:7", "reply_to": "string:the.answers",
	}
	s := harness.Start(t)
	pairs(t, []string{"fields"}, []string{"fields"}, func(t *testing.T, a, b *harness.Client) {
		queue := "fields." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 1, "fields": fields})
		got := receive(t, b, s, queue, 1, harness.Fields{"typed": true})[0]
		for name, want := range fields {
			if got.Fields[name] != want {
				t.Errorf("%s: sent %v, %s tells %v", name, want, b.Name, got.Fields[name])
			}
		}
	})
}

// TestAllFields: the other fields of the properties section come as they were set.
func TestAllFields(t *testing.T) {
	fields := map[string]any{
		"user_id": "binary:616c696365", "content_type": "symbol:text/plain", "content_encoding": "symbol:identity",
		"absolute_expiry_time": "timestamp:4102444800000", "creation_time": "timestamp:1764028800123",
		"reply_to_group_id": "string:g/2", "to": "string:elsewhere",
	}
	s := harness.Start(t)
	pairs(t, []string{"all-fields"}, []string{"all-fields"}, func(t *testing.T, a, b *harness.Client) {
		queue := "all-fields." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 1, "fields": fields})
		got := receive(t, b, s, queue, 1, harness.Fields{"typed": true})[0]
		if !reflect.DeepEqual(got.Fields, fields) {
			t.Errorf("sent %v, %s tells %v", fields, b.Name, got.Fields)
		}
	})
}

// TestAnnotations: message annotations come as they were set.
func TestAnnotations(t *testing.T) {
	annotations := map[string]any{
		"x-opt-text": "string:wörd", "x-opt-int": "int:-7", "x-opt-yes": "boolean:true", "x-opt-long": "long:5000000000",
	}
	s := harness.Start(t)
	pairs(t, []string{"annotations"}, []string{"annotations"}, func(t *testing.T, a, b *harness.Client) {
		queue := "annotations." + a.Name + "." + b.Name
		send(t, a, s, queue, harness.Fields{"count": 1, "annotations": annotations})
		got := receive(t, b, s, queue, 1, harness.Fields{"typed": true})[0]
		for name, want := range annotations {
			if there, ok := got.Annotations[name]; !ok || !same(want, there, b) {
				t.Errorf("%s: sent %v, %s tells %v", name, want, b.Name, there)
			}
		}
	})
}

// TestJMSTypes: what a JMS program sends carries the annotation of its message's
// type, and what has it comes to the program as that type (amqp-jms 3.3).
func TestJMSTypes(t *testing.T) {
	kinds := []struct {
		kind  string
		value harness.Fields
	}{
		{"byte:5", harness.Fields{"value": "string:text"}},
		{"byte:2", harness.Fields{"value": map[string]any{"a": "int:1", "b": "string:c"}}},
		{"byte:4", harness.Fields{"value": []any{"int:1", "string:c"}}},
		{"byte:3", harness.Fields{"size": 20}},
	}
	s := harness.Start(t)
	java := harness.Driver(t, "java")
	shows(t, java)
	each(t, []string{"annotations"}, func(t *testing.T, c *harness.Client) {
		queue := "types." + c.Name
		for _, k := range kinds {
			send(t, java, s, queue, k.value, harness.Fields{"count": 1})
		}
		for i, e := range receive(t, c, s, queue, len(kinds), harness.Fields{"typed": true}) {
			if !same(kinds[i].kind, e.Annotations["x-opt-jms-msg-type"], c) {
				t.Errorf("x-opt-jms-msg-type %v, want %v", e.Annotations["x-opt-jms-msg-type"], kinds[i].kind)
			}
		}
		for _, k := range kinds {
			send(t, c, s, queue, k.value, harness.Fields{"count": 1, "annotations": map[string]any{"x-opt-jms-msg-type": k.kind}})
		}
		for i, e := range receive(t, java, s, queue, len(kinds), harness.Fields{"typed": true}) {
			if want := kinds[i].value["value"]; want != nil && !same(want, e.Value, java) {
				t.Errorf("sent %v as %s, the JMS program reads %v", want, kinds[i].kind, e.Value)
			}
		}
	})
}

// TestPriorities: every priority from 0 to 9 comes as it was set, and the default is 4.
func TestPriorities(t *testing.T) {
	s := harness.Start(t)
	each(t, nil, func(t *testing.T, c *harness.Client) {
		queue := "priorities." + c.Name
		for priority := range 10 {
			send(t, c, s, queue, harness.Fields{"count": 1, "first": priority + 1, "priority": priority})
		}
		var got []int
		for _, e := range receive(t, c, s, queue, 10) {
			if e.Seq != int64(e.Priority+1) {
				t.Errorf("message %d came with priority %d", e.Seq, e.Priority)
			}
			got = append(got, e.Priority)
		}
		if want := []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}; !slices.Equal(got, want) {
			t.Errorf("priorities came as %v, want %v", got, want)
		}
	})
}

// TestAbsoluteExpiry: a message past its absolute expiry time is not delivered,
// one before it is.
func TestAbsoluteExpiry(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"all-fields"}, func(t *testing.T, c *harness.Client) {
		queue := "absolute." + c.Name
		at := func(d time.Duration) harness.Fields {
			return harness.Fields{"fields": map[string]any{"absolute_expiry_time": fmt.Sprintf("timestamp:%d", time.Now().Add(d).UnixMilli())}}
		}
		send(t, c, s, queue, at(-time.Minute), harness.Fields{"count": 2})
		send(t, c, s, queue, at(time.Hour), harness.Fields{"count": 2, "first": 3})
		inOrder(t, receive(t, c, s, queue, 2), c.Name, 3, 64)
		empty(t, s, queue)
	})
}

// TestDeliveryCount: each attempt that failed is counted, and told from the
// second delivery on.
func TestDeliveryCount(t *testing.T) {
	s := harness.Start(t)
	each(t, []string{"modify"}, func(t *testing.T, c *harness.Client) {
		queue := "count." + c.Name
		send(t, c, s, queue, harness.Fields{"count": 1})
		for attempt, e := range receive(t, c, s, queue, 4, harness.Fields{"ack": "modify", "credit": 1}) {
			if e.DeliveryCount != attempt || e.Redelivered != (attempt > 0) {
				t.Errorf("delivery %d: delivery count %d, redelivered %v", attempt+1, e.DeliveryCount, e.Redelivered)
			}
		}
		if got := receive(t, c, s, queue, 1, harness.Fields{"credit": 1})[0]; got.DeliveryCount != 4 {
			t.Errorf("another consumer is told %d failed deliveries, want 4", got.DeliveryCount)
		}
	})
}
