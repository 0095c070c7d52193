package sasl

import (
	"errors"
	"fmt"
)

// ErrAuthentication is wrapped by every refusal of a Server's exchange, and by a
// Client's when the server does not know the password either. Which part was
// wrong is for our log, not for the peer.
var ErrAuthentication = errors.New("authentication failed")

// ErrMechanism is wrapped when no mechanism can be agreed on.
var ErrMechanism = errors.New("no usable SASL mechanism")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrAuthentication, fmt.Sprintf(format, args...))
}
