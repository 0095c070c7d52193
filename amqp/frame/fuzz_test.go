package frame

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

func FuzzPerformative(f *testing.F) {
	for _, code := range codes(f) {
		b := full(code).Append(nil)
		f.Add(b)
		v, _, err := wire.Value(b, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(form{wide: true, symbolic: true}.encode(nil, v))
		f.Add([]byte{0x00, 0x53, byte(code), 0x45})
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, n, err := DecodeComposite(b, &wire.Limits{Values: 1 << 10})
		if err != nil {
			var d *DecodeError
			if !errors.As(err, &d) || d.Condition == "" || err.Error() == "" {
				t.Fatalf("error %v", err)
			}
			return
		}
		if n <= 0 || n > len(b) {
			t.Fatalf("took %d of %d bytes", n, len(b))
		}
		_ = c.String()
		once := c.Append(nil)
		again, size, err := DecodeComposite(once, &wire.Limits{Values: 1 << 10})
		if err != nil || size != len(once) {
			t.Fatalf("what was encoded again (%x) reads as %d bytes: %v", once, size, err)
		}
		if twice := again.Append(nil); !bytes.Equal(once, twice) {
			t.Fatalf("encoded %x, then %x", once, twice)
		}
	})
}
