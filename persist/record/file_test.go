package record

import (
	"bytes"
	"testing"
)

func TestFileComesBack(t *testing.T) {
	want := FileRef{Number: 1 << 63, Size: 1 << 40, CRC: 0xdeadbeef}
	head := AppendFile([]byte("owner's"), want)
	got, rest, ok := File(head)
	if !ok || got != want || string(rest) != "owner's" {
		t.Errorf("%+v behind %q, %v", got, rest, ok)
	}
	if _ = append(rest, 'x'); head[len("owner's")] == 'x' {
		t.Error("what is appended to the owner's part overwrites the reference")
	}
	for name, head := range map[string][]byte{
		"too short":     head[:fileRefBytes-1],
		"number 0":      AppendFile(nil, FileRef{Size: 1}),
		"negative size": AppendFile(nil, FileRef{Number: 1, Size: -1}),
	} {
		if ref, _, ok := File(head); ok {
			t.Errorf("%s: %+v", name, ref)
		}
	}
}

func TestCRCGoesOn(t *testing.T) {
	b := bytes.Repeat([]byte("piece by piece "), 100)
	if UpdateCRC(UpdateCRC(0, b[:77]), b[77:]) != CRC(b) {
		t.Error("a checksum in two parts is another than in one")
	}
}
