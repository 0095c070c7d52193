package message

import (
	"bytes"
	"testing"

	"github.com/tidegate/tidegate/amqp/wire"
)

// TestRewritten: what is not asked for stays byte for byte, whatever sections there are.
func TestRewritten(t *testing.T) {
	for _, shape := range []struct {
		name string
		make func(b *Builder)
	}{
		{"bare", func(b *Builder) { b.SetText("x") }},
		{"no body", func(b *Builder) { b.Properties.Subject = "s" }},
		{"all", func(b *Builder) {
			b.Header = Header{Durable: true, Priority: 7, TTL: wire.Some[uint32](5000), DeliveryCount: 3}
			b.DeliveryAnnotations = wire.Map{{Key: wire.Symbol("hop"), Value: "gone"}}
			b.Annotations = wire.Map{{Key: wire.Symbol("a"), Value: int32(1)}, {Key: wire.Symbol("b"), Value: "was"}}
			b.Properties.MessageID = "ID:1"
			b.SetProperty("p", int64(1))
			b.SetProperty("q", "was")
			b.SetBytes([]byte("body"))
			b.Footer = wire.Map{{Key: wire.Symbol("f"), Value: true}}
		}},
	} {
		t.Run(shape.name, func(t *testing.T) {
			b := NewBuilder()
			shape.make(b)
			m := b.Message()
			n, err := m.Rewritten(Rewrite{
				Durable: true, Annotations: wire.Map{{Key: wire.Symbol("b"), Value: "is"}}, Properties: wire.Map{{Key: "q", Value: true}, {Key: "r", Value: "new"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if h := n.Header(); !h.Durable || h.Priority != m.Header().Priority || h.TTL != m.Header().TTL || h.DeliveryCount != 0 {
				t.Errorf("its header is %+v", h)
			}
			if v, _ := n.Annotation("b"); v != "is" {
				t.Errorf("annotation b is %v", v)
			}
			if v, _ := n.ApplicationProperty("q"); v != true {
				t.Errorf("property q is %v", v)
			}
			for name, v := range m.ApplicationProperties() {
				if is, ok := n.ApplicationProperty(name); name != "q" && (!ok || is != v) {
					t.Errorf("property %s is %v", name, is)
				}
			}
			if _, ok := n.DeliveryAnnotation("hop"); ok {
				t.Error("delivery annotations are of one hop")
			}
			if a, b := bytes.Join(m.BodyPieces(nil), nil), bytes.Join(n.BodyPieces(nil), nil); !bytes.Equal(a, b) {
				t.Errorf("the body is %x, was %x", b, a)
			}
			if m.MessageID() != n.MessageID() || m.Subject() != n.Subject() {
				t.Error("its properties changed")
			}
			same, err := m.Rewritten(Rewrite{Durable: m.Header().Durable})
			if err != nil {
				t.Fatal(err)
			}
			if a, b := whole(m)[m.Offset():], whole(same)[same.Offset():]; !bytes.Equal(a, b) {
				t.Errorf("nothing was asked for, and %x became %x", a, b)
			}
		})
	}
}

func whole(m *Message) []byte { return bytes.Join(m.Pieces(nil), nil) }
