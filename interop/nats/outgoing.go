package nats

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// writer turns messages of ours into NATS's. Its room is used again for each.
type writer struct {
	c      *settings
	fields translate.Message
	values []string
	msg    nats.Msg
}

func newWriter(c *settings) *writer {
	return &writer{c: c, msg: nats.Msg{Header: nats.Header{}}}
}

// write gives a message as it goes out; it is good until the next. Errors are for good.
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
	clear(m.Header)
	w.values = w.values[:0]
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

// set sets a header. The slices are cut from one, which may move while it grows: those
// cut before stay good.
func (w *writer) set(name, value string) {
	w.values = append(w.values, value)
	n := len(w.values)
	w.msg.Header[name] = w.values[n-1 : n : n]
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
