// Package message is what the broker knows of a message: an envelope that
// lives for one publish, a content that it never looks into, and the values
// that selectors ask for.
package message

// Format names the encoding of a content's bytes. It stands in the journal, so
// a number once given is never given again.
type Format uint8

// The formats.
const (
	// FormatAMQP is an AMQP 1.0 message as it came from the wire, all sections.
	FormatAMQP Format = 1
	// FormatLarge is one whose bytes lie in a file of the spool; in memory, and
	// in the journal, are only the sections before its body.
	FormatLarge Format = 2
)

// LargeAbove is the size in bytes above which a message is never whole in
// memory: it comes, lies and leaves in pieces (Spooled).
const LargeAbove = 1 << 20

// Envelope is what the broker acts on; it lives for one publish.
type Envelope struct {
	Durable    bool  // JMS PERSISTENT
	Priority   uint8 // 0 to 9, larger is served first (jms 3.4.10)
	Marks      Marks
	Overridden bool  // Expires is the destination's, whatever the content says
	Expires    int64 // ms since 1970; 0 never
	Due        int64 // ms since 1970 before which it must not be delivered; 0 at once
	Content    Content
}

// Marks are what the broker heeds of a message's own JMS_TIBCO_ properties (ems 7.6).
type Marks uint8

// The marks.
const (
	PreserveUndelivered Marks = 1 << iota // JMS_TIBCO_PRESERVE_UNDELIVERED=true
	Trace                                 // JMS_TIBCO_MSG_TRACE
	TraceBody                             // JMS_TIBCO_MSG_TRACE=body
	DisableSender                         // JMS_TIBCO_DISABLE_SENDER=true
)

// Patch is what of a message is changed before it is kept.
type Patch struct {
	Sender string // JMS_TIBCO_SENDER (ems 2.3 sender_name)
}

// Patchable is a Content that can be had with a change. What is not in the patch
// stays byte for byte.
type Patchable interface {
	Content
	With(p Patch) Content
}

// Printable is a Content whose body a trace can print.
type Printable interface {
	// Print gives the body with each text in it cut to field bytes, and the whole to
	// whole; truncated says whether something was.
	Print(field, whole int) (text string, truncated bool)
}

// Content is one immutable message; a view, made on demand. Its slices are
// shared by queue, journal and wire, and are never written to.
type Content interface {
	Format() Format
	Size() int64 // bytes of all sections as they came
	// Property answers a selector's identifier: an application property, or a
	// JMS header field by its JMS name (JMSPriority, JMSMessageID, ...) except
	// those only the broker knows. False means null.
	Property(name string) (Value, bool)
	// Pieces appends the message's bytes to dst, as it came; of one that is
	// Spooled only the sections before its body.
	Pieces(dst [][]byte) [][]byte
}

// Spooled is a content whose bytes lie in a file.
type Spooled interface {
	Content
	File() File
}

// File names a file of the spool, which holds the whole message.
type File struct {
	Number uint64 // 0: none
	Size   int64  // bytes
	CRC    uint32 // CRC-32C of all of them
}
