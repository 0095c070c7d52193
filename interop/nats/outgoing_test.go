package nats

import (
	"maps"
	"testing"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"
)

// TestHeadersOfEach: room is used again, and each message has its own headers alone.
func TestHeadersOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter(&settings{})
		for range rapid.IntRange(1, 6).Draw(t, "messages") {
			want := nats.Header{}
			w.at = 0
			for range rapid.IntRange(0, 6).Draw(t, "headers") {
				name := rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "name")
				value := rapid.StringMatching("[a-z]{0,3}").Draw(t, "value")
				want[name] = []string{value}
				w.set(name, value)
			}
			w.done()
			if !maps.EqualFunc(w.msg.Header, want, func(x, y []string) bool { return len(x) == 1 && x[0] == y[0] }) {
				t.Fatalf("the headers are %v, want %v", w.msg.Header, want)
			}
		}
	})
}
