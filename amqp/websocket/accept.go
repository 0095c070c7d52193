package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Origins are the web pages that may connect, as browsers name them
// (https://example.com); "*" is all. Pages of the server's own host, and clients
// that are no browsers and so send no Origin, always may.
type Origins []string

// allowed decides about a request.
func (o Origins) allowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(o, "*") {
		return true
	}
	if slices.ContainsFunc(o, func(allowed string) bool { return strings.EqualFold(allowed, origin) }) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// Accept reads an HTTP request from raw and answers its upgrade. A request that
// is none of ours is answered with an HTTP error, and the error returned says
// what was wrong. The caller closes raw after an error, and bounds the time by
// closing it.
func Accept(raw net.Conn, origins Origins) (*Stream, error) {
	limited := &io.LimitedReader{R: raw, N: MaxRequest}
	in := bufio.NewReaderSize(limited, readBuffer)
	r, err := http.ReadRequest(in)
	w := &response{conn: raw, header: http.Header{}}
	if err != nil {
		if limited.N <= 0 {
			err = fmt.Errorf("an HTTP request head longer than %d bytes", MaxRequest)
			http.Error(w, err.Error(), http.StatusRequestHeaderFieldsTooLarge)
		} else if !errors.Is(err, io.ErrUnexpectedEOF) {
			http.Error(w, "not an HTTP request", http.StatusBadRequest)
		}
		return nil, err
	}
	if !websocket.IsWebSocketUpgrade(r) {
		w.header.Set("Upgrade", "websocket")
		w.header.Set("Connection", "Upgrade")
		http.Error(w, "This is an AMQP port; it speaks HTTP only to upgrade to WebSocket.", http.StatusUpgradeRequired)
		return nil, errors.New("an HTTP request that asks for no upgrade to WebSocket")
	}
	offered := websocket.Subprotocols(r)
	if !slices.Contains(offered, Protocol) && !slices.Contains(offered, oldProtocol) {
		http.Error(w, `The WebSocket subprotocol must be "amqp".`, http.StatusBadRequest)
		return nil, fmt.Errorf("a WebSocket without the subprotocol %q", Protocol)
	}
	// What the client sent ahead is read again behind the request.
	early, _ := in.Peek(in.Buffered())
	w.hijacked = raw
	if len(early) > 0 {
		w.hijacked = Replay(raw, bytes.Clone(early))
	}
	up := websocket.Upgrader{
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &pool,
		Subprotocols: []string{Protocol, oldProtocol}, CheckOrigin: origins.allowed,
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil, err
	}
	return &Stream{ws: ws}, nil
}

// response is as much of an http.ResponseWriter as one answer needs.
type response struct {
	conn     net.Conn
	hijacked net.Conn
	header   http.Header
	status   int
}

// Header is http.ResponseWriter's.
func (w *response) Header() http.Header { return w.header }

// WriteHeader is http.ResponseWriter's.
func (w *response) WriteHeader(status int) { w.status = status }

// Write sends the whole answer: a body is written at once.
func (w *response) Write(body []byte) (int, error) {
	w.header.Set("Connection", "close")
	if w.status == http.StatusUpgradeRequired {
		w.header.Set("Connection", "Upgrade, close")
	}
	answer := http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(controlTimeOut))
	return len(body), answer.Write(w.conn)
}

// Hijack is http.Hijacker's.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	// The library makes its own buffers; these are only looked at.
	return w.hijacked, bufio.NewReadWriter(bufio.NewReaderSize(w.hijacked, 16), bufio.NewWriterSize(w.hijacked, 16)), nil
}

// Replay is a connection whose first bytes were read already: they are read
// again, then the rest.
func Replay(c net.Conn, first []byte) net.Conn { return &replayed{Conn: c, first: first} }

type replayed struct {
	net.Conn
	first []byte
}

func (r *replayed) Read(b []byte) (int, error) {
	if len(r.first) == 0 {
		return r.Conn.Read(b)
	}
	n := copy(b, r.first)
	if r.first = r.first[n:]; len(r.first) == 0 {
		r.first = nil
	}
	return n, nil
}
