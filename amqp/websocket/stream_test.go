package websocket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// pair connects a client of the library's own to Accept.
func pair(t *testing.T) (*websocket.Conn, *Stream) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan *Stream, 1)
	failed := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			failed <- err
			return
		}
		s, err := Accept(raw, nil)
		if err != nil {
			failed <- err
			return
		}
		accepted <- s
	}()
	c, _, err := (&websocket.Dialer{Subprotocols: []string{Protocol}}).Dial("ws://"+l.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	select {
	case s := <-accepted:
		t.Cleanup(func() { _ = s.Close() })
		return c, s
	case err := <-failed:
		t.Fatal(err)
	}
	return nil, nil
}

// TestBoundariesMeanNothing: bytes cut into messages of one byte, empty ones,
// fragments of messages and pings between them come out as one stream
// (reference 1.9, amqpFramesSplitOverManyWebSocketFrames).
func TestBoundariesMeanNothing(t *testing.T) {
	c, s := pair(t)
	want := strings.Repeat("AMQP as a stream;", 1000)
	sent := make(chan error, 1)
	go func() {
		sent <- func() error {
			for i, step := 0, 0; i < len(want); step++ {
				n := min(1+step%700, len(want)-i)
				if step%5 == 0 {
					if err := c.WriteMessage(websocket.BinaryMessage, nil); err != nil {
						return err
					}
				}
				if step%7 == 0 {
					if err := c.WriteMessage(websocket.PingMessage, []byte("there?")); err != nil {
						return err
					}
				}
				w, err := c.NextWriter(websocket.BinaryMessage) // flushes by fragments of its buffer
				if err != nil {
					return err
				}
				if _, err := io.WriteString(w, want[i:i+n]); err != nil {
					return err
				}
				if err := w.Close(); err != nil {
					return err
				}
				i += n
			}
			big, err := c.NextWriter(websocket.BinaryMessage)
			if err != nil {
				return err
			}
			for range 100 { // one message of many fragments
				if _, err := io.WriteString(big, want); err != nil {
					return err
				}
			}
			return big.Close()
		}()
	}()
	got := make([]byte, 101*len(want))
	if _, err := io.ReadFull(s, got); err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if string(got) != strings.Repeat(want, 101) {
		t.Error("the bytes came altered")
	}
}

// TestOneMessage: parts leave as one binary message.
func TestOneMessage(t *testing.T) {
	c, s := pair(t)
	large := bytes.Repeat([]byte("large"), 20_000)
	if err := s.WriteParts([][]byte{[]byte("head"), large, []byte("tail")}); err != nil {
		t.Fatal(err)
	}
	kind, got, err := c.ReadMessage()
	if err != nil || kind != websocket.BinaryMessage || string(got) != "head"+string(large)+"tail" {
		t.Errorf("kind %d, %d bytes, %v", kind, len(got), err)
	}
}

// TestText: a text message closes the connection with 1003.
func TestText(t *testing.T) {
	c, s := pair(t)
	if err := c.WriteMessage(websocket.TextMessage, []byte("AMQP")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 10)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want an error", err)
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseUnsupportedData) {
		t.Errorf("the client was told %v, want 1003", err)
	}
}

// TestPeerCloses: a close frame is the end of the stream, and is answered.
func TestPeerCloses(t *testing.T) {
	c, s := pair(t)
	if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(make([]byte, 10)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v, want the end", err)
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("the client was told %v, want 1000", err)
	}
}

// TestPipelined: bytes that the client sent ahead of the answer are not lost.
func TestPipelined(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	const frame = "\x82\x84\x00\x00\x00\x00AMQP" // binary, masked by zeros
	go func() { _, _ = io.WriteString(ours, request+frame) }()
	go func() { _, _ = io.Copy(io.Discard, ours) }()
	s, err := Accept(theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	got := make([]byte, 4)
	if _, err := io.ReadFull(s, got); err != nil || string(got) != "AMQP" {
		t.Errorf("%q, %v", got, err)
	}
}

const request = "GET /amqp HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: amqp\r\n\r\n"

// canned is a connection on which everything has arrived.
type canned struct {
	net.Conn // none: only what follows is used
	in       *bytes.Reader
}

func (c canned) Read(b []byte) (int, error)     { return c.in.Read(b) }
func (canned) Write(b []byte) (int, error)      { return len(b), nil }
func (canned) Close() error                     { return nil }
func (canned) SetDeadline(time.Time) error      { return nil }
func (canned) SetReadDeadline(time.Time) error  { return nil }
func (canned) SetWriteDeadline(time.Time) error { return nil }

// FuzzAccept: whatever comes, Accept and Read end, and give no more bytes than
// came.
func FuzzAccept(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte(request + "\x82\x84\x00\x00\x00\x00AMQP"))
	f.Add([]byte(request + "\x02\x81\x01\x02\x03\x04a\x80\x81\x01\x02\x03\x04b\x88\x80\x00\x00\x00\x00"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Accept(canned{in: bytes.NewReader(b)}, nil)
		if err != nil {
			return
		}
		if n, _ := io.Copy(io.Discard, s); n > int64(len(b)) {
			t.Errorf("%d bytes out of %d", n, len(b))
		}
	})
}
