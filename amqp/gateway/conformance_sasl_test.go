package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/amqp/frame"
	"github.com/tidegate/tidegate/amqp/sasl"
	"github.com/tidegate/tidegate/amqp/wire"
)

var saslOutcome = "sasl-outcome code=ok"

// withUsers lets in ann, whose password is "secret", and nobody else.
func withUsers(w *world) {
	w.options.Users = sasl.UserMap{"ann": sasl.NewVerifier("secret", []byte("0123456789abcdef"), sasl.MinIterations)}
}

func plain(user, password string) []byte {
	return saslFrame(&frame.SASLInit{Mechanism: sasl.Plain, InitialResponse: []byte("\x00" + user + "\x00" + password)})
}

// asked is a client that has seen the mechanisms.
func (w *world) asked() *peer {
	w.t.Helper()
	p := w.dial()
	p.bytes(header(frame.ProtocolSASL))
	p.want("SASL", "sasl-mechanisms [SCRAM-SHA-512 SCRAM-SHA-256 PLAIN]")
	return p
}

func TestConformanceHeaderWithoutSASL(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		p.want("AMQP 1.0.0")
	})
}

func TestConformanceHeaderWhereSASLIsRequired(t *testing.T) {
	conform(t, func(w *world) {
		p := w.dial()
		p.bytes(header(frame.ProtocolAMQP))
		p.want("SASL 1.0.0", "EOF")
	}, withUsers)
}

func TestConformanceHeaderUnacceptable(t *testing.T) {
	conform(t, func(w *world) {
		for _, h := range []string{"AMQP\x00\x00\x09\x01", "AMQP\x04\x01\x00\x00", "AMQP\x00\x02\x00\x00", "HELO"} {
			p := w.dial()
			p.bytes([]byte(h))
			p.want("SASL 1.0.0", "EOF")
		}
	})
}

func TestConformanceSASLPlain(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.bytes(plain("ann", "secret"))
		p.want(saslOutcome)
		p.bytes(header(frame.ProtocolAMQP))
		p.want("AMQP 1.0.0") // and nothing more until open
		p.send(0, open("a"))
		p.want("open")
	}, withUsers)
}

func TestConformanceSASLPipelined(t *testing.T) {
	conform(t, func(w *world) {
		all := append(header(frame.ProtocolSASL), plain("ann", "secret")...)
		all = append(all, header(frame.ProtocolAMQP)...)
		all = append(all, encode(0, open("a"))...)
		p := w.dial()
		p.bytes(all)
		p.want("SASL", "sasl-mechanisms", saslOutcome, "AMQP", "open")
		p = w.dial()
		for i := range all {
			p.bytes(all[i : i+1])
		}
		p.want("SASL", "sasl-mechanisms", saslOutcome, "AMQP", "open")
	}, withUsers)
}

// CRAM-MD5 is not offered: it needs passwords that can be read. SCRAM is what is
// answered by challenge and response.
func TestConformanceSASLChallenge(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		client := &sasl.Client{User: "ann", Password: "secret", Nonce: func() string { return "nonce-of-the-client" }}
		mechanism, first, err := client.Start([]string{sasl.SCRAMSHA256})
		if err != nil {
			t.Fatal(err)
		}
		p.bytes(saslFrame(&frame.SASLInit{Mechanism: wire.Symbol(mechanism), InitialResponse: first}))
		challenge := p.saslBody(func(f frame.Performative) []byte { return f.(*frame.SASLChallenge).Challenge })
		response, err := client.Next(challenge)
		if err != nil {
			t.Fatal(err)
		}
		p.bytes(saslFrame(&frame.SASLResponse{Response: response}))
		proof := p.saslBody(func(f frame.Performative) []byte { return f.(*frame.SASLOutcome).AdditionalData })
		if err := client.Finish(proof); err != nil {
			t.Error("the server does not know the password: ", err)
		}
	}, withUsers)
}

func TestConformanceSASLCRAMMD5(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.bytes(saslFrame(&frame.SASLInit{Mechanism: "CRAM-MD5"}))
		<-time.After(time.Second)
		p.want("sasl-outcome code=auth !additional-data", "EOF")
	}, withUsers)
}

// oneToken admits ann by a token that is longer than any frame of 512 bytes.
type oneToken string

func (o oneToken) Check(user, token string) (string, bool) { return user, token == string(o) }

func TestConformanceSASLToken(t *testing.T) {
	token := strings.Repeat("t", 100_000)
	conform(t, func(w *world) {
		for _, c := range []struct {
			token, outcome string
		}{{token, "code=ok"}, {token[1:], "code=auth"}} {
			p := w.dial()
			p.bytes(header(frame.ProtocolSASL))
			p.want("SASL", "sasl-mechanisms XOAUTH2")
			p.bytes(saslFrame(&frame.SASLInit{Mechanism: "XOAUTH2", InitialResponse: []byte("user=ann\x01auth=Bearer " + c.token + "\x01\x01")}))
			<-time.After(time.Second)
			if lines := p.lines(); len(lines) == 0 || !matches(lines[0], "sasl-outcome "+c.outcome) {
				t.Error(lines)
			}
		}
	}, withUsers, func(w *world) { w.options.Tokens = oneToken(token) })
}

func TestConformanceSASLBadPassword(t *testing.T) {
	conform(t, func(w *world) {
		for _, login := range [][]byte{plain("ann", "wrong"), plain("bob", "secret")} {
			p := w.asked()
			p.bytes(login)
			p.want() // told late, so that guessing is slow
			<-time.After(time.Second)
			p.want("sasl-outcome code=auth !additional-data", "EOF")
		}
	}, withUsers)
}

func TestConformanceSASLUnknownMechanism(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.bytes(saslFrame(&frame.SASLInit{Mechanism: "NOT-A-MECHANISM"}))
		<-time.After(time.Second)
		p.want("sasl-outcome code=auth !additional-data", "EOF")
	}, withUsers)
}

func TestConformanceSASLOpenInsteadOfInit(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.send(0, open("a"))
		p.want("EOF")
	}, withUsers)
}

func TestConformanceSASLFramesInTheWrongRole(t *testing.T) {
	conform(t, func(w *world) {
		for _, f := range []frame.Performative{
			&frame.SASLMechanisms{SASLServerMechanisms: symbols("PLAIN")},
			&frame.SASLChallenge{Challenge: []byte("c")},
			&frame.SASLOutcome{Code: frame.SASLCodeOk},
			&frame.SASLResponse{Response: []byte("before init")},
		} {
			p := w.asked()
			p.bytes(saslFrame(f))
			p.want("EOF")
		}
	}, withUsers)
}

func TestConformanceSASLEmptyFrame(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.bytes([]byte{0, 0, 0, 8, 2, frame.TypeSASL, 0, 0})
		p.want("EOF")
	}, withUsers)
}

func TestConformanceSASLNoAnswer(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		<-time.After(9 * time.Second)
		p.want()
		<-time.After(2 * time.Second)
		p.want("EOF")
	}, withUsers)
}

// Qpid JMS logs in when a Connection is made, and opens at its first use.
func TestConformanceSASLOpenMuchLater(t *testing.T) {
	conform(t, func(w *world) {
		p := w.asked()
		p.bytes(plain("ann", "secret"), header(frame.ProtocolAMQP))
		p.want(saslOutcome, "AMQP")
		<-time.After(5 * time.Minute)
		p.send(0, open("a"))
		p.want("open")
	}, withUsers)
}
