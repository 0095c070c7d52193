package server

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/message"
	"github.com/tidegate/tidegate/persist/record"
)

type bytesContent []byte

func (c bytesContent) Format() message.Format                { return message.FormatAMQP }
func (c bytesContent) Size() int64                           { return int64(len(c)) }
func (c bytesContent) Property(string) (message.Value, bool) { return message.Value{}, false }
func (c bytesContent) Pieces(dst [][]byte) [][]byte          { return append(dst, c) }

// samples holds a record of every kind, with every field that its kind has.
func samples() []core.Record {
	place := func(q core.QueueID) core.Place {
		return core.Place{Queue: q, Priority: 9, Seq: 1 << 40, ID: 77, Expires: 1 << 41, Size: 1<<32 - 1}
	}
	delayed := func(q core.QueueID, targets ...core.QueueID) core.Place {
		p := place(q)
		p.Delay = &core.Delay{Due: 1 << 42, Targets: targets}
		return p
	}
	flagged := func(p core.Place) core.Place {
		p.Flags = core.PlacePreserve | core.PlaceReason
		return p
	}
	addressed := func(p core.Place) core.Place {
		p.Flags |= core.PlaceBridged
		p.To = &core.Destination{Kind: core.Topic, Name: "a.b"}
		return p
	}
	run := core.Run{Queue: 300, Priority: 4, First: 1 << 33, Count: 12}
	define := &core.Definition{
		Queue: 5, Destination: core.Destination{Kind: core.Topic, Name: "a.>"}, Client: "c", Name: "näme",
		Selector: "x = 1", NoLocal: true, Shared: true, Global: true,
	}
	return []core.Record{
		{Kind: core.RecMessage, ID: 77, Place: place(1), More: []core.Place{place(2), place(3)}},
		{Kind: core.RecMessage, ID: 77, Place: place(1)},
		{Kind: core.RecBody, ID: 1 << 50},
		{Kind: core.RecRemove, Run: run},
		{Kind: core.RecCount, Run: run, Count: 3},
		{Kind: core.RecNotes, Run: run, Notes: []byte("notes")},
		{Kind: core.RecCommit, More: []core.Place{place(1), place(2)}, Runs: []core.Run{run, run}},
		{Kind: core.RecCommit, Runs: []core.Run{run}},
		{Kind: core.RecMessage, ID: 77, Place: delayed(1, 5, 6, 1<<40)},
		{Kind: core.RecMessage, ID: 77, Place: delayed(1), More: []core.Place{place(2)}},
		{Kind: core.RecMessage, ID: 77, Place: flagged(place(1))},
		{Kind: core.RecMessage, ID: 77, Place: place(1), More: []core.Place{flagged(delayed(2, 3))}},
		{Kind: core.RecCommit, More: []core.Place{delayed(2, 3), flagged(place(2))}, Runs: []core.Run{run}},
		{Kind: core.RecMessage, ID: 77, Place: place(1), More: []core.Place{addressed(place(2)), flagged(delayed(2, 3))}},
		{Kind: core.RecCommit, More: []core.Place{addressed(delayed(2, 3)), place(2)}, Runs: []core.Run{run}},
		{Kind: core.RecCount, Run: run, Count: 3, Due: 1 << 41},
		{Kind: core.RecQueue, Define: &core.Definition{Queue: 3, Destination: core.Destination{Kind: core.Queue, Name: "q"}, Static: true}},
		{Kind: core.RecCommit, More: []core.Place{place(1), delayed(2), delayed(3, 9)}, Runs: []core.Run{run}},
		{Kind: core.RecQueue, Define: &core.Definition{Queue: 1, Destination: core.Destination{Kind: core.Queue, Name: "q"}}},
		{Kind: core.RecQueue, Define: &core.Definition{Queue: 1, Destination: core.Destination{Kind: core.Queue, Name: "q"}, Lasting: true}},
		{Kind: core.RecSubscription, Define: define},
		{Kind: core.RecDelete, Run: core.Run{Queue: 8}},
		{Kind: core.RecOffered, Run: run},
		{Kind: core.RecRing, Ring: &core.RingState{
			Queue: 2, Priority: 1, Head: 10, Next: 1000, Offered: 4096, Removed: []core.RemovedRun{{Bits: 1}, {From: 1, Bits: 1 << 63}, {From: 1 << 40, Bits: ^uint64(0)}},
			Counts: []core.Count{{Seq: 11, Count: 2}, {Seq: 900, Count: 1}},
		}},
		{Kind: core.RecRing, Ring: &core.RingState{Queue: 2, Next: 9, Counts: []core.Count{{Seq: 3, Count: 2, Due: 1 << 41}, {Seq: 4, Count: 1}}}},
		{Kind: core.RecRing, Ring: &core.RingState{Queue: 2}},
		{Kind: core.RecIDs, ID: record.MaxID, Run: core.Run{Queue: 99}},
	}
}

