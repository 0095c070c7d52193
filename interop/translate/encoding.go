package translate

import (
	"fmt"
	"strings"
)

// Encoding is how a message looks outside (migration 3.4).
type Encoding uint8

// The encodings.
const (
	Headers Encoding = iota // body as it is, all else in headers: the default
	JSON                    // one JSON document with the types of Rendezvous
	Raw                     // the body and nothing else
)

var encodingNames = [...]string{"headers", "ems-json", "raw"}

// String is the word of a transport's `encoding` key.
func (e Encoding) String() string {
	if int(e) >= len(encodingNames) {
		return fmt.Sprintf("encoding %d", uint8(e))
	}
	return encodingNames[e]
}

// ParseEncoding reads the word; "" is the default.
func ParseEncoding(word string) (Encoding, error) {
	for i, name := range encodingNames {
		if word == name {
			return Encoding(i), nil
		}
	}
	if word == "" {
		return Headers, nil
	}
	return 0, &Error{Op: "choose an encoding", Where: word, Reason: "is none: write encoding = headers, ems-json or raw"}
}

// Header is one header of a message outside. Names are tokens of MIME and values
// printable ASCII without spaces at their ends, so that NATS carries them unchanged.
type Header struct{ Name, Value string }

// Options are what a transport's section says of translation.
type Options struct {
	ExportHeaders    bool // EMS's export_headers, default true
	ExportProperties bool // EMS's export_properties, default true
	Limits           Limits
}

// DefaultOptions are EMS's.
func DefaultOptions() Options { return Options{ExportHeaders: true, ExportProperties: true} }

// Limits bound what a message from outside may cost, and what is made of one of ours:
// what could not come back does not go out. Zero fields stand for the defaults.
type Limits struct {
	Headers     int // number of headers
	HeaderBytes int // bytes of all their names and values
	Body        int // bytes of the body
	Depth       int // maps, lists and arrays within each other in a body
	Values      int // values in a message's map and stream body and typed properties
}

// The defaults.
const (
	MaxHeaders     = 4096
	MaxHeaderBytes = 1 << 20
	MaxBody        = 64 << 20
	MaxDepth       = 32
	MaxValues      = 1 << 18
)

func (l Limits) filled() Limits {
	for _, f := range []struct {
		limit *int
		value int
	}{
		{&l.Headers, MaxHeaders},
		{&l.HeaderBytes, MaxHeaderBytes},
		{&l.Body, MaxBody},
		{&l.Depth, MaxDepth},
		{&l.Values, MaxValues},
	} {
		if *f.limit == 0 {
			*f.limit = f.value
		}
	}
	return l
}

// check compares headers and body with the limits.
func (l Limits) check(op string, headers []Header, body []byte) error {
	if len(headers) > l.Headers {
		return &Error{Op: op, Reason: fmt.Sprintf("%d headers, and the limit is %d: send fewer properties, or put them into the body", len(headers), l.Headers)}
	}
	size := 0
	for i := range headers {
		size += len(headers[i].Name) + len(headers[i].Value)
	}
	if size > l.HeaderBytes {
		return &Error{Op: op, Reason: fmt.Sprintf("headers of %d bytes, and the limit is %d: put what is long into the body", size, l.HeaderBytes)}
	}
	if len(body) > l.Body {
		return &Error{Op: op, Where: "body", Reason: fmt.Sprintf("%d bytes, and the limit is %d: send it in parts", len(body), l.Body)}
	}
	return nil
}

// checkBody compares what a body holds with the limits.
func (l Limits) checkBody(op string, b *Body) error {
	var v any
	switch b.Form {
	case Fields:
		v = b.Map
	case Items:
		v = b.List
	case Foreign:
		v = b.Value
	default:
		return nil
	}
	values, depth := measure(v)
	if values > l.Values {
		return &Error{Op: op, Where: "body", Reason: fmt.Sprintf("%d values, and the limit is %d: send it in several messages", values, l.Values)}
	}
	if depth > l.Depth {
		return &Error{Op: op, Where: "body", Reason: fmt.Sprintf("%d levels, and the limit is %d: flatten it", depth, l.Depth)}
	}
	return nil
}

// Out gives a message as it goes out. The body may alias that of m. Errors are
// *Error: a limit.
func (e Encoding) Out(m *Message, o Options) (headers []Header, body []byte, err error) {
	limits, op := o.Limits.filled(), "export as "+e.String()
	if err := limits.checkBody(op, &m.Body); err != nil {
		return nil, nil, err
	}
	switch e {
	case Headers:
		headers, body = outHeaders(m, &o), m.payload()
	case JSON:
		headers, body = []Header{{contentType, "application/json"}}, outJSON(m, &o)
	default:
		body = m.payload()
	}
	if err := limits.check(op, headers, body); err != nil {
		return nil, nil, err
	}
	return headers, body, nil
}

// In reads a message that came from outside. into may alias body. Errors are *Error;
// after one into is of no use.
func (e Encoding) In(headers []Header, body []byte, o Options, into *Message) error {
	in := reader{op: "import as " + e.String(), limits: o.Limits.filled(), m: into}
	in.values = in.limits.Values
	if err := in.limits.check(in.op, headers, body); err != nil {
		return err
	}
	into.reset()
	switch e {
	case Headers:
		err := in.headers(headers, body)
		into.tidy()
		return err
	case JSON:
		in.widen = true
		err := in.document(body)
		into.tidy()
		return err
	}
	for i := range headers { // raw: the type says whether the body is a text, and no more
		if strings.EqualFold(headers[i].Name, contentType) {
			into.ContentType = headers[i].Value
		}
	}
	in.infer(body)
	into.ContentType = ""
	return nil
}

// tidy takes off what Build would not write, and what AMQP forbids.
func (m *Message) tidy() {
	if m.Expiration != 0 {
		m.TTL = 0
	}
	m.Properties = onceEach(m.Properties)
	for _, d := range []*Destination{&m.Destination, &m.ReplyTo} {
		if d.Name == "" {
			d.Kind = Unknown
		}
	}
}

// reader has what one In needs.
type reader struct {
	op     string
	limits Limits
	values int  // that may still be made
	widen  bool // types that JMS does not have become those that EMS gives for them
	m      *Message
	t      tree // of the JSON text that is read
}

// maxWhere cuts names from outside in error messages, in bytes.
const maxWhere = 100

func (r *reader) fail(where, reason string, args ...any) error {
	if len(where) > maxWhere {
		where = clean(where[:maxWhere]) + "..."
	}
	return &Error{Op: r.op, Where: where, Reason: fmt.Sprintf(reason, args...)}
}

// reservedPrefixes begin the names of headers that belong to transports: the marks of
// the loop guard, and what NATS itself reads.
var reservedPrefixes = []string{"Ems-", "Nats-"}

// IsReserved says whether a header belongs to the transport, so that In makes no
// property of it. Out never writes one.
func IsReserved(name string) bool {
	for _, prefix := range reservedPrefixes {
		if hasPrefixFold(name, prefix) {
			return true
		}
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
