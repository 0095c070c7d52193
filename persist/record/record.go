// Package record is the unit of the log: what a caller appends, and how it is
// framed inside a segment (persist/FORMAT.md draws the bytes).
//
// A record is an outcome. The log knows of it only what it needs to reclaim
// space: whether it carries the body of an id, and which ids it places. All
// else stands in Head, whose bytes are the caller's own.
package record

// Kind is the caller's number for what a record says. Its two highest bits are
// for the log; the other six are opaque to it.
type Kind uint8

const (
	// BodyBit marks a record whose Body is the content of IDs[0].
	BodyBit Kind = 0x80
	// PlaceBit marks a record whose Head must be seen again at every recovery
	// for as long as one of IDs lives (a queue's entry for an id). A segment's
	// footer repeats these heads, so that recovery reads no bodies.
	PlaceBit Kind = 0x40
)

// Need is what the appender of a record waits for, and so what the record
// starts. It says nothing about what others may wait for.
type Need uint8

const (
	// Ride goes with the next write, whoever starts it.
	Ride Need = iota
	// Write starts a write but no flush (acknowledgements, mode=async).
	Write
	// Sync starts a write and a flush (mode=sync, commits).
	Sync
)

// Record is one outcome. The log keeps the slices until the record is written
// (and Body until the id is released or leaves memory); the caller must not
// change them after Append.
type Record struct {
	Kind Kind
	Need Need
	// IDs are the message ids that keep the record alive: for a body its id
	// first, for a placement all it places. Empty for what a checkpoint
	// supersedes.
	IDs []uint64
	// Group orders bodies when old ones are spilled: opaque, equal for what is
	// likely to be read together.
	Group uint64
	Head  []byte
	Body  [][]byte
}

// Held is a message that is kept and not stored: it has no record.
type Held struct {
	ID   uint64 // with bit 63
	Head []byte
	Body [][]byte
}