func TestRecordsComeBack(t *testing.T) {
	var e encoder
	body := bytesContent("body")
	kinds := map[core.RecordKind]bool{}
	for _, want := range samples() {
		kinds[want.Kind] = true
		in := want
		if in.Kind == core.RecMessage || in.Kind == core.RecBody {
			in.Content = body
		}
		out := e.encode(&in)
		if in.Content != nil {
			if len(out.IDs) != 1 || out.IDs[0] != want.ID || string(out.Body[0]) != "body" || formatOf(out.Head) != message.FormatAMQP {
				t.Errorf("kind %d: ids %v, body %q, head %x", want.Kind, out.IDs, out.Body, out.Head)
			}
		}
		if got := out.Kind&record.BodyBit != 0; got != (in.Content != nil) {
			t.Errorf("kind %d: has a body: %v", want.Kind, got)
		}
		got, err := Decode(out)
		if err != nil {
			t.Errorf("kind %d: %v", want.Kind, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	for k := core.RecMessage; k <= core.RecIDs; k++ {
		if !kinds[k] {
			t.Errorf("no sample of kind %d", k)
		}
	}
}

// TestDelayedHeadsStayReadable: the bytes of version 2 as the first version with
// delivery delays wrote them.
func TestDelayedHeadsStayReadable(t *testing.T) {
	head := []byte{
		2, 1, 1, // version, format, one place
		5, 4, 9, 77, 0, 100, // queue, priority, sequence, id, expiry, size
		0xe8, 0x07, 2, 6, 7, // due at 1000, for subscriptions 6 and 7
	}
	got, err := Decode(record.Record{Kind: kindOf(core.RecMessage), IDs: []uint64{77}, Head: head})
	want := core.Record{Kind: core.RecMessage, ID: 77, Place: core.Place{
		Queue: 5, Priority: 4, Seq: 9, ID: 77, Size: 100, Delay: &core.Delay{Due: 1000, Targets: []core.QueueID{6, 7}},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	want.Content = bytesContent("x")
	if again := Encode(&want); string(again.Head) != string(head) {
		t.Errorf("written as % x", again.Head)
	}
	if words, err := Describe(record.Record{Kind: kindOf(core.RecMessage), IDs: []uint64{77}, Head: head}); err != nil || !strings.Contains(words, "until 1970-01-01T00:00:01.000Z") {
		t.Errorf("described as %q, %v", words, err)
	}
}

// TestRingsOfEveryWordStayReadable: the bytes in which versions before gappedVersion have
// what is removed of a ring.
func TestRingsOfEveryWordStayReadable(t *testing.T) {
	head := []byte{
		1, 2, 4, 64, 0xd0, 0x02, 9, 4, // version, queue, priority, head 64, next 336, offered, four words
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		1, 70, 3, // a count: of sequence 70, 3
	}
	got, err := Decode(record.Record{Kind: kindOf(core.RecRing), Head: head})
	want := core.Record{Kind: core.RecRing, Ring: &core.RingState{
		Queue: 2, Priority: 4, Head: 64, Next: 336, Offered: 9,
		Removed: []core.RemovedRun{{Bits: ^uint64(0)}, {From: 2}, {From: 3, Bits: 1}}, Counts: []core.Count{{Seq: 70, Count: 3}},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got.Ring, err)
	}
	if _, err := Decode(record.Record{Kind: kindOf(core.RecRing), Head: []byte{
		5, 2, 4, 64, 0xd0, 0x02, 9, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
	}}); !errors.Is(err, errRuns) {
		t.Errorf("runs that begin at one word: %v", err)
	}
}

func TestHeadsKeptByTheJournalAreNotOverwritten(t *testing.T) {
	var e encoder
	var all []record.Record
	recs := samples()
	for range 2000 { // several chunks
		for i := range recs {
			if recs[i].Kind != core.RecMessage && recs[i].Kind != core.RecBody {
				all = append(all, e.encode(&recs[i]))
			}
		}
	}
	i := 0
	for range 2000 {
		for _, want := range recs {
			if want.Kind == core.RecMessage || want.Kind == core.RecBody {
				continue
			}
			if got, err := Decode(all[i]); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("record %d: %+v, %v", i, got, err)
			}
			i++
		}
	}
}

func TestBrokenHeadsAreErrors(t *testing.T) {
	var e encoder
	for _, r := range samples() {
		if r.Kind == core.RecMessage || r.Kind == core.RecBody {
			r.Content = bytesContent("b")
		}
		whole := e.encode(&r)
		for n := range whole.Head {
			short := whole
			short.Head = whole.Head[:n]
			if _, err := Decode(short); err == nil {
				t.Errorf("kind %d: the first %d of %d bytes pass", r.Kind, n, len(whole.Head))
			}
		}
		long := whole
		long.Head = append(append([]byte(nil), whole.Head...), 0)
		if _, err := Decode(long); err == nil {
			t.Errorf("kind %d: a byte too many passes", r.Kind)
		}
	}
	other := e.encode(&core.Record{Kind: core.RecIDs})
	other.Kind = 60
	if _, err := Decode(other); err == nil {
		t.Error("an unknown kind passes")
	}
	other.Head[0] = newestVersion + 1
	if _, err := Decode(other); err == nil {
		t.Error("another version passes")
	}
}

// TestIDsThatNoStoredMessageGetsAreErrors: the broker would give them again, or the next
// behind them, and the store has no place for those.
func TestIDsThatNoStoredMessageGetsAreErrors(t *testing.T) {
	for id, want := range map[uint64]error{core.HeldBit | 1: errHeld, core.HeldBit - 1: errID, record.MaxID + 1: errID, record.MaxID: nil} { // order: irrelevant
		place := core.Place{Queue: 1, Priority: 4, Seq: 1, ID: id}
		for _, r := range []core.Record{
			{Kind: core.RecMessage, ID: id, Place: place, Content: bytesContent("b")},
			{Kind: core.RecMessage, ID: 1, Place: core.Place{Queue: 1, ID: 1}, More: []core.Place{place}, Content: bytesContent("b")},
			{Kind: core.RecBody, ID: id, Content: bytesContent("b")},
			{Kind: core.RecCommit, More: []core.Place{place}},
			{Kind: core.RecIDs, ID: id},
		} {
			if _, err := Decode(Encode(&r)); !errors.Is(err, want) {
				t.Errorf("kind %d of id %d: %v", r.Kind, id, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	var e encoder
	for _, r := range samples() {
		if r.Kind == core.RecMessage || r.Kind == core.RecBody {
			r.Content = bytesContent("b")
		}
		out := e.encode(&r)
		f.Add(uint8(out.Kind), out.Head)
	}
	f.Fuzz(func(_ *testing.T, kind uint8, head []byte) {
		_, _ = Decode(record.Record{Kind: record.Kind(kind), Head: head, IDs: []uint64{1}})
	})
}

// TestBodiesOfOneRingHaveOneGroup: so that they stand together in spill files,
// sent in a transaction or not; those of other rings have others.
func TestBodiesOfOneRingHaveOneGroup(t *testing.T) {
	var e encoder
	group := func(kind core.RecordKind, queue core.QueueID, priority uint8) uint64 {
		r := core.Record{Kind: kind, ID: 1, Content: bytesContent("b"), Place: core.Place{Queue: queue, Priority: priority, ID: 1}}
		out := e.encode(&r)
		return out.Group
	}
	if a, b := group(core.RecMessage, 7, 4), group(core.RecBody, 7, 4); a != b || a == 0 {
		t.Errorf("groups %d and %d for one ring", a, b)
	}
	if a, b, c := group(core.RecMessage, 7, 4), group(core.RecMessage, 7, 5), group(core.RecMessage, 8, 4); a == b || a == c || b == c {
		t.Errorf("groups %d, %d, %d for three rings", a, b, c)
	}
}
