package load

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"time"
)

// Limits of a run.
const (
	MaxConnections = 20_000
	MaxSize        = 64 << 20 // bytes of a body
	MaxWindow      = 1 << 20  // unsettled messages of a producer, credit of a consumer
	MaxBatch       = 1 << 12  // messages of a write
)

const (
	// maxWrite bounds the bytes of one write, and with it a producer's buffer;
	// one message may be longer.
	maxWrite = 512 << 10
	// maxFrame is the max-frame-size that we announce, in bytes, and firstRead
	// and maxRead what a connection's buffer starts at and grows to: a thousand
	// connections must not take a thousand large buffers.
	maxFrame  = 256 << 10
	firstRead = 16 << 10
	maxRead   = 512 << 10
	// sessionWindow is the incoming window that we grant, in frames.
	sessionWindow   = 1 << 30
	defaultPatience = 10 * time.Second
	// closeTime is how long the broker has to answer our closes.
	closeTime = 5 * time.Second
	// handshakeTime bounds connecting, login and attach.
	handshakeTime = 15 * time.Second
)

// Options say what a run does.
type Options struct {
	// URL is amqp://[USER:PASSWORD@]HOST[:PORT]. Without a user it logs in as
	// ANONYMOUS.
	URL string
	// Address is the queue's, as the broker wants it.
	Address string

	Producers, Consumers int
	Size                 int  // bytes of a body, at least MinSize
	Durable              bool // header's durable
	Settled              bool // transfers are sent settled, and consumers ask for that
	Window               int  // most unsettled messages of a producer
	Credit               int  // a consumer's link credit
	Batch                int  // most messages of one write
	// Backlog holds producers back while that many messages are not received
	// yet, beside those of Fill; 0: no limit.
	Backlog int
	// Count ends the run after that many messages; 0: Stop ends it.
	Count uint64
	// Rate is how many messages a second all producers together offer; 0: as
	// many as they can. Latency then counts from the time a message was due.
	Rate float64
	// Patience is how long nothing may happen before a run that waits for
	// messages or settlements gives up; 0: ten seconds.
	Patience time.Duration
}

// Check tells what is wrong with o, naming first what it is about.
func (o *Options) Check() error {
	for _, r := range []struct {
		what         string
		v, low, high int
	}{
		{"producers", o.Producers, 0, MaxConnections},
		{"consumers", o.Consumers, 0, MaxConnections},
		{"size", o.Size, MinSize, MaxSize},
		{"window", o.Window, 1, MaxWindow},
		{"credit", o.Credit, 1, MaxWindow},
		{"batch", o.Batch, 1, MaxBatch},
		{"backlog", o.Backlog, 0, math.MaxInt},
	} {
		if r.v < r.low || r.v > r.high {
			return fmt.Errorf("%s %d: write a number from %d to %d", r.what, r.v, r.low, r.high)
		}
	}
	switch {
	case o.Producers+o.Consumers == 0:
		return errors.New("producers 0: with no consumers either there is nothing to do")
	case o.Address == "":
		return errors.New("queue: name one")
	case !(o.Rate >= 0) || math.IsInf(o.Rate, 0):
		return fmt.Errorf("rate %g: write messages a second, or 0 for as many as go", o.Rate)
	}
	_, _, err := o.server()
	return err
}

// server takes the URL apart.
func (o *Options) server() (hostPort string, user *url.Userinfo, err error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "amqp" || u.Hostname() == "" {
		return "", nil, errors.New("url: write amqp://[USER:PASSWORD@]HOST[:PORT]")
	}
	port := u.Port()
	if port == "" {
		port = "5672"
	}
	return net.JoinHostPort(u.Hostname(), port), u.User, nil
}
