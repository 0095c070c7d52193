package nats

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// writer turns messages of ours into NATS's. Its room is used again for each: the slices in
// the header are cut from values, so that a message with the headers of the one before it
// needs its values alone.
type writer struct {
	c      *settings
	fields translate.Message
	names  []string // of headers, in order
	values []string
	at     int // headers of this message so far
	room   int // capacity of values
	msg    nats.Msg
}

func newWriter(c *settings) *writer {
	return &writer{c: c, msg: nats.Msg{Header: nats.Header{}}}
}

// write gives a message as it goes out, to which set may add until done; it is good until
// the next. Errors are for good.
func (w *writer) write(o *interop.Outbound) (*nats.Msg, error) {
	f := &w.fields
	if err := translate.Read(o.Message, f); err != nil {
		return nil, err
	}
	if o.Expires != 0 {
		f.Expiration = o.Expires
	}
	headers, body, err := w.c.encoding.Out(f, w.c.options)
	if err != nil {
		return nil, err
	}
	m := &w.msg
	w.at = 0
	for i := range headers {
		w.set(headers[i].Name, headers[i].Value)
	}
	if o.Origin != "" && w.c.encoding != translate.Raw {
		w.set(interop.HeaderOrigin, o.Origin)
	}
	m.Subject, m.Reply, m.Data = w.c.names.subject(o.To.Name), o.ReplyTo, body
	if m.Reply == "" && f.ReplyTo.Name != "" && !strings.HasPrefix(f.ReplyTo.Name, temporary) {
		m.Reply = w.c.names.subject(f.ReplyTo.Name)
	}
	return m, nil
}

// temporary begins the names of temporary destinations, which have no subject of their
// own.
const temporary = "$TMP$."

// set sets a header; of one name twice the last counts. done ends the message.
func (w *writer) set(name, value string) {
	i := w.at
	w.at++
	if i < len(w.names) && w.names[i] == name {
		w.values[i] = value
		return
	}
	w.cut(i)
	w.names, w.values = append(w.names, name), append(w.values, value)
	if cap(w.values) != w.room { // they have moved
		w.room = cap(w.values)
		for j, n := range w.names[:i] {
			w.msg.Header[n] = w.values[j : j+1 : j+1]
		}
	}
	w.msg.Header[name] = w.values[i : i+1 : i+1]
}

// done ends a message: headers that only the one before it had go.
func (w *writer) done() {
	if len(w.names) > w.at {
		w.cut(w.at)
	}
}

// cut takes the headers from i away.
func (w *writer) cut(i int) {
	for _, n := range w.names[i:] {
		delete(w.msg.Header, n)
	}
	w.names, w.values = w.names[:i], w.values[:i]
	for j := i - 1; j >= 0; j-- { // one that stood there twice
		if _, ok := w.msg.Header[w.names[j]]; !ok {
			w.msg.Header[w.names[j]] = w.values[j : j+1 : j+1]
		}
	}
}

// refused makes of what NATS's client says of a message the error that it is refused
// with; nil: the message is not to blame.
func refused(nc *nats.Conn, m *nats.Msg, err error) error {
	switch {
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("it has %d bytes with its headers, and NATS takes %d (max_payload of its configuration)", m.Size(), nc.MaxPayload())
	case errors.Is(err, nats.ErrBadSubject):
		return fmt.Errorf("NATS does not take its subject %q: %w", m.Subject, err)
	case errors.Is(err, nats.ErrBadHeaderMsg), errors.Is(err, nats.ErrHeadersNotSupported):
		return err
	}
	return nil
}
