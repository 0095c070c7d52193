package translate

import (
	"strings"

	"github.com/tidegate/tidegate/amqp/message"
)

// Names of the encoding `headers`. They are matched without regard to case, because
// some libraries change it; names of properties are not.
const (
	headerBody           = "JMS-Body"
	headerMessageID      = "JMS-Message-Id"
	headerCorrelationID  = "JMS-Correlation-Id"
	headerType           = "JMS-Type"
	headerDestination    = "JMS-Destination"
	headerReplyTo        = "JMS-Reply-To"
	headerDeliveryMode   = "JMS-Delivery-Mode"
	headerPriority       = "JMS-Priority"
	headerTimestamp      = "JMS-Timestamp"
	headerExpiration     = "JMS-Expiration"
	headerTTL            = "JMS-Ttl"
	headerDeliveryTime   = "JMS-Delivery-Time"
	headerDeliveryCount  = "JMS-Delivery-Count"
	headerGroupID        = "JMS-Group-Id"
	headerGroupSequence  = "JMS-Group-Sequence"
	headerReplyToGroupID = "JMS-Reply-To-Group-Id"
	headerUserID         = "JMS-User-Id"

	headerPrefix   = "JMS-"
	propertyPrefix = "JMSP-"

	contentType     = "Content-Type"
	contentEncoding = "Content-Encoding"
)

// Words of JMSDeliveryMode, as selectors have them; EMS's third is not persistent.
const (
	persistent    = "PERSISTENT"
	nonPersistent = "NON_PERSISTENT"
	reliable      = "RELIABLE"
)

// The words of JMS-Body, by kind; natural is the form that a JMS client gives the kind.
var kindWords = [...]struct {
	word    string
	natural Form
}{
	message.KindMessage: {"message", NoBody},
	message.KindObject:  {"object", Bytes},
	message.KindMap:     {"map", Fields},
	message.KindBytes:   {"bytes", Bytes},
	message.KindStream:  {"stream", Items},
	message.KindText:    {"text", Text},
}

// The words of a form that is not the natural one, behind a semicolon.
var formWords = [...]string{
	NoBody: "none", Text: "string", Null: "null", Bytes: "data", Fields: "map", Items: "list", Foreign: "value",
}

// bodyWord says the kind of a message and the form of its body.
func bodyWord(k message.Kind, f Form) string {
	if k < 0 || int(k) >= len(kindWords) {
		k = message.KindMessage
	}
	if kindWords[k].natural == f {
		return kindWords[k].word
	}
	return kindWords[k].word + ";" + formWords[f]
}

// parseBodyWord reads what bodyWord writes.
func parseBodyWord(s string) (k message.Kind, f Form, ok bool) {
	word, form, more := strings.Cut(strings.ToLower(s), ";")
	for i, have := range kindWords {
		if have.word != strings.TrimSpace(word) {
			continue
		}
		if !more {
			return message.Kind(i), have.natural, true
		}
		for f, have := range formWords {
			if have == strings.TrimSpace(form) {
				return message.Kind(i), Form(f), true
			}
		}
	}
	return 0, 0, false
}

// bodyWords are for error messages.
const bodyWords = "text, bytes, map, stream, object or message"

// schemes are what a destination's kind is called in front of its name.
var schemes = [...]string{Unknown: "address://", Queue: "queue://", Topic: "topic://", TemporaryQueue: "temp-queue://", TemporaryTopic: "temp-topic://"}

// bare says whether a destination is written without its kind: it has none, and does not
// look as if it had.
func (d Destination) bare() bool {
	return d.Kind == Unknown && !strings.Contains(d.Name, "://") || int(d.Kind) >= len(schemes)
}

// text gives a destination with its kind.
func (d Destination) text() string {
	if d.bare() {
		return d.Name
	}
	return schemes[d.Kind] + d.Name
}

func parseDestination(s string) Destination {
	for kind, scheme := range schemes {
		if name, ok := strings.CutPrefix(s, scheme); ok {
			return Destination{name, DestinationKind(kind)}
		}
	}
	return Destination{Name: s}
}
