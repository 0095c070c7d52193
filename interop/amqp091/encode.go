package amqp091

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// Names of headers. Those of JMS are translate's; each is written only where the
// message's own properties of AMQP 0-9-1 do not say the same.
const (
	headerBody     = "JMS-Body"
	headerMode     = "JMS-Delivery-Mode"
	headerPriority = "JMS-Priority"
	headerPrefix   = "JMS-"
	propertyPrefix = "JMSP-"
	contentType    = "Content-Type"
	contentCoding  = "Content-Encoding"
	appProperty    = "JMSXAppID"
)

const (
	transient  = 1
	persistent = 2
	// maxTTL is the longest expiration in ms that RabbitMQ takes; with a longer one it
	// closes the channel. JMS-Expiration says those.
	maxTTL = math.MaxUint32
	// frameRoom is what a header frame has beside the properties, and some bytes more.
	frameRoom = 64
)

// encoder makes messages of AMQP 0-9-1. It is used again for each, by one goroutine;
// what it gives holds until the next.
type encoder struct {
	*settings
	frame int // frame_max of the connection: the properties must fit in one

	m    translate.Message
	rest translate.Message
	odd  []translate.Property
	p    amqp.Publishing
}

// encode makes a message; now in ms since 1970. An error says why it can never be sent.
func (e *encoder) encode(o *interop.Outbound, now int64) (*amqp.Publishing, error) {
	m := &e.m
	if err := translate.Read(o.Message, m); err != nil {
		return nil, err
	}
	m.Expiration, m.TTL = o.Expires, 0
	headers := e.p.Headers
	if headers == nil {
		headers = amqp.Table{}
	}
	clear(headers)
	e.p = amqp.Publishing{Headers: headers, DeliveryMode: transient, Priority: m.Priority, MessageId: o.ID, ReplyTo: o.ReplyTo}
	if m.Persistent {
		e.p.DeliveryMode = persistent
	}
	if m.Expiration > 0 {
		if left := max(m.Expiration-now, 0); left <= maxTTL {
			e.p.Expiration = strconv.FormatInt(left, 10)
		}
	}
	if o.ReplyTo == "" && m.ReplyTo.Name != "" && m.ReplyTo.Kind != translate.TemporaryQueue && m.ReplyTo.Kind != translate.TemporaryTopic {
		if to := e.prefix + m.ReplyTo.Name; short(to) {
			e.p.ReplyTo = to
		}
	}
	if e.options.ExportHeaders {
		e.natives()
	}
	var err error
	if e.encoding == translate.Headers {
		err = e.headers(o)
	} else {
		err = e.document(o)
	}
	if err != nil {
		return nil, err
	}
	if n := size(&e.p); e.frame > 0 && n > e.frame-frameRoom {
		return nil, fmt.Errorf("its properties have %d bytes outside, and frame_max of the broker is %d: use fewer or shorter ones, put them into the body, or set encoding = ems-json", n, e.frame)
	}
	return &e.p, nil
}

// short says whether a text can be one of the message's own properties.
func short(s string) bool { return s != "" && len(s) <= maxShort && utf8.ValidString(s) }

// natives sets the message's own properties that JMS calls headers.
func (e *encoder) natives() {
	if id := message.MessageIDString(e.m.MessageID); short(id) {
		e.p.MessageId = id
	}
	if id := message.CorrelationIDString(e.m.CorrelationID); short(id) {
		e.p.CorrelationId = id
	}
	if short(e.m.Type) {
		e.p.Type = e.m.Type
	}
	if e.m.Timestamp >= 1000 {
		e.p.Timestamp = time.UnixMilli(e.m.Timestamp)
	}
}

// document is the encodings that do not look into the message.
func (e *encoder) document(o *interop.Outbound) error {
	headers, body, err := e.encoding.Out(&e.m, e.options)
	if err != nil {
		return err
	}
	for _, h := range headers {
		switch {
		case h.Name == contentType && short(h.Value):
			e.p.ContentType = h.Value
		default:
			e.p.Headers[h.Name] = h.Value
		}
	}
	if o.Origin != "" && e.encoding != translate.Raw {
		e.p.Headers[interop.HeaderOrigin] = o.Origin
	}
	e.p.Body = body
	return nil
}

