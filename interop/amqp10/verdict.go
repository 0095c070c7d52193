package amqp10

import (
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/amqp/client"
	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
)

// outcomes are those that we know what to do with.
var outcomes = []wire.Symbol{"amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"}

// verdict reads an outcome of a message that went out: refused for good, or to be sent
// again; both nil: the peer has it.
func verdict(state frame.DeliveryState) (refused, again error) {
	switch x := state.(type) {
	case frame.Accepted, *frame.Accepted:
		return nil, nil
	case *frame.Rejected:
		if passing(x.Error) {
			return nil, refusal(x.Error)
		}
		return refusal(x.Error), nil
	case *frame.Modified:
		if x.UndeliverableHere {
			return errors.New("it can never be delivered there (modified, undeliverable-here)"), nil
		}
		return nil, errors.New("modified")
	case frame.Released, *frame.Released:
		return nil, errors.New("released")
	case nil:
		return errSilent, nil
	}
	return fmt.Errorf("an outcome of type %T", state), nil
}

// refusal is the peer's error, in its words.
func refusal(e *frame.Error) error {
	if e == nil {
		return errors.New("refused, without a reason")
	}
	return errors.New((&client.Error{E: e}).Error()) // e is the engine's
}

// passing says whether what the peer refuses now it may take later.
func passing(e *frame.Error) bool {
	if e == nil {
		return false
	}
	switch e.Condition {
	case frame.ConditionResourceLimitExceeded, frame.ConditionInternalError, frame.ConditionDetachForced, frame.ConditionConnectionForced,
		"com.microsoft:server-busy", "com.microsoft:timeout", "com.microsoft:operation-cancelled", "com.microsoft:entity-disabled":
		return true
	}
	return false
}
