package amqp091

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/interop"
	"github.com/tidegate/tidegate/interop/translate"
)

// deliveryCount is how often RabbitMQ's quorum queues have given a message; that is
// said by Inbound.Again.
const deliveryCount = "x-delivery-count"

// decode makes a message of one that came in. into may alias its body. An error says why
// it cannot be read.
func (c *settings) decode(d *amqp.Delivery, into *translate.Message) (origin string, err error) {
	names := make([]string, 0, len(d.Headers))
	for name := range d.Headers { // order: sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	headers := make([]translate.Header, 0, 8)
	var properties []translate.Property
	ours := false
	for _, name := range names {
		v := d.Headers[name]
		switch {
		case strings.EqualFold(name, interop.HeaderOrigin):
			origin, _ = v.(string)
		case name == deliveryCount || translate.IsReserved(name):
		case hasPrefixFold(name, headerPrefix) || hasPrefixFold(name, propertyPrefix) || strings.EqualFold(name, contentType) || strings.EqualFold(name, contentCoding):
			ours = ours || strings.EqualFold(name, headerBody)
			headers = append(headers, translate.Header{Name: name, Value: text(v)})
		default:
			properties = append(properties, translate.Property{Name: name, Value: v})
		}
	}
	if d.ContentType != "" {
		headers = append(headers, translate.Header{Name: contentType, Value: percent(d.ContentType)})
	}
	if d.ContentEncoding != "" {
		headers = append(headers, translate.Header{Name: contentCoding, Value: percent(d.ContentEncoding)})
	}
	if err := c.encoding.In(headers, d.Body, c.options, into); err != nil {
		return origin, err
	}
	if c.encoding == translate.Headers {
		for _, p := range properties {
			if !ours || hasPrefixFold(p.Name, "x-") {
				p.Name = translate.PropertyName(p.Name)
			}
			into.Properties = append(into.Properties, translate.Property{Name: clean(p.Name), Value: value(p.Value)})
		}
		if d.AppId != "" {
			into.Set(appProperty, clean(d.AppId))
		}
	}
	c.natives(d, into)
	return origin, nil
}

// natives takes over the message's own properties, where no header said more.
func (c *settings) natives(d *amqp.Delivery, m *translate.Message) {
	if m.MessageID == nil {
		m.MessageID = message.ParseID(clean(d.MessageId))
	}
	if m.CorrelationID == nil && d.CorrelationId != "" {
		m.CorrelationID = message.ParseID(clean(d.CorrelationId))
	}
	if m.Type == "" {
		m.Type = clean(d.Type)
	}
	if m.Timestamp == 0 && !d.Timestamp.IsZero() {
		m.Timestamp = d.Timestamp.UnixMilli()
	}
	if d.Priority > 0 {
		m.Priority = d.Priority
	}
	m.Persistent = d.DeliveryMode == persistent
	if m.Expiration == 0 && d.Expiration != "" {
		if ms, err := strconv.ParseUint(d.Expiration, 10, 64); err == nil {
			m.TTL = uint32(min(ms, math.MaxUint32))
		}
	}
	if m.UserID == nil && d.UserId != "" {
		m.UserID = []byte(d.UserId)
	}
	if d.ReplyTo != "" && c.prefix+m.ReplyTo.Name != d.ReplyTo {
		m.ReplyTo = translate.Destination{Name: clean(c.inside(d.ReplyTo)), Kind: translate.Queue}
	}
}

func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// text gives a header's value as translate reads it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case time.Time:
		return strconv.FormatInt(v.UnixMilli(), 10)
	}
	return fmt.Sprint(v)
}

// value gives a property's value for that of a header. What JMS has no type for becomes
// what can hold it, as EMS does (ems 9); tables and arrays become JSON.
func value(v any) any {
	switch v := v.(type) {
	case nil, bool, int8, int16, int32, int64, float32, float64, []byte:
		return v
	case string:
		return clean(v)
	case uint8:
		return int16(v)
	case uint16:
		return int32(v)
	case uint32:
		return int64(v)
	case time.Time:
		return v.UnixMilli()
	case amqp.Decimal:
		return float64(v.Value) / math.Pow10(int(v.Scale))
	}
	b, err := json.Marshal(nested(v))
	if err != nil {
		return clean(fmt.Sprint(v))
	}
	return string(b)
}

// nested gives what JSON can write of a table or array.
func nested(v any) any {
	switch v := v.(type) {
	case amqp.Table:
		all := make(map[string]any, len(v))
		for name, e := range v { // order: json sorts
			all[clean(name)] = nested(e)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, e := range v {
			all[i] = nested(e)
		}
		return all
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case string:
		return clean(v)
	case float32:
		return nested(float64(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	}
	return v
}

// percent writes percent signs so that translate reads the text back.
func percent(s string) string { return strings.ReplaceAll(s, "%", "%25") }
