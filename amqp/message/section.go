package message

import "github.com/tidegate/tidegate/amqp/wire"

// section is the place of a section in a message.
type section uint8

// The sections in the order that the specification asks for (amqp 3.2).
const (
	headerSection section = iota
	deliverySection
	annotationSection
	propertiesSection
	applicationSection
	bodySection
	footerSection
	sections
)

var sectionNames = [sections]string{
	"header", "delivery-annotations", "message-annotations", "properties",
	"application-properties", "body", "footer",
}

// Descriptors of the sections.
const (
	codeHeader      = 0x70
	codeDelivery    = 0x71
	codeAnnotations = 0x72
	codeProperties  = 0x73
	codeApplication = 0x74
	codeData        = 0x75
	codeSequence    = 0x76
	codeValue       = 0x77
	codeFooter      = 0x78
)

// BodyKind is the form of a message's body.
type BodyKind uint8

// The forms (amqp 3.2.6 to 3.2.8).
const (
	BodyNone     BodyKind = iota // no body section at all
	BodyData                     // one or more data sections
	BodySequence                 // one or more amqp-sequence sections
	BodyValue                    // one amqp-value section
)

// String is the section's name in the specification.
func (k BodyKind) String() string {
	switch k {
	case BodyData:
		return "data"
	case BodySequence:
		return "amqp-sequence"
	case BodyValue:
		return "amqp-value"
	}
	return "none"
}

// place gives the section that a descriptor opens.
func place(d wire.Descriptor) (s section, kind BodyKind, ok bool) {
	code := d.Code
	if d.Name != nil {
		code = codeOf(d.Name)
	}
	switch code {
	case codeHeader, codeDelivery, codeAnnotations, codeProperties, codeApplication:
		return section(code - codeHeader), 0, true
	case codeData, codeSequence, codeValue:
		return bodySection, BodyKind(code - codeData + 1), true
	case codeFooter:
		return footerSection, 0, true
	}
	return 0, 0, false
}

func codeOf(symbol []byte) uint64 {
	switch string(symbol) {
	case "amqp:header:list":
		return codeHeader
	case "amqp:delivery-annotations:map":
		return codeDelivery
	case "amqp:message-annotations:map":
		return codeAnnotations
	case "amqp:properties:list":
		return codeProperties
	case "amqp:application-properties:map":
		return codeApplication
	case "amqp:data:binary":
		return codeData
	case "amqp:amqp-sequence:list":
		return codeSequence
	case "amqp:amqp-value:*":
		return codeValue
	case "amqp:footer:map":
		return codeFooter
	}
	return 0
}
