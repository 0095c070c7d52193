package message

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidegate/tidegate/amqp/wire"
)

func TestAppendHeader(t *testing.T) {
	none := wire.Optional[uint32]{}
	for _, c := range []struct {
		header Header
		want   string
	}{
		{Header{Priority: 4}, ""},
		{Header{Durable: true, Priority: 4}, "005370c0020141"},
		{Header{Priority: 0}, "005370c004" + "02" + "425000"},
		{Header{Durable: true, Priority: 9}, "005370c00402415009"},
		{Header{Priority: 4, TTL: wire.Some(uint32(0))}, "005370c00403424043"},
		{Header{Priority: 4, FirstAcquirer: true}, "005370c0050442404041"},
		{Header{Priority: 4, DeliveryCount: 1}, "005370c00705424040405201"},
		{
			Header{true, 5, wire.Some(uint32(1 << 31)), true, 256},
			"005370c00f05415005708000000041" + "7000000100",
		},
	} {
		h := c.header
		got := AppendHeader([]byte("x"), h.Durable, h.Priority, h.TTL, h.FirstAcquirer, h.DeliveryCount)
		if hex.EncodeToString(got[1:]) != c.want || got[0] != 'x' {
			t.Errorf("%+v: %x, want %s", h, got[1:], c.want)
		}
		if diff := cmp.Diff(h, mustIndex(t, got[1:]).Header()); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	if got := AppendHeader(nil, false, DefaultPriority, none, false, 0); got != nil {
		t.Errorf("a default header is %x", got)
	}
}

// TestHeaderDefaults has fields null, left out, and given as their defaults.
func TestHeaderDefaults(t *testing.T) {
	want := Header{Priority: DefaultPriority}
	for _, form := range []string{
		"00537045", "005370c00100", "005370d00000000400000000", "005370c0020140",
		"005370c006054040404040", "005370c00705425004404243", "",
	} {
		b, err := hex.DecodeString(form)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, mustIndex(t, b).Header()); diff != "" {
			t.Errorf("%s: -want +got\n%s", form, diff)
		}
	}
}

func TestSkipHeader(t *testing.T) {
	bare := NewBuilder()
	bare.Properties.To = "q"
	bare.SetText("x")
	headed := fullMessage()
	for name, b := range map[string]*Builder{"bare": bare, "headed": headed} { // order: irrelevant
		whole := b.Append(nil)
		m := mustIndex(t, whole)
		for i := range len(whole) + 1 {
			first, rest := cut(whole, i)
			h, offset, err := SkipHeader(first, rest)
			if err != nil || h != m.Header() || offset != m.Offset() {
				t.Fatalf("%s, cut after %d: %+v, %d, %v", name, i, h, offset, err)
			}
		}
		with := AppendHeader(nil, true, 4, wire.Optional[uint32]{}, false, 3)
		changed := mustIndex(t, append(with, whole[m.Offset():]...))
		if changed.Header().DeliveryCount != 3 || changed.Kind() != m.Kind() {
			t.Errorf("%s with another header: %+v", name, changed.Header())
		}
		if got := whole[m.Offset():]; !bytes.HasSuffix(changed.first, got) {
			t.Errorf("%s: the bare message changed", name)
		}
	}
	for _, form := range []string{"40", "0053", "005370", "005370c0020143", "0053714500537045", "005370450053", "00530145", "005371c105"} {
		b, _ := hex.DecodeString(form)
		if _, _, err := SkipHeader(b, nil); err == nil {
			t.Errorf("%s has a header", form)
		}
	}
	if h, offset, err := SkipHeader(nil, nil); h.Priority != DefaultPriority || offset != 0 || err != nil {
		t.Errorf("no bytes: %+v, %d, %v", h, offset, err)
	}
}
