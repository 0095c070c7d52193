package frame

import (
	"bytes"
	"testing"
)

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want FrameHeader
		ok   bool
	}{
		{"empty frame", []byte{0, 0, 0, 8, 2, 0, 0, 0}, FrameHeader{Size: 8, Offset: 8}, true},
		{"channel", []byte{0, 0, 1, 0, 2, 0, 0x12, 0x34}, FrameHeader{Size: 256, Offset: 8, Channel: 0x1234}, true},
		{"sasl", []byte{0, 0, 0, 9, 2, 1, 0, 0}, FrameHeader{Size: 9, Offset: 8, Type: TypeSASL}, true},
		{"extended header", []byte{0, 0, 0, 20, 5, 0, 0, 0}, FrameHeader{Size: 20, Offset: 20}, true},
		{"as large as agreed", []byte{0, 0, 2, 0, 2, 0, 0, 0}, FrameHeader{Size: 512, Offset: 8}, true},
		{"larger than agreed", []byte{0, 0, 2, 1, 2, 0, 0, 0}, FrameHeader{}, false},
		{"larger than all", []byte{255, 255, 255, 255, 2, 0, 0, 0}, FrameHeader{}, false},
		{"smaller than its header", []byte{0, 0, 0, 7, 2, 0, 0, 0}, FrameHeader{}, false},
		{"offset inside of the header", []byte{0, 0, 0, 8, 1, 0, 0, 0}, FrameHeader{}, false},
		{"offset outside of the frame", []byte{0, 0, 0, 11, 3, 0, 0, 0}, FrameHeader{}, false},
		{"unknown type", []byte{0, 0, 0, 8, 2, 2, 0, 0}, FrameHeader{}, false},
		{"HTTP", []byte("GET / HT"), FrameHeader{}, false},
	} {
		h, err := ParseHeader(c.b, 512)
		if c.ok != (err == nil) || c.ok && h != c.want {
			t.Errorf("%s: %+v, %v", c.name, h, err)
		}
		if err != nil && ConditionOf(err) != ConditionFramingError {
			t.Errorf("%s: condition %s", c.name, ConditionOf(err))
		}
		if c.ok && c.want.Offset == HeaderSize {
			if b := AppendHeader(nil, h.Size, h.Type, h.Channel); !bytes.Equal(b, c.b) {
				t.Errorf("%s: written as %x", c.name, b)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	got := Append([]byte("x"), TypeSASL, 0, &SASLResponse{Response: []byte("r")})
	want := append([]byte{'x', 0, 0, 0, 17, 2, 1, 0, 0}, 0x00, 0x53, 0x43, 0xc0, 4, 1, 0xa0, 1, 'r')
	if !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	b, mark := BeginFrame(nil, TypeAMQP, 7)
	b = (&Transfer{Handle: 1}).Append(b)
	b = EndFrame(b, mark, 1000)
	h, err := ParseHeader(b, 4096)
	if err != nil || h.Size != uint32(len(b)+1000) || h.Channel != 7 {
		t.Errorf("%+v, %v", h, err)
	}
	if h, err := ParseHeader(Empty[:], 512); err != nil || h.Size != HeaderSize {
		t.Errorf("the empty frame: %+v, %v", h, err)
	}
}

func TestProtocolHeader(t *testing.T) {
	for _, c := range []struct {
		text string
		want string
		ok   bool
	}{
		{"AMQP\x00\x01\x00\x00", "AMQP 1.0.0", true},
		{"AMQP\x02\x01\x00\x00", "TLS 1.0.0", true},
		{"AMQP\x03\x01\x00\x00", "SASL 1.0.0", true},
		{"AMQP\x00\x00\x09\x01", "AMQP 0.9.1", true},
		{"AMQP\x01\x01\x00\x0a", "1 1.0.10", true},
		{"GET / HTTP", "", false},
		{"AMQP\x00\x01\x00", "", false},
	} {
		h, ok := ParseProtocolHeader([]byte(c.text))
		if ok != c.ok || ok && (h.String() != c.want || string(h.Append(nil)) != c.text) {
			t.Errorf("%q: %v, %v", c.text, h, ok)
		}
	}
	if got := string(Version1(ProtocolSASL).Append(nil)); got != "AMQP\x03\x01\x00\x00" {
		t.Errorf("%q", got)
	}
}
