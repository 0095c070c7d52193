package load

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
)

// A body begins with a head of MinSize bytes, all big endian:
//
//	0  uint32  the run's number, to tell its messages from what others left
//	4  uint32  the producer
//	8  uint64  the message's number, from 0, without gaps for each producer
//	16 int64   when it was sent, or due, in ns since the run began
//	24 uint32  CRC-32C of the 24 bytes before, xor that of the filling
//
// The filling is noise, the same for all messages of a producer: its sum is
// taken once by the producer, and on a sample by the consumer.
const (
	atRun = 4 * iota
	atProducer
	atNumber
	_
	atStamp
	_
	atSum

	// MinSize is the length of the head: the shortest body in bytes.
	MinSize = atSum + 4
)

// sampleEvery is how many messages of a producer go by between two whose
// filling is checked. A power of two.
const sampleEvery = 64

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// head is the head of a body.
type head struct {
	run, producer uint32
	number        uint64
	stamp         int64
	// filling is the sum that the filling should have, if the head is right.
	filling uint32
}

// newBody makes a producer's body, all but number, stamp and sum.
func newBody(run, producer uint32, size int) (body []byte, filling uint32) {
	body = make([]byte, size)
	binary.BigEndian.PutUint32(body[atRun:], run)
	binary.BigEndian.PutUint32(body[atProducer:], producer)
	noise := rand.NewPCG(uint64(run), uint64(producer))
	rest := body[MinSize:]
	for i := range rest {
		rest[i] = byte(noise.Uint64())
	}
	return body, crc32.Checksum(rest, castagnoli)
}

// patch writes what differs from message to message.
func patch(body []byte, number uint64, stamp int64, filling uint32) {
	binary.BigEndian.PutUint64(body[atNumber:], number)
	binary.BigEndian.PutUint64(body[atStamp:], uint64(stamp))
	binary.BigEndian.PutUint32(body[atSum:], crc32.Checksum(body[:atSum], castagnoli)^filling)
}

// readHead reads the head of a body of at least MinSize bytes.
func readHead(body []byte) head {
	return head{
		run:      binary.BigEndian.Uint32(body[atRun:]),
		producer: binary.BigEndian.Uint32(body[atProducer:]),
		number:   binary.BigEndian.Uint64(body[atNumber:]),
		stamp:    int64(binary.BigEndian.Uint64(body[atStamp:])),
		filling:  binary.BigEndian.Uint32(body[atSum:]) ^ crc32.Checksum(body[:atSum], castagnoli),
	}
}
