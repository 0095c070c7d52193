package wire

import (
	"bytes"
	"testing"
)

func FuzzValue(f *testing.F) {
	for _, c := range encodings {
		for _, form := range c.forms {
			f.Add(unhex(f, form))
		}
	}
	for _, c := range arrays {
		f.Add(unhex(f, c.form))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checked, checkErr := Check(b, nil)
		v, n, err := Value(b, &Limits{Values: 1 << 12})
		if err != nil {
			return // a limit that Check does not know, or bad bytes
		}
		if checkErr != nil || checked != n {
			t.Fatalf("decodes in %d bytes, but Check says %d, %v", n, checked, checkErr)
		}
		if skipped, err := Skip(b); err != nil || skipped != n {
			t.Fatalf("decodes in %d bytes, but Skip says %d, %v", n, skipped, err)
		}
		once := AppendValue(nil, v)
		again, size, err := Value(once, &Limits{Values: 1 << 12})
		if err != nil || size != len(once) {
			t.Fatalf("what was encoded again (%x) reads as %d bytes: %v", once, size, err)
		}
		if twice := AppendValue(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("encoded %x, then %x", once, twice)
		}
	})
}
