package message

import (
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

func number64(v int64) core.Value { return core.Value{Kind: core.Int, I: v} }
func text(v string) core.Value    { return core.Value{Kind: core.String, Str: v} }
func double(v float64) core.Value { return core.Value{Kind: core.Double, F: v} }
func boolean(v bool) core.Value   { return core.Value{Kind: core.Bool, B: v} }

func TestProperty(t *testing.T) {
	null, other := core.Value{}, core.Value{Kind: core.Other}
	m := fullMessage().Message()
	for name, want := range map[string]core.Value{ // order: irrelevant
		"JMSPriority": number64(7), "JMSDeliveryMode": text("PERSISTENT"), "JMSMessageID": text("ID:abc"),
		"JMSCorrelationID": text("ID:AMQP_ULONG:42"), "JMSType": text("new"), "JMSReplyTo": text("answers"),
		"JMSDestination": text("orders"), "JMSTimestamp": number64(1_700_000_000_000),
		"JMSExpiration": number64(1_700_000_060_000), "JMSDeliveryTime": number64(1_700_000_000_500),
		"JMSXGroupID": text("g"), "JMSXGroupSeq": number64(-1), "JMSXUserID": text("alice"),
		"JMS_AMQP_TTL": number64(60000), "JMS_AMQP_REPLY_TO_GROUP_ID": text("rg"),
		"JMSRedelivered": null, "JMSXDeliveryCount": null, "JMS_TIBCO_COMPRESS": boolean(true),
		"color": text("red"), "symbol": text("sym"), "char": text("ü"),
		"count": number64(3), "byte": number64(-1), "short": number64(-2), "long": number64(-3),
		"ubyte": number64(200), "ushort": number64(60000), "uint": number64(4_000_000_000), "ulong": number64(7),
		"when": number64(5), "huge": double(1 << 63), "ratio": double(0.5), "small": double(1.5),
		"yes": boolean(true), "nothing": null, "missing": null, "JMSMissing": null,
		"binary": other, "uuid": other, "list": other, "decimal": other,
	} {
		got, ok := m.Property(name)
		if !ok {
			got = core.Value{}
		}
		if got != want || ok != (want != null) {
			t.Errorf("%s = %+v, %v; want %+v", name, got, ok, want)
		}
	}
}

// TestPropertyDefaults asks an empty message.
func TestPropertyDefaults(t *testing.T) {
	m := NewBuilder().Message()
	for name, want := range map[string]core.Value{ // order: irrelevant
		"JMSPriority": number64(4), "JMSDeliveryMode": text("NON_PERSISTENT"), "JMSExpiration": number64(0),
	} {
		if got, ok := m.Property(name); got != want || !ok {
			t.Errorf("%s = %+v, %v", name, got, ok)
		}
	}
	for _, name := range []string{
		"JMSMessageID", "JMSCorrelationID", "JMSType", "JMSReplyTo", "JMSDestination", "JMSTimestamp",
		"JMSDeliveryTime", "JMSXGroupID", "JMSXGroupSeq", "JMSXUserID", "JMS_AMQP_TTL", "a",
	} {
		if got, ok := m.Property(name); ok {
			t.Errorf("%s = %+v", name, got)
		}
	}
}

func TestPropertyOddities(t *testing.T) {
	b := NewBuilder()
	b.Header = Header{Priority: 200, TTL: wire.Some(uint32(5))}
	b.Properties.CreationTime = wire.Some(wire.Timestamp(9))
	b.ApplicationProperties = wire.Map{
		{Key: "twice", Value: int32(1)}, {Key: wire.Symbol("twice"), Value: int32(2)}, {Key: uint64(1), Value: "odd key"},
	}
	m := b.Message()
	if v, _ := m.Property("JMSPriority"); v.I != 9 {
		t.Errorf("priority 200 reads as %d", v.I)
	}
	if v, ok := m.Property("JMSExpiration"); ok {
		t.Errorf("with a time to live alone it expires at %d", v.I)
	}
	if v, _ := m.Property("JMSDeliveryTime"); v.I != 9 {
		t.Errorf("delivery time %d, want that of sending", v.I)
	}
	if v, _ := m.Property("twice"); v.I != 2 {
		t.Errorf("of duplicates the last counts, got %d", v.I)
	}
}

func TestIDs(t *testing.T) {
	u, _ := wire.ParseUUID("00112233-4455-6677-8899-aabbccddeeff")
	for _, c := range []struct {
		wire                 any
		message, correlation string
	}{
		{nil, "", ""},
		{"ID:x", "ID:x", "ID:x"},
		{"x", "ID:AMQP_NO_PREFIX:x", "x"},
		{"ID:AMQP_ULONG:5", "ID:AMQP_STRING:ID:AMQP_ULONG:5", "ID:AMQP_STRING:ID:AMQP_ULONG:5"},
		{"ID:AMQP_NO_PREFIX:x", "ID:AMQP_STRING:ID:AMQP_NO_PREFIX:x", "ID:AMQP_STRING:ID:AMQP_NO_PREFIX:x"},
		{"AMQP_UUID:x", "ID:AMQP_NO_PREFIX:AMQP_UUID:x", "AMQP_UUID:x"},
		{u, "ID:AMQP_UUID:00112233-4455-6677-8899-aabbccddeeff", "ID:AMQP_UUID:00112233-4455-6677-8899-aabbccddeeff"},
		{^uint64(0), "ID:AMQP_ULONG:18446744073709551615", "ID:AMQP_ULONG:18446744073709551615"},
		{[]byte{0, 0xab}, "ID:AMQP_BINARY:00AB", "ID:AMQP_BINARY:00AB"},
	} {
		if got := MessageIDString(c.wire); got != c.message {
			t.Errorf("message id %v: %q, want %q", c.wire, got, c.message)
		}
		if got := CorrelationIDString(c.wire); got != c.correlation {
			t.Errorf("correlation id %v: %q, want %q", c.wire, got, c.correlation)
		}
		for _, s := range []string{c.message, c.correlation} {
			got := ParseID(s)
			if b, ok := c.wire.([]byte); ok {
				if g, ok := got.([]byte); !ok || string(g) != string(b) {
					t.Errorf("%q parses as %v", s, got)
				}
			} else if got != c.wire {
				t.Errorf("%q parses as %v, want %v", s, got, c.wire)
			}
		}
	}
	for _, s := range []string{"ID:AMQP_UUID:x", "ID:AMQP_ULONG:-1", "ID:AMQP_BINARY:0"} {
		if got := ParseID(s); got != s {
			t.Errorf("%q parses as %v", s, got)
		}
	}
}

// TestPropertyAllocations: only a string costs one, for its copy.
func TestPropertyAllocations(t *testing.T) {
	m := fullMessage().Message()
	for _, c := range []struct {
		names []string
		want  float64
	}{
		{[]string{"JMSPriority", "JMSDeliveryMode", "JMSTimestamp", "JMSXGroupSeq", "count", "ratio", "yes", "missing"}, 0},
		{[]string{"color"}, 1},
		{[]string{"JMSType"}, 1},
	} {
		if n := testing.AllocsPerRun(100, func() {
			for _, name := range c.names {
				m.Property(name)
			}
		}); n != c.want {
			t.Errorf("%v: %v allocations, want %v", c.names, n, c.want)
		}
	}
}