// headers is the encoding of that name: properties are headers of their types, and what
// AMQP 0-9-1 has no type or place for goes as translate writes it.
func (e *encoder) headers(o *interop.Outbound) error {
	e.odd = e.odd[:0]
	if e.options.ExportProperties {
		for i := range e.m.Properties {
			e.property(&e.m.Properties[i])
		}
	}
	rest := &e.rest
	*rest = e.m
	rest.Properties = e.odd
	if e.options.ExportHeaders {
		e.reduce(rest)
	}
	if short(rest.ContentType) {
		e.p.ContentType, rest.ContentType = rest.ContentType, ""
	}
	if short(rest.ContentEncoding) {
		e.p.ContentEncoding, rest.ContentEncoding = rest.ContentEncoding, ""
	}
	headers, body, err := translate.Headers.Out(rest, e.options)
	if err != nil {
		return err
	}
	for _, h := range headers {
		switch h.Name {
		case headerMode:
			continue
		case headerPriority:
			if e.p.Priority != 0 {
				continue
			}
		}
		if len(h.Name) > maxShort {
			return fmt.Errorf("the name of property %.40s… has %d bytes outside, and AMQP 0-9-1 allows %d: shorten it, or set encoding = ems-json", h.Name[len(propertyPrefix):], len(h.Name), maxShort)
		}
		e.p.Headers[h.Name] = h.Value
	}
	if o.Origin != "" {
		e.p.Headers[interop.HeaderOrigin] = o.Origin
	}
	e.p.Body = body
	return nil
}

// reduce takes out of a message what its own properties say.
func (e *encoder) reduce(m *translate.Message) {
	if e.p.MessageId != "" && e.p.MessageId == message.MessageIDString(m.MessageID) {
		m.MessageID = nil
	}
	if e.p.CorrelationId != "" {
		m.CorrelationID = nil
	}
	if e.p.Type != "" {
		m.Type = ""
	}
	if !e.p.Timestamp.IsZero() && m.Timestamp%1000 == 0 {
		m.Timestamp = 0
	}
	if m.ReplyTo.Kind == translate.Queue && e.p.ReplyTo != "" {
		m.ReplyTo = translate.Destination{}
	}
}

// property makes a header of a property, or leaves it to translate.
func (e *encoder) property(p *translate.Property) {
	e.odd = slices.DeleteFunc(e.odd, func(o translate.Property) bool { return o.Name == p.Name })
	if p.Name == appProperty {
		if text, ok := p.Value.(string); ok && short(text) {
			e.p.AppId = text
			return
		}
		e.p.AppId = ""
	}
	if plain(p.Name) && typed(p.Value) {
		e.p.Headers[p.Name] = p.Value
		return
	}
	delete(e.p.Headers, p.Name)
	e.odd = append(e.odd, *p)
}

// plain says whether a property's name can be a header's. CC and BCC would send the
// message to more queues, and those that begin with x- RabbitMQ writes itself.
func plain(name string) bool {
	if !short(name) || strings.EqualFold(name, "CC") || strings.EqualFold(name, "BCC") || name == appProperty {
		return false
	}
	switch name[0] {
	case 'x', 'X', 'j', 'J', 'e', 'E', 'n', 'N', 'c', 'C':
		return !reserved(name)
	}
	return true
}

func reserved(name string) bool {
	return hasPrefixFold(name, "x-") || hasPrefixFold(name, headerPrefix) || hasPrefixFold(name, propertyPrefix) || translate.IsReserved(name) ||
		strings.EqualFold(name, contentType) || strings.EqualFold(name, contentCoding)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// typed says whether a header can have the value with its type. Erlang has no numbers
// that are none, nor infinite ones: RabbitMQ closes the connection at them.
func typed(v any) bool {
	switch v := v.(type) {
	case nil, bool, int8, int16, int32, int64, []byte:
		return true
	case string:
		return utf8.ValidString(v)
	case float32:
		return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
	case float64:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return false
}

// size is about how many bytes the properties have on the wire, not less.
func size(p *amqp.Publishing) int {
	n := 32 + len(p.ContentType) + len(p.ContentEncoding) + len(p.CorrelationId) + len(p.ReplyTo) + len(p.Expiration) +
		len(p.MessageId) + len(p.Type) + len(p.AppId)
	for name, v := range p.Headers { // order: irrelevant
		n += len(name) + 14
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}
