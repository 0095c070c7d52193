package admin

import (
	"context"
	"errors"

	"github.com/tidegate/tidegate/core"
	"github.com/tidegate/tidegate/core/admin/command"
)

// isKind says whether an error is of a kind, of ours or of the broker's.
func isKind(err error, kind core.ErrorKind) bool { return KindOf(err) == kind }

// KindOf is what an error means to machines; faults of syntax are Invalid.
func KindOf(err error) core.ErrorKind {
	var own *Error
	var broker *core.Error
	var syntax *command.Error
	switch {
	case errors.As(err, &own):
		return own.Kind
	case errors.As(err, &broker):
		return broker.Kind
	case errors.As(err, &syntax):
		return core.Invalid
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return core.Unavailable
	}
	return core.Internal
}
