package message

import (
	"iter"

	"github.com/tidegate/tidegate/amqp/wire"
)

// lookup finds the value under a name in an encoded map, whose keys may be
// symbols or strings. Of duplicates the last counts. Nil if it is not there.
func lookup(m []byte, name string) (value []byte) {
	body, count, _, err := wire.MapHead(m)
	if err != nil {
		return nil
	}
	for range count / 2 {
		keySize, err := wire.Skip(body)
		if err != nil {
			return nil
		}
		size, err := wire.Skip(body[keySize:])
		if err != nil {
			return nil
		}
		if isText(body[0]) {
			if key, _, err := wire.TextBytes(body, unlimited); err == nil && string(key) == name {
				value = body[keySize : keySize+size]
			}
		}
		body = body[keySize+size:]
	}
	return value
}

// isText tells whether a constructor is that of a string or symbol.
func isText(code byte) bool {
	return code == 0xa1 || code == 0xb1 || code == 0xa3 || code == 0xb3
}

// entries goes over an encoded map in its order, passing over keys that are no
// text.
func entries(m []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for key, value := range pairs(m) {
			if !isText(key[0]) {
				continue
			}
			name, _, _ := wire.TextBytes(key, unlimited)
			if !yield(string(name), value) {
				return
			}
		}
	}
}

// Annotation gives a message annotation; false where it is absent. Binaries
// alias the message.
func (m *Message) Annotation(name string) (any, bool) {
	return decode(lookup(m.value(annotationSection), name))
}

// DeliveryAnnotation gives a delivery annotation; false where it is absent.
func (m *Message) DeliveryAnnotation(name string) (any, bool) {
	return decode(lookup(m.value(deliverySection), name))
}

// ApplicationProperty gives an application property with its exact type; false
// where it is absent, true with nil where it is null.
func (m *Message) ApplicationProperty(name string) (any, bool) {
	return decode(lookup(m.value(applicationSection), name))
}

// ApplicationProperties goes over all of them, in their order.
func (m *Message) ApplicationProperties() iter.Seq2[string, any] {
	return decoded(m.value(applicationSection))
}

// Annotations goes over the message annotations that have names, in their order.
func (m *Message) Annotations() iter.Seq2[string, any] {
	return decoded(m.value(annotationSection))
}

func decoded(b []byte) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for name, b := range entries(b) {
			if v, ok := decode(b); ok && !yield(name, v) {
				return
			}
		}
	}
}

func decode(b []byte) (any, bool) {
	if b == nil {
		return nil, false
	}
	v, _, err := wire.Value(b, unlimited)
	return v, err == nil
}
