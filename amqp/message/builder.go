package message

import "github.com/tidegate/tidegate/amqp/wire"

// Builder makes a message. Start with NewBuilder; set what is wanted; then take
// Append or Message.
type Builder struct {
	Header                Header
	DeliveryAnnotations   wire.Map
	Annotations           wire.Map // keys are wire.Symbol
	Properties            Properties
	ApplicationProperties wire.Map // keys are string; values keep their exact type
	Footer                wire.Map

	kind  BodyKind
	data  [][]byte
	lists []wire.List
	value any
}

// NewBuilder starts a message without body, of default priority.
func NewBuilder() *Builder { return &Builder{Header: Header{Priority: DefaultPriority}} }

// SetData makes the body data sections of these contents, one each.
func (b *Builder) SetData(data ...[]byte) { b.kind, b.data = BodyData, data }

// SetSequence makes the body amqp-sequence sections of these lists, one each.
func (b *Builder) SetSequence(lists ...wire.List) { b.kind, b.lists = BodySequence, lists }

// SetValue makes the body one amqp-value; of the types see wire.Value.
func (b *Builder) SetValue(v any) { b.kind, b.value = BodyValue, v }

// SetText makes the body a text, and says so to JMS.
func (b *Builder) SetText(text string) {
	b.SetValue(text)
	b.SetKind(KindText)
}

// SetBytes makes the body bytes, and says so to JMS.
func (b *Builder) SetBytes(data []byte) {
	b.SetData(data)
	b.Properties.ContentType = octetStream
	b.SetKind(KindBytes)
}

// SetKind annotates the message with its JMS class.
func (b *Builder) SetKind(k Kind) {
	b.Annotations = b.Annotations.Set(wire.Symbol(KindAnnotation), int8(k))
}

// SetProperty sets an application property.
func (b *Builder) SetProperty(name string, v any) {
	b.ApplicationProperties = b.ApplicationProperties.Set(name, v)
}

// Append appends the encoded message.
func (b *Builder) Append(dst []byte) []byte {
	h := &b.Header
	dst = AppendHeader(dst, h.Durable, h.Priority, h.TTL, h.FirstAcquirer, h.DeliveryCount)
	dst = appendMap(dst, codeDelivery, b.DeliveryAnnotations)
	dst = appendMap(dst, codeAnnotations, b.Annotations)
	dst = b.Properties.append(dst)
	dst = appendMap(dst, codeApplication, b.ApplicationProperties)
	switch b.kind {
	case BodyData:
		for _, data := range b.data {
			dst = wire.AppendBinary(wire.AppendDescriptor(dst, codeData), data)
		}
	case BodySequence:
		for _, list := range b.lists {
			dst = wire.AppendValue(wire.AppendDescriptor(dst, codeSequence), list)
		}
	case BodyValue:
		dst = wire.AppendValue(wire.AppendDescriptor(dst, codeValue), b.value)
	}
	return appendMap(dst, codeFooter, b.Footer)
}

// Message gives the message built, by itself.
func (b *Builder) Message() *Message {
	m := &Message{}
	if err := m.Index(b.Append(make([]byte, 0, b.roughly())), nil, nil); err != nil {
		panic("message: what a Builder was given is no message: " + err.Error())
	}
	return m
}

// roughly guesses the message's size, so that its bytes are allocated once: with room
// for fields and properties of the usual size, a body of data or text is what counts.
func (b *Builder) roughly() int {
	n := 192 + 32*(len(b.Annotations)+len(b.ApplicationProperties))
	for _, data := range b.data {
		n += len(data) + 8
	}
	if text, ok := b.value.(string); ok {
		n += len(text) + 8
	}
	return n
}

func appendMap(dst []byte, code uint64, m wire.Map) []byte {
	if len(m) == 0 {
		return dst
	}
	return wire.AppendMap(wire.AppendDescriptor(dst, code), m)
}

// append appends the properties section, or nothing where all are absent.
func (p *Properties) append(dst []byte) []byte {
	start := len(dst)
	w := fieldWriter{}
	w.b, w.mark = wire.BeginList(wire.AppendDescriptor(dst, codeProperties))
	w.id(fieldMessageID, p.MessageID)
	if p.UserID != nil {
		w.b = wire.AppendBinary(w.to(fieldUserID), p.UserID)
	}
	w.text(fieldTo, p.To)
	w.text(fieldSubject, p.Subject)
	w.text(fieldReplyTo, p.ReplyTo)
	w.id(fieldCorrelationID, p.CorrelationID)
	w.symbol(fieldContentType, p.ContentType)
	w.symbol(fieldContentEncoding, p.ContentEncoding)
	if p.AbsoluteExpiryTime.OK {
		w.b = wire.AppendTimestamp(w.to(fieldAbsoluteExpiryTime), p.AbsoluteExpiryTime.V)
	}
	if p.CreationTime.OK {
		w.b = wire.AppendTimestamp(w.to(fieldCreationTime), p.CreationTime.V)
	}
	w.text(fieldGroupID, p.GroupID)
	if p.GroupSequence.OK {
		w.b = wire.AppendUint(w.to(fieldGroupSequence), p.GroupSequence.V)
	}
	w.text(fieldReplyToGroupID, p.ReplyToGroupID)
	if w.n == 0 {
		return w.b[:start]
	}
	return wire.EndList(w.b, w.mark, w.n)
}

// fieldWriter writes the fields of a list, with nulls for those left out.
type fieldWriter struct {
	b       []byte
	mark, n int
}

// to gives the bytes to which the i-th field is appended.
func (w *fieldWriter) to(i int) []byte {
	gap := i - w.n
	w.n = i + 1
	return pad(w.b, gap)
}

func (w *fieldWriter) id(i int, v any) {
	if v != nil {
		w.b = wire.AppendValue(w.to(i), v)
	}
}

func (w *fieldWriter) text(i int, v string) {
	if v != "" {
		w.b = wire.AppendString(w.to(i), v)
	}
}

func (w *fieldWriter) symbol(i int, v wire.Symbol) {
	if v != "" {
		w.b = wire.AppendSymbol(w.to(i), v)
	}
}
