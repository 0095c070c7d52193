package frame

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// assemble turns bytes written for people into bytes: hexadecimal digits,
// "text" with its size in one byte in front, [ ... ] for a size in one byte and
// { ... } for one in four, counting what is inside.
func assemble(text string) ([]byte, error) {
	var stack [][]byte
	b := []byte{}
	for rest := text; rest != ""; {
		c := rest[0]
		rest = rest[1:]
		switch c {
		case ' ', '\n', '\t':
		case '[', '{':
			stack, b = append(stack, b), nil
		case ']', '}':
			if len(stack) == 0 {
				return nil, fmt.Errorf("unbalanced %c", c)
			}
			outer, n := stack[len(stack)-1], len(b)
			if c == '}' {
				outer = append(outer, byte(n>>24), byte(n>>16), byte(n>>8))
			}
			stack, b = stack[:len(stack)-1], append(append(outer, byte(n)), b...)
		case '"':
			quoted, after, ok := strings.Cut(rest, `"`)
			if !ok {
				return nil, fmt.Errorf("unbalanced quotes")
			}
			b, rest = append(append(b, byte(len(quoted))), quoted...), after
		default:
			digits := string(c) + rest[:min(1, len(rest))]
			v, err := hex.DecodeString(digits)
			if err != nil {
				return nil, err
			}
			b, rest = append(b, v...), rest[1:]
		}
	}
	if len(stack) > 0 {
		return nil, fmt.Errorf("unbalanced brackets")
	}
	return b, nil
}
