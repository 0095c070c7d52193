package message

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/amqp/wire"
	core "github.com/tidegate/tidegate/core/message"
)

// TestSections reads back what a Builder wrote, whole and cut in every place,
// and in single bytes.
func TestSections(t *testing.T) {
	for name, b := range bodies() { // order: irrelevant
		t.Run(name, func(t *testing.T) {
			whole := b.Append(nil)
			want := describe(t, mustIndex(t, whole))
			for i := range len(whole) + 1 {
				first, rest := cut(whole, i)
				same(t, want, first, rest, whole)
			}
			var every []int
			for i := range len(whole) {
				every = append(every, i)
			}
			first, rest := cut(whole, every...)
			same(t, want, first, rest, whole)
		})
	}
}

func same(t *testing.T, want map[string]any, first []byte, rest [][]byte, whole []byte) {
	t.Helper()
	m, err := Index(first, rest, nil)
	if err != nil {
		t.Fatalf("cut after %d: %v", len(first), err)
	}
	if diff := cmp.Diff(want, describe(t, &m)); diff != "" {
		t.Errorf("cut after %d: -want +got\n%s", len(first), diff)
	}
	if got := bytes.Join(m.Pieces(nil), nil); !bytes.Equal(got, whole) || m.Size() != int64(len(whole)) {
		t.Errorf("cut after %d: %d bytes came back", len(first), len(got))
	}
}

// describe asks a message for everything.
func describe(t *testing.T, m *Message) map[string]any {
	t.Helper()
	body, err := m.Body()
	if err != nil {
		t.Fatal(err)
	}
	d := map[string]any{
		"header": m.Header(), "properties": m.Properties(), "kind": m.Kind(),
		"body kind": m.BodyKind(), "body": body, "body size": m.BodySize(),
		"body bytes": bytes.Join(m.BodyPieces(nil), nil),
	}
	for k, v := range m.ApplicationProperties() {
		d["property "+k] = v
	}
	for k, v := range m.Annotations() {
		d["annotation "+k] = v
	}
	d["hop"], _ = m.DeliveryAnnotation("hop")
	return d
}

