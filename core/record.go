package core

import (
	"cmp"
	"slices"

	"github.com/tidegate/tidegate/core/message"
)

// RecordKind says what a record changes.
type RecordKind uint8

// The kinds of record. Numbers are in the journal: one once given stays.
const (
	// RecMessage is a body with its places.
	RecMessage RecordKind = 1
	// RecBody is a body sent in a transaction: it has no place until RecCommit.
	// Place's Queue and Priority, which are not recorded, say where that may be.
	RecBody RecordKind = 2
	// RecRemove removes Runs.
	RecRemove RecordKind = 3
	// RecCount sets the delivery count of one entry.
	RecCount RecordKind = 4
	// RecCommit places Places and removes Runs, as one.
	RecCommit RecordKind = 5
	// RecQueue defines a queue; RecSubscription a durable subscription's.
	RecQueue        RecordKind = 6
	RecSubscription RecordKind = 7
	// RecDelete deletes a queue or subscription with all it holds.
	RecDelete RecordKind = 8
	// RecOffered says up to which sequence entries may have been delivered.
	RecOffered RecordKind = 9
	// RecRing is one ring in a checkpoint.
	RecRing RecordKind = 10
	// RecIDs is the broker's counters in a checkpoint.
	RecIDs RecordKind = 11
	// RecNotes sets the notes of one entry.
	RecNotes RecordKind = 12
)

// Place is one entry: where a message stands in a queue.
type Place struct {
	Queue    QueueID
	Priority uint8
	Flags    uint8 // Place constants
	Seq      uint64
	ID       uint64
	Expires  int64 // ms since 1970; 0 never
	Size     uint32
	Delay    *Delay // the queue holds it back; nil: it is there to be delivered
	// To is where a message went that came by a bridge, if the queue does not say
	// it: that of a subscription with wildcards.
	To *Destination
}

// Flags of a place: what the broker must know of a message and its content says, or
// no longer says.
const (
	PlacePreserve  uint8 = 1 << iota // JMS_TIBCO_PRESERVE_UNDELIVERED
	PlaceTrace                       // JMS_TIBCO_MSG_TRACE
	PlaceTraceBody                   // JMS_TIBCO_MSG_TRACE=body
	PlaceExpiry                      // the destination's expiration holds, not the content's

	placeReasonShift = 4
	// PlaceReason is a Reason, in two bits.
	PlaceReason uint8 = 3 << placeReasonShift
	// PlaceBridged: it came by a bridge, and was sent elsewhere.
	PlaceBridged uint8 = 1 << 6
)

// placeFlags are a place's flags in those of its entry.
func placeFlags(entry uint32) uint8 { return uint8(entry >> entryPlaceShift) }

// Run is a run of sequences of one ring.
type Run struct {
	Queue    QueueID
	Priority uint8
	First    uint64
	Count    uint64
}

// Definition names a queue, or a durable subscription's queue.
type Definition struct {
	Queue       QueueID
	Destination Destination
	Client      string // subscription: scope
	Name        string // subscription
	Selector    string
	NoLocal     bool
	Shared      bool
	Global      bool
	Lasting     bool // queue: it stays without being used
	Static      bool // queue: an administrator defined it
}

// RingState is a ring in a checkpoint: everything but its entries.
type RingState struct {
	Queue    QueueID
	Priority uint8
	Head     uint64 // sequences below are removed
	Next     uint64 // the next to be given
	Offered  uint64 // may have been delivered below
	Removed  []RemovedRun
	Counts   []Count
}

// RemovedRun says which of the sequences from a ring's head on are removed: each of the
// words of 64 from From on, up to the next run's or the last, has the same bits. A
// message that stays for a year, or a backlog of millions, is a run or two.
type RemovedRun struct {
	From uint64 // a word: of the sequences from Head + 64*From on
	Bits uint64 // the lowest is the first sequence's; 1: removed, or never here
}

// AppendRemoved puts the bits of the next words, from the word from on, behind runs.
func AppendRemoved(runs []RemovedRun, from, bits uint64) []RemovedRun {
	if n := len(runs); n > 0 && runs[n-1].Bits == bits {
		return runs
	}
	return append(runs, RemovedRun{From: from, Bits: bits})
}

// removed says whether the ring's checkpoint has the sequence, which is none below
// Head, as removed.
func (s *RingState) removed(seq uint64) bool {
	at := seq - s.Head
	i, found := slices.BinarySearchFunc(s.Removed, at/64, func(r RemovedRun, word uint64) int { return cmp.Compare(r.From, word) })
	if !found {
		i--
	}
	return i >= 0 && s.Removed[i].Bits>>(at%64)&1 != 0
}

// Count is an entry's number of failed deliveries, and until when it waits for the
// next (ems redeliveryDelay).
type Count struct {
	Seq   uint64
	Count uint32
	Due   int64 // ms since 1970; 0 it does not
}

// Record is one outcome, as plain data. Which fields count depends on Kind.
// Apply never reads Content.
type Record struct {
	Kind    RecordKind
	Need    Need
	ID      uint64
	Place   Place   // RecMessage: the first place
	More    []Place // RecMessage: the others; RecCommit: all
	Run     Run     // RecRemove, RecCount, RecOffered, RecDelete, RecNotes
	Runs    []Run   // RecCommit
	Count   uint32  // RecCount
	Due     int64   // RecCount: ms since 1970 until which the message waits; 0 it does not
	Notes   []byte  // RecNotes
	Define  *Definition
	Ring    *RingState
	Content message.Content
}
