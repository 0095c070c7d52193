package frame

import "testing"

// TestNestedStates puts transactional states inside each other, for which a
// stack would have to be as deep as the frame is long.
func TestNestedStates(t *testing.T) {
	b := []byte{0x00, 0x53, 0x24, 0x45}
	for range 1 << 16 {
		n := len(b) + 4 + 3
		head := []byte{0x00, 0x53, 0x34, 0xd0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0, 0, 0, 2, 0xa0, 1, 't'}
		b = append(head, b...)
		if len(b) > 1<<18 {
			break
		}
	}
	if _, _, err := DecodeState(b, nil); ConditionOf(err) != ConditionInvalidField {
		t.Errorf("%v", err)
	}
}
