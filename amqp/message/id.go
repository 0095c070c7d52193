package message

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/amqp/wire"
)

// Message ids have four types on the wire and are strings in JMS. The prefixes
// say how to get the original back (reference 3.4, Message-id strings).
const (
	idPrefix   = "ID:"
	idNoPrefix = "AMQP_NO_PREFIX:"
	idString   = "AMQP_STRING:"
	idUUID     = "AMQP_UUID:"
	idUlong    = "AMQP_ULONG:"
	idBinary   = "AMQP_BINARY:"
)

// MessageIDString gives the JMS form of a message id, which always begins with
// "ID:"; "" for none.
func MessageIDString(id any) string {
	if s, ok := id.(string); ok && !strings.HasPrefix(s, idPrefix) {
		return idPrefix + idNoPrefix + s
	}
	return CorrelationIDString(id)
}

// CorrelationIDString gives the JMS form of a correlation id, in which strings
// of applications stay as they are; "" for none.
func CorrelationIDString(id any) string {
	switch id := id.(type) {
	case string:
		if encoded, ok := strings.CutPrefix(id, idPrefix); ok && hasEncoding(encoded) {
			return idPrefix + idString + id
		}
		return id
	case wire.UUID:
		return idPrefix + idUUID + id.String()
	case uint64:
		return idPrefix + idUlong + strconv.FormatUint(id, 10)
	case []byte:
		return idPrefix + idBinary + strings.ToUpper(hex.EncodeToString(id))
	}
	return ""
}

// ParseID gives the id on the wire that a JMS form stands for: the reverse of
// both. What looks like an encoding but is none stays a string; "" gives nil.
func ParseID(s string) any {
	if s == "" {
		return nil
	}
	rest, ok := strings.CutPrefix(s, idPrefix)
	if !ok {
		return s
	}
	if v, ok := strings.CutPrefix(rest, idNoPrefix); ok {
		return v
	}
	if v, ok := strings.CutPrefix(rest, idString); ok {
		return v
	}
	if v, ok := strings.CutPrefix(rest, idUUID); ok {
		if u, ok := wire.ParseUUID(v); ok {
			return u
		}
	}
	if v, ok := strings.CutPrefix(rest, idUlong); ok {
		if n, err := strconv.ParseUint(v, 10, 64); err == nil {
			return n
		}
	}
	if v, ok := strings.CutPrefix(rest, idBinary); ok {
		if b, err := hex.DecodeString(v); err == nil {
			return b
		}
	}
	return s
}

func hasEncoding(s string) bool {
	for _, prefix := range [...]string{idString, idUUID, idUlong, idBinary, idNoPrefix} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
