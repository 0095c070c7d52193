package gateway

import (
	"errors"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/wire"
	"github.com/tidegate/tidegate/core"
)

// conditions is the one map from the broker's kinds of error to AMQP's
// (reference 1.8).
var conditions = map[core.ErrorKind]wire.Symbol{
	core.NotFound:           frame.ConditionNotFound,
	core.Exists:             frame.ConditionNotAllowed,
	core.Denied:             frame.ConditionUnauthorizedAccess,
	core.Invalid:            frame.ConditionInvalidField,
	core.Limit:              frame.ConditionResourceLimitExceeded,
	core.Conflict:           frame.ConditionResourceLocked,
	core.UnknownTransaction: frame.ConditionTransactionUnknownID,
	core.RolledBack:         frame.ConditionTransactionRollback,
	core.TimedOut:           frame.ConditionTransactionTimeout,
	core.Unavailable:        frame.ConditionConnectionForced,
	core.Deleted:            frame.ConditionResourceDeleted,
	core.Internal:           frame.ConditionInternalError,
}

func amqpError(err error) *frame.Error {
	if err == nil {
		return nil
	}
	condition := frame.ConditionInternalError
	var e *core.Error
	if errors.As(err, &e) {
		condition = conditions[e.Kind]
	}
	return &frame.Error{Condition: condition, Description: err.Error()}
}

func isKind(err error, kind core.ErrorKind) bool {
	var e *core.Error
	return errors.As(err, &e) && e.Kind == kind
}

func clientIDInUse(id string) *frame.Error {
	return &frame.Error{
		Condition: frame.ConditionInvalidField, Description: "client id " + id + " is in use by another connection",
		Info: wire.Map{{Key: wire.Symbol("invalid-field"), Value: wire.Symbol("container-id")}},
	}
}
