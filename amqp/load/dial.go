package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

// capabilityQueue tells a broker that has queues and topics which one we mean.
const capabilityQueue wire.Symbol = "queue"

// errNoSASL is an answer that is not AMQP's.
var errNoSASL = errors.New("it does not answer as an AMQP 1.0 server with SASL does")

// session is a connection with one session and one link, attached.
type session struct {
	*conn
	// begin is what the broker said to our begin: its window and first id.
	begin frame.Begin
	// attach is what it said to our attach.
	attach frame.Attach
	closed bool // we sent close
	woken  atomic.Bool
}

// open connects, logs in, begins a session and attaches a.
func open(ctx context.Context, o *Options, a *frame.Attach) (*session, error) {
	at, user, err := o.server()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	sock, err := new(net.Dialer).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = sock.SetDeadline(time.Unix(1, 0)) })
	s := &session{conn: &conn{sock: sock, buf: make([]byte, firstRead)}}
	login := &sasl.Client{Nonce: rand.Text}
	if user != nil {
		login.User = user.Username()
		login.Password, _ = user.Password()
	}
	host, _, _ := net.SplitHostPort(at)
	err = s.handshake(login, host, a)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = sock.Close()
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return s, nil
}

func (s *session) handshake(login *sasl.Client, host string, a *frame.Attach) error {
	if err := s.login(login, host); err != nil {
		return err
	}
	if err := s.header(frame.ProtocolAMQP); err != nil {
		return err
	}
	s.out = frame.Append(s.out, frame.TypeAMQP, 0, &frame.Open{ContainerID: "tidegate-bench-" + rand.Text(), Hostname: host, MaxFrameSize: maxFrame})
	s.out = frame.Append(s.out, frame.TypeAMQP, 0, &frame.Begin{IncomingWindow: sessionWindow, OutgoingWindow: sessionWindow, HandleMax: 0})
	s.out = frame.Append(s.out, frame.TypeAMQP, 0, a)
	if err := s.flush(); err != nil {
		return err
	}
	opened, err := expect[*frame.Open](s)
	if err != nil {
		return err
	}
	s.idle, s.peerFrame = opened.IdleTimeOut, max(opened.MaxFrameSize, frame.MinMaxFrameSize)
	begun, err := expect[*frame.Begin](s)
	if err != nil {
		return err
	}
	s.begin = *begun
	attached, err := expect[*frame.Attach](s)
	if err != nil {
		return err
	}
	s.attach = *attached
	if a.Role == frame.RoleSender && attached.Target == nil || a.Role == frame.RoleReceiver && attached.Source == nil {
		_, err := expect[*frame.Detach](s) // a refused attach is followed by the reason
		return err
	}
	return nil
}

// login runs SASL.
func (s *session) login(c *sasl.Client, host string) error {
	if err := s.header(frame.ProtocolSASL); err != nil {
		return err
	}
	offer, err := expect[*frame.SASLMechanisms](s)
	if err != nil {
		return err
	}
	names := make([]string, len(offer.SASLServerMechanisms))
	for i, m := range offer.SASLServerMechanisms {
		names[i] = string(m)
	}
	mechanism, initial, err := c.Start(names)
	if err != nil {
		return err
	}
	var answer frame.Performative = &frame.SASLInit{Mechanism: wire.Symbol(mechanism), InitialResponse: initial, Hostname: host}
	for {
		s.out = frame.Append(s.out, frame.TypeSASL, 0, answer)
		if err := s.flush(); err != nil {
			return err
		}
		p, err := s.performative()
		if err != nil {
			return err
		}
		switch p := p.(type) {
		case *frame.SASLChallenge:
			response, err := c.Next(p.Challenge)
			if err != nil {
				return err
			}
			answer = &frame.SASLResponse{Response: response}
		case *frame.SASLOutcome:
			if p.Code != frame.SASLCodeOk {
				return fmt.Errorf("login refused: %v", p.Code)
			}
			return c.Finish(p.AdditionalData)
		default:
			return errNoSASL
		}
	}
}

// header exchanges protocol headers.
func (s *session) header(id frame.ProtocolID) error {
	s.out = frame.Version1(id).Append(s.out)
	if err := s.flush(); err != nil {
		return err
	}
	for s.to-s.from < frame.ProtocolHeaderSize {
		if err := s.fill(); err != nil {
			return lost(err)
		}
	}
	h, ok := frame.ParseProtocolHeader(s.buf[s.from:s.to])
	s.from += frame.ProtocolHeaderSize
	if !ok || h != frame.Version1(id) {
		return errNoSASL
	}
	return nil
}

// performative waits for the next frame that is not empty.
func (s *session) performative() (frame.Performative, error) {
	for {
		body, err := s.next()
		if err != nil {
			return nil, err
		}
		if body == nil {
			if err := s.fill(); err != nil {
				return nil, lost(err)
			}
			continue
		}
		if len(body) == 0 {
			continue
		}
		if code, _ := frame.Code(body); code >= frame.CodeSASLMechanisms && code <= frame.CodeSASLOutcome {
			p, _, err := frame.ParseSASL(body, nil)
			return p, err
		}
		p, _, err := frame.Parse(body, nil)
		return p, err
	}
}

// expect waits for a P; flows that come before are what a broker sends with its
// answers, and are said again later. An end of any kind is an error.
func expect[P frame.Performative](s *session) (P, error) {
	for {
		var none P
		p, err := s.performative()
		if err != nil {
			return none, err
		}
		if want, ok := p.(P); ok {
			if err := ended(p); err != nil {
				return none, err
			}
			return want, nil
		}
		if err := ended(p); err != nil {
			return none, err
		}
		if _, ok := p.(*frame.Flow); !ok {
			return none, fmt.Errorf("the broker sent %s where %s was due", p.TypeName(), none.TypeName())
		}
	}
}

// lost names the end of a connection.
func lost(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the broker hung up")
	}
	return err
}
