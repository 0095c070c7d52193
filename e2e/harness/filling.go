package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Filling is the body that every driver gives to message seq of producer.
func Filling(producer string, seq int64, size int) string {
	unit := fmt.Sprintf("%s/%d;", producer, seq)
	return strings.Repeat(unit, size/len(unit)+1)[:size]
}

// Sum is a body's sha256 as the drivers print it.
func Sum(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
