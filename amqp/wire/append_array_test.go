package wire

import "testing"

// What cannot be encoded is a mistake of the program and must not become bytes
// that no peer can read.
func TestAppendPanicsOnMistakes(t *testing.T) {
	for name, v := range map[string]any{ // order: irrelevant
		"no AMQP type":                   struct{}{},
		"mixed array":                    Array{Values: []any{uint32(1), "two"}},
		"null in an array":               Array{Values: []any{"one", nil}},
		"nil map in an array":            Array{Values: []any{Map{}, Map(nil)}},
		"described elements":             Array{Values: []any{Described{Symbol("d"), "v"}}},
		"described element among others": Array{Values: []any{"v", Described{Symbol("d"), "v"}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was encoded")
				}
			}()
			AppendValue(nil, v)
		})
	}
}
