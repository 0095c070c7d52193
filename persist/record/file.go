package record

import (
	"encoding/binary"
	"hash/crc32"
)

// FileBit marks a record whose body goes on in a file of its own: the end of
// its Head names the file, and Body is what its owner wants at hand without
// reading it. The file was synced, with its directory's entry, before the
// record was appended, and is kept for as long as IDs[0] lives. Such a record
// is a placement as well (PlaceBit), so that a recovery sees its Head.
const FileBit Kind = 0x20

// FileRef names a file of the spool.
type FileRef struct {
	Number uint64
	Size   int64  // bytes
	CRC    uint32 // CRC-32C of all of them
}

// fileRefBytes is what a reference takes at the end of a head.
const fileRefBytes = 8 + 8 + 4

// AppendFile ends a head with a reference.
func AppendFile(head []byte, f FileRef) []byte {
	head = binary.LittleEndian.AppendUint64(head, f.Number)
	head = binary.LittleEndian.AppendUint64(head, uint64(f.Size))
	return binary.LittleEndian.AppendUint32(head, f.CRC)
}

// File takes the reference off a head that ends with one, and gives what is
// before it; false: the head is too short, or the reference is none.
func File(head []byte) (f FileRef, rest []byte, ok bool) {
	n := len(head) - fileRefBytes
	if n < 0 {
		return f, head, false
	}
	b := head[n:]
	f = FileRef{binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint32(b[16:])}
	return f, head[:n:n], f.Number > 0 && f.Size >= 0
}

// UpdateCRC goes on with a checksum (CRC) over further bytes.
func UpdateCRC(crc uint32, p []byte) uint32 { return crc32.Update(crc, castagnoli, p) }
