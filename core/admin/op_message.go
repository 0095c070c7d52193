package admin

import (
	"context"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/screen"
)

var messageOperations = []Operation{
	{Usage: "show message ID", Help: "One message by its JMSMessageID.", Right: Right{Global: "view-message"}, Run: trackedMessage("track_message_ids")},
	{Usage: "show messages CORRELATIONID", Help: "Messages by their JMSCorrelationID.", Right: Right{Global: "view-message"}, Run: trackedMessage("track_correlation_ids")},
	{Usage: "delete message ID", Help: "Remove one message by its JMSMessageID.", Right: Right{Global: "change-message"}, Run: trackedMessage("track_message_ids")},
}

// trackedMessage: EMS finds messages by an index that it keeps only if it is told
// to (ems 1.2). This version keeps none.
func trackedMessage(parameter string) func(context.Context, *Call) (*screen.Result, error) {
	return func(context.Context, *Call) (*screen.Result, error) {
		return nil, refuse(core.Invalid, "messages are not found by their ids in this version: %s is stored and has no effect; tidegate browse --queue NAME --selector \"JMSMessageID = '...'\" looks into a queue", parameter)
	}
}
