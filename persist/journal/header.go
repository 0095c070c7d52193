package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/persist/record"
)

// Version is the version of the format that this code writes, and the highest
// it reads (FORMAT.md).
const Version = 2

// Names of files in the store's directory.
const (
	segmentPrefix    = "log-"
	sparePrefix      = "spare-"
	checkpointPrefix = "checkpoint-"
	checkpointNew    = "checkpoint-new"
	checkpointSpare  = "checkpoint-spare"
	spillPrefix      = "spill-"
	spillingPrefix   = "spilling-" // one being written; worthless after a crash
)

func segmentName(ordinal uint64) string  { return fmt.Sprintf("%s%016x", segmentPrefix, ordinal) }
func spareName(ordinal uint64) string    { return fmt.Sprintf("%s%016x", sparePrefix, ordinal) }
func spillName(ordinal uint64) string    { return fmt.Sprintf("%s%016x", spillPrefix, ordinal) }
func spillingName(ordinal uint64) string { return fmt.Sprintf("%s%016x", spillingPrefix, ordinal) }
func checkpointName(n uint64) string     { return fmt.Sprintf("%s%016x", checkpointPrefix, n) }

func parseName(name, prefix string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, err == nil
}

var (
	segmentMagic    = []byte("TIDESEGM")
	footerMagic     = []byte("TIDEFOOT")
	checkpointMagic = []byte("TIDECHKP")
	spillMagic      = []byte("TIDESPIL")
)

// headerBytes is what a header says; it lies within one sector, so that a torn
// write leaves the old one or the new one. The rest of its block is zero.
const headerBytes = 128

// link names where a segment's predecessor ends.
type link struct {
	ordinal    uint64 // 0: the log begins here
	end        int64
	generation uint32
}

// header is the first block of a segment.
type header struct {
	ordinal    uint64
	generation uint32
	first      uint64 // position of its first record
	capacity   int64
	prev       link
}

func (c *Config) sealBlock(b []byte) {
	copy(b[16:32], c.Store[:])
	binary.LittleEndian.PutUint32(b[8:], Version)
	binary.LittleEndian.PutUint32(b[12:], 0)
	binary.LittleEndian.PutUint32(b[12:], record.CRC(b[:headerBytes]))
}

func appendHeader(dst []byte, cfg *Config, h *header) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, record.Block)...)
	b := dst[start:]
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint64(b[32:], h.ordinal)
	binary.LittleEndian.PutUint32(b[40:], h.generation)
	binary.LittleEndian.PutUint64(b[48:], h.first)
	binary.LittleEndian.PutUint64(b[56:], uint64(h.capacity))
	binary.LittleEndian.PutUint64(b[64:], h.prev.ordinal)
	binary.LittleEndian.PutUint64(b[72:], uint64(h.prev.end))
	binary.LittleEndian.PutUint32(b[80:], h.prev.generation)
	cfg.sealBlock(b)
	return dst
}

// blockState is what a header block turned out to be.
type blockState int

const (
	blockValid blockState = iota
	blockBlank            // zeros: never used
	blockBad              // something else
)

// VersionError is a file of a format that this version does not read.
type VersionError struct {
	Name    string
	Version uint32
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format version %d, this Tidegate reads up to %d; use the version that wrote it", e.Name, e.Version, Version)
}

// StoreError is a file that belongs to another store.
type StoreError struct{ Name string }

func (e *StoreError) Error() string {
	return fmt.Sprintf("%s belongs to another store; remove it from this directory", e.Name)
}

// checkBlock verifies what all header blocks have in common.
func (c *Config) checkBlock(name string, b, magic []byte) (blockState, error) {
	if len(b) < headerBytes {
		return blockBlank, nil
	}
	b = bytes.Clone(b[:headerBytes])
	if bytes.Count(b, []byte{0}) == headerBytes {
		return blockBlank, nil
	}
	sum := binary.LittleEndian.Uint32(b[12:])
	binary.LittleEndian.PutUint32(b[12:], 0)
	if !bytes.Equal(b[:8], magic) || record.CRC(b) != sum {
		return blockBad, nil
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v == 0 || v > Version {
		return blockBad, &VersionError{name, v}
	}
	if !bytes.Equal(b[16:32], c.Store[:]) {
		return blockBad, &StoreError{name}
	}
	return blockValid, nil
}

func (c *Config) parseHeader(name string, b []byte) (h header, state blockState, err error) {
	state, err = c.checkBlock(name, b, segmentMagic)
	if err != nil || state != blockValid {
		return h, state, err
	}
	h.ordinal = binary.LittleEndian.Uint64(b[32:])
	h.generation = binary.LittleEndian.Uint32(b[40:])
	h.first = binary.LittleEndian.Uint64(b[48:])
	h.capacity = int64(binary.LittleEndian.Uint64(b[56:]))
	h.prev.ordinal = binary.LittleEndian.Uint64(b[64:])
	h.prev.end = int64(binary.LittleEndian.Uint64(b[72:]))
	h.prev.generation = binary.LittleEndian.Uint32(b[80:])
	return h, state, nil
}

// generation draws the mark of one use of a file; never 0. It must differ from
// that of every earlier use of the same blocks, in this life or another.
func (c *Config) generation(n uint64) uint32 {
	x := c.Seed + n*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return uint32(x>>32) | 1
}
