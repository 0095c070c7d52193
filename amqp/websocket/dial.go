package websocket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/gorilla/websocket"
)

// Dial connects to a ws:// or wss:// URL. ctx bounds the dialling only.
func Dial(ctx context.Context, address string, secure *tls.Config) (net.Conn, error) {
	d := websocket.Dialer{
		Subprotocols: []string{Protocol}, TLSClientConfig: secure,
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &pool,
	}
	ws, answer, err := d.DialContext(ctx, address, nil)
	if err != nil {
		if errors.Is(err, websocket.ErrBadHandshake) && answer != nil {
			_ = answer.Body.Close()
			return nil, fmt.Errorf("the server answers %s to the WebSocket upgrade", answer.Status)
		}
		return nil, err
	}
	if err := agreed(ws); err != nil {
		_ = ws.Close()
		return nil, err
	}
	return &Stream{ws: ws}, nil
}
