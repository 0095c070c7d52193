package server

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/record"
)

type spooledContent struct{ bytesContent }

var spooledFile = message.File{Number: 9, Size: 1 << 33, CRC: 7}

func (spooledContent) Format() message.Format { return message.FormatLarge }
func (spooledContent) Size() int64            { return spooledFile.Size }
func (spooledContent) File() message.File     { return spooledFile }

func TestLargeRecordsNameTheirFile(t *testing.T) {
	var e encoder
	place := core.Place{Queue: 1, Seq: 2, ID: 77, Size: 1<<32 - 1}
	for _, in := range []core.Record{
		{Kind: core.RecMessage, ID: 77, Place: place, More: []core.Place{place}, Content: spooledContent{bytesContent("front")}},
		{Kind: core.RecBody, ID: 77, Content: spooledContent{bytesContent("front")}},
	} {
		out := e.encode(&in)
		if want := record.BodyBit | record.PlaceBit | record.FileBit; out.Kind&want != want {
			t.Errorf("kind %#x: a start would not see the file's name", out.Kind)
		}
		if fileIn(out.Head) != spooledFile || string(out.Body[0]) != "front" {
			t.Errorf("file %+v, body %q", fileIn(out.Head), out.Body)
		}
		got, err := Decode(out)
		if err != nil || got.Kind != in.Kind || got.ID != 77 || len(got.More) != len(in.More) {
			t.Errorf("%+v, %v", got, err)
		}
		if text, err := Describe(out); err != nil || !strings.Contains(text, "8589934592 bytes in large-0000000000000009") {
			t.Errorf("%q, %v", text, err)
		}
		out.Head = out.Head[:10]
		if _, err := Decode(out); err == nil {
			t.Error("a head without the file's name is taken")
		}
	}
}
