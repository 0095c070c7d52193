package translate

import (
	"github.com/tidegate/tidegate/amqp/message"
	"github.com/tidegate/tidegate/amqp/wire"
)

// sample is a text message with all headers and a few properties.
func sample() *Message {
	return &Message{
		Kind: message.KindText, MessageID: "ID:EMS.1:1", CorrelationID: "order 7", Type: "new",
		Destination: Destination{"orders", Topic}, ReplyTo: Destination{"answers", TemporaryQueue},
		Priority: 7, Persistent: true, Timestamp: 1_700_000_000_000, Expiration: 1_700_000_060_000, DeliveryTime: 1_700_000_000_500,
		DeliveryCount: 1, GroupID: "g", GroupSequence: wire.Some(uint32(3)), UserID: []byte("alice"),
		Properties: []Property{{"color", "red"}, {"price", 1.5}, {"count", int32(3)}, {"paid", true}},
		Body:       Body{Form: Text, Text: "hé"},
	}
}
