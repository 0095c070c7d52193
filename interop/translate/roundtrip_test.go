package translate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/amqp/message"
	core "github.com/tidegate/tidegate/core/message"
)

// variants are the encodings under all options.
func variants() map[string]func() (Encoding, Options) {
	all := map[string]func() (Encoding, Options){}
	for _, e := range []Encoding{Headers, JSON, Raw} {
		for _, o := range []Options{{ExportHeaders: true, ExportProperties: true}, {ExportHeaders: true}, {ExportProperties: true}, {}} {
			all[fmt.Sprintf("%s/headers=%v,properties=%v", e, o.ExportHeaders, o.ExportProperties)] = func() (Encoding, Options) { return e, o }
		}
	}
	return all
}

// TestBuildIsReadBack: what is read of a message that was built is the message.
func TestBuildIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t)
		again := reread(t, m)
		if !same(m, again) {
			t.Fatalf("got  %+v\nwant %+v", again, m)
		}
	})
}

// TestRoundTrip is acceptance 3 of issue 7: a message that goes out and comes back in is
// equal, apart from what the table of losses says, in each encoding under all options.
func TestRoundTrip(t *testing.T) {
	for name, variant := range variants() {
		e, o := variant()
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			m := drawMessage(t)
			got := outAndIn(t, e, o, m)
			want := reread(t, m)
			for _, l := range Losses() {
				if l.In(e, o) {
					l.apply(want)
				}
			}
			if !same(got, want) {
				t.Fatalf("sent %+v\ngot  %+v\nwant %+v", m, got, want)
			}
			selectorsSee(t, got.Build(nil), want.Build(nil), m)
		}))
	}
}

// outAndIn sends a message through an encoding. What comes out of NATS is the same as
// what goes in only if names are tokens and values have no ends to trim: that is checked
// here.
func outAndIn(t interface{ Fatalf(string, ...any) }, e Encoding, o Options, m *Message) *Message {
	headers, body, err := e.Out(m, o)
	if err != nil {
		t.Fatalf("out: %v", err)
	}
	for _, h := range headers {
		if bad := strings.ContainsFunc(h.Name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c) }); bad || h.Name == "" {
			t.Fatalf("header name %q", h.Name)
		}
		if bad := strings.ContainsFunc(h.Value, func(c rune) bool { return c < ' ' || c >= 0x7f }); bad || strings.TrimSpace(h.Value) != h.Value {
			t.Fatalf("%s has value %q", h.Name, h.Value)
		}
		if IsReserved(h.Name) {
			t.Fatalf("%s is reserved", h.Name)
		}
	}
	got := &Message{}
	if err := e.In(headers, bytes.Clone(body), o, got); err != nil {
		t.Fatalf("in: %v\n%q\n%q", err, headers, body)
	}
	return got
}

// selectorsSee compares all that a selector can ask for.
func selectorsSee(t *rapid.T, got, want *message.Message, m *Message) {
	names := []string{
		"JMSPriority", "JMSDeliveryMode", "JMSMessageID", "JMSCorrelationID", "JMSType", "JMSReplyTo", "JMSDestination", "JMSTimestamp",
		"JMSExpiration", "JMSDeliveryTime", "JMSXGroupID", "JMSXGroupSeq", "JMSXUserID", "JMS_AMQP_TTL", "JMS_AMQP_REPLY_TO_GROUP_ID",
	}
	for _, p := range m.Properties {
		names = append(names, p.Name)
	}
	for _, name := range names {
		g, gok := got.Property(name)
		w, wok := want.Property(name)
		if gok != wok || g != w && !(g.F != g.F && w.F != w.F) {
			t.Fatalf("%s is %v, %v, and was %v, %v", name, g, gok, w, wok)
		}
	}
}

// TestSelectorsSeeHeaders: what a selector asks for is there after the way out and in
// under the default options, by values that are written here.
func TestSelectorsSeeHeaders(t *testing.T) {
	m := sample()
	for _, e := range []Encoding{Headers, JSON} {
		back := outAndIn(t, e, DefaultOptions(), m).Build(nil)
		for name, want := range map[string]core.Value{
			"JMSPriority":      {Kind: core.Int, I: 7},
			"JMSDeliveryMode":  {Kind: core.String, Str: "PERSISTENT"},
			"JMSMessageID":     {Kind: core.String, Str: "ID:EMS.1:1"},
			"JMSCorrelationID": {Kind: core.String, Str: "order 7"},
			"JMSType":          {Kind: core.String, Str: "new"},
			"JMSTimestamp":     {Kind: core.Int, I: 1_700_000_000_000},
			"JMSExpiration":    {Kind: core.Int, I: 1_700_000_060_000},
			"JMSDeliveryTime":  {Kind: core.Int, I: 1_700_000_000_500},
			"JMSReplyTo":       {Kind: core.String, Str: "answers"},
			"JMSXGroupID":      {Kind: core.String, Str: "g"},
			"JMSXGroupSeq":     {Kind: core.Int, I: 3},
			"JMSXUserID":       {Kind: core.String, Str: "alice"},
			"color":            {Kind: core.String, Str: "red"},
			"price":            {Kind: core.Double, F: 1.5},
			"count":            {Kind: core.Int, I: 3},
			"paid":             {Kind: core.Bool, B: true},
		} {
			if got, ok := back.Property(name); !ok || got != want {
				t.Errorf("%s: %s is %v, %v; want %v", e, name, got, ok, want)
			}
		}
	}
}
