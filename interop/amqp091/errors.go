package amqp091

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

// advice says for each reply code of the protocol what an operator can do.
var advice = map[int]string{
	amqp.AccessRefused:      "check the user's rights there: rabbitmqctl list_permissions",
	amqp.NotFound:           "something was deleted there: it is declared again with the next session",
	amqp.ResourceLocked:     "another client has it exclusively: end that one",
	amqp.PreconditionFailed: "it is there with other properties, or a limit there was passed: see the reason",
	amqp.NotAllowed:         "check the virtual host, the part of the URL behind the last /, and the limits of connections there",
	amqp.NotImplemented:     "the other side cannot do that: it may be no RabbitMQ",
	amqp.ResourceError:      "the other side is short of something: see its log",
	amqp.FrameError:         "the connection broke",
	amqp.ConnectionForced:   "its operator closed the connection, or the broker stops",
}

// explain makes words for an operator of what the library or the broker says.
func explain(err error) error {
	var e *amqp.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, amqp.ErrCredentials):
		return errors.New("the broker does not let the user in: check username and password, in the url or in the keys of these names")
	case errors.Is(err, amqp.ErrVhost):
		return errors.New("the user has no access to the virtual host: check the part of the URL behind the last /, and rabbitmqctl list_permissions")
	case errors.Is(err, amqp.ErrSASL):
		return errors.New("the broker has no way to log in that is known here (PLAIN, AMQPLAIN, EXTERNAL): check its auth_mechanisms")
	case errors.As(err, &e):
		if words := advice[e.Code]; words != "" {
			return fmt.Errorf("%w; %s", e, words)
		}
		return e
	}
	return explainTLS(err)
}

func explainTLS(err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: name the authority's certificate with ssl_trusted", err)
	case errors.As(err, &host):
		return fmt.Errorf("%w: write the host as the certificate has it, or set ssl_expected_hostname", err)
	case errors.As(err, &header):
		return fmt.Errorf("%w: the port there is not one with TLS: write amqp://, or the port for TLS (5671)", err)
	}
	return err
}

// code is the reply code of an error; 0: it is another one.
func code(err error) int {
	var e *amqp.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// tooLarge is what RabbitMQ says before it closes the channel.
var tooLarge = regexp.MustCompile(`message size \d+ is larger than (?:the )?(?:configured )?max(?:imum)? size (\d+)`)

// largest reads the broker's limit of a message's size out of an error, in bytes.
func largest(err error) (limit int64, ok bool) {
	var e *amqp.Error
	if !errors.As(err, &e) || e.Code != amqp.PreconditionFailed {
		return 0, false
	}
	m := tooLarge.FindStringSubmatch(e.Reason)
	if m == nil {
		return 0, false
	}
	limit, parsed := strconv.ParseInt(m[1], 10, 64)
	return limit, parsed == nil
}
