// Package wire is the AMQP 1.0 type system: encoders that append to a byte
// slice, and a decoder that reads values where they lie (amqp part 1).
//
// Decoding takes the bytes that begin with a value's constructor and gives the
// value and the number of bytes it took. Skip costs one look at the header,
// whatever the value holds; nothing is allocated for what is not asked for.
// Sizes and counts that a peer claims are compared with the bytes present and
// with Limits before anything is allocated.
package wire

// Constructors, (amqp 1.6). The high nibble is the width class.
const (
	codeDescribed  = 0x00
	codeNull       = 0x40
	codeTrue       = 0x41
	codeFalse      = 0x42
	codeUint0      = 0x43
	codeUlong0     = 0x44
	codeList0      = 0x45
	codeUbyte      = 0x50
	codeByte       = 0x51
	codeSmallUint  = 0x52
	codeSmallUlong = 0x53
	codeSmallInt   = 0x54
	codeSmallLong  = 0x55
	codeBoolean    = 0x56
	codeUshort     = 0x60
	codeShort      = 0x61
	codeUint       = 0x70
	codeInt        = 0x71
	codeFloat      = 0x72
	codeChar       = 0x73
	codeDecimal32  = 0x74
	codeUlong      = 0x80
	codeLong       = 0x81
	codeDouble     = 0x82
	codeTimestamp  = 0x83
	codeDecimal64  = 0x84
	codeDecimal128 = 0x94
	codeUUID       = 0x98
	codeBinary8    = 0xa0
	codeString8    = 0xa1
	codeSymbol8    = 0xa3
	codeBinary32   = 0xb0
	codeString32   = 0xb1
	codeSymbol32   = 0xb3
	codeList8      = 0xc0
	codeMap8       = 0xc1
	codeList32     = 0xd0
	codeMap32      = 0xd1
	codeArray8     = 0xe0
	codeArray32    = 0xf0
)

// codeNames names each known constructor by its type; empty means unknown.
var codeNames = [256]string{
	codeDescribed: "described", codeNull: "null", codeTrue: "boolean", codeFalse: "boolean",
	codeUint0: "uint", codeUlong0: "ulong", codeList0: "list", codeUbyte: "ubyte", codeByte: "byte",
	codeSmallUint: "uint", codeSmallUlong: "ulong", codeSmallInt: "int", codeSmallLong: "long",
	codeBoolean: "boolean", codeUshort: "ushort", codeShort: "short", codeUint: "uint", codeInt: "int",
	codeFloat: "float", codeChar: "char", codeDecimal32: "decimal32", codeUlong: "ulong",
	codeLong: "long", codeDouble: "double", codeTimestamp: "timestamp", codeDecimal64: "decimal64",
	codeDecimal128: "decimal128", codeUUID: "uuid", codeBinary8: "binary", codeString8: "string",
	codeSymbol8: "symbol", codeBinary32: "binary", codeString32: "string", codeSymbol32: "symbol",
	codeList8: "list", codeMap8: "map", codeList32: "list", codeMap32: "map",
	codeArray8: "array", codeArray32: "array",
}
