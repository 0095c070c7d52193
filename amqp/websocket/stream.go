package websocket

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Stream is the bytes of a WebSocket's binary messages as one stream. One
// goroutine may read while another writes.
type Stream struct {
	ws      *websocket.Conn
	message io.Reader // the one being read; nil between two
}

var _ net.Conn = (*Stream)(nil)

// pool lends buffers to messages being written: an idle connection holds none.
var pool sync.Pool

// Read takes bytes of the current message, or of the next one that has any. A
// peer's close is io.EOF; a text message is an error and closes the connection.
func (s *Stream) Read(b []byte) (int, error) {
	for {
		if s.message == nil {
			kind, r, err := s.ws.NextReader()
			var closed *websocket.CloseError
			switch {
			case errors.As(err, &closed):
				return 0, io.EOF
			case err != nil:
				return 0, err
			case kind != websocket.BinaryMessage:
				s.say(websocket.CloseUnsupportedData, "AMQP comes in binary messages")
				return 0, errors.New("a text message came: AMQP comes in binary ones")
			}
			s.message = r
		}
		n, err := s.message.Read(b)
		if errors.Is(err, io.EOF) {
			s.message, err = nil, nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

// Write sends b as one message.
func (s *Stream) Write(b []byte) (int, error) {
	if err := s.ws.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteParts sends all parts as one message.
func (s *Stream) WriteParts(parts [][]byte) error {
	w, err := s.ws.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return w.Close()
}

// say sends a close frame, if the socket takes it.
func (s *Stream) say(code int, why string) {
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, why), time.Now().Add(controlTimeOut))
}

// Close says goodbye (1000, the binding's 2.5) and closes the socket.
func (s *Stream) Close() error {
	s.say(websocket.CloseNormalClosure, "")
	return s.ws.Close()
}

// LocalAddr is net.Conn's.
func (s *Stream) LocalAddr() net.Addr { return s.ws.LocalAddr() }

// RemoteAddr is net.Conn's.
func (s *Stream) RemoteAddr() net.Addr { return s.ws.RemoteAddr() }

// SetReadDeadline is net.Conn's.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.ws.SetReadDeadline(t) }

// SetWriteDeadline is net.Conn's.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.ws.SetWriteDeadline(t) }

// SetDeadline is net.Conn's.
func (s *Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// agreed checks the subprotocol that both sides came to.
func agreed(ws *websocket.Conn) error {
	if p := ws.Subprotocol(); p != Protocol && p != oldProtocol {
		return fmt.Errorf("the server agreed to the WebSocket subprotocol %.64q instead of %q", p, Protocol)
	}
	return nil
}
