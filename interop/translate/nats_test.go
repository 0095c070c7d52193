package translate

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"
)

// TestHeadersPassNATS: the headers of any message are the same after NATS's own client
// wrote them (as it does, with net/http's writer) and read them; only their order is not.
func TestHeadersPassNATS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t)
		headers, body, err := Headers.Out(m, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		sent := nats.Header{}
		for _, h := range headers {
			sent.Add(h.Name, h.Value)
		}
		var wire bytes.Buffer
		wire.WriteString("NATS/1.0\r\n")
		if err := http.Header(sent).Write(&wire); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("\r\n")
		got, err := nats.DecodeHeadersMsg(wire.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		back := []Header{}
		for _, h := range headers { // in our order, to compare whole messages
			if !slices.ContainsFunc(back, func(b Header) bool { return b.Name == h.Name }) {
				for _, value := range got[h.Name] {
					back = append(back, Header{h.Name, value})
				}
			}
		}
		if len(got) != len(sent) || len(back) != len(headers) {
			t.Fatalf("sent %q\ngot  %q", sent, got)
		}
		direct, through := &Message{}, &Message{}
		if err := Headers.In(headers, body, DefaultOptions(), direct); err != nil {
			t.Fatal(err)
		}
		if err := Headers.In(back, body, DefaultOptions(), through); err != nil {
			t.Fatal(err)
		}
		direct.Properties, through.Properties = sorted(direct.Properties), sorted(through.Properties)
		if !same(direct, through) {
			t.Fatalf("sent %+v\ngot  %+v", direct, through)
		}
	})
}

func sorted(p []Property) []Property {
	slices.SortFunc(p, func(a, b Property) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return p
}