func TestWhatABuilderWrites(t *testing.T) {
	b := fullMessage()
	m := b.Message()
	if diff := cmp.Diff(b.Header, m.Header()); diff != "" {
		t.Errorf("header: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(b.Properties, m.Properties()); diff != "" {
		t.Errorf("properties: -want +got\n%s", diff)
	}
	var got wire.Map
	for k, v := range m.ApplicationProperties() {
		got = append(got, wire.Entry{Key: k, Value: v})
	}
	if diff := cmp.Diff(b.ApplicationProperties, got); diff != "" {
		t.Errorf("application properties: -want +got\n%s", diff)
	}
	if v, ok := m.ApplicationProperty("nothing"); v != nil || !ok {
		t.Errorf("a null property: %v, %v", v, ok)
	}
	if v, ok := m.ApplicationProperty("none"); v != nil || ok {
		t.Errorf("no property: %v, %v", v, ok)
	}
	if v, _ := m.DeliveryAnnotation("hop"); v != uint8(1) {
		t.Errorf("delivery annotation: %v", v)
	}
	if v, _ := m.Annotation("x-opt-delivery-time"); v != int64(1_700_000_000_500) {
		t.Errorf("message annotation: %v", v)
	}
}

// TestBuilderBytes compares with bytes written down by hand.
func TestBuilderBytes(t *testing.T) {
	b := NewBuilder()
	b.Header.Durable = true
	b.Properties.To = "q"
	b.SetProperty("n", int32(1))
	b.SetText("hi")
	want := "005370c0020141" + // header
		"005372c11702" + "a312" + hex.EncodeToString([]byte(KindAnnotation)) + "5105" +
		"005373c00603" + "4040" + "a10171" + // to
		"005374c10602" + "a1016e" + "5401" +
		"005377a1026869"
	if got := hex.EncodeToString(b.Append(nil)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := NewBuilder().Append(nil); len(got) != 0 {
		t.Errorf("an empty message is %x", got)
	}
}

// TestOtherForms has descriptors by name and lists and maps in their wide form.
func TestOtherForms(t *testing.T) {
	symbols := []string{
		"amqp:header:list", "amqp:delivery-annotations:map", "amqp:message-annotations:map",
		"amqp:properties:list", "amqp:application-properties:map",
	}
	var b []byte
	for _, s := range symbols {
		b = wire.AppendSymbol(append(b, 0), wire.Symbol(s))
		if strings.HasSuffix(s, "list") {
			b = append(b, 0xd0, 0, 0, 0, 4, 0, 0, 0, 0)
		} else {
			b = append(b, 0xd1, 0, 0, 0, 4, 0, 0, 0, 0)
		}
	}
	for s, kind := range map[string]BodyKind{ // order: irrelevant
		"amqp:data:binary": BodyData, "amqp:amqp-sequence:list": BodySequence, "amqp:amqp-value:*": BodyValue,
	} {
		value := map[BodyKind][]byte{BodyData: {0xa0, 0}, BodySequence: {0x45}, BodyValue: {0x40}}[kind]
		whole := append(wire.AppendSymbol(append(bytes.Clone(b), 0), wire.Symbol(s)), value...)
		whole = append(wire.AppendSymbol(append(whole, 0), "amqp:footer:map"), 0xc1, 1, 0)
		for i := range whole {
			first, rest := cut(whole, i)
			m, err := Index(first, rest, nil)
			if err != nil || m.BodyKind() != kind {
				t.Fatalf("%s cut after %d: %v, %v", s, i, m.BodyKind(), err)
			}
		}
	}
}

// TestTruncated cuts a message everywhere but between its sections.
func TestTruncated(t *testing.T) {
	b := fullMessage()
	whole := b.Append(nil)
	boundary := map[int]bool{}
	for _, at := range mustIndex(t, whole).at {
		boundary[int(at)] = true
	}
	for i := range whole {
		for _, pieces := range []int{i, i / 2} {
			first, rest := cut(whole[:i], pieces)
			_, err := Index(first, rest, nil)
			var e *Error
			if boundary[i] != (err == nil) || err != nil && !errors.As(err, &e) {
				t.Errorf("cut at %d: %v", i, err)
			}
		}
	}
}

func TestNoMessage(t *testing.T) {
	for name, form := range map[string]string{ // order: irrelevant
		"no section":                  "a10161",
		"unknown section":             "00537945",
		"a performative":              "00531445",
		"unknown by name":             "00a303616263" + "45",
		"bytes behind":                "005377400f",
		"header twice":                "0053704500537045",
		"out of order":                "0053734500537045",
		"body before properties":      "0053774000537345",
		"two values":                  "0053774000537740",
		"value and data":              "00537740005375a000",
		"data and sequence":           "005375a00000537645",
		"data behind the footer":      "005375a000005378c10100005375a000",
		"header not a list":           "005370c10100",
		"header null":                 "00537040",
		"header of wrong fields":      "005370c0020143",
		"header with bytes behind":    "005370c003014141",
		"annotations not a map":       "00537245",
		"annotations with a lone key": "005372c1020140",
		"properties of wrong type":    "005373c0020141",
		"group-sequence negative":     "005373c00d0c" + "4040404040404040404040" + "54ff",
		"properties cut":              "005373c0030240a1",
		"data not binary":             "005375a10161",
		"sequence not a list":         "005376c10100",
		"deep annotations":            "005372" + deepMap(40),
	} {
		b, err := hex.DecodeString(form)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var e *Error
		if _, err := Index(b, nil, nil); !errors.As(err, &e) || e.Error() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func deepMap(levels int) string {
	v := any(nil)
	for range levels {
		v = wire.Map{{Key: wire.Symbol("k"), Value: v}}
	}
	return hex.EncodeToString(wire.AppendValue(nil, v))
}

// TestTolerated are messages that are odd, but not wrong enough.
func TestTolerated(t *testing.T) {
	for name, form := range map[string]string{ // order: irrelevant
		"nothing at all":               "",
		"header only":                  "00537045",
		"header with a later field":    "005370c0080741" + "404040404040",
		"string keys":                  "005372c10702a1016ba10176",
		"message-id as symbol":         "005373c00401a30161",
		"properties with later fields": "005373c0100f" + "40404040404040404040404040" + "4041",
		"null value":                   "00537740",
		"value of nonsense inside":     "005377c0030140ff",
	} {
		b, err := hex.DecodeString(form)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := Index(b, nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := mustIndex(t, []byte{0x00, 0x53, 0x77, 0xc0, 3, 1, 0x40, 0xff}).Body(); err == nil {
		t.Error("a body of nonsense decodes")
	}
}

func TestFromBytes(t *testing.T) {
	whole := fullMessage().Append(nil)
	for _, pieces := range [][][]byte{{whole}, {whole[:10], whole[10:]}, {{}, whole}} {
		c, err := FromBytes(core.FormatAMQP, pieces)
		if err != nil || c.Size() != int64(len(whole)) || c.Format() != core.FormatAMQP {
			t.Errorf("%v, %v", c, err)
		}
	}
	if _, err := FromBytes(99, [][]byte{whole}); err == nil {
		t.Error("a format from the future is read")
	}
	if _, err := FromBytes(core.FormatAMQP, [][]byte{whole[:10]}); err == nil {
		t.Error("a broken message is read")
	}
	if c, err := FromBytes(core.FormatAMQP, nil); err != nil || c.Size() != 0 {
		t.Errorf("a message of no bytes: %v, %v", c, err)
	}
}

// TestManySectionsInManyPieces would take minutes if each section were searched
// for from the message's start.
func TestManySectionsInManyPieces(t *testing.T) {
	const sections, pieceSize = 1 << 18, 512
	whole := bytes.Repeat([]byte{0x00, 0x53, 0x75, 0xa0, 1, 'x'}, sections)
	var at []int
	for i := pieceSize; i < len(whole); i += pieceSize {
		at = append(at, i)
	}
	first, rest := cut(whole, at...)
	m, err := Index(first, rest, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(joined(m.Data(nil))); got != sections {
		t.Errorf("%d bytes of data, want %d", got, sections)
	}
}
